//! [`Capability`]: one WIT interface of the contract, and so one grant.
//!
//! To add one: write its file under `wit/`, add a line here, decide its roles in
//! `policy::roles`; the tidy test fails until the three agree.

use std::{fmt, str::FromStr};

macro_rules! capabilities {
    ($($name:ident = $package:literal / $interface:literal: $grants:literal,)*) => {
        /// One interface of the contract. The linker can give or withhold it only whole.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability { $(#[doc = $grants] $name,)* }

        impl Capability {
            /// Every capability, in the order of the contract's table.
            pub const ALL: &'static [Capability] = &[$(Capability::$name,)*];

            /// The WIT name with its version, as a component's import says it.
            pub const fn interface(self) -> &'static str {
                match self {
                    $(Capability::$name => concat!("platinum:", $package, "/", $interface, "@0.1.0"),)*
                }
            }

            /// The name as configuration and tables say it: `email/send`.
            pub const fn short(self) -> &'static str {
                match self { $(Capability::$name => concat!($package, "/", $interface),)* }
            }

            /// What it gives a skill, said to the owner; an act on the outside world in capitals.
            pub const fn grants(self) -> &'static str {
                match self { $(Capability::$name => $grants,)* }
            }
        }
    };
}

capabilities! {
    SkillContext = "skill" / "context": "its own instructions, agent, role, zone and the time",
    SkillLog = "skill" / "log": "bounded log lines",
    TasksRead = "tasks" / "read": "list and read tasks of granted zones",
    TasksOwnership = "tasks" / "ownership": "who owns a task now",
    TasksClaim = "tasks" / "claim": "claim a task",
    TasksFinish = "tasks" / "finish": "complete, release or fail an owned task",
    PlansWrite = "plans" / "write": "write a plan",
    UpdatesPublish = "updates" / "publish": "write a status note",
    ModelComplete = "model" / "complete": "a metered completion",
    VaultContext = "vault" / "context": "read granted folders of the vault",
    EmailSearch = "email" / "search": "search the mailbox",
    EmailPeople = "email" / "people": "whom the owner writes to by that name, and how",
    EmailDraft = "email" / "draft": "save a draft in the mailbox",
    EmailPropose = "email" / "propose": "propose a mail to the owner",
    SocialDraft = "social" / "draft": "read the accounts, check posts, save drafts of them",
    SocialPropose = "social" / "propose": "propose a post to the owner",
    OdooRead = "odoo" / "read": "read from Odoo",
    OdooDraft = "odoo" / "draft": "create a draft entry in Odoo",
    OdooPropose = "odoo" / "propose": "propose to post or pay a document in Odoo",
    SyncRun = "sync" / "run": "pull and push the vault",
    HealthObserve = "health" / "observe": "see how the parts of the host are",
    HealthRestart = "health" / "restart": "restart one part of the host",
    HealthAlert = "health" / "alert": "alert the owner",
    UpdatesCollect = "updates" / "collect": "take status notes for merging",
    DashboardBoard = "dashboard" / "board": "read and replace the dashboard",
    ApprovalsQueue = "approvals" / "queue": "take what the owner approved",
    EmailSend = "email" / "send": "SEND a mail that the owner approved",
    SocialPublish = "social" / "publish": "PUBLISH a post that the owner approved",
    OdooPost = "odoo" / "post": "POST a document that the owner approved",
    PaymentsPropose = "payments" / "propose": "propose a payment to the owner",
    PaymentsPay = "payments" / "pay": "PAY what the owner approved",
    BrowserSession = "browser" / "session": "DRIVE a browser for an approved payment",
    WhatsappRead = "whatsapp" / "read": "read chats",
    WhatsappPropose = "whatsapp" / "propose": "propose a chat message to the owner",
    WhatsappSend = "whatsapp" / "send": "SEND a message that the owner approved",
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// The text names no capability of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown capability `{0}`; wit/README.md lists the capabilities of the contract")]
pub struct UnknownCapability(String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    /// Reads `email/send` or `platinum:email/send@0.1.0`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Capability::ALL
            .iter()
            .copied()
            .find(|capability| capability.short() == text || capability.interface() == text)
            .ok_or_else(|| UnknownCapability(text.chars().take(128).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capability_both_names_round_trip() {
        for &capability in Capability::ALL {
            assert_eq!(capability.short().parse(), Ok(capability));
            assert_eq!(capability.interface().parse(), Ok(capability));
        }
    }

    #[test]
    fn capability_other_version_is_unknown() {
        assert!("platinum:email/send@0.2.0".parse::<Capability>().is_err());
    }
}
