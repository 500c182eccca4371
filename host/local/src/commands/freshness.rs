//! How the vault stands to its remote, as rows for `status` and `doctor`.
//!
//! Lives elsewhere: what is known was noted by the daemon (`RemoteHealth`, `SyncSnapshot`) or stands in the
//! repository. Nobody is asked here.
//! Invariant: "in sync" is said only if the daemon runs, the remote answered a moment ago, its tip
//! passed every rule, the vault holds all of it, and nothing stays behind or is unknown.

use std::path::Path;

use platinum_core::{Timestamp, VaultPath};
use platinum_daemon::Config;
use platinum_repo::{RefName, Repo};
use platinum_sync::{RemoteHealth, SyncSnapshot};

use super::{
    status::daemon_runs,
    terminal::{Tone, count, plain, span},
};

/// A running daemon has heard from the remote so recently, or something is wrong. A quiet remote
/// is noted down every half minute.
const FRESH_SECONDS: i64 = 90;
/// So many files that are held back are named.
const NAMED: usize = 5;

/// One line of what is told.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) tone: Tone,
    pub(super) text: String,
}

fn row(what: &'static str, tone: Tone, text: impl Into<String>) -> Row {
    Row {
        what,
        tone,
        text: text.into(),
    }
}

/// The remote, the tip, and everything that keeps the vault from being in sync.
pub(super) fn rows(config: &Config) -> Vec<Row> {
    if config.sync.remote.is_empty() {
        return vec![row("remote", Tone::Quiet, "none: this host works alone")];
    }
    let state = &config.vault.state;
    let now = Timestamp::now();
    let (fresh, contact) = freshness(&RemoteHealth::read(state), daemon_runs(state), now);
    let standing = SyncSnapshot::read(state);
    let mut rows = vec![row(
        "remote",
        fresh,
        format!("{}, {contact}", shown(&config.sync.remote)),
    )];
    rows.push(sync(&standing, fresh, &state.join("vault.git"), now));
    rows.extend(withheld(&standing));
    if !standing.tentative.is_empty() {
        let tasks: Vec<String> = standing
            .tentative
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect();
        let text = format!(
            "{} not confirmed by the remote yet, nothing is sent for them: {}",
            count(standing.tentative.len(), "claim is", "claims are"),
            tasks.join(", ")
        );
        rows.push(row("tentative", Tone::Doubtful, text));
    }
    rows
}

/// The address as the client would name it: without a password that somebody put in.
fn shown(address: &str) -> String {
    platinum_repo::Address::parse(address).map_or_else(
        |error| error.to_string(),
        |address| plain(address.as_str(), 200),
    )
}

/// The verified tip that the vault holds against the remote's.
fn sync(standing: &SyncSnapshot, fresh: Tone, git_dir: &Path, now: Timestamp) -> Row {
    let tip = match git_dir.exists().then(|| Tip::of(git_dir)) {
        None => return row("sync", Tone::Doubtful, "nothing came from the remote yet"),
        Some(Err(why)) => return row("sync", Tone::Bad, plain(&why, 300)),
        Some(Ok(tip)) => tip,
    };
    let Some((verified, seconds)) = &tip.verified else {
        let why = standing.trouble.as_deref().map(|why| plain(why, 400));
        return match why {
            Some(why) => row("sync", Tone::Bad, format!("nothing came yet: {why}")),
            None => row("sync", Tone::Doubtful, "nothing came from the remote yet"),
        };
    };
    let at = format!(
        "{}, made {}",
        short(verified),
        span((now.as_second() - seconds).max(0))
    );
    if let Some(why) = &standing.trouble {
        let why = plain(why.trim_end_matches('.'), 400);
        return row("sync", Tone::Bad, format!("stopped at {at}: {why}"));
    }
    let mut differs = Vec::new();
    if tip.behind {
        differs.push("the remote has newer changes that are not taken over".to_owned());
    }
    if tip.not_applied > 0 {
        let files = count(tip.not_applied, "file of it is", "files of it are");
        differs.push(format!("{files} not in the vault yet"));
    }
    if tip.in_doubt > 0 {
        let commits = count(tip.in_doubt, "commit is", "commits are");
        differs.push(format!("{commits} not known to have landed"));
    }
    let held = standing.withheld.len() + standing.withheld_more;
    if held > 0 {
        differs.push(format!("{} held back", count(held, "file is", "files are")));
    }
    if !differs.is_empty() {
        let text = format!("not in sync, at {at}: {}", differs.join("; "));
        return row("sync", Tone::Doubtful, text);
    }
    match fresh {
        Tone::Good if standing.is_in_sync() => {
            row("sync", Tone::Good, format!("in sync: both hold {at}"))
        }
        _ => row(
            "sync",
            Tone::Doubtful,
            format!("at {at}; whether the remote has moved on is not known"),
        ),
    }
}

