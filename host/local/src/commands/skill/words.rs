//! What an interface gives, said to the owner.

use platinum_core::Capability;

/// What an interface gives, in the words of the contract's table.
pub(super) const fn grants(capability: Capability) -> &'static str {
    match capability {
        Capability::SkillContext => "its own instructions, agent, role, zone and the time",
        Capability::SkillLog => "bounded log lines",
        Capability::TasksRead => "list and read tasks of granted zones",
        Capability::TasksOwnership => "who owns a task now",
        Capability::TasksClaim => "claim a task",
        Capability::TasksFinish => "complete, release or fail an owned task",
        Capability::PlansWrite => "write a plan",
        Capability::EmailPropose => "propose a mail to the owner",
        Capability::SocialPropose => "propose a post to the owner",
        Capability::OdooPropose => "propose to post or pay a document in Odoo",
        Capability::PaymentsPropose => "propose a payment to the owner",
        Capability::WhatsappPropose => "propose a chat message to the owner",
        Capability::UpdatesPublish => "write a status note",
        Capability::ModelComplete => "a metered completion",
        Capability::VaultContext => "read granted folders of the vault",
        Capability::EmailSearch => "search the mailbox",
        Capability::EmailDraft => "save a draft in the mailbox",
        Capability::SocialDraft => "save a draft of a post",
        Capability::OdooRead => "read from Odoo",
        Capability::OdooDraft => "create a draft entry in Odoo",
        Capability::SyncRun => "pull and push the vault",
        Capability::HealthObserve => "see how the parts of the host are",
        Capability::HealthRestart => "restart one part of the host",
        Capability::HealthAlert => "alert the owner",
        Capability::UpdatesCollect => "take status notes for merging",
        Capability::DashboardBoard => "read and replace the dashboard",
        Capability::ApprovalsQueue => "take what the owner approved",
        Capability::EmailSend => "SEND a mail that the owner approved",
        Capability::SocialPublish => "PUBLISH a post that the owner approved",
        Capability::OdooPost => "POST a document that the owner approved",
        Capability::PaymentsPay => "PAY what the owner approved",
        Capability::BrowserSession => "DRIVE a browser for an approved payment",
        Capability::WhatsappRead => "read chats",
        Capability::WhatsappSend => "SEND a message that the owner approved",
    }
}
