//! [`WhatsappZone`]: the section `[zones.whatsapp]`, and all that follows from it.
//!
//! Lives elsewhere: the server's own file is read by the server and by the source, which receives the webhook.
//! Invariant: the zone is of the owner's machine alone: a cloud holds nothing of it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use platinum_core::{AgentName, Role, Timestamp, WhatsappSend, ZoneId, text::one_line};
use platinum_engine::Interface;
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_vault::{Vault, note::TaskNote};
use serde::Deserialize;
use serde_json::json;

use super::{
    host::chat_of,
    interfaces,
    server::{KnownMessage, get_messages},
};
use crate::{
    bindings::platinum::whatsapp::types::Error,
    server::{AskError, ToolServer, ask},
    tasks::TaskStore,
    zones::{
        Check, CheckLevel, PathBase, SecretSource, SourceCommand, ZoneCapabilities,
        check_environment, environment, secrets_of, server_program, why_no_session,
    },
};

/// How long one call of the server may take: longer than its own patience with WhatsApp, for a file and its message.
const CALL_TIMEOUT: Duration = Duration::from_secs(180);
/// How long nobody has to write before what they wrote becomes a task, in seconds.
const QUIET: u64 = 45;
/// Messages that are looked through for an answer of the owner's own.
const LOOKED_THROUGH: u32 = 50;

/// What becomes of messages that are not of somebody the owner knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quietness {
    /// The owner is told of them, and nothing is drafted.
    #[default]
    List,
    /// They become tasks, as those of known people do.
    Draft,
    /// Nothing at all.
    Ignore,
}

impl Quietness {
    fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Draft => "draft",
            Self::Ignore => "ignore",
        }
    }
}

/// WhatsApp, as `[zones.whatsapp]` describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct WhatsappZone {
    /// The server's own configuration file; empty if the zone is not set up.
    config: PathBuf,
    /// The MCP server's program; empty for the one of this version.
    server: PathBuf,
    /// Environment variables that the server and the source may see.
    env: Vec<String>,
    /// What becomes of messages in groups. Groups are only read, so nothing is drafted for them.
    groups: Quietness,
    /// What becomes of messages of people to whom the owner has never written.
    unknown_senders: Quietness,
    /// Numbers of people who count as known before the owner has written to them.
    contacts: Vec<String>,
    /// How long nobody has to write before what they wrote becomes a task, in seconds.
    quiet_seconds: u64,
}

impl Default for WhatsappZone {
    fn default() -> Self {
        Self {
            config: PathBuf::new(),
            server: PathBuf::new(),
            env: Vec::new(),
            groups: Quietness::List,
            unknown_senders: Quietness::List,
            contacts: Vec::new(),
            quiet_seconds: QUIET,
        }
    }
}

