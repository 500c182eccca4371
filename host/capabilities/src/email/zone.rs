//! [`EmailZone`]: the section `[zones.email]`, and all that follows from it.
//!
//! Lives elsewhere: the mail servers' own file is read in `accounts.rs`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use platinum_core::{AgentName, OwnAnswer, Role, ZoneId};
use platinum_engine::Interface;
use platinum_mcp::{CallError, Gate, ServerSpec, Session};
use platinum_vault::{
    Vault,
    note::{MESSAGE_ID, TaskNote},
};
use serde::Deserialize;

use super::{
    Mail, McpMail, accounts::Accounts, address_book::account_of, correspondent::Correspondent,
    interfaces, mail::ReadOnlyMail,
};
use crate::{
    server::{AskError, ask},
    tasks::TaskStore,
    zones::{
        Check, CheckLevel, PathBase, SecretSource, SourceCommand, ZoneCapabilities,
        check_environment, environment, secrets_of, server_program, why_no_session,
    },
};

/// How long one call of the mail server may take: longer than the server's own patience with SMTP
/// (3 min), or a slow answer would count as an unknown outcome.
const CALL_TIMEOUT: Duration = Duration::from_secs(240);
/// A Message-ID that no mail has: searching for it needs the login and finds nothing.
const NO_MAIL: &str = "platinum-doctor@nowhere.invalid";
/// The fact with the account that it came to.
pub(super) const ACCOUNT: &str = "account";

/// Mail, as `[zones.email]` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EmailZone {
    /// The account; empty if there is none.
    account: String,
    /// The mail servers' own configuration file.
    config: PathBuf,
    /// The MCP server's program; empty for the role's own.
    server: PathBuf,
    /// Environment variables that the server and the source may see.
    env: Vec<String>,
    /// Whether this host watches the mailbox.
    watch: bool,
}

/// Reads the section.
///
/// # Errors
/// If a key does not exist, or a value cannot be used.
pub(crate) fn configure(
    section: toml::Table,
    base: &PathBase,
) -> Result<Box<dyn ZoneCapabilities>, String> {
    let mut zone = EmailZone::deserialize(section).map_err(|error| error.to_string())?;
    if !zone.account.is_empty() && zone.config.as_os_str().is_empty() {
        return Err("`account` is given without `config`".to_owned());
    }
    if !zone.config.as_os_str().is_empty() {
        zone.config = base.resolve("zones.email.config", &zone.config)?;
    }
    zone.server = base.resolve_program("zones.email.server", zone.server)?;
    Ok(Box::new(zone))
}

#[async_trait]
impl ZoneCapabilities for EmailZone {
    fn server(&self, role: Role) -> Option<ServerSpec> {
        if self.account.is_empty() {
            return None;
        }
        Some(ServerSpec {
            name: "email".to_owned(),
            command: server_program(&self.server, role, "platinum-email-draft", "platinum-email"),
            args: vec!["--config".to_owned(), text(&self.config)],
            env: environment(&self.env),
            call_timeout: CALL_TIMEOUT,
            gate: gate(role),
        })
    }

    /// The cloud has no way to send, also not one that its own programs would not use: whoever takes
    /// it over has its files.
    fn check_role(&self, role: Role) -> Result<(), String> {
        if role != Role::Cloud || self.account.is_empty() {
            return Ok(());
        }
        // What cannot be read is reported by the server that reads it.
        let Ok(accounts) = Accounts::read(&self.config) else {
            return Ok(());
        };
        match accounts.way_out(self.config.parent().unwrap_or(Path::new("."))) {
            Some(way) => Err(format!(
                "{} has {way}, and a cloud holds nothing that can send; give it a mail file of its \
                 own without that (docs/security.md, \"The cloud's credential\")",
                self.config.display()
            )),
            None => Ok(()),
        }
    }

    fn interfaces(
        &self,
        session: &Session,
        _: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        let mail: Arc<dyn Mail> = Arc::new(McpMail::new(session.clone()));
        interfaces(&mail, store)
    }

    fn trial_interfaces(
        &self,
        session: &Session,
        _: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        let mail: Arc<dyn Mail> = Arc::new(ReadOnlyMail(McpMail::new(session.clone())));
        interfaces(&mail, store)
    }

    fn secrets(&self) -> Vec<SecretSource> {
        secrets_of(&self.env, &self.config)
    }

    fn source(&self) -> Option<SourceCommand> {
        (self.watch && !self.account.is_empty()).then(|| self.watcher())
    }

