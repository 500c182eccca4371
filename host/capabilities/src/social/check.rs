//! What is tried of social networks, by `doctor` and when a cloud starts: that each account can be asked; of the owner's
//! machine, that its server can publish; of a cloud, that nothing there can act. The last is the draft server's to find
//! out: started with [`DRAFTER_ONLY`], it asks the network what each token may do, and says of one that may do more than
//! read how to make a narrower one.
//!
//! Invariant: nothing is published and nothing is saved.

use std::time::Duration;

use platinum_core::{Role, text::one_line};
use platinum_mcp::{ServerSpec, Session};
use serde_json::json;

use super::answers::{Account, AccountList};
use crate::{
    server::{AskError, ask},
    zones::{Check, CheckLevel, why_no_session},
};

/// The argument by which a server takes no credential that could publish.
pub(super) const DRAFTER_ONLY: &str = "--drafter-only";
/// Most accounts that are named.
const MAX_NAMED: usize = 8;
/// How long a cloud that starts waits for what the networks say of its tokens.
const PROOF_TIMEOUT: Duration = Duration::from_secs(20);

/// Starts the server and asks for every account.
///
/// # Errors
/// What does not work, and what to do.
pub(super) async fn try_out(role: Role, server: ServerSpec) -> Result<Check, String> {
    let session = Session::spawn(server).await;
    let session = session.map_err(|error| why_no_session(&error))?;
    let tried = try_session(role, &session).await;
    session.close().await;
    tried
}

async fn try_session(role: Role, session: &Session) -> Result<Check, String> {
    let tools = session.tools().await.map_err(|error| error.to_string())?;
    let can_publish = tools.iter().any(|tool| tool.name == "publish_post");
    let accounts = list_accounts(session).await?;
    Ok(judge(role, &accounts, can_publish))
}

async fn list_accounts(session: &Session) -> Result<Vec<Account>, String> {
    let answer: AccountList = ask(session, "list_accounts", json!({}))
        .await
        .map_err(AskError::into_words)?;
    Ok(answer.accounts)
}

/// Whether nothing of what a cloud's server was given can act. What cannot be found out now is found out before
/// anything is drafted.
///
/// # Errors
/// What can, and what to do.
pub(super) async fn refuse_acting(session: &Session) -> Result<(), String> {
    let asked = tokio::time::timeout(PROOF_TIMEOUT, list_accounts(session)).await;
    let accounts = match asked {
        Ok(Ok(accounts)) => accounts,
        Ok(Err(why)) => {
            tracing::debug!(
                why,
                "what the tokens of social networks can do is not known yet"
            );
            return Ok(());
        }
        Err(_) => return Ok(()),
    };
    match acting(&accounts) {
        Some(what) => Err(what),
        None => Ok(()),
    }
}

/// Which credentials of a cloud can act, in a sentence with what to do; none if no one can.
fn acting(accounts: &[Account]) -> Option<String> {
    let can_act = accounts.iter().filter(|account| account.can_act);
    let problems = can_act.filter_map(|account| account.problem.as_deref());
    let problems: Vec<String> = problems
        .take(MAX_NAMED)
        .map(|problem| one_line(problem, 300))
        .collect();
    (!problems.is_empty()).then(|| {
        format!(
            "a cloud holds nothing that can act on a network, and {}",
            problems.join("; ")
        )
    })
}

/// What the accounts say, in a sentence.
fn judge(role: Role, accounts: &[Account], can_publish: bool) -> Check {
    if role == Role::Cloud
        && let Some(what) = acting(accounts)
    {
        return Check::new(CheckLevel::Error, what);
    }
    let (away, open): (Vec<&Account>, Vec<&Account>) = accounts
        .iter()
        .partition(|account| account.problem.is_some());
    let mut parts = Vec::new();
    let mut level = CheckLevel::Ok;
    if accounts.is_empty() {
        level = CheckLevel::Error;
        parts.push("its file has no account".to_owned());
    }
    if !open.is_empty() {
        parts.push(format!("{} can be asked", named(&open, Account::title)));
    }
    if !away.is_empty() {
        level = match open.is_empty() {
            true => CheckLevel::Error,
            false => CheckLevel::Warning,
        };
        let problem = |account: &Account| {
            let why = account.problem.as_deref().unwrap_or_default();
            format!("{}: {}", account.title(), one_line(why, 200))
        };
        parts.push(format!("not {}", named(&away, problem)));
    }
    match role {
        Role::Local if !can_publish => {
            if level == CheckLevel::Ok {
                level = CheckLevel::Warning;
            }
            parts.push("this server cannot publish, so approved posts stay drafts".to_owned());
        }
        Role::Cloud if level == CheckLevel::Ok => {
            parts.push("nothing in its file can publish".to_owned());
        }
        Role::Local | Role::Cloud => {}
    }
    Check::new(level, parts.join("; "))
}

fn named(accounts: &[&Account], name: impl Fn(&Account) -> String) -> String {
    let shown = accounts.iter().take(MAX_NAMED);
    let shown: Vec<String> = shown.map(|account| name(account)).collect();
    let more = match accounts.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, problem: Option<&str>, can_act: bool) -> Account {
        serde_json::from_value(
            json!({ "name": name, "network": "bluesky", "server": "https://bsky.test", "handle": "ada.test",
            "problem": problem, "can_act": can_act }),
        )
        .unwrap()
    }

    #[test]
    fn judge_names_every_account_and_what_is_missing() {
        let sky = || account("sky", None, false);
        let away = || account("fedi", Some("cannot reach\nm.test"), false);
        let power = "the token of `acting` can post; remove it here";
        let acting = || account("acting", Some(power), true);
        let open = "sky (@ada.test at https://bsky.test) can be asked";
        let not = "not fedi (@ada.test at https://bsky.test): cannot reach m.test";
        let no = "this server cannot publish, so approved posts stay drafts";
        for (role, accounts, can_publish, level, text) in [
            (
                Role::Local,
                vec![sky()],
                true,
                CheckLevel::Ok,
                open.to_owned(),
            ),
            (
                Role::Local,
                vec![sky()],
                false,
                CheckLevel::Warning,
                format!("{open}; {no}"),
            ),
            (
                Role::Local,
                vec![away()],
                false,
                CheckLevel::Error,
                format!("{not}; {no}"),
            ),
            (
                Role::Local,
                vec![sky(), away()],
                true,
                CheckLevel::Warning,
                format!("{open}; {not}"),
            ),
            (
                Role::Cloud,
                vec![sky()],
                false,
                CheckLevel::Ok,
                format!("{open}; nothing in its file can publish"),
            ),
            (
                Role::Cloud,
                vec![away()],
                false,
                CheckLevel::Error,
                not.to_owned(),
            ),
            // Whatever else there is to say.
            (
                Role::Cloud,
                vec![sky(), acting(), away()],
                false,
                CheckLevel::Error,
                format!("a cloud holds nothing that can act on a network, and {power}"),
            ),
            (
                Role::Cloud,
                vec![],
                false,
                CheckLevel::Error,
                "its file has no account".to_owned(),
            ),
        ] {
            assert_eq!(judge(role, &accounts, can_publish), Check::new(level, text));
        }
    }
}