fn withheld(standing: &SyncSnapshot) -> Vec<Row> {
    let mut rows: Vec<Row> = standing
        .withheld
        .iter()
        .take(NAMED)
        .map(|held| {
            let (path, why) = (plain(held.path.as_str(), 120), plain(&held.reason, 300));
            row("held back", Tone::Doubtful, format!("{path}: {why}"))
        })
        .collect();
    let more = standing.withheld.len().saturating_sub(NAMED) + standing.withheld_more;
    if more > 0 {
        rows.push(row(
            "held back",
            Tone::Doubtful,
            format!("and {}", count(more, "more file", "more files")),
        ));
    }
    rows
}

/// Whether a file is the losing version of a conflict.
pub(super) fn is_conflict_copy(path: &VaultPath) -> bool {
    path.file_name().contains(".conflict-")
}

/// The conflict copies that the owner has not put away yet.
pub(super) fn conflicts(copies: &[VaultPath]) -> Option<Row> {
    if copies.is_empty() {
        return None;
    }
    let named: Vec<String> = copies
        .iter()
        .take(NAMED)
        .map(|path| plain(path.as_str(), 160))
        .collect();
    let more = match copies.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(row(
        "conflicts",
        Tone::Doubtful,
        format!(
            "{} to look at, then delete: {}{more}",
            count(copies.len(), "copy", "copies"),
            named.join(", ")
        ),
    ))
}

/// An id as people compare it.
pub(super) fn short(oid: &str) -> &str {
    oid.get(..10).unwrap_or(oid)
}

/// How fresh what is known of the remote is.
fn freshness(contact: &RemoteHealth, runs: bool, now: Timestamp) -> (Tone, String) {
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
            let is_late = now.as_second() - at.as_second() > FRESH_SECONDS;
            let tone = if is_late { Tone::Doubtful } else { Tone::Good };
            (tone, format!("answered {}", ago(at)))
        }
    }
}

/// What the repository says of itself at this moment.
struct Tip {
    verified: Option<(String, i64)>,
    behind: bool,
    not_applied: usize,
    in_doubt: usize,
}

