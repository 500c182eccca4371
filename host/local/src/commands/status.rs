//! `platinum status`: how things stand, without asking anybody over the network.

use std::{fs::File, path::Path};

use platinum_core::{AgentName, Role, TaskId, Timestamp, VaultPath, layout};
use platinum_daemon::Config;
use platinum_effects::approvals::EntryState;
use platinum_journal::Journal;
use platinum_vault::Vault;

use super::{
    CommandError, Context, Kind, approvals,
    freshness::{self, Row},
    open_vault, pending,
    terminal::{Table, Tone, count, plain},
};

/// Show how things stand: the daemon, the vault, the remote, what waits for you.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {}

pub(crate) fn run(_: &StatusArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let vault = open_vault(&config)?;
    let agent = config
        .agent(Role::Local)
        .map_err(|why| CommandError::new(Kind::Config, why))?;
    let mut table = Table::default();
    table.row(["config", &ctx.config_path().display().to_string()]);
    table.row(["agent", &format!("{agent}, role local")]);
    if daemon_runs(&config.vault.state) {
        table.toned(1, Tone::Good, ["daemon", "running"]);
    } else {
        table.toned(
            1,
            Tone::Doubtful,
            ["daemon", "not running; `platinum run` starts it"],
        );
    }
    table.row(["vault", &vault.root().display().to_string()]);
    let counts = Counts::of(&vault, &config.vault.state)?;
    table.row(["tasks", &counts.tasks(&agent)]);
    let (tone, drafts) = counts.drafts();
    table.toned(1, tone, ["drafts", &drafts]);
    for Row { what, tone, text } in freshness::rows(&config) {
        table.toned(1, tone, [what, &text]);
    }
    if let Some(Row { what, tone, text }) = freshness::conflicts(&counts.conflicts) {
        table.toned(1, tone, [what, &text]);
    }
    let (tone, journal) = journal(&config.vault.state);
    table.toned(1, tone, ["journal", &journal]);
    table.row(["mail", &mail(&config)]);
    table.row(["model", &model(&config)]);
    ctx.print(&table.render(ctx.paint))
}

/// What is in the vault's folders.
struct Counts {
    waiting: usize,
    owned: Vec<String>,
    pending: usize,
    unreadable: usize,
    approved: usize,
    in_doubt: usize,
    done_this_month: usize,
    conflicts: Vec<VaultPath>,
}

impl Counts {
    fn of(vault: &Vault, state: &Path) -> Result<Self, CommandError> {
        let month = layout::done_month(Timestamp::now());
        let pending = pending::waiting(vault)?;
        let mut counts = Counts {
            waiting: 0,
            owned: Vec::new(),
            pending: pending.drafts.len(),
            unreadable: pending
                .drafts
                .iter()
                .filter(|draft| draft.draft.is_err())
                .count(),
            approved: 0,
            // A journal that cannot be read is told of in its own row.
            in_doubt: approvals::approved(vault, state).map_or(0, |entries| {
                entries
                    .iter()
                    .filter(|entry| matches!(entry.state, EntryState::InDoubt(_)))
                    .count()
            }),
            done_this_month: 0,
            conflicts: Vec::new(),
        };
        for entry in vault.walk()? {
            let path = &entry.path;
            if freshness::is_conflict_copy(path) {
                counts.conflicts.push(path.clone());
            }
            match path.top() {
                layout::NEEDS_ACTION => counts.waiting += 1,
                layout::IN_PROGRESS => {
                    counts
                        .owned
                        .extend(path.components().nth(1).map(str::to_owned));
                }
                layout::APPROVED => counts.approved += 1,
                layout::DONE if path.is_within(&month) && path.stem().parse::<TaskId>().is_ok() => {
                    counts.done_this_month += 1;
                }
                _ => {}
            }
        }
        Ok(counts)
    }

    fn tasks(&self, me: &AgentName) -> String {
        let mine = self
            .owned
            .iter()
            .filter(|owner| *owner == me.as_str())
            .count();
        format!(
            "{} waiting, {} in progress ({mine} here), {} done this month",
            self.waiting,
            self.owned.len(),
            self.done_this_month
        )
    }

    fn drafts(&self) -> (Tone, String) {
        let mut text = match self.pending {
            0 => "none waits for you".to_owned(),
            n => format!(
                "{} for you (`platinum approvals`)",
                count(n, "waits", "wait")
            ),
        };
        if self.approved > 0 {
            text.push_str(&format!(
                ", {} approved and not yet carried out",
                self.approved
            ));
        }
        if self.in_doubt > 0 {
            text.push_str(&format!(
                " ({} in doubt: `platinum approvals`)",
                self.in_doubt
            ));
        }
        if self.unreadable > 0 {
            text.push_str(&format!(", {} cannot be read", self.unreadable));
        }
        let tone = if self.unreadable > 0 || self.in_doubt > 0 {
            Tone::Bad
        } else if self.pending > 0 {
            Tone::Doubtful
        } else {
            Tone::Quiet
        };
        (tone, text)
    }
}

/// Whether a daemon holds the lock of the state folder.
pub(super) fn daemon_runs(state: &Path) -> bool {
    let Ok(lock) = File::open(state.join("lock")) else {
        return false;
    };
    matches!(
        lock.try_lock_shared(),
        Err(std::fs::TryLockError::WouldBlock)
    )
}

/// Counts of the journal, if there is one; reading makes none.
pub(super) fn journal(state: &Path) -> (Tone, String) {
    let path = state.join("journal.db");
    if !path.exists() {
        return (Tone::Quiet, "empty: nothing was sent yet".to_owned());
    }
    let read = || {
        let journal = Journal::open(&path)?;
        Ok((journal.verify()?, journal.open_intents()?.len()))
    };
    match read() {
        Ok((verified, 0)) => (
            Tone::Good,
            format!(
                "{}, the chain holds",
                count(to_usize(verified.entries), "entry", "entries")
            ),
        ),
        Ok((verified, open)) => (
            Tone::Doubtful,
            format!(
                "{}, the chain holds; {} unknown",
                count(to_usize(verified.entries), "entry", "entries"),
                count(open, "outcome is", "outcomes are"),
            ),
        ),
        Err(error) => {
            let error: platinum_journal::JournalError = error;
            (Tone::Bad, plain(&error.to_string(), 300))
        }
    }
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn mail(config: &Config) -> String {
    let zone = config.zones.get("email");
    match zone.and_then(|zone| zone.summary()) {
        Some(summary) => plain(&summary, 120),
        None => "none".to_owned(),
    }
}

fn model(config: &Config) -> String {
    match (config.model.provider, config.model.model.as_deref()) {
        (platinum_llm::ProviderKind::Builtin, _) => {
            "builtin: drafts are marked as written by no model".to_owned()
        }
        (provider, name) => {
            let provider = format!("{provider:?}").to_lowercase();
            format!(
                "{provider} {}, {} tokens a day",
                plain(name.unwrap_or("(no model named)"), 80),
                config.model.daily_tokens
            )
        }
    }
}
