//! What `doctor` tries of social networks: that each account can be asked; of the owner's machine, that its server can
//! publish; of a cloud, that nothing there can. The last is the draft server's to find out: started with
//! [`DRAFTER_ONLY`], it asks the network what each token may do, and says of one that may publish how to make a
//! narrower one.
//!
//! Invariant: nothing is published and nothing is saved.

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
    let answer = ask(session, "list_accounts", json!({})).await;
    let answer: AccountList = answer.map_err(AskError::into_words)?;
    let accounts: Vec<&Account> = answer.accounts.iter().collect();
    Ok(judge(role, &accounts, can_publish))
}

/// What the accounts say, in a sentence.
fn judge(role: Role, accounts: &[&Account], can_publish: bool) -> Check {
    let (away, open): (Vec<&Account>, Vec<&Account>) = accounts
        .iter()
        .copied()
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

    #[test]
    fn judge_names_every_account_and_what_is_missing() {
        let account = |name: &str, problem: Option<&str>| -> Account {
            serde_json::from_value(
                json!({ "name": name, "network": "bluesky", "server": "https://bsky.test",
                "handle": "ada.test", "problem": problem }),
            )
            .unwrap()
        };
        let (sky, away) = (
            account("sky", None),
            account("fedi", Some("cannot reach\nm.test")),
        );
        let open = "sky (@ada.test at https://bsky.test) can be asked";
        let not = "not fedi (@ada.test at https://bsky.test): cannot reach m.test";
        let no = "this server cannot publish, so approved posts stay drafts";
        for (role, accounts, can_publish, level, text) in [
            (
                Role::Local,
                vec![&sky],
                true,
                CheckLevel::Ok,
                open.to_owned(),
            ),
            (
                Role::Local,
                vec![&sky],
                false,
                CheckLevel::Warning,
                format!("{open}; {no}"),
            ),
            (
                Role::Local,
                vec![&away],
                false,
                CheckLevel::Error,
                format!("{not}; {no}"),
            ),
            (
                Role::Local,
                vec![&sky, &away],
                true,
                CheckLevel::Warning,
                format!("{open}; {not}"),
            ),
            (
                Role::Cloud,
                vec![&sky],
                false,
                CheckLevel::Ok,
                format!("{open}; nothing in its file can publish"),
            ),
            (
                Role::Cloud,
                vec![&away],
                false,
                CheckLevel::Error,
                not.to_owned(),
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
