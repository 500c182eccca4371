//! `platinum approvals`: the drafts that wait for the owner, and what became of the approved ones.

use platinum_api::{
    ApprovalRow, ApprovalState, Approvals, DraftSummary, HeldList, Paused, approval_policy,
    approvals::Field, text::span, unreadable_checks,
};
use platinum_core::{
    ActionKind, Role, Timestamp, layout,
    text::{GAP_FORM, unescape_markdown},
};

use super::{
    CommandError, Context, Kind, open_vault,
    terminal::{Level, Paint, Table, count, plain},
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
/// The same of one that is an invoice: its sums are at its end.
const FIRST_LINES_OF_INVOICE: usize = 80;

pub(crate) fn run(args: &ApprovalsArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let vault = open_vault(&config)?;
    let now = Timestamp::now();
    let agent = config
        .agent(Role::Local)
        .map_err(|why| CommandError::new(Kind::Config, why))?;
    let policy = approval_policy(&config, &agent);
    let approvals = Approvals::read(&vault, &config.vault.state, &policy, now)?;
    let paused = Paused::read(&config.vault.state).map_or_else(String::new, |paused| {
        let words = paused.check().sentence();
        format!("{}\n\n", ctx.paint.word(Level::Warn, &words))
    });
    let mut text = paused;
    text.push_str(&match approvals.pending.len() {
        0 => "Nothing waits for you.\n".to_owned(),
        n => format!("{} for you.\n", count(n, "draft waits", "drafts wait")),
    });
    let shown = if args.full { Shown::All } else { Shown::Start };
    for row in &approvals.pending {
        text.push('\n');
        text.push_str(&describe(row, shown, now, ctx.paint));
    }
    if let Some(first) = approvals.pending.first() {
        text.push_str(&format!(
            "\nTo change the text, edit the file in {1}.\n\
             To decide: platinum approve {0}, platinum reject {0}, or move the file to Approved/ or Rejected/.\n",
            first.short_id(),
            vault.root().join(layout::PENDING_APPROVAL).display()
        ));
    }
    if !approvals.not_drafts.is_empty() {
        let named = approvals.not_drafts.iter().take(8);
        let names: Vec<String> = named.map(|path| plain(path.as_str(), 120)).collect();
        text.push_str(&format!(
            "\n{} in Pending_Approval/ not named by a draft's id: {}\n",
            count(approvals.not_drafts.len(), "file", "files"),
            names.join(", ")
        ));
    }
    let held = HeldList::read(&config.vault.state).check();
    for row in unreadable_checks(&approvals.unreadable)
        .into_iter()
        .chain(held)
    {
        text.push_str(&format!(
            "\n{}\n",
            ctx.paint.word(row.level, &row.sentence())
        ));
    }
    let (held, approved): (Vec<_>, Vec<_>) = approvals
        .approved
        .iter()
        .filter(|row| row.state != ApprovalState::Done)
        .partition(|row| matches!(row.state, ApprovalState::Unconfirmed { .. }));
    text.push_str(&held_back(&held));
    text.push_str(&not_done(&approved));
    ctx.print(&text)
}

/// The ones in `Approved/` that are no approval yet, and what to do about each.
fn held_back(rows: &[&ApprovalRow]) -> String {
    let mut text = String::new();
    for row in rows {
        if text.is_empty() {
            text.push_str("\nHeld, until you confirm or reject it:\n");
        }
        text.push_str(&place_and_state(row));
        let id = row.short_id();
        text.push_str(&format!(
            "  To decide: platinum approve {id} shows it and asks, platinum reject {id}, or platinum undo {id} \
             to have it wait again.\n"
        ));
    }
    text
}

/// Where it is, what it would do and what becomes of it.
fn place_and_state(row: &ApprovalRow) -> String {
    let summary = row
        .draft
        .as_ref()
        .map(|draft| format!("  {}\n", draft.summary));
    format!(
        "{}\n{}  {}\n",
        plain(row.path.as_str(), 120),
        summary.unwrap_or_default(),
        row.state.words()
    )
}

/// The approved ones that were not carried out, and why.
fn not_done(rows: &[&ApprovalRow]) -> String {
    let mut text = String::new();
    for row in rows {
        if text.is_empty() {
            text.push_str("\nApproved, and not carried out yet:\n");
        }
        text.push_str(&place_and_state(row));
        if matches!(row.state, ApprovalState::OutcomeUnknown { .. }) {
            let id = row.short_id();
            let look = match row.draft.as_ref() {
                Some(draft) if draft.is_rendered => "Odoo is asked for it. Look there, too, then:",
                Some(draft) if draft.kind == ActionKind::SOCIAL_PUBLISH => {
                    "The network is asked for it. Look there, too, then:"
                }
                _ => {
                    "The Sent folder is asked for it. If it is not there, ask the recipient, then:"
                }
            };
            text.push_str(&format!(
                "  {look}\n  \
                 platinum resolve {id} --went-out, or move the file to Done/;\n  \
                 platinum resolve {id} --send-again, or move it to Pending_Approval/ and approve it \
                 again;\n  moving it to Rejected/ closes it.\n"
            ));
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

fn describe(row: &ApprovalRow, shown: Shown, now: Timestamp, paint: Paint) -> String {
    let id = paint.word(Level::Ok, &row.short_id());
    let Some(draft) = &row.draft else {
        return format!("{id}  {}\n", paint.word(Level::Error, &row.state.words()));
    };
    let state = match row.state {
        ApprovalState::Pending => {
            format!(
                "expires {}",
                span(now.as_second() - draft.expires.as_second())
            )
        }
        _ => paint.word(Level::Error, &row.state.words()),
    };
    format!("{id}  {}, {state}\n", draft.kind) + &summary_of(draft, shown, paint)
}

/// What a draft would do: its summary, whom it reaches, its text.
pub(super) fn summary_of(draft: &DraftSummary, shown: Shown, paint: Paint) -> String {
    let (most_names, lines, width) = match shown {
        Shown::Head => (usize::MAX, 0, 0),
        Shown::Start if draft.is_rendered => (8, FIRST_LINES_OF_INVOICE, 400),
        Shown::Start => (8, FIRST_LINES, 400),
        Shown::All => (usize::MAX, usize::MAX, usize::MAX),
    };
    let value_width = if shown == Shown::Start { 200 } else { 1000 };
    let mut text = String::new();
    if let Some(why) = &draft.returned {
        text.push_str(&paint.word(Level::Warn, &format!("  came back: {why}")));
        text.push('\n');
    }
    for doubt in &draft.doubts {
        text.push_str(&paint.word(Level::Warn, &format!("  look first: {doubt}")));
        text.push('\n');
    }
    let mut table = Table::default();
    table.row(["  summary", &draft.summary]);
    table.row(["  why", &draft.reason]);
    let is_shown = |field: &&Field| shown == Shown::All || !field.is_threading();
    for field in draft.fields.iter().filter(is_shown) {
        let named = field.values.iter().take(most_names);
        let named: Vec<String> = named.map(|value| plain(value, value_width)).collect();
        let more = match field.values.len().saturating_sub(named.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        table.row([&format!("  {}", field.name), &(named.join(", ") + &more)]);
    }
    text.push_str(&table.render(paint));
    let above = match shown {
        Shown::Head => None,
        // Its own text is below; how that will look, and whom it answers, its network's server said.
        Shown::Start => draft.card.as_ref(),
        Shown::All => draft.answers.as_ref(),
    };
    if let Some(above) = above {
        text.push('\n');
        for line in above.lines() {
            let line = match shown {
                Shown::Start => rendered_line(line, width),
                _ => plain(line, width),
            };
            let line = format!("  ┆ {line}");
            text.push_str(&paint.word(Level::Dim, line.trim_end()));
            text.push('\n');
        }
    }
    if !draft.text.trim().is_empty() {
        text.push('\n');
        for line in draft.text.lines().take(lines) {
            let line = match draft.is_rendered {
                true => rendered_line(line, width),
                false => plain(line, width),
            };
            text.push_str(format!("  │ {line}").trim_end());
            text.push('\n');
        }
        let left = draft.text.lines().count().saturating_sub(lines);
        if left > 0 {
            let more = count(left, "more line", "more lines");
            let more = format!("  │ … {more}; --full shows all");
            text.push_str(&paint.word(Level::Dim, &more));
            text.push('\n');
        }
        if draft.has_gaps {
            text.push_str(&paint.word(
                Level::Warn,
                &format!(
                    "  The text has gaps, marked {GAP_FORM}: fill them in before you say yes."
                ),
            ));
            text.push('\n');
        }
    }
    text
}

/// A line of a rendered invoice as a terminal shows it: without the marks of Markdown, and with the blanks by which
/// its columns stand below each other.
fn rendered_line(line: &str, width: usize) -> String {
    let line = unescape_markdown(&line.replace("**", ""));
    line.chars()
        .filter(|c| !c.is_control())
        .take(width)
        .collect()
}
