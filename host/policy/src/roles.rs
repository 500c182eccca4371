//! The ceiling of each role: the constant table role x [`Capability`].
//!
//! Invariants: every capability is decided by the one match in [`allows`], without a wildcard, so
//! a new capability does not compile until it is decided; local is granted everything.

use platinum_core::{Capability, Role};

/// The capabilities that `role` may be granted, in the order of the contract's table.
pub fn ceiling(role: Role) -> impl Iterator<Item = Capability> {
    Capability::ALL
        .iter()
        .copied()
        .filter(move |&capability| allows(role, capability))
}

/// Whether `role` may be granted `capability` at all.
pub const fn allows(role: Role, capability: Capability) -> bool {
    use Capability as C;
    match capability {
        // Reading, drafting, proposing and notifying: both.
        C::SkillContext
        | C::SkillLog
        | C::TasksRead
        | C::TasksOwnership
        | C::TasksClaim
        | C::TasksFinish
        | C::PlansWrite
        | C::UpdatesPublish
        | C::ModelComplete
        | C::VaultContext
        | C::EmailSearch
        | C::EmailPeople
        | C::EmailDraft
        | C::EmailPropose
        | C::SocialDraft
        | C::SocialPropose
        | C::OdooRead
        | C::OdooDraft
        | C::OdooPropose
        | C::SyncRun
        | C::HealthObserve
        | C::HealthRestart
        | C::HealthAlert => true,
        // The owner's page and approvals, the zones of the owner's machine, and everything that
        // acts: local alone.
        C::UpdatesCollect
        | C::DashboardBoard
        | C::ApprovalsQueue
        | C::EmailSend
        | C::SocialPublish
        | C::OdooPost
        | C::PaymentsPropose
        | C::PaymentsPay
        | C::BrowserSession
        | C::WhatsappRead
        | C::WhatsappPropose
        | C::WhatsappSend => matches!(role, Role::Local),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's table once more, by hand: (capability, cloud, local).
    const TABLE: &[(&str, bool, bool)] = &[
        ("skill/context", true, true),
        ("skill/log", true, true),
        ("tasks/read", true, true),
        ("tasks/ownership", true, true),
        ("tasks/claim", true, true),
        ("tasks/finish", true, true),
        ("plans/write", true, true),
        ("updates/publish", true, true),
        ("model/complete", true, true),
        ("vault/context", true, true),
        ("email/search", true, true),
        ("email/people", true, true),
        ("email/draft", true, true),
        ("email/propose", true, true),
        ("social/draft", true, true),
        ("social/propose", true, true),
        ("odoo/read", true, true),
        ("odoo/draft", true, true),
        ("odoo/propose", true, true),
        ("sync/run", true, true),
        ("health/observe", true, true),
        ("health/restart", true, true),
        ("health/alert", true, true),
        ("updates/collect", false, true),
        ("dashboard/board", false, true),
        ("approvals/queue", false, true),
        ("email/send", false, true),
        ("social/publish", false, true),
        ("odoo/post", false, true),
        ("payments/propose", false, true),
        ("payments/pay", false, true),
        ("browser/session", false, true),
        ("whatsapp/read", false, true),
        ("whatsapp/propose", false, true),
        ("whatsapp/send", false, true),
    ];

    #[test]
    fn roles_are_granted_what_the_table_says() {
        assert_eq!(TABLE.len(), Capability::ALL.len());
        for &(name, cloud, local) in TABLE {
            let capability: Capability = name.parse().unwrap();
            assert_eq!(allows(Role::Cloud, capability), cloud, "cloud x {name}");
            assert_eq!(allows(Role::Local, capability), local, "local x {name}");
        }
    }

    #[test]
    fn ceiling_lists_what_is_allowed_in_contract_order() {
        for role in Role::ALL {
            let listed: Vec<_> = ceiling(role).collect();
            let allowed: Vec<_> = Capability::ALL
                .iter()
                .copied()
                .filter(|&c| allows(role, c))
                .collect();
            assert_eq!(listed, allowed);
        }
        let of_cloud = TABLE.iter().filter(|(_, cloud, _)| *cloud);
        assert_eq!(ceiling(Role::Cloud).count(), of_cloud.count());
        assert_eq!(ceiling(Role::Local).count(), TABLE.len());
    }
}
