//! [`Leftover`]: a hidden file that a killed writer left, and what may be done with it.
//!
//! Lives elsewhere: writing such files is `temp`'s; whether the bytes of one are known is the
//! synchronizer's question.
//! Invariants: a file of a writer that may still run is no leftover; one that can hold the owner's
//! edit is distinguished from one that cannot.

use std::{
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use platinum_core::VaultPath;
use rustix::{
    fs::AtFlags,
    io::Errno,
    process::{Pid, test_kill_process},
};

use crate::{
    Vault, VaultError,
    folder::{Place, descend, io_error, open_regular},
    temp::move_to_free,
};

/// What the names of unfinished files begin with.
pub const TEMP_PREFIX: &str = ".platinum-tmp-";

/// What the bytes under a hidden name are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Being written; they never had a place.
    New,
    /// About to change places with a file, or just done.
    Swap,
    /// A file that is being removed or renamed.
    Gone,
}

impl Kind {
    const ALL: [Self; 3] = [Self::New, Self::Swap, Self::Gone];

    const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Swap => "swap",
            Self::Gone => "gone",
        }
    }
}

/// A hidden file whose writer is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The folder it is in; empty is the vault's own.
    folder: String,
    name: String,
    kind: Option<Kind>,
    /// The file it was written for, if its name says so.
    target: Option<VaultPath>,
}

impl Leftover {
    /// What a hidden name in a folder stands for, if its writer does not run any more.
    pub(crate) fn of(folder: &str, name: &str) -> Option<Self> {
        let rest = name.strip_prefix(TEMP_PREFIX)?;
        let parsed = parse(rest);
        if let Some(parsed) = &parsed
            && is_alive(parsed.process, parsed.nanos)
        {
            return None;
        }
        let target = parsed.as_ref().and_then(|parsed| {
            let path = match folder {
                "" => parsed.target.to_owned(),
                folder => format!("{folder}/{}", parsed.target),
            };
            VaultPath::new(path).ok()
        });
        Some(Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            kind: parsed.map(|parsed| parsed.kind),
            target,
        })
    }

    /// Whether its bytes were never anywhere else: its writer was killed before they took their
    /// place.
    pub fn is_unfinished_write(&self) -> bool {
        self.kind == Some(Kind::New)
    }

    /// The file it was, or was to become; nothing if that is not known.
    pub fn target(&self) -> Option<&VaultPath> {
        self.target.as_ref()
    }

    /// Where it is, for people.
    pub fn shown(&self) -> String {
        match self.folder.as_str() {
            "" => self.name.clone(),
            folder => format!("{folder}/{}", self.name),
        }
    }

    /// Its bytes, if there are at most `max_bytes`; nothing if it is gone, or no regular file.
    ///
    /// # Errors
    /// If it is larger, or cannot be read.
    pub fn read(&self, vault: &Vault, max_bytes: u64) -> Result<Option<Vec<u8>>, VaultError> {
        use std::io::Read;
        let shown = self.shown();
        let Some(dir) = descend(vault.dir(), &self.folder, &shown, false)? else {
            return Ok(None);
        };
        let file = match open_regular(&dir, &self.name) {
            Ok(Some(file)) => file,
            Ok(None) | Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
            Err(error) => return Err(io_error("open", &shown, error.into())),
        };
        let mut bytes = Vec::new();
        file.take(max_bytes.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| io_error("read", &shown, error))?;
        if bytes.len() as u64 > max_bytes {
            let source = std::io::Error::other("it is larger than is read");
            return Err(io_error("read", &shown, source));
        }
        Ok(Some(bytes))
    }

    /// Removes it.
    ///
    /// # Errors
    /// What the system says; one that is gone already is no error.
    pub fn remove(&self, vault: &Vault) -> Result<(), VaultError> {
        let shown = self.shown();
        let Some(dir) = descend(vault.dir(), &self.folder, &shown, false)? else {
            return Ok(());
        };
        match rustix::fs::unlinkat(&dir, &self.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(io_error("remove", &shown, error.into())),
        }
    }

    /// Gives it a visible name.
    ///
    /// # Errors
    /// If something is there ([`VaultError::Exists`]), or the system refuses.
    pub fn restore(&self, vault: &Vault, to: &VaultPath) -> Result<(), VaultError> {
        let shown = self.shown();
        let Some(from) = descend(vault.dir(), &self.folder, &shown, false)? else {
            return Ok(());
        };
        let new = Place::open(vault.dir(), to, true)?;
        match move_to_free(&from, &self.name, &new.dir, new.name) {
            Ok(()) => new.fsync(),
            Err(Errno::NOENT) => Ok(()),
            Err(Errno::EXIST) => Err(VaultError::Exists(to.clone())),
            Err(error) => Err(io_error("bring back", &shown, error.into())),
        }
    }
}