impl Tip {
    fn of(git_dir: &Path) -> Result<Self, String> {
        let read = || {
            let repo = Repo::open_or_init(git_dir)?;
            let verified = repo.tip(RefName::Verified)?;
            let seen = repo.tip(RefName::Remote)?;
            let applied = repo.tip(RefName::Applied)?;
            let made = verified.map(|oid| repo.commit_info(oid)).transpose()?;
            // Our own pushes are verified before the next fetch sees them.
            let behind = match (seen, verified) {
                (Some(seen), Some(verified)) if seen != verified => {
                    !repo.is_ancestor(seen, verified)?
                }
                (Some(_), None) => true,
                _ => false,
            };
            let not_applied = match verified {
                Some(verified) if applied != Some(verified) => {
                    repo.changes(applied, verified)?.len()
                }
                _ => 0,
            };
            Ok(Self {
                verified: made.map(|info| (info.oid.to_string(), info.seconds)),
                behind,
                not_applied,
                in_doubt: repo.outgoing()?.len(),
            })
        };
        read().map_err(|error: platinum_repo::RepoError| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::{AgentName, Role};
    use platinum_repo::{CommitMeta, Edit, Oid};
    use platinum_worktree::Withheld;

    use super::*;

    const NOW: &str = "2026-11-20T20:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    #[test]
    fn what_is_known_of_the_remote_is_as_old_as_its_last_answer() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let told = |answered, trouble: Option<&str>, runs| {
            let contact = RemoteHealth {
                answered,
                trouble: trouble.map(str::to_owned),
            };
            freshness(&contact, runs, now())
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

    /// A repository whose refs are at the first, the second, or no commit.
    fn repository(
        verified: Option<usize>,
        seen: Option<usize>,
        applied: Option<usize>,
    ) -> (tempfile::TempDir, [Oid; 2]) {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        let agent: AgentName = "cloud".parse().unwrap();
        let commit = |parent, name: &str| {
            let edits = [(VaultPath::new(name).unwrap(), Edit::Put(b"x".to_vec()))];
            let meta = CommitMeta {
                agent: agent.clone(),
                role: Role::Cloud,
                message: "A".to_owned(),
                trailers: Vec::new(),
                at: "2026-11-20T19:57:00Z".parse().unwrap(),
            };
            repo.commit(parent, &edits, &meta).unwrap()
        };
        let first = commit(None, "Inbox/a.md");
        let second = commit(Some(first), "Inbox/b.md");
        let commits = [first, second];
        for (name, at) in [
            (RefName::Verified, verified),
            (RefName::Remote, seen),
            (RefName::Applied, applied),
        ] {
            if let Some(at) = at {
                repo.set_ref(name, commits[at]).unwrap();
            }
        }
        (folder, commits)
    }

    fn told(standing: &SyncSnapshot, fresh: Tone, folder: &tempfile::TempDir) -> (Tone, String) {
        let row = sync(standing, fresh, &folder.path().join("vault.git"), now());
        (row.tone, row.text)
    }

    #[test]
    fn in_sync_is_said_only_of_a_tip_that_both_hold_a_moment_ago() {
        let (folder, [_, second]) = repository(Some(1), Some(1), Some(1));
        let tip = second.to_string();
        let fine = SyncSnapshot {
            at: Some(now()),
            remote_tip: Some(tip.clone()),
            verified: Some(tip.clone()),
            ..SyncSnapshot::default()
        };
        let at = format!("{}, made 3 min ago", short(&tip));
        assert_eq!(
            told(&fine, Tone::Good, &folder),
            (Tone::Good, format!("in sync: both hold {at}"))
        );
        let unknown = format!("at {at}; whether the remote has moved on is not known");
        for fresh in [Tone::Doubtful, Tone::Bad] {
            assert_eq!(
                told(&fine, fresh, &folder),
                (Tone::Doubtful, unknown.clone())
            );
        }
        let held = SyncSnapshot {
            withheld: vec![Withheld {
                path: VaultPath::new("Inbox/a.md").unwrap(),
                reason: "it cannot be read".to_owned(),
            }],
            ..fine.clone()
        };
        assert_eq!(
            told(&held, Tone::Good, &folder).1,
            format!("not in sync, at {at}: 1 file is held back")
        );
        let stopped = SyncSnapshot {
            trouble: Some("commit 0123456789ab is not applied: why".to_owned()),
            ..fine
        };
        assert_eq!(
            told(&stopped, Tone::Good, &folder),
            (
                Tone::Bad,
                format!("stopped at {at}: commit 0123456789ab is not applied: why")
            )
        );
    }

    #[test]
    fn what_the_repository_knows_better_than_the_note_is_told() {
        let (folder, [first, _]) = repository(Some(0), Some(1), None);
        let (tone, text) = told(&SyncSnapshot::default(), Tone::Good, &folder);
        assert_eq!(tone, Tone::Doubtful);
        assert_eq!(
            text,
            format!(
                "not in sync, at {}, made 3 min ago: the remote has newer changes that are not \
                 taken over; 1 file of it is not in the vault yet",
                short(&first.to_string())
            )
        );
        let (folder, _) = repository(None, None, None);
        assert_eq!(
            told(&SyncSnapshot::default(), Tone::Good, &folder),
            (
                Tone::Doubtful,
                "nothing came from the remote yet".to_owned()
            )
        );
    }

    #[test]
    fn conflict_copies_are_named_and_counted() {
        assert!(conflicts(&[]).is_none());
        let copies: Vec<VaultPath> = (0..7)
            .map(|n| VaultPath::new(format!("Inbox/a.conflict-cloud-{n}.md")).unwrap())
            .collect();
        assert!(copies.iter().all(is_conflict_copy));
        let text = conflicts(&copies).unwrap().text;
        assert!(
            text.starts_with("7 copies to look at, then delete: Inbox/a.conflict-cloud-0.md, ")
        );
        assert!(text.ends_with("-4.md and 2 more"), "{text}");
    }
}
