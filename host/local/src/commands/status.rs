//! `platinum status`: how things stand, without asking anybody over the network.

use std::{fs::File, path::Path};

use platinum_core::{AgentName, Role, TaskId, Timestamp, layout};
use platinum_daemon::{Config, Contact};
use platinum_effects::approvals::EntryState;
use platinum_journal::Journal;
use platinum_repo::{RefName, Repo};
use platinum_vault::Vault;

use super::{
    CommandError, Context, Kind, approvals, open_vault, pending,
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
    let counts = Counts::of(&vault, &config.vault.state)?;
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
    in_doubt: usize,
    done_this_month: usize,
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

/// Where the remote is, when it last answered, and what came of it. Nobody is asked.
pub(super) fn remote(config: &Config) -> (Tone, String) {
    let address = &config.sync.remote;
    if address.is_empty() {
        return (Tone::Quiet, "none: this host works alone".to_owned());
    }
    // The address as the client would name it: without a password that somebody put in.
    let shown = platinum_repo::Address::parse(address).map_or_else(
        |error| error.to_string(),
        |address| plain(address.as_str(), 200),
    );
    let (fresh, contact) = freshness(
        &Contact::read(&config.vault.state),
        daemon_runs(&config.vault.state),
        config.sync.every_seconds,
        Timestamp::now(),
    );
    let git_dir = config.vault.state.join("vault.git");
    let (tone, tip) = if git_dir.exists() {
        match tip(&git_dir) {
            Ok(tip) => tip.told(),
            Err(why) => (Tone::Bad, format!("; {}", plain(&why, 300))),
        }
    } else {
        (Tone::Doubtful, String::new())
    };
    let tone = match (fresh, tone) {
        (Tone::Bad, _) | (_, Tone::Bad) => Tone::Bad,
        (Tone::Good, Tone::Good) => Tone::Good,
        _ => Tone::Doubtful,
    };
    (tone, format!("{shown}, {contact}{tip}"))
}

/// How fresh what is known of the remote is.
fn freshness(contact: &Contact, runs: bool, every: u64, now: Timestamp) -> (Tone, String) {
    let ago = |at: Timestamp| span((now.as_second() - at.as_second()).max(0));
    match (contact.answered, &contact.trouble) {
        (None, None) => (Tone::Doubtful, "not asked yet".to_owned()),
        (None, Some(why)) => (
            Tone::Bad,
            format!("never answered: {}", plain(why.trim_end_matches('.'), 300)),
        ),
        (Some(at), Some(why)) => (
            Tone::Bad,
            format!(
                "last answered {}, then failed: {}",
                ago(at),
                plain(why.trim_end_matches('.'), 300)
            ),
        ),
        (Some(at), None) if !runs => (
            Tone::Doubtful,
            format!(
                "last answered {}; nobody asks it while the daemon is off",
                ago(at)
            ),
        ),
        (Some(at), None) => {
            let silent = now.as_second() - at.as_second();
            // A few looks may be late on a busy machine.
            let is_late = silent > i64::try_from(every).unwrap_or(i64::MAX).saturating_mul(4) + 30;
            let tone = if is_late { Tone::Doubtful } else { Tone::Good };
            (tone, format!("answered {}", ago(at)))
        }
    }
}

struct Tip {
    verified: Option<(String, i64)>,
    behind: bool,
    in_doubt: usize,
}

impl Tip {
    /// Its part of the line.
    fn told(&self) -> (Tone, String) {
        let Some((oid, seconds)) = &self.verified else {
            return (Tone::Doubtful, "; nothing came yet".to_owned());
        };
        let age = span(Timestamp::now().as_second() - seconds);
        let mut text = format!("; newest change {}, made {age}", &oid[..oid.len().min(10)]);
        if self.behind {
            text.push_str("; newer changes came that are not taken over");
        }
        if self.in_doubt > 0 {
            text.push_str(&format!(
                "; {} not known to have landed",
                count(self.in_doubt, "commit is", "commits are")
            ));
        }
        let tone = match self.behind || self.in_doubt > 0 {
            true => Tone::Doubtful,
            false => Tone::Good,
        };
        (tone, text)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_the_remote_is_as_old_as_its_last_answer() {
        let now: Timestamp = "2026-11-20T20:00:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let told = |answered, trouble: Option<&str>, runs| {
            let contact = Contact {
                answered,
                trouble: trouble.map(str::to_owned),
            };
            freshness(&contact, runs, 5, now)
        };
        assert_eq!(
            told(at("2026-11-20T19:59:58Z"), None, true),
            (Tone::Good, "answered 2 s ago".to_owned())
        );
        assert_eq!(
            told(at("2026-11-20T19:00:00Z"), None, true).0,
            Tone::Doubtful
        );
        assert_eq!(
            told(at("2026-11-20T18:00:00Z"), None, false),
            (
                Tone::Doubtful,
                "last answered 2 h ago; nobody asks it while the daemon is off".to_owned()
            )
        );
        assert_eq!(
            told(at("2026-11-20T19:57:00Z"), Some("no route"), true),
            (
                Tone::Bad,
                "last answered 3 min ago, then failed: no route".to_owned()
            )
        );
        assert_eq!(told(None, None, true).1, "not asked yet");
    }
}