/// A hidden name that nothing has, for this file.
pub(crate) fn unused_name(kind: Kind, target: &str) -> String {
    let kind = kind.name();
    let (process, now, count) = (process::id(), nanos(), count());
    // 255 bytes is the most: a name of the vault has at most 200.
    format!("{TEMP_PREFIX}{kind}-{process}-{now}-{count}-{target}")
}

/// A number that this process has not used yet.
pub(crate) fn count() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// Notes when this process began to write: a hidden file of an earlier process with our number is
/// distinguished from ours by it.
pub(crate) fn begin() {
    began();
}

fn began() -> u128 {
    static BEGAN: OnceLock<u128> = OnceLock::new();
    *BEGAN.get_or_init(nanos)
}

fn nanos() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos()
}

struct Parsed<'a> {
    kind: Kind,
    process: i32,
    nanos: u128,
    target: &'a str,
}

fn parse(rest: &str) -> Option<Parsed<'_>> {
    let mut parts = rest.splitn(5, '-');
    let kind = parts.next()?;
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
    let process = parts.next()?.parse().ok()?;
    let nanos = parts.next()?.parse().ok()?;
    let _count: u64 = parts.next()?.parse().ok()?;
    let target = parts.next()?;
    Some(Parsed {
        kind,
        process,
        nanos,
        target,
    })
}

fn is_alive(process: i32, nanos: u128) -> bool {
    if u32::try_from(process) == Ok(process::id()) {
        return nanos >= began();
    }
    let Some(pid) = Pid::from_raw(process) else {
        return false;
    };
    // Not ours to signal is alive too.
    test_kill_process(pid) != Err(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hidden name is read back and fits every file system.
    #[test]
    fn hidden_name_round_trips_and_fits() {
        let target = format!("{}.md", "x".repeat(197));
        for kind in Kind::ALL {
            let name = unused_name(kind, &target);
            assert!(name.len() <= 255, "{}", name.len());
            let parsed = parse(name.strip_prefix(TEMP_PREFIX).unwrap()).unwrap();
            assert_eq!(parsed.kind, kind);
            assert_eq!(parsed.target, target);
        }
    }

    #[test]
    fn leftover_only_of_dead_writers() {
        begin();
        let ours = unused_name(Kind::Swap, "a.md");
        assert_eq!(Leftover::of("Inbox", &ours), None);
        // The first process always runs.
        let living = format!("{TEMP_PREFIX}swap-1-1-0-a.md");
        assert_eq!(Leftover::of("Inbox", &living), None);
        let earlier = format!("{TEMP_PREFIX}gone-{}-1-0-a-b.md", process::id());
        let found = Leftover::of("Inbox", &earlier).unwrap();
        assert_eq!(found.target().unwrap().as_str(), "Inbox/a-b.md");
        assert!(!found.is_unfinished_write());
        let dead = format!("{TEMP_PREFIX}new-{}-1-0-a.md", i32::MAX);
        assert!(Leftover::of("", &dead).unwrap().is_unfinished_write());
        // A name of another form: what it is is unknown, so it may be an edit.
        let unknown = format!("{TEMP_PREFIX}1");
        let unknown = Leftover::of("Inbox", &unknown).unwrap();
        assert!(unknown.target().is_none() && !unknown.is_unfinished_write());
        assert_eq!(Leftover::of("Inbox", ".hidden"), None);
    }
}
