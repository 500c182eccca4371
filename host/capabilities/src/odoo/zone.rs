//! [`AccountingZone`]: the section `[zones.accounting]`, and all that follows from it.
//!
//! Lives elsewhere: the server's own file is read by the server; what `doctor` tries is in `check`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use platinum_core::{AgentName, Role, ZoneId};
use platinum_engine::Interface;
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_vault::Vault;
use serde::Deserialize;

use super::{Books, CompanyKey, check, interfaces, read_only};
use crate::{
    tasks::TaskStore,
    zones::{
        Check, PathBase, SecretSource, SourceCommand, ZoneCapabilities, check_environment,
        environment, secrets_of, server_program,
    },
};

/// How long one call of the server may take: longer than the server's own patience with Odoo (a minute for each of the
/// few questions of a call).
const CALL_TIMEOUT: Duration = Duration::from_secs(300);

/// Accounting, as `[zones.accounting]` describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AccountingZone {
    /// The Odoo servers' own configuration file; empty if the zone is not set up.
    config: PathBuf,
    /// The MCP server's program; empty for the role's own.
    server: PathBuf,
    /// Environment variables that the server and the source may see.
    env: Vec<String>,
    /// Whether this host takes drafts that wait in Odoo for tasks.
    watch: bool,
    /// The company that is drafted in, if not all that the key's user may see.
    company: Option<CompanyKey>,
}

/// Reads the section.
///
/// # Errors
/// If a key does not exist, or a value cannot be used.
pub(crate) fn configure(
    section: toml::Table,
    base: &PathBase,
) -> Result<Box<dyn ZoneCapabilities>, String> {
    let mut zone = AccountingZone::deserialize(section).map_err(|error| error.to_string())?;
    if zone.config.as_os_str().is_empty() {
        let set = [
            ("server", !zone.server.as_os_str().is_empty()),
            ("watch", zone.watch),
            ("company", zone.company.is_some()),
        ];
        if let Some((key, _)) = set.iter().find(|(_, is_set)| *is_set) {
            return Err(format!("`{key}` is given without `config`"));
        }
        return Ok(Box::new(zone));
    }
    if matches!(&zone.company, Some(CompanyKey::Name(name)) if name.trim().is_empty()) {
        return Err("`company` is empty; give its name or its id in Odoo".to_owned());
    }
    zone.config = base.resolve("zones.accounting.config", &zone.config)?;
    zone.server = base.resolve_program("zones.accounting.server", zone.server)?;
    Ok(Box::new(zone))
}

impl AccountingZone {
    fn is_set_up(&self) -> bool {
        !self.config.as_os_str().is_empty()
    }

    fn config_text(&self) -> String {
        self.config.to_string_lossy().into_owned()
    }
}

#[async_trait]
impl ZoneCapabilities for AccountingZone {
    fn server(&self, role: Role) -> Option<ServerSpec> {
        if !self.is_set_up() {
            return None;
        }
        let mut args = vec!["--config".to_owned(), self.config_text()];
        if role == Role::Cloud {
            // The server drafts with no key whose user could do more.
            args.push("--drafter-only".to_owned());
        }
        Some(ServerSpec {
            name: "odoo".to_owned(),
            command: server_program(&self.server, role, "platinum-odoo-draft", "platinum-odoo"),
            args,
            env: environment(&self.env),
            call_timeout: CALL_TIMEOUT,
            gate: gate(role),
        })
    }

    fn interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        let books = Books::new(Arc::new(session.clone()), self.company.clone());
        interfaces(&books, vault, store)
    }

    fn trial_interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>> {
        let server = Arc::new(read_only(Arc::new(session.clone())));
        interfaces(&Books::new(server, self.company.clone()), vault, store)
    }

    fn secrets(&self) -> Vec<SecretSource> {
        secrets_of(&self.env, &self.config)
    }

    fn source(&self) -> Option<SourceCommand> {
        if !self.watch {
            return None;
        }
        let mut args = vec!["odoo".to_owned(), "--config".to_owned(), self.config_text()];
        if let Some(company) = &self.company {
            args.extend(["--company".to_owned(), company.to_string()]);
        }
        Some(SourceCommand {
            name: "the watcher of Odoo".to_owned(),
            args,
            env: environment(&self.env),
        })
    }

    /// What it has to say beside its tasks, it says in the host's name.
    fn host_args(&self, agent: &AgentName, _: &[ZoneId]) -> Vec<String> {
        vec![format!("--agent={agent}")]
    }

    async fn try_out(&self, role: Role, server: ServerSpec) -> Result<Check, String> {
        check_environment("zones.accounting.env", &self.env)?;
        check::try_out(role, server, self.company.clone()).await
    }

    fn setting_up(&self) -> &'static str {
        "`config` under [zones.accounting] names the file of its server"
    }

    fn summary(&self) -> Option<String> {
        let company = self.company.as_ref().map_or_else(
            || "every company of its user".to_owned(),
            |company| format!("the company {company}"),
        );
        let watched = if self.watch { ", watched here" } else { "" };
        self.is_set_up()
            .then(|| format!("Odoo, {company}{watched}"))
    }
}