    /// A mail may bring what is of another zone.
    fn host_args(&self, _: &AgentName, zones: &[ZoneId]) -> Vec<String> {
        let accounting = zones.contains(&ZoneId::ACCOUNTING);
        accounting
            .then(|| "--accounting".to_owned())
            .into_iter()
            .collect()
    }

    fn past(&self, count: usize) -> Option<SourceCommand> {
        (!self.account.is_empty()).then(|| {
            let mut source = self.watcher();
            let past = ["--past".to_owned(), count.to_string(), "--once".to_owned()];
            source.args.extend(past);
            source
        })
    }

    fn task_facts(&self) -> Vec<(&'static str, String)> {
        // A mail says which account it came to; a dropped file cannot.
        let account = Some(self.account.clone()).filter(|account| !account.is_empty());
        account
            .map(|account| (ACCOUNT, account))
            .into_iter()
            .collect()
    }

    fn addresses(&self) -> Result<Option<BTreeMap<String, String>>, String> {
        if self.account.is_empty() {
            return Ok(None);
        }
        match Accounts::read(&self.config) {
            Ok(accounts) => Ok(Some(accounts.addresses())),
            Err(why) => Err(format!("the mail file {} {why}", self.config.display())),
        }
    }

    /// Whether they answered the mail from another program or device.
    async fn done_by_owner(
        &self,
        session: &Session,
        task: &TaskNote,
    ) -> Result<Option<String>, String> {
        let Some(message_id) = task.fact(MESSAGE_ID).first() else {
            return Ok(None);
        };
        let people = Correspondent::of(task).map(Correspondent::into_addresses);
        let asked = serde_json::json!({
            "account": account_of(task).unwrap_or(&self.account),
            "message_id": message_id,
            "people": people.unwrap_or_default(),
        });
        let answer = ask(session, "get_answer", asked).await;
        let answer: OwnAnswer = answer.map_err(AskError::into_words)?;
        Ok(answer.words())
    }

    /// Opens the mailbox.
    async fn try_out(&self, role: Role, server: ServerSpec) -> Result<Check, String> {
        check_environment("zones.email.env", &self.env)?;
        let file = self.config.display();
        let accounts = Accounts::read(&self.config)
            .map_err(|why| format!("`zones.email.config` {file} {why}"))?;
        let has_outgoing = accounts.has_outgoing(&self.account).ok_or_else(|| {
            format!(
                "`zones.email.account` is `{}`, and {file} has {}",
                self.account,
                accounts.names()
            )
        })?;
        let session = Session::spawn(server)
            .await
            .map_err(|error| why_no_session(&error))?;
        let tried = self.try_session(role, &session, has_outgoing).await;
        session.close().await;
        tried
    }

    fn setting_up(&self) -> &'static str {
        "`account` and `config` under [zones.email] name one"
    }

    async fn check_cloud(
        &self,
        server: Option<ServerSpec>,
        cloud_file: Option<&Path>,
    ) -> Option<Check> {
        let session = Session::spawn(server?).await.ok()?;
        let arguments = match cloud_file {
            Some(file) => serde_json::json!({ "mail_file": file }),
            None => serde_json::json!({}),
        };
        let tried = try_submission(&session, arguments).await;
        session.close().await;
        let whose = match cloud_file {
            Some(_) => "the cloud's credential",
            None => "the credential that reads",
        };
        match tried {
            Err(why) if cloud_file.is_none() => {
                tracing::debug!(why, "the reading credential was not tried");
                None
            }
            Err(why) => Some(Check::new(CheckLevel::Error, why)),
            Ok(logins) => judge_logins(&logins, whose, cloud_file.is_some()),
        }
    }

    fn summary(&self) -> Option<String> {
        let place = if self.watch { "here" } else { "elsewhere" };
        (!self.account.is_empty()).then(|| format!("account {}, watched {place}", self.account))
    }
}

impl EmailZone {
    /// The watcher of the mailbox.
    fn watcher(&self) -> SourceCommand {
        SourceCommand {
            name: "the mail watcher".to_owned(),
            args: vec![
                "mail".to_owned(),
                "--config".to_owned(),
                text(&self.config),
                "--account".to_owned(),
                self.account.clone(),
            ],
            env: environment(&self.env),
        }
    }