/// Reads the section.
///
/// # Errors
/// If a key does not exist, or a value cannot be used.
pub(crate) fn configure(
    section: toml::Table,
    base: &PathBase,
) -> Result<Box<dyn ZoneCapabilities>, String> {
    let keys: Vec<String> = section.keys().cloned().collect();
    let mut zone = WhatsappZone::deserialize(section).map_err(|error| error.to_string())?;
    if zone.config.as_os_str().is_empty() {
        return match keys.first() {
            Some(key) => Err(format!("`{key}` is given without `config`")),
            None => Ok(Box::new(zone)),
        };
    }
    if zone.groups == Quietness::Draft {
        return Err(
            "`groups` is \"list\" or \"ignore\": groups are only read, so nothing is drafted for them"
                .to_owned(),
        );
    }
    if !(1..=3600).contains(&zone.quiet_seconds) {
        let seconds = zone.quiet_seconds;
        return Err(format!("`quiet-seconds` is {seconds}; 1 to 3600"));
    }
    for contact in &zone.contacts {
        let digits = contact.strip_prefix('+').unwrap_or_default();
        let is_number = |text: &str| {
            (5..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(digits) {
            let shown = one_line(contact, 40);
            return Err(format!(
                "`contacts` has `{shown}`, which is no number such as \"+16505551234\""
            ));
        }
    }
    zone.config = base.resolve("zones.whatsapp.config", &zone.config)?;
    zone.server = base.resolve_program("zones.whatsapp.server", zone.server)?;
    Ok(Box::new(zone))
}

impl WhatsappZone {
    fn is_set_up(&self) -> bool {
        !self.config.as_os_str().is_empty()
    }

    fn config_text(&self) -> String {
        self.config.to_string_lossy().into_owned()
    }
}

#[async_trait]
impl ZoneCapabilities for WhatsappZone {
    fn server(&self, role: Role) -> Option<ServerSpec> {
        // There is no build of it that a cloud may stand beside.
        (self.is_set_up() && role == Role::Local).then(|| ServerSpec {
            name: "whatsapp".to_owned(),
            command: server_program(&self.server, role, "platinum-whatsapp", "platinum-whatsapp"),
            args: vec!["--config".to_owned(), self.config_text()],
            env: environment(&self.env),
            call_timeout: CALL_TIMEOUT,
            gate: gate(role),
        })
    }

    fn check_role(&self, role: Role) -> Result<(), String> {
        match role {
            Role::Cloud if self.is_set_up() => Err(
                "WhatsApp belongs to the owner's machine alone: whoever has its token can send; take [zones.whatsapp] \
                 out of the cloud's configuration"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        let server: Arc<dyn ToolServer> = Arc::new(session.clone());
        interfaces(&server, vault, store)
    }

    /// What the interfaces ask of the server changes nothing there.
    fn trial_interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        self.interfaces(session, vault, store)
    }

    fn secrets(&self) -> Vec<SecretSource> {
        secrets_of(&self.env, &self.config)
    }

    /// The source receives the webhook, so it runs wherever the zone is set up.
    fn source(&self) -> Option<SourceCommand> {
        if !self.is_set_up() {
            return None;
        }
        let mut args = vec![
            "whatsapp".to_owned(),
            "--config".to_owned(),
            self.config_text(),
            format!("--groups={}", self.groups.as_str()),
            format!("--unknown-senders={}", self.unknown_senders.as_str()),
            format!("--quiet={}", self.quiet_seconds),
        ];
        let contacts = self.contacts.iter();
        args.extend(contacts.map(|contact| format!("--contact={contact}")));
        Some(SourceCommand {
            name: "the receiver of WhatsApp".to_owned(),
            args,
            env: environment(&self.env),
        })
    }

    /// What it has to say beside its tasks, it says in the host's name.
    fn host_args(&self, agent: &AgentName, _: &[ZoneId]) -> Vec<String> {
        vec![format!("--agent={agent}")]
    }

    /// Whether they answered with the app.
    async fn done_by_owner(
        &self,
        session: &Session,
        task: &TaskNote,
    ) -> Result<Option<String>, String> {
        let Some(chat) = chat_of(task) else {
            return Ok(None);
        };
        match get_messages(session, chat, LOOKED_THROUGH).await {
            Ok(messages) => Ok(own_answer(&messages, task)),
            Err(Error::NotFound) => Ok(None),
            Err(Error::Invalid(what) | Error::Unavailable(what)) => Err(what),
        }
    }

    async fn try_out(&self, role: Role, server: ServerSpec) -> Result<Check, String> {
        self.check_role(role)?;
        check_environment("zones.whatsapp.env", &self.env)?;
        try_out(server).await
    }

    fn setting_up(&self) -> &'static str {
        "`config` under [zones.whatsapp] names the file of its server"
    }

    fn summary(&self) -> Option<String> {
        self.is_set_up().then(|| {
            format!(
                "the Cloud API, received here; unknown senders: {}, groups: {}",
                self.unknown_senders.as_str(),
                self.groups.as_str()
            )
        })
    }
}

/// An answer that the owner gave with the app after the last message of a task, in words.
fn own_answer(messages: &[KnownMessage], task: &TaskNote) -> Option<String> {
    let last = task.fact(WhatsappSend::MESSAGE_FACT).last();
    let is_after = |message: &&KnownMessage| {
        let at = message.at.parse::<Timestamp>().ok();
        task.received
            .is_none_or(|received| at.is_some_and(|at| at >= received))
    };
    let since = messages
        .iter()
        .take_while(|message| Some(&message.id) != last)
        .filter(is_after);
    let answer = since
        .filter(|message| message.is_from_app && message.kind != "reaction")
        .last()?;
    Some(format!(
        "you answered at {} (WhatsApp)",
        one_line(&answer.at, 40)
    ))
}

/// What of an account is shown by `doctor`.
#[derive(Deserialize)]
struct WhatsappAccount {
    number: String,
    name: String,
    #[serde(default)]
    webhook: Option<String>,
    is_receiving: bool,
    #[serde(default)]
    last_message: Option<String>,
    #[serde(default)]
    problems: Vec<String>,
}

/// Starts the server, and asks WhatsApp for the account.
async fn try_out(server: ServerSpec) -> Result<Check, String> {
    let session = Session::spawn(server).await;
    let session = session.map_err(|error| why_no_session(&error))?;
    let account = ask(&session, "get_account", json!({})).await;
    session.close().await;
    Ok(judge(account.map_err(AskError::into_words)?))
}

fn judge(account: WhatsappAccount) -> Check {
    let mut problems = account.problems;
    if let (false, Some(webhook)) = (account.is_receiving, account.webhook) {
        problems.push(format!(
            "nothing listens at {webhook} now; the daemon does while it runs, and your tunnel has to lead there"
        ));
    }
    let came = match account.last_message {
        Some(at) => format!("the last message came at {at}"),
        None => "no message has come yet".to_owned(),
    };
    let opened = format!(
        "WhatsApp takes the token, for {} ({}); {came}",
        account.number, account.name
    );
    match problems.is_empty() {
        true => Check::new(CheckLevel::Ok, opened),
        false => {
            let problems = problems.join("; ");
            Check::new(CheckLevel::Warning, format!("{opened}; {problems}"))
        }
    }
}

/// The tools of the server. There is no cloud beside which it may stand.
fn gate(role: Role) -> Gate {
    match role {
        Role::Cloud => Gate::new(role, &[], &[]),
        Role::Local => Gate::new(
            role,
            &[
                "check_message",
                "find_message",
                "get_account",
                "get_chat",
                "get_messages",
                "list_templates",
                "send_message",
            ],
            &[],
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use platinum_core::TaskId;
    use platinum_vault::note::Fact;

    use super::*;

    fn configured(text: &str) -> Result<Box<dyn ZoneCapabilities>, String> {
        let base = PathBase {
            folder: "/etc/p".into(),
            home: Some("/homes/me".into()),
        };
        configure(text.parse().unwrap(), &base)
    }

    #[test]
    fn configure_without_config_sets_nothing_up() {
        let zone = configured("").unwrap();
        assert!(zone.server(Role::Local).is_none() && zone.source().is_none());
        assert!(zone.check_role(Role::Cloud).is_ok());
        assert_eq!((zone.secrets(), zone.summary()), (vec![], None));
    }

    #[test]
    fn configure_refuses_what_has_no_effect() {
        let set_up = "config = \"whatsapp.toml\"\n";
        for (text, expected) in [
            (
                "groups = \"list\"".to_owned(),
                "`groups` is given without `config`",
            ),
            (
                format!("{set_up}groups = \"draft\""),
                "`groups` is \"list\" or \"ignore\": groups are only read, so nothing is drafted for them",
            ),
            (
                format!("{set_up}quiet-seconds = 0"),
                "`quiet-seconds` is 0; 1 to 3600",
            ),
            (
                format!("{set_up}contacts = [\"Ann\"]"),
                "`contacts` has `Ann`, which is no number such as \"+16505551234\"",
            ),
        ] {
            assert_eq!(configured(&text).unwrap_err(), expected);
        }
        let error = configured(&format!("{set_up}unknown-senders = \"answer\"")).unwrap_err();
        assert!(error.contains("unknown variant `answer`"), "{error}");
    }

    /// A cloud is refused the section, and there is nothing that it could start.
    #[test]
    fn zone_is_of_the_local_machine_alone() {
        let zone = configured("config = \"whatsapp.toml\"").unwrap();
        assert!(zone.server(Role::Cloud).is_none());
        let refused = zone.check_role(Role::Cloud).unwrap_err();
        assert!(
            refused.starts_with("WhatsApp belongs to the owner's machine alone"),
            "{refused}"
        );
        let server = zone.server(Role::Local).unwrap();
        assert_eq!(server.command, Path::new("platinum-whatsapp"));
        assert_eq!(server.args, ["--config", "/etc/p/whatsapp.toml"]);
        assert!(server.gate.allows("send_message") && !server.gate.allows("send_file"));
    }

    /// Unknown senders and groups are quiet unless the owner says otherwise.
    #[test]
    fn source_is_quiet_by_default() {
        let zone = configured("config = \"whatsapp.toml\"").unwrap();
        assert_eq!(
            zone.source().unwrap().args,
            [
                "whatsapp",
                "--config",
                "/etc/p/whatsapp.toml",
                "--groups=list",
                "--unknown-senders=list",
                "--quiet=45"
            ]
        );
        let zone = configured(
            "config = \"whatsapp.toml\"\nunknown-senders = \"draft\"\ngroups = \"ignore\"\n\
             contacts = [\"+16505551234\"]\nquiet-seconds = 5",
        )
        .unwrap();
        assert_eq!(
            zone.source().unwrap().args[3..],
            [
                "--groups=ignore",
                "--unknown-senders=draft",
                "--quiet=5",
                "--contact=+16505551234"
            ]
        );
    }

    #[test]
    fn secrets_are_those_of_the_servers_file() {
        let zone = configured("config = \"whatsapp.toml\"\nenv = [\"WA_TOKEN\"]").unwrap();
        assert_eq!(
            zone.secrets(),
            [
                SecretSource::Variable("WA_TOKEN".to_owned()),
                SecretSource::Settings("/etc/p/whatsapp.toml".into()),
            ]
        );
    }

    fn message(id: &str, is_from_app: bool, kind: &str, at: &str) -> KnownMessage {
        KnownMessage {
            id: id.into(),
            sender: "you".into(),
            is_own: is_from_app,
            is_from_app,
            kind: kind.into(),
            text: String::new(),
            at: at.into(),
        }
    }

    #[test]
    fn own_answer_is_one_after_the_last_message_of_the_task() {
        let noon = "2026-11-30T12:00:00Z";
        let later = "2026-11-30T12:05:00Z";
        let task = TaskNote {
            id: TaskId::from_parts(1, 1),
            zone: ZoneId::WHATSAPP,
            source: "whatsapp".into(),
            from: "Ann".into(),
            subject: "Hi".into(),
            received: noon.parse().ok(),
            created: noon.parse().unwrap(),
            by: "intake/whatsapp".into(),
            facts: vec![Fact {
                name: WhatsappSend::MESSAGE_FACT.into(),
                values: vec!["wamid.A".into(), "wamid.B".into()],
            }],
            claim: None,
            body: String::new(),
        };
        let before = message("wamid.0", true, "text", "2026-11-30T11:00:00Z");
        let asked = message("wamid.B", false, "text", noon);
        let own = message("wamid.1", true, "text", later);
        for (messages, words) in [
            (vec![asked.clone(), before.clone()], None),
            (
                vec![own.clone(), asked.clone(), before.clone()],
                Some("you answered at 2026-11-30T12:05:00Z (WhatsApp)".to_owned()),
            ),
            (
                vec![message("wamid.2", true, "reaction", later), asked.clone()],
                None,
            ),
            (vec![message("wamid.3", false, "text", later), asked], None),
            // The task's own message is not among those that were looked through.
            (
                vec![own, before.clone()],
                Some("you answered at 2026-11-30T12:05:00Z (WhatsApp)".to_owned()),
            ),
            (vec![before], None),
        ] {
            assert_eq!(own_answer(&messages, &task), words);
        }
    }

    #[test]
    fn check_says_what_does_not_work() {
        let account = |is_receiving, problems: &[&str]| WhatsappAccount {
            number: "+1 555".into(),
            name: "Me".into(),
            webhook: Some("http://127.0.0.1:8085/webhook".into()),
            is_receiving,
            last_message: None,
            problems: problems.iter().map(|&words| words.into()).collect(),
        };
        let sound = judge(account(true, &[]));
        assert_eq!(
            (sound.level, sound.text.as_str()),
            (
                CheckLevel::Ok,
                "WhatsApp takes the token, for +1 555 (Me); no message has come yet"
            )
        );
        let old = judge(account(false, &["the API version v1.0 is too old"]));
        assert_eq!(old.level, CheckLevel::Warning);
        assert!(
            old.text.ends_with(
                "the API version v1.0 is too old; nothing listens at http://127.0.0.1:8085/webhook now; the daemon does \
                 while it runs, and your tunnel has to lead there"
            ),
            "{}",
            old.text
        );
    }
}