/// The tools of the server for Odoo, by role. A local host may also run the draft-only build.
fn gate(role: Role) -> Gate {
    let needed = [
        "create_draft",
        "get_data",
        "get_document",
        "preview_payment",
    ];
    match role {
        Role::Cloud => Gate::new(role, &needed, &["prove_rights"]),
        Role::Local => Gate::new(
            role,
            &needed,
            &[
                "prove_rights",
                "post_invoice",
                "record_payment",
                "find_payment",
            ],
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

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
        assert!(zone.server(Role::Cloud).is_none() && zone.source().is_none());
        assert_eq!((zone.secrets(), zone.summary()), (vec![], None));
    }

    #[test]
    fn configure_refuses_what_has_no_effect() {
        for (text, expected) in [
            ("watch = true", "`watch` is given without `config`"),
            ("company = 1", "`company` is given without `config`"),
            ("server = \"x\"", "`server` is given without `config`"),
            (
                "config = \"odoo.toml\"\ncompany = \" \"",
                "`company` is empty; give its name or its id in Odoo",
            ),
        ] {
            assert_eq!(configured(text).unwrap_err(), expected);
        }
        let error = configured("confg = \"odoo.toml\"").unwrap_err();
        assert!(error.contains("unknown field `confg`"), "{error}");
    }

    /// The cloud's server is told to draft with a drafter's key alone.
    #[test]
    fn server_is_that_of_its_role() {
        let zone = configured("config = \"odoo.toml\"").unwrap();
        let cloud = zone.server(Role::Cloud).unwrap();
        assert_eq!(cloud.command, Path::new("platinum-odoo-draft"));
        assert_eq!(
            cloud.args,
            ["--config", "/etc/p/odoo.toml", "--drafter-only"]
        );
        let local = zone.server(Role::Local).unwrap();
        assert_eq!(local.command, Path::new("platinum-odoo"));
        assert_eq!(local.args, ["--config", "/etc/p/odoo.toml"]);
        for tool in ["post_invoice", "record_payment"] {
            assert!(
                !cloud.gate.allows(tool) && local.gate.allows(tool),
                "{tool}"
            );
        }
        let own = configured("config = \"odoo.toml\"\nserver = \"~/bin/erp\"").unwrap();
        let own = own.server(Role::Cloud).unwrap();
        assert_eq!(own.command, Path::new("/homes/me/bin/erp"));
    }

    #[test]
    fn source_is_of_a_host_that_watches() {
        let base = "config = \"odoo.toml\"";
        assert!(configured(base).unwrap().source().is_none());
        let watched = configured(&format!("{base}\nwatch = true\ncompany = \"Me & Co\""));
        let args = watched.unwrap().source().unwrap().args;
        assert_eq!(
            args,
            [
                "odoo",
                "--config",
                "/etc/p/odoo.toml",
                "--company",
                "Me & Co"
            ]
        );
        let told = configured(base).unwrap();
        let told = told.host_args(&"cloud".parse().unwrap(), &[ZoneId::ACCOUNTING]);
        assert_eq!(told, ["--agent=cloud"]);
        let by_id = configured(&format!("{base}\nwatch = true\ncompany = 3")).unwrap();
        assert_eq!(by_id.source().unwrap().args[3..], ["--company", "3"]);
        assert_eq!(
            by_id.summary().unwrap(),
            "Odoo, the company 3, watched here"
        );
    }

    #[test]
    fn secrets_are_those_of_the_servers_file() {
        let zone = configured("config = \"odoo.toml\"\nenv = [\"ODOO_KEY\"]").unwrap();
        assert_eq!(
            zone.secrets(),
            [
                SecretSource::Variable("ODOO_KEY".to_owned()),
                SecretSource::Settings("/etc/p/odoo.toml".into()),
            ]
        );
    }
}
