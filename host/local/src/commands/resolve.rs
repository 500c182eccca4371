//! `platinum resolve`: the owner ends a doubt.
//!
//! Lives elsewhere: the same by moving the draft's file is `executor::doubts`; carrying out what
//! follows is the daemon's.

use platinum_api::approvals::short_id;
use platinum_core::Timestamp;
use platinum_effects::approvals::act;
use platinum_journal::{Intent, Journal, Outcome, Receipt, State};

use super::{
    CommandError, Context, Kind, approve::ApprovalStore, pending::is_named, terminal::plain,
};
use crate::executor::OWNERS_WORD;

/// Say what became of a draft whose outcome is not known, or that it is to be sent again.
///
/// Moving its file from Approved/ to Done/ says that it went out; to Pending_Approval/, and
/// approving it there, sends it again; to Rejected/ leaves it.
#[derive(Debug, clap::Args)]
pub(crate) struct ResolveArgs {
    /// The draft's id, or enough of its start or end to name one.
    id: String,
    #[command(flatten)]
    decision: Decision,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Decision {
    /// It went out: its task is finished with a receipt that says who says so.
    #[arg(long)]
    went_out: bool,
    /// Send it again, under a new Message-ID. If the first one arrives all the same, there are two.
    #[arg(long)]
    send_again: bool,
}

pub(crate) fn run(args: &ResolveArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let failed = |error: platinum_journal::JournalError| {
        CommandError::new(Kind::Failed, plain(&error.to_string(), 300))
    };
    if !config.vault.state.join("journal.db").exists() {
        return Err(none_named(&args.id));
    }
    let store = ApprovalStore::open(&config)?;
    let journal = &store.journal;
    let doubt = find(journal, &args.id)?;
    let (at, draft) = (Timestamp::now(), doubt.draft);
    if args.decision.send_again {
        let is_approved = act::send_again(&store.vault, journal, &store.policy, draft, at)?;
        let what = match is_approved {
            true => "is sent again, under a new Message-ID; the local daemon does it",
            false => {
                "is not waited for any more; it is sent again, under a new Message-ID, when it is \
                 approved again"
            }
        };
        return ctx.print(&format!("{draft} {what}.\n"));
    }
    let receipt = Receipt {
        at,
        reference: doubt.reference,
        answer: OWNERS_WORD.to_owned(),
    };
    journal
        .record(draft, &Outcome::Receipt(receipt))
        .map_err(failed)?;
    ctx.print(&format!(
        "{draft} counts as sent; the local daemon finishes its task.\n"
    ))
}

/// The one doubt whose draft's id is, starts with or ends with what was typed.
fn find(journal: &Journal, typed: &str) -> Result<Intent, CommandError> {
    let failed = |error: platinum_journal::JournalError| {
        CommandError::new(Kind::Failed, plain(&error.to_string(), 300))
    };
    let mut doubts = journal.doubts().map_err(failed)?;
    doubts.retain(|doubt| is_named(doubt.draft, typed));
    match doubts.len() {
        1 => Ok(doubts.swap_remove(0)),
        0 => {
            let open = journal.open_intents().map_err(failed)?;
            let under_way = |intent: &&Intent| {
                let state = journal.state(intent.draft);
                matches!(state, Ok(State::HandedOver(_))) && is_named(intent.draft, typed)
            };
            match open.iter().find(under_way) {
                Some(intent) => Err(CommandError::new(
                    Kind::Conflict,
                    format!(
                        "{} is being sent, or was when the daemon ended",
                        intent.draft
                    ),
                )
                .hint("let the daemon run: it asks the Sent folder first")),
                None => Err(none_named(typed)),
            }
        }
        many => {
            let names: Vec<String> = doubts
                .iter()
                .take(8)
                .map(|doubt| short_id(doubt.draft))
                .collect();
            Err(CommandError::new(
                Kind::Usage,
                format!(
                    "{many} drafts in doubt have an id like `{}`: {}",
                    plain(typed, 40),
                    names.join(", ")
                ),
            )
            .hint("give more of the id; its end differs most"))
        }
    }
}

fn none_named(typed: &str) -> CommandError {
    CommandError::new(
        Kind::NotFound,
        format!("no draft in doubt has an id like `{}`", plain(typed, 40)),
    )
    .hint("`platinum approvals` lists what may have happened")
}