    /// Opens the mailbox, looks for its folders and logs in where mail leaves.
    async fn try_session(
        &self,
        role: Role,
        session: &Session,
        has_outgoing: bool,
    ) -> Result<Check, String> {
        let (account, file) = (&self.account, self.config.display());
        let can_send = self.open_mailbox(session).await?;
        let missing = missing_folders(session, account).await?;
        let opened = match missing.as_slice() {
            [] => format!("the mailbox of `{account}` opens, with its Drafts and Sent"),
            missing => format!(
                "the mailbox of `{account}` opens; it has no folder {}, which is made when it is needed",
                missing.join(" and no folder ")
            ),
        };
        let opened = match learnt_addresses(session, account).await {
            addresses if addresses.is_empty() => opened,
            addresses => format!(
                "{opened}; your own addresses too, as its Sent shows: {} (write them as `aliases` under \
                 [account.{account}] in {file}, or `aliases-from-sent = false` if they are not yours)",
                addresses.join(", ")
            ),
        };
        let warning = |text: String| Ok(Check::new(CheckLevel::Warning, text));
        if role == Role::Cloud {
            let level = match missing.as_slice() {
                [] => CheckLevel::Ok,
                _ => CheckLevel::Warning,
            };
            return Ok(Check::new(level, opened));
        }
        if !can_send {
            return warning(format!(
                "{opened}; this mail server cannot send, so approved drafts stay where they are"
            ));
        }
        if !has_outgoing {
            return warning(format!(
                "{opened}; there is no [account.{account}.smtp] in {file}, so approved drafts cannot be sent"
            ));
        }
        let own = serde_json::json!({ "sending": true });
        let logins = try_submission(session, own).await?;
        let Some(login) = logins.iter().find(|login| login.account == *account) else {
            let text = "approved drafts are left in its outbox";
            return Ok(Check::new(CheckLevel::Ok, format!("{opened}; {text}")));
        };
        match login.can_send {
            Some(true) if missing.is_empty() => Ok(Check::new(
                CheckLevel::Ok,
                format!("{opened}; {} lets it send (nothing was sent)", login.server),
            )),
            Some(true) => warning(format!("{opened}; {} lets it send", login.server)),
            _ => Err(format!(
                "{opened}; sending does not work ([account.{account}.smtp] in {file}): {}",
                login.why
            )),
        }
    }

