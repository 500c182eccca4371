//! `platinum approvals`: the drafts that wait for the owner.

use platinum_core::{Action, Timestamp};
use platinum_vault::note::DraftNote;

use super::{
    CommandError, Context, open_vault,
    pending::{self, Pending, has_gaps, is_expired, short},
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
    let waiting = pending::waiting(&open_vault(&config)?)?;
    let mut text = match waiting.drafts.len() {
        0 => "Nothing waits for you.\n".to_owned(),
        n => format!("{} for you.\n", count(n, "draft waits", "drafts wait")),
    };
    let now = Timestamp::now();
    for pending in &waiting.drafts {
        text.push('\n');
        text.push_str(&describe(pending, args.full, now, ctx.paint));
    }
    if let Some(first) = waiting.drafts.first() {
        text.push_str(&format!(
            "\nTo decide: platinum approve {0}, platinum reject {0}, or move the file to Approved/ or Rejected/.\n",
            short(first.id)
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
    ctx.print(&text)
}

fn describe(pending: &Pending, full: bool, now: Timestamp, paint: Paint) -> String {
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
            head + &summary_of(draft, if full { usize::MAX } else { FIRST_LINES }, paint)
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
pub(super) fn summary_of(draft: &DraftNote, lines: usize, paint: Paint) -> String {
    let mut table = Table::default();
    table.row(["  summary", &plain(&draft.summary, 200)]);
    table.row(["  why", &plain(&draft.reason, 200)]);
    let people = |names: &[String]| {
        let shown: Vec<String> = names.iter().take(8).map(|name| plain(name, 80)).collect();
        let more = names.len().saturating_sub(shown.len());
        let tail = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        shown.join(", ") + &tail
    };
    match &draft.action {
        Action::EmailSend(mail) => {
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
        }
        Action::SocialPublish(post) => {
            table.row(["  network", &plain(&post.network, 80)]);
        }
        Action::WhatsappSend(message) => {
            table.row(["  chat", &plain(&message.chat, 80)]);
        }
        Action::Payment(payment) => {
            table.row(["  payee", &plain(&payment.payee, 80)]);
            table.row(["  amount", &payment.amount.to_string()]);
        }
        Action::OdooPost(document) => {
            table.row(["  document", &document.document.to_string()]);
            table.row(["  total", &document.total.to_string()]);
        }
        Action::OdooPayment(payment) => {
            table.row(["  invoice", &payment.invoice.to_string()]);
            table.row(["  amount", &payment.amount.to_string()]);
        }
    }
    let mut text = table.render(paint);
    let body = draft.action.text();
    if !body.trim().is_empty() {
        text.push('\n');
        for line in body.lines().take(lines) {
            text.push_str(format!("  │ {}", plain(line, 400)).trim_end());
            text.push('\n');
        }
        let left = body.lines().count().saturating_sub(lines);
        if left > 0 {
            text.push_str(&paint.word(
                Tone::Quiet,
                &format!("  │ … {}", count(left, "more line", "more lines")),
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
