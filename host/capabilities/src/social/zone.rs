//! [`SocialZone`]: the section `[zones.social]`, and all that follows from it.
//!
//! Lives elsewhere: what the host reads of the servers' own file is in `accounts`; what `doctor` tries is in `check`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use platinum_core::Role;
use platinum_engine::Interface;
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_vault::Vault;
use serde::Deserialize;

use super::{Networks, accounts::AccountsFile, check, interfaces, read_only};
use crate::{
    tasks::TaskStore,
    zones::{
        Check, CheckLevel, PathBase, SecretSource, SourceCommand, ZoneCapabilities,
        check_environment, environment, secrets_of, server_program,
    },
};

/// How long one call of the server may take: longer than the server's own patience with a thread of posts and their
/// pictures.
const CALL_TIMEOUT: Duration = Duration::from_secs(600);

/// The program of the server that cannot publish.
const DRAFT_SERVER: &str = "platinum-social-draft";

/// Social networks, as `[zones.social]` describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SocialZone {
    /// The servers' own configuration file; empty if the zone is not set up.
    config: PathBuf,
    /// The MCP server's program; empty for the role's own.
    server: PathBuf,
    /// Environment variables that the server and the source may see.
    env: Vec<String>,
    /// Whether this host takes mentions for tasks.
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
    let mut zone = SocialZone::deserialize(section).map_err(|error| error.to_string())?;
    if zone.config.as_os_str().is_empty() {
        let set = [
            ("server", !zone.server.as_os_str().is_empty()),
            ("watch", zone.watch),
        ];
        if let Some((key, _)) = set.iter().find(|(_, is_set)| *is_set) {
            return Err(format!("`{key}` is given without `config`"));
        }
        return Ok(Box::new(zone));
    }
    zone.config = base.resolve("zones.social.config", &zone.config)?;
    zone.server = base.resolve_program("zones.social.server", zone.server)?;
    Ok(Box::new(zone))
}

impl SocialZone {
    fn is_set_up(&self) -> bool {
        !self.config.as_os_str().is_empty()
    }

    fn config_text(&self) -> String {
        self.config.to_string_lossy().into_owned()
    }
}

#[async_trait]
impl ZoneCapabilities for SocialZone {
    fn server(&self, role: Role) -> Option<ServerSpec> {
        if !self.is_set_up() {
            return None;
        }
        let args = match role {
            Role::Cloud => cloud_args(&self.config),
            Role::Local => vec!["--config".to_owned(), self.config_text()],
        };
        Some(ServerSpec {
            name: "social".to_owned(),
            command: server_program(&self.server, role, DRAFT_SERVER, "platinum-social"),
            args,
            env: environment(&self.env),
            call_timeout: CALL_TIMEOUT,
            gate: gate(role),
        })
    }

    /// Bluesky's passwords can all publish: a cloud has none. Whether a token can, the server finds out.
    fn check_role(&self, role: Role) -> Result<(), String> {
        if role != Role::Cloud || !self.is_set_up() {
            return Ok(());
        }
        // What cannot be read is reported by the server that reads it.
        let Ok(accounts) = AccountsFile::read(&self.config) else {
            return Ok(());
        };
        accounts.refuse_password(&self.config)
    }

    /// Whether a token can act, its server is asked by the draft server.
    async fn check_credentials(&self, role: Role, session: &Session) -> Result<(), String> {
        match role {
            Role::Cloud => check::refuse_acting(session).await,
            Role::Local => Ok(()),
        }
    }

    fn interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        interfaces(&Networks::new(Arc::new(session.clone())), vault, store)
    }

    fn trial_interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        let server = Arc::new(read_only(Arc::new(session.clone())));
        interfaces(&Networks::new(server), vault, store)
    }

    fn secrets(&self) -> Vec<SecretSource> {
        secrets_of(&self.env, &self.config)
    }

    fn source(&self) -> Option<SourceCommand> {
        self.watch.then(|| SourceCommand {
            name: "the watcher of mentions".to_owned(),
            args: vec![
                "social".to_owned(),
                "--config".to_owned(),
                self.config_text(),
            ],
            env: environment(&self.env),
        })
    }

    fn addresses(&self) -> Result<Option<BTreeMap<String, String>>, String> {
        if !self.is_set_up() {
            return Ok(None);
        }
        match AccountsFile::read(&self.config) {
            Ok(accounts) => Ok(Some(accounts.addresses())),
            Err(why) => Err(format!(
                "the file of the social networks {} {why}",
                self.config.display()
            )),
        }
    }

    async fn try_out(&self, role: Role, server: ServerSpec) -> Result<Check, String> {
        check_environment("zones.social.env", &self.env)?;
        check::try_out(role, server).await
    }

    fn setting_up(&self) -> &'static str {
        "`config` under [zones.social] names the file of its server"
    }

    /// The owner's own file can publish, and should: only a copy of a cloud's says something.
    async fn check_cloud(
        &self,
        server: Option<ServerSpec>,
        cloud_file: Option<&Path>,
    ) -> Option<Check> {
        let (server, file) = (server?, cloud_file?);
        let own = self.server(Role::Cloud)?;
        let drafter = ServerSpec {
            command: server.command.with_file_name(DRAFT_SERVER),
            args: cloud_args(file),
            ..own
        };
        let tried = match AccountsFile::read(file) {
            Ok(accounts) => accounts.refuse_password(file),
            Err(why) => Err(format!("{} {why}", file.display())),
        };
        let tried = match tried {
            Ok(()) => check::try_out(Role::Cloud, drafter).await,
            Err(why) => Err(why),
        };
        Some(tried.unwrap_or_else(|why| Check::new(CheckLevel::Error, why)))
    }

    fn summary(&self) -> Option<String> {
        let names = AccountsFile::read(&self.config).ok();
        let names = names.as_ref().map(AccountsFile::names).unwrap_or_default();
        let accounts = match names.as_slice() {
            [] => "no account".to_owned(),
            [one] => format!("account {one}"),
            all => format!("accounts {}", all.join(", ")),
        };
        let watched = if self.watch { ", watched here" } else { "" };
        self.is_set_up().then(|| format!("{accounts}{watched}"))
    }
}

