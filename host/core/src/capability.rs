//! [`Capability`]: one WIT interface of the contract, and so one grant.
//!
//! To add one: write its file under `wit/`, add a line here, decide its roles in
//! `policy::roles`; the tidy test fails until the three agree.

use std::{fmt, str::FromStr};

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident = $package:literal / $interface:literal,)*) => {
        /// One interface of the contract. The linker can give or withhold it only whole.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability { $($(#[$doc])* $name,)* }

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
        }
    };
}

capabilities! {
    /// The skill's own instructions, agent, role, zone and time.
    SkillContext = "skill" / "context",
    /// Levelled, bounded log lines.
    SkillLog = "skill" / "log",
    /// List and read tasks of granted zones.
    TasksRead = "tasks" / "read",
    /// Who owns a task now.
    TasksOwnership = "tasks" / "ownership",
    /// Claim a task.
    TasksClaim = "tasks" / "claim",
    /// Complete, release or fail an owned task.
    TasksFinish = "tasks" / "finish",
    /// Write a plan.
    PlansWrite = "plans" / "write",
    /// Write a status note.
    UpdatesPublish = "updates" / "publish",
    /// A metered completion.
    ModelComplete = "model" / "complete",
    /// Read granted folders of the vault.
    VaultContext = "vault" / "context",
    /// Search the mailbox.
    EmailSearch = "email" / "search",
    /// Save a draft in the mailbox.
    EmailDraft = "email" / "draft",
    /// Propose a mail.
    EmailPropose = "email" / "propose",
    /// Save a draft of a post.
    SocialDraft = "social" / "draft",
    /// Propose a post.
    SocialPropose = "social" / "propose",
    /// Read from Odoo.
    OdooRead = "odoo" / "read",
    /// Create a draft entry in Odoo.
    OdooDraft = "odoo" / "draft",
    /// Propose to post a document in Odoo, or to register a payment.
    OdooPropose = "odoo" / "propose",
    /// Pull and push the vault.
    SyncRun = "sync" / "run",
    /// See how the components of the host are.
    HealthObserve = "health" / "observe",
    /// Restart one component.
    HealthRestart = "health" / "restart",
    /// Notify the owner.
    HealthAlert = "health" / "alert",
    /// Take status notes for merging.
    UpdatesCollect = "updates" / "collect",
    /// Read and replace the dashboard.
    DashboardBoard = "dashboard" / "board",
    /// Take what the owner approved.
    ApprovalsQueue = "approvals" / "queue",
    /// Send a mail.
    EmailSend = "email" / "send",
    /// Publish a post.
    SocialPublish = "social" / "publish",
    /// Post a document in Odoo.
    OdooPost = "odoo" / "post",
    /// Propose a payment.
    PaymentsPropose = "payments" / "propose",
    /// Pay.
    PaymentsPay = "payments" / "pay",
    /// Drive a browser.
    BrowserSession = "browser" / "session",
    /// Read chats.
    WhatsappRead = "whatsapp" / "read",
    /// Propose a chat message.
    WhatsappPropose = "whatsapp" / "propose",
    /// Send a chat message.
    WhatsappSend = "whatsapp" / "send",
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
