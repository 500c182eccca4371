//! `platinum status`: how things stand, without asking anybody over the network.

use std::{fs::File, path::Path};

use platinum_core::{AgentName, Role, TaskId, Timestamp, layout};
use platinum_daemon::Config;
use platinum_journal::Journal;
use platinum_repo::{RefName, Repo};
use platinum_vault::Vault;

use super::{
    CommandError, Context, Kind, open_vault, pending,
    terminal::{Table, Tone, count, plain, span},
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
    let counts = Counts::of(&vault)?;
    table.row(["tasks", &counts.tasks(&agent)]);
    let (tone, drafts) = counts.drafts();
    table.toned(1, tone, ["drafts", &drafts]);
    let (tone, remote) = remote(&config);
    table.toned(1, tone, ["remote", &remote]);
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
    done_this_month: usize,
}

impl Counts {
    fn of(vault: &Vault) -> Result<Self, CommandError> {
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
            done_this_month: 0,
        };
        for entry in vault.walk()? {
            let path = &entry.path;
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
        if self.unreadable > 0 {
            text.push_str(&format!(", {} cannot be read", self.unreadable));
        }
        let tone = if self.unreadable > 0 {
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

fn remote(config: &Config) -> (Tone, String) {
    let address = &config.sync.remote;
    if address.is_empty() {
        return (Tone::Quiet, "none: this host works alone".to_owned());
    }
    // The address as the client would name it: without a password that somebody put in.
    let shown = platinum_repo::Address::parse(address).map_or_else(
        |error| error.to_string(),
        |address| plain(address.as_str(), 200),
    );
    let git_dir = config.vault.state.join("vault.git");
    if !git_dir.exists() {
        return (Tone::Doubtful, format!("{shown}, not asked yet"));
    }
    match tip(&git_dir) {
        Ok(Tip { verified: None, .. }) => (Tone::Doubtful, format!("{shown}, nothing came yet")),
        Ok(Tip {
            verified: Some((oid, seconds)),
            behind,
            in_doubt,
        }) => {
            let age = span(Timestamp::now().as_second() - seconds);
            let mut text = format!("{shown}, at {} from {age}", &oid[..oid.len().min(10)]);
            if behind {
                text.push_str("; newer changes came that are not taken over");
            }
            if in_doubt > 0 {
                text.push_str(&format!(
                    "; {} not known to have landed",
                    count(in_doubt, "commit is", "commits are")
                ));
            }
            (
                if behind || in_doubt > 0 {
                    Tone::Doubtful
                } else {
                    Tone::Good
                },
                text,
            )
        }
        Err(why) => (Tone::Bad, format!("{shown}, {}", plain(&why, 300))),
    }
}

struct Tip {
    verified: Option<(String, i64)>,
    behind: bool,
    in_doubt: usize,
}

fn tip(git_dir: &Path) -> Result<Tip, String> {
    let read = || {
        let repo = Repo::open_or_init(git_dir)?;
        let verified = repo.tip(RefName::Verified)?;
        let seen = repo.tip(RefName::Remote)?;
        let at = verified.map(|oid| repo.commit_info(oid)).transpose()?;
        // Our own pushes are verified before the next fetch sees them.
        let behind = match (seen, verified) {
            (Some(seen), Some(verified)) if seen != verified => {
                !repo.is_ancestor(seen, verified)?
            }
            (Some(_), None) => true,
            _ => false,
        };
        let in_doubt = repo.outgoing()?.len();
        Ok(Tip {
            verified: at.map(|info| (info.oid.to_string(), info.seconds)),
            behind,
            in_doubt,
        })
    };
    read().map_err(|error: platinum_repo::RepoError| error.to_string())
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
    match config.mail.account.as_str() {
        "" => "none".to_owned(),
        account if config.mail.watch => format!("account {}, watched here", plain(account, 80)),
        account => format!("account {}, watched elsewhere", plain(account, 80)),
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
