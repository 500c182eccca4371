//! [`approval_policy`]: what this machine says about approvals, and which skills may carry them out.

use std::time::Duration;

use platinum_core::{AgentName, Role, ZoneId};
use platinum_daemon::{
    Config,
    config::OtherDevices,
    skills::{Catalog, Event, InstalledSkill},
    skills_folder,
};
use platinum_effects::{approvals::ApprovalPolicy, email::MailAccounts, social::SocialAccounts};
use sha2::{Digest, Sha256};

/// What a configuration says about approvals on this machine, with the skills that are installed
/// now.
pub fn approval_policy(config: &Config, machine: &AgentName) -> ApprovalPolicy {
    ApprovalPolicy {
        hold: Duration::from_secs(config.approvals.hold_seconds),
        retry: Duration::from_secs(config.approvals.retry_seconds),
        accepts_other_devices: config.approvals.other_devices == OtherDevices::Accept,
        machine: machine.to_string(),
        skills: acting_skills(config),
        accounts: mail_accounts(config),
        social: social_accounts(config),
        has_odoo: has_odoo(config),
    }
}

/// The mail accounts of this machine, as their file has them whenever it is asked.
fn mail_accounts(config: &Config) -> MailAccounts {
    match config.zones.get("email").cloned() {
        Some(zone) => MailAccounts::new(move || zone.addresses()),
        None => MailAccounts::none(),
    }
}

/// The accounts on social networks of this machine, as their file has them whenever it is asked.
fn social_accounts(config: &Config) -> SocialAccounts {
    match config.zones.get(ZoneId::SOCIAL.as_str()).cloned() {
        Some(zone) => SocialAccounts::new(move || zone.addresses()),
        None => SocialAccounts::none(),
    }
}

/// Whether this machine has a server for its Odoo.
fn has_odoo(config: &Config) -> bool {
    let zone = config.zones.get(ZoneId::ACCOUNTING.as_str());
    zone.is_some_and(|zone| zone.server(Role::Local).is_some())
}

/// SHA-256, in hex, of every skill that is run for what is approved, and of what it is granted: its
/// component names what it imports, the configuration what is left of that. None if they cannot
/// be read.
fn acting_skills(config: &Config) -> Option<String> {
    let catalog = Catalog::read(&skills_folder(&config.work.skills)).ok()?;
    let mut hasher = Sha256::new();
    let acts = |skill: &&InstalledSkill| skill.manifest.events.contains(&Event::ApprovalGranted);
    for skill in catalog.skills().filter(acts) {
        let component = std::fs::read(&skill.component).ok()?;
        let name = skill.manifest.name.as_str();
        let component = hex::encode(Sha256::digest(component));
        let folders = config.skills.get(name).map(|skill| &skill.folders);
        hasher.update(format!("{name} {component} {folders:?}\n"));
    }
    hasher.update(format!("{:?}\n", config.narrowed().ok()?));
    Some(hex::encode(hasher.finalize()))
}