/// The arguments of a cloud's server: it takes no token that can act.
fn cloud_args(config: &Path) -> Vec<String> {
    vec![
        "--config".to_owned(),
        config.to_string_lossy().into_owned(),
        check::DRAFTER_ONLY.to_owned(),
    ]
}

/// The tools of the server for social networks, by role. A local host may also run the draft-only build. Of
/// `create_post`, which publishes what nobody approved, no host makes use.
fn gate(role: Role) -> Gate {
    let needed = [
        "check_post",
        "draft_post",
        "get_post",
        "list_accounts",
        "search_posts",
    ];
    match role {
        Role::Cloud => Gate::new(role, &needed, &[]),
        Role::Local => Gate::new(role, &needed, &["create_post", "find_post", "publish_post"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(text: &str, folder: &Path) -> Result<Box<dyn ZoneCapabilities>, String> {
        let base = PathBase {
            folder: folder.to_owned(),
            home: Some("/homes/me".into()),
        };
        configure(text.parse().unwrap(), &base)
    }

    fn in_etc(text: &str) -> Result<Box<dyn ZoneCapabilities>, String> {
        configured(text, Path::new("/etc/p"))
    }

    #[test]
    fn configure_without_config_sets_nothing_up() {
        let zone = in_etc("").unwrap();
        assert!(zone.server(Role::Cloud).is_none() && zone.source().is_none());
        assert_eq!((zone.secrets(), zone.summary()), (vec![], None));
        assert_eq!(zone.addresses(), Ok(None));
    }

    #[test]
    fn configure_refuses_what_has_no_effect() {
        for (text, expected) in [
            ("watch = true", "`watch` is given without `config`"),
            ("server = \"x\"", "`server` is given without `config`"),
        ] {
            assert_eq!(in_etc(text).unwrap_err(), expected);
        }
        let error = in_etc("confg = \"social.toml\"").unwrap_err();
        assert!(error.contains("unknown field `confg`"), "{error}");
    }

    /// The cloud's server is told to take nothing that can publish.
    #[test]
    fn server_is_that_of_its_role() {
        let zone = in_etc("config = \"social.toml\"").unwrap();
        let cloud = zone.server(Role::Cloud).unwrap();
        assert_eq!(cloud.command, Path::new("platinum-social-draft"));
        assert_eq!(
            cloud.args,
            ["--config", "/etc/p/social.toml", "--drafter-only"]
        );
        let local = zone.server(Role::Local).unwrap();
        assert_eq!(local.command, Path::new("platinum-social"));
        assert_eq!(local.args, ["--config", "/etc/p/social.toml"]);
        for tool in ["publish_post", "find_post", "create_post"] {
            assert!(
                !cloud.gate.allows(tool) && local.gate.allows(tool),
                "{tool}"
            );
        }
        // Every tool of the draft server is one that a cloud may have.
        let tools = [
            "check_post",
            "draft_post",
            "get_post",
            "list_accounts",
            "search_posts",
        ];
        let offered = tools.map(|name| platinum_mcp::ToolInfo {
            name: name.to_owned(),
            description: String::new(),
            destructive_hint: None,
        });
        assert_eq!(cloud.gate.check("social", &offered), Ok(()));
    }

    #[test]
    fn source_is_of_a_host_that_watches() {
        let zone = in_etc("config = \"social.toml\"\nwatch = true").unwrap();
        assert_eq!(
            zone.source().unwrap().args,
            ["social", "--config", "/etc/p/social.toml"]
        );
        assert!(
            in_etc("config = \"social.toml\"")
                .unwrap()
                .source()
                .is_none()
        );
    }

    #[test]
    fn secrets_are_those_of_the_servers_file() {
        let zone = in_etc("config = \"social.toml\"\nenv = [\"TOKEN\"]").unwrap();
        assert_eq!(
            zone.secrets(),
            [
                SecretSource::Variable("TOKEN".to_owned()),
                SecretSource::Settings("/etc/p/social.toml".into()),
            ]
        );
    }

    #[test]
    fn check_role_gives_a_cloud_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("social.toml");
        let zone = configured("config = \"social.toml\"", folder.path()).unwrap();
        assert_eq!(zone.check_role(Role::Cloud), Ok(()));
        let text = "[accounts.sky]\nserver = \"https://bsky.test\"\nhandle = \"ada.test\"\n";
        std::fs::write(&file, text).unwrap();
        assert_eq!(zone.check_role(Role::Cloud), Ok(()));
        assert_eq!(zone.summary().as_deref(), Some("account sky"));
        let addresses = zone.addresses().unwrap().unwrap();
        assert_eq!(addresses["sky"], "@ada.test at https://bsky.test");
        std::fs::write(&file, format!("{text}password = {{ file = \"p\" }}\n")).unwrap();
        assert_eq!(zone.check_role(Role::Local), Ok(()));
        assert_eq!(
            zone.check_role(Role::Cloud).unwrap_err(),
            format!(
                "{} has a password for the account `sky`, and a cloud holds nothing that can publish; drafting for \
                 Bluesky needs none: remove it there, and keep it in the file of your own machine",
                file.display()
            )
        );
        std::fs::write(&file, "nonsense").unwrap();
        let error = zone.addresses().unwrap_err();
        assert!(
            error.contains("social.toml is not TOML, line 1: "),
            "{error}"
        );
    }
}
