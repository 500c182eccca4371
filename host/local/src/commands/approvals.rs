//! `platinum approvals`: the drafts that wait for the owner, and what became of the approved ones.

use std::path::Path;

use platinum_core::{
    EmailSend, OdooPayment, OdooPost, Payment, SocialPublish, Timestamp, WhatsappSend, layout,
};
use platinum_effects::approvals::{EntryState, QueueEntry, inspect};
use platinum_journal::Journal;
use platinum_vault::{Vault, note::DraftNote};

use platinum_effects::approvals::has_gaps;

use super::{
    CommandError, Context, Kind, open_vault,
    pending::{self, Pending, is_expired, short},
    terminal::{Paint, Table, Tone, count, plain, span},
};

/// List the drafts that wait for your yes or no.
#[derive(Debug, clap::Args)]
pub(crate) struct ApprovalsArgs {
    /// Show the whole text of each draft instead of its first lines.
    #[arg(long)]
    full: bool,
}

/// Lines of a draft's text that are shown.
const FIRST_LINES: usize = 6;

pub(crate) fn run(args: &ApprovalsArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let vault = open_vault(&config)?;
    let waiting = pending::waiting(&vault)?;
    let mut text = match waiting.drafts.len() {
        0 => "Nothing waits for you.\n".to_owned(),
        n => format!("{} for you.\n", count(n, "draft waits", "drafts wait")),
    };
    let now = Timestamp::now();
    let shown = if args.full { Shown::All } else { Shown::Start };
    for pending in &waiting.drafts {
        text.push('\n');
        text.push_str(&describe(pending, shown, now, ctx.paint));
    }
    if let Some(first) = waiting.drafts.first() {
        text.push_str(&format!(
            "\nTo change the text, edit the file in {1}.\n\
             To decide: platinum approve {0}, platinum reject {0}, or move the file to Approved/ or Rejected/.\n",
            short(first.id),
            vault.root().join(layout::PENDING_APPROVAL).display()
        ));
    }
    if !waiting.others.is_empty() {
        let names: Vec<String> = waiting
            .others
            .iter()
            .take(8)
            .map(|path| plain(path.as_str(), 120))
            .collect();
        text.push_str(&format!(
            "\n{} in Pending_Approval/ that no draft's id names: {}\n",
            count(waiting.others.len(), "file", "files"),
            names.join(", ")
        ));
    }
    text.push_str(&not_done(&approved(&vault, &config.vault.state)?));
    ctx.print(&text)
}

/// What is in `Approved/` and what becomes of it; nothing before the daemon's first run.
pub(super) fn approved(vault: &Vault, state: &Path) -> Result<Vec<QueueEntry>, CommandError> {
    let path = state.join("journal.db");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let failed = |why: String| CommandError::new(Kind::Failed, plain(&why, 300));
    let journal = Journal::open(&path).map_err(|error| failed(error.to_string()))?;
    inspect(vault, &journal, Timestamp::now()).map_err(failed)
}

/// The approved ones that were not carried out, and why.
fn not_done(entries: &[QueueEntry]) -> String {
    let mut text = String::new();
    for entry in entries {
        let state = match &entry.state {
            EntryState::Done(_) => continue,
            EntryState::Ready => "the local daemon carries it out".to_owned(),
            EntryState::Waiting { reason, .. } => format!("tried again by itself: {reason}"),
            other => other.to_string(),
        };
        if text.is_empty() {
            text.push_str("\nApproved, and not carried out yet:\n");
        }
        let summary = entry.outgoing.as_ref().map_or(String::new(), |outgoing| {
            format!("  {}\n", plain(&outgoing.note.summary, 200))
        });
        text.push_str(&format!(
            "{}\n{summary}  {}\n",
            plain(entry.path.as_str(), 120),
            plain(&state, 400)
        ));
        if matches!(entry.state, EntryState::InDoubt(_)) {
            text.push_str(
                "  Sent/ is asked for it. If it is not there, ask the recipient; moving the file \
                 to Rejected/ closes it.\n",
            );
        }
    }
    text
}