    /// Gets into the mailbox; answers whether the server can send.
    async fn open_mailbox(&self, session: &Session) -> Result<bool, String> {
        let tools = session.tools().await.map_err(|error| error.to_string())?;
        let search = serde_json::json!({ "message_id": NO_MAIL, "folder": "INBOX", "limit": 1 });
        match session.call("search_emails", search).await {
            Ok(_) => Ok(tools.iter().any(|tool| tool.name == "send_email")),
            Err(CallError::Tool(text)) => {
                // The server sees only what it is given; a variable of this shell is not enough.
                let is_name_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let withheld = text
                    .split(|c| !is_name_part(c))
                    .filter(|_| text.contains("environment variable"))
                    .find(|word| {
                        std::env::var_os(word).is_some() && !self.env.iter().any(|n| n == word)
                    });
                Err(match withheld {
                    Some(name) => {
                        format!("{text}; name it in `zones.email.env`: env = [\"{name}\"]")
                    }
                    None => text,
                })
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The addresses that the sent mails show to be the owner's; none if that cannot be asked.
async fn learnt_addresses(session: &Session, account: &str) -> Vec<String> {
    #[derive(Deserialize)]
    struct Answer {
        learnt: Vec<String>,
    }
    let asked = serde_json::json!({ "account": account });
    let answer = ask::<Answer>(session, "get_own_addresses", asked).await;
    answer.map(|answer| answer.learnt).unwrap_or_default()
}

/// Which of Drafts and Sent a mailbox does not have.
async fn missing_folders(session: &Session, account: &str) -> Result<Vec<&'static str>, String> {
    let mut missing = Vec::new();
    for folder in ["Drafts", "Sent"] {
        let search = serde_json::json!({
            "message_id": NO_MAIL, "folder": folder, "account": account, "limit": 1
        });
        match session.call("search_emails", search).await {
            Ok(_) => {}
            Err(CallError::Tool(text)) if text.contains("there is no folder") => {
                missing.push(folder);
            }
            Err(error) => return Err(error.into_words()),
        }
    }
    Ok(missing)
}

/// The answer of `try_submission`.
#[derive(Deserialize)]
struct Logins {
    logins: Vec<Login>,
}

#[derive(Deserialize)]
struct Login {
    account: String,
    server: String,
    can_send: Option<bool>,
    #[serde(default)]
    why: String,
}

/// Lets the mail server try credentials: those that read, or with `sending` those that send.
async fn try_submission(
    session: &Session,
    arguments: serde_json::Value,
) -> Result<Vec<Login>, String> {
    let answer = ask(session, "try_submission", arguments).await;
    let answer: Logins = answer.map_err(AskError::into_words)?;
    Ok(answer.logins)
}

/// What the owner has to know of these logins.
fn judge_logins(logins: &[Login], whose: &str, is_cloud: bool) -> Option<Check> {
    const READ: &str =
        "docs/security.md, \"The cloud's credential\", says which narrower one there is";
    if let Some(login) = logins.iter().find(|login| login.can_send == Some(true)) {
        let text = format!(
            "{whose} for `{}` can send, too: {} lets it in; who takes over a cloud that has it can \
             send in your name; {READ}",
            login.account, login.server
        );
        return Some(Check::new(CheckLevel::Warning, text));
    }
    if let Some(login) = logins.iter().find(|login| login.can_send.is_none()) {
        let text = format!(
            "whether {whose} for `{}` can send is not known: {}; {READ}",
            login.account, login.why
        );
        return Some(Check::new(CheckLevel::Warning, text));
    }
    match logins.first() {
        Some(login) => Some(Check::new(
            CheckLevel::Ok,
            format!("{whose} cannot send: {} refuses it", login.server),
        )),
        None if is_cloud => Some(Check::new(
            CheckLevel::Warning,
            "there is no submission server here to try the cloud's credential at",
        )),
        None => None,
    }
}

/// The tools of the mail server, by role. A local host may also run the draft-only build.
fn gate(role: Role) -> Gate {
    let needed = ["draft_email", "get_answer", "search_emails"];
    let helpful = ["search_people", "read_style", "get_own_addresses"];
    match role {
        Role::Cloud => Gate::new(role, &needed, &helpful),
        Role::Local => {
            let of_the_owner = [
                "send_email",
                "prepare_email",
                "close_email",
                "try_submission",
                "list_attachments",
                "read_attachment",
            ];
            Gate::new(role, &needed, &[&helpful[..], &of_the_owner].concat())
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str) -> Result<Box<dyn ZoneCapabilities>, String> {
        let base = PathBase {
            folder: "/etc/p".into(),
            home: Some("/homes/me".into()),
        };
        configure(text.parse().unwrap(), &base)
    }

    #[test]
    fn configure_without_account_sets_nothing_up() {
        let zone = configured("").unwrap();
        assert!(zone.server(Role::Cloud).is_none() && zone.source().is_none());
        assert_eq!((zone.secrets(), zone.summary()), (vec![], None));
    }

    #[test]
    fn configure_resolves_the_paths_of_its_files() {
        let zone = configured("account = \"me\"\nconfig = \"mail.toml\"\nserver = \"~/bin/mail\"")
            .unwrap();
        let server = zone.server(Role::Cloud).unwrap();
        assert_eq!(server.command, Path::new("/homes/me/bin/mail"));
        assert_eq!(server.args, ["--config", "/etc/p/mail.toml"]);
        let bare = configured("account = \"me\"\nconfig = \"m\"\nserver = \"mail\"").unwrap();
        let server = bare.server(Role::Local).unwrap();
        assert_eq!(server.command, Path::new("mail"));
    }

    #[test]
    fn source_takes_bills_where_accounting_is_set_up() {
        let zone = configured("account = \"me\"\nconfig = \"m\"").unwrap();
        let agent = "cloud".parse().unwrap();
        assert!(zone.host_args(&agent, &[ZoneId::EMAIL]).is_empty());
        let both = [ZoneId::ACCOUNTING, ZoneId::EMAIL];
        assert_eq!(zone.host_args(&agent, &both), ["--accounting"]);
    }

    #[test]
    fn server_without_a_program_is_the_roles_own() {
        let zone = configured("account = \"me\"\nconfig = \"m\"").unwrap();
        let command = |role| zone.server(role).unwrap().command;
        assert_eq!(command(Role::Cloud), Path::new("platinum-email-draft"));
        assert_eq!(command(Role::Local), Path::new("platinum-email"));
    }

    #[test]
    fn configure_refuses_what_it_does_not_know() {
        let error = configured("acount = \"me\"").unwrap_err();
        assert!(error.contains("unknown field `acount`"), "{error}");
        let error = configured("account = \"me\"").unwrap_err();
        assert_eq!(error, "`account` is given without `config`");
    }
}
