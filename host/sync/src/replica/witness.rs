//! What hosts say in their commits of the owner's log of effects: the owner's machine carries its end in
//! every commit, and a cloud host carries the furthest end that it saw, in every commit of its own.
//!
//! So the log cannot be rewritten with the owner's key alone: the remote and the cloud have what it was.
//! Lives elsewhere: comparing the log with it is `api`'s.
//! Invariant: the furthest end that was seen is on the disk before it is said.

use std::{
    fmt, fs, io,
    path::PathBuf,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use platinum_core::{AgentName, Role};
use platinum_repo::{CommitInfo, Oid, Repo, RepoError, TRAILER_AGENT, TRAILER_ROLE, replace_file};

/// The trailer of the owner's machine: how many entries its log has, and the hash of the last one.
pub const TRAILER_JOURNAL: &str = "Platinum-Journal";
/// The trailer of a cloud host: whose log it saw, and as [`TRAILER_JOURNAL`].
pub const TRAILER_WITNESS: &str = "Platinum-Witness";
/// The file in the repository's folder.
const FILE: &str = "journal-witness";

/// The end of a log: how many entries, and the hash of the last one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JournalHead {
    /// How many entries.
    pub entries: u64,
    /// The hash of the last one: 64 digits in hex.
    pub hash: String,
}

impl fmt::Display for JournalHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.entries, self.hash)
    }
}

impl FromStr for JournalHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (entries, hash) = text.split_once(' ').ok_or("two words are expected")?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
        match (entries.parse(), is_hash) {
            (Ok(entries), true) => Ok(Self {
                entries,
                hash: hash.to_owned(),
            }),
            _ => Err("a number and a hash are expected"),
        }
    }
}

/// The furthest end of a log that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SeenHead {
    agent: AgentName,
    head: JournalHead,
}

/// What a cloud host saw of the owner's log.
pub(crate) struct JournalWitness {
    path: PathBuf,
    seen: Mutex<WitnessState>,
}

#[derive(Default)]
struct WitnessState {
    furthest: Option<SeenHead>,
    /// Whether the owner was notified that it went back since.
    is_reported: bool,
}

impl JournalWitness {
    /// What an earlier process saw.
    pub(crate) fn open(repo: &Repo) -> Self {
        let path = repo.git_dir().join(FILE);
        let furthest = fs::read_to_string(&path).ok().and_then(|text| {
            let (agent, head) = text.trim_end().split_once(' ')?;
            Some(SeenHead {
                agent: agent.parse().ok()?,
                head: head.parse().ok()?,
            })
        });
        Self {
            path,
            seen: Mutex::new(WitnessState {
                furthest,
                is_reported: false,
            }),
        }
    }

    fn seen(&self) -> MutexGuard<'_, WitnessState> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a commit of this host says.
    pub(crate) fn trailer(&self) -> Option<(String, String)> {
        let seen = self.seen();
        let SeenHead { agent, head } = seen.furthest.as_ref()?;
        Some((TRAILER_WITNESS.to_owned(), format!("{agent} {head}")))
    }

    /// Takes in what verified commits say; a sentence for the owner if a log is not what it was.
    pub(crate) fn observe(
        &self,
        repo: &Repo,
        before: Option<Oid>,
        tip: Oid,
    ) -> Result<Vec<String>, RepoError> {
        let mut messages = Vec::new();
        for commit in repo.commits_between(before, tip, usize::MAX)? {
            let info = repo.commit_info(commit)?;
            let Some(new) = statement_of(&info) else {
                continue;
            };
            let mut seen = self.seen();
            match change(seen.furthest.as_ref(), &new) {
                Change::Same => {}
                Change::Further => {
                    if let Err(error) = self.keep(&new) {
                        tracing::warn!("Cannot keep what was seen of the journal: {error}.");
                        continue;
                    }
                    *seen = WitnessState {
                        furthest: Some(new),
                        is_reported: false,
                    };
                }
                Change::Back(_) if seen.is_reported => {}
                Change::Back(was) => {
                    seen.is_reported = true;
                    messages.push(format!(
                    "The log of {} is not what it was: commit {commit:.12} says that it has {} \
                     entries, and it had {} others or more. Unless that machine was restored from a \
                     backup, its log was changed; `platinum log verify` shows where.",
                    new.agent, new.head.entries, was
                ));
                }
            }
        }
        Ok(messages)
    }

    fn keep(&self, seen: &SeenHead) -> io::Result<()> {
        let line = format!("{} {}\n", seen.agent, seen.head);
        replace_file(&self.path, line.as_bytes())
    }
}

/// What a commit of the owner's machine says of its log. It was verified before, so that it is true.
fn statement_of(info: &CommitInfo) -> Option<SeenHead> {
    let role: Role = info.trailer(TRAILER_ROLE)?.parse().ok()?;
    let head = info.trailer(TRAILER_JOURNAL)?.parse().ok()?;
    let agent = info.trailer(TRAILER_AGENT)?.parse().ok()?;
    (role == Role::Local).then_some(SeenHead { agent, head })
}

#[derive(Debug, PartialEq, Eq)]
enum Change {
    Same,
    Further,
    /// It had so many entries before.
    Back(u64),
}

fn change(seen: Option<&SeenHead>, new: &SeenHead) -> Change {
    match seen {
        // The owner's machine is another one now, with a log of its own.
        Some(seen) if seen.agent != new.agent => Change::Further,
        Some(seen) if seen.head == new.head => Change::Same,
        Some(seen) if new.head.entries <= seen.head.entries => Change::Back(seen.head.entries),
        _ => Change::Further,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_head_text_round_trips_and_is_strict() {
        let text = format!("12 {}", "ab".repeat(32));
        let head: JournalHead = text.parse().unwrap();
        assert_eq!((head.entries, head.to_string()), (12, text));
        for bad in ["", "12", "12 ab", "x y", &format!("-1 {}", "ab".repeat(32))] {
            assert!(bad.parse::<JournalHead>().is_err(), "{bad}");
        }
    }

    #[test]
    fn change_of_a_log_that_shrinks_or_differs_is_back() {
        let head = |agent: &str, entries, hash: &str| SeenHead {
            agent: agent.parse().unwrap(),
            head: JournalHead {
                entries,
                hash: hash.repeat(32),
            },
        };
        let seen = head("local", 5, "ab");
        for (new, expected) in [
            (head("local", 6, "cd"), Change::Further),
            (head("local", 5, "ab"), Change::Same),
            (head("local", 5, "cd"), Change::Back(5)),
            (head("local", 0, "00"), Change::Back(5)),
            (head("laptop", 1, "cd"), Change::Further),
        ] {
            assert_eq!(change(Some(&seen), &new), expected, "{new:?}");
        }
        assert_eq!(change(None, &seen), Change::Further);
    }
}
