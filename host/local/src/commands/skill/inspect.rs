//! `platinum skill inspect`: a component's imports, which are its permission request, and what each
//! of them grants.

use std::path::PathBuf;

use platinum_core::{Capability, Role};
use platinum_policy::allows;

use super::{
    super::terminal::{Level, Table, plain},
    Checker, CommandError, Context, Kind, read,
};

/// Show what a component asks for and which roles grant it.
#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The component, or the folder of an installed skill.
    file: PathBuf,
}

pub(super) fn run(args: &InspectArgs, ctx: &Context) -> Result<(), CommandError> {
    let component = read(&args.file)?;
    let checker = Checker::new()?;
    let report = checker
        .report(&component.name, &component.bytes, Role::Local)
        .map_err(|error| CommandError::new(Kind::Failed, error.to_string()))?;
    let mut table = Table::default();
    for line in &report.imports {
        let import = plain(&line.import, 200);
        match line.import.parse::<Capability>() {
            Ok(capability) => {
                let roles: Vec<&str> = Role::ALL
                    .into_iter()
                    .filter(|&role| allows(role, capability))
                    .map(Role::as_str)
                    .collect();
                table.coloured(
                    1,
                    Level::Ok,
                    [import.as_str(), &roles.join(", "), grants(capability)],
                );
            }
            Err(_)
                if platinum_policy::decide([line.import.as_str()], Role::Cloud, None).is_ok() =>
            {
                let what = match line.import.starts_with("wasi:") {
                    true => "nothing: WASI on an empty context",
                    false => "nothing: records only",
                };
                table.coloured(1, Level::Dim, [import.as_str(), "all", what]);
            }
            Err(_) => {
                table.coloured(
                    1,
                    Level::Error,
                    [import.as_str(), "none", "it is not in the contract"],
                );
            }
        }
    }
    let mut text = format!(
        "{}: {} bytes, {}\n\n",
        plain(&component.name, 64),
        component.bytes.len(),
        if report.has_handler {
            "exports the handler of a skill"
        } else {
            "exports no handler: no host runs it"
        }
    );
    text.push_str(&table.render(ctx.paint));
    text.push('\n');
    for role in Role::ALL {
        let verdict = match checker.check(&component.name, &component.bytes, role) {
            Ok(()) => ctx.paint.word(Level::Ok, "links"),
            Err(why) => ctx.paint.word(Level::Error, &plain(&why.to_string(), 2000)),
        };
        text.push_str(&format!("role {role}: {verdict}\n"));
    }
    ctx.print(&text)
}

/// What an interface gives, in the words of the contract's table.
const fn grants(capability: Capability) -> &'static str {
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