/// How much of a draft is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// Its head, with every recipient and attachment.
    Head,
    /// Its head and the first lines.
    Start,
    /// Everything that would leave.
    All,
}

fn describe(pending: &Pending, shown: Shown, now: Timestamp, paint: Paint) -> String {
    let id = paint.word(Tone::Good, &short(pending.id));
    match &pending.draft {
        Ok(draft) => {
            let state = if is_expired(draft, now) {
                paint.word(Tone::Bad, "expired: an approval no longer counts")
            } else {
                format!(
                    "expires {}",
                    span(now.as_second() - draft.expires.as_second())
                )
            };
            let head = format!("{id}  {}, {state}\n", draft.action.kind());
            head + &summary_of(draft, shown, paint)
        }
        Err(why) => {
            format!(
                "{id}  {}\n",
                paint.word(Tone::Bad, &format!("cannot be read: {}", plain(why, 300)))
            )
        }
    }
}

/// What a draft would do: its summary, whom it reaches, its text.
pub(super) fn summary_of(draft: &DraftNote, shown: Shown, paint: Paint) -> String {
    let (most_names, lines, width) = match shown {
        Shown::Head => (usize::MAX, 0, 0),
        Shown::Start => (8, FIRST_LINES, 400),
        Shown::All => (usize::MAX, usize::MAX, usize::MAX),
    };
    let name_width = if shown == Shown::Start { 80 } else { 1000 };
    let mut table = Table::default();
    table.row(["  summary", &plain(&draft.summary, 200)]);
    table.row(["  why", &plain(&draft.reason, 200)]);
    let people = |names: &[String]| {
        let named: Vec<String> = names
            .iter()
            .take(most_names)
            .map(|name| plain(name, name_width))
            .collect();
        let more = names.len().saturating_sub(named.len());
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        named.join(", ") + &tail
    };
    let action = &draft.action;
    if let Ok(mail) = action.read::<EmailSend>() {
        table.row(["  from", &plain(&mail.from_account, 80)]);
        table.row(["  to", &people(&mail.to)]);
        for (label, names) in [("  cc", &mail.cc), ("  bcc", &mail.bcc)] {
            if !names.is_empty() {
                table.row([label, &people(names)]);
            }
        }
        table.row(["  subject", &plain(&mail.subject, 200)]);
        if !mail.attachments.is_empty() {
            let paths: Vec<String> = mail.attachments.iter().map(ToString::to_string).collect();
            table.row(["  attached", &people(&paths)]);
        }
    } else if let Ok(post) = action.read::<SocialPublish>() {
        table.row(["  network", &plain(&post.network, 80)]);
    } else if let Ok(message) = action.read::<WhatsappSend>() {
        table.row(["  chat", &plain(&message.chat, 80)]);
    } else if let Ok(payment) = action.read::<Payment>() {
        table.row(["  payee", &plain(&payment.payee, 80)]);
        table.row(["  amount", &payment.amount.to_string()]);
    } else if let Ok(document) = action.read::<OdooPost>() {
        table.row(["  document", &document.document.to_string()]);
        table.row(["  total", &document.total.to_string()]);
    } else if let Ok(payment) = action.read::<OdooPayment>() {
        table.row(["  invoice", &payment.invoice.to_string()]);
        table.row(["  amount", &payment.amount.to_string()]);
    }
    let mut text = table.render(paint);
    let body = draft.action.text();
    if !body.trim().is_empty() {
        text.push('\n');
        for line in body.lines().take(lines) {
            text.push_str(format!("  │ {}", plain(line, width)).trim_end());
            text.push('\n');
        }
        let left = body.lines().count().saturating_sub(lines);
        if left > 0 {
            text.push_str(&paint.word(
                Tone::Quiet,
                &format!(
                    "  │ … {}; --full shows all",
                    count(left, "more line", "more lines")
                ),
            ));
            text.push('\n');
        }
        if has_gaps(body) {
            text.push_str(&paint.word(
                Tone::Doubtful,
                "  The text has gaps, marked [[…]]: fill them in before you say yes.",
            ));
            text.push('\n');
        }
    }
    text
}
