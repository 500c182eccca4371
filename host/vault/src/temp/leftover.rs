//! [`Leftover`]: a hidden file that a killed writer left, and what may be done with it.
//!
//! Lives elsewhere: writing such files is in `write`; whether the bytes of one are known is the
//! synchronizer's question.
//! Invariants: a file of a writer that may still run is no leftover; one that can hold the owner's
//! edit is distinguished from one that cannot; the name ends like no note's, so that whoever looks
//! for notes by their names does not find it.

use std::{
    fs, process,
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

use super::move_to_free;
use crate::{
    Vault, VaultError,
    folder::{Place, descend, io_error, open_regular},
};

/// What the names of unfinished files begin with.
pub const TEMP_PREFIX: &str = ".platinum-tmp-";
/// What they end with, as backups do.
const TEMP_END: char = '~';

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
            && parsed.writer.is_alive()
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
    let (process, start, count) = (process::id(), own_start(), count());
    // 255 bytes is the most: a name of the vault has at most 200.
    format!("{TEMP_PREFIX}{kind}-{process}@{start}-{count}-{target}{TEMP_END}")
}

/// A number that no file of this process has yet, and none of an earlier one with our number.
pub(crate) fn count() -> u64 {
    static COUNT: OnceLock<AtomicU64> = OnceLock::new();
    COUNT
        .get_or_init(|| AtomicU64::new(u64::try_from(nanos() / 1_000_000).unwrap_or_default()))
        .fetch_add(1, Ordering::Relaxed)
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

/// When a process started, in ticks since the system did; none if it does not run, or where the
/// system does not say. A number of a process is given again, also in another container.
fn start_of(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may have spaces.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(19)?.parse().ok()
}

/// When this process started; 0 where the system does not say.
fn own_start() -> u64 {
    static START: OnceLock<u64> = OnceLock::new();
    *START.get_or_init(|| start_of(process::id()).unwrap_or_default())
}

/// Who wrote a hidden file.
enum Writer {
    /// A process by its number and its start, if that was known.
    Started { process: u32, start: u64 },
    /// A process by its number and the time of the file, as earlier versions named it.
    Numbered { process: u32, nanos: u128 },
}

impl Writer {
    /// Whether it may still run.
    fn is_alive(&self) -> bool {
        match *self {
            Self::Started { process, start } => match start_of(process) {
                Some(now) if start != 0 => now == start,
                // Nothing runs under that number, or when it started is not known.
                _ => process == process::id() || is_running(process),
            },
            Self::Numbered { process, nanos } if process == process::id() => nanos >= began(),
            Self::Numbered { process, .. } => is_running(process),
        }
    }
}

fn is_running(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    // Not ours to signal is alive too.
    pid.is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

struct Parsed<'a> {
    kind: Kind,
    writer: Writer,
    target: &'a str,
}

fn parse(rest: &str) -> Option<Parsed<'_>> {
    let (kind, rest) = rest.split_once('-')?;
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
    let (writer, rest) = rest.split_once('-')?;
    let (writer, rest) = match writer.split_once('@') {
        Some((process, start)) => {
            let (process, start) = (process.parse().ok()?, start.parse().ok()?);
            (
                Writer::Started { process, start },
                rest.strip_suffix(TEMP_END)?,
            )
        }
        None => {
            let process = writer.parse().ok()?;
            let (nanos, rest) = rest.split_once('-')?;
            let nanos = nanos.parse().ok()?;
            (Writer::Numbered { process, nanos }, rest)
        }
    };
    let (count, target) = rest.split_once('-')?;
    let _count: u64 = count.parse().ok()?;
    Some(Parsed {
        kind,
        writer,
        target,
    })
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
            let longest = format!("{}@{}", u32::from(u16::MAX) * 64, 9_999_999_999_u64);
            let shortest = format!("{}@{}", process::id(), own_start());
            assert!(name.len() - shortest.len() + longest.len() <= 255);
            assert!(name.ends_with('~'));
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
        // A process that started at another time has our number, or the first one's, which always
        // runs: a reboot, or another container.
        for process in [process::id(), 1] {
            let start = start_of(process).unwrap();
            let living = format!("{TEMP_PREFIX}swap-{process}@{start}-0-a.md~");
            assert_eq!(Leftover::of("Inbox", &living), None);
            let reused = format!("{TEMP_PREFIX}gone-{process}@{}-0-a-b.md~", start + 1);
            let found = Leftover::of("Inbox", &reused).unwrap();
            assert_eq!(found.target().unwrap().as_str(), "Inbox/a-b.md");
            assert!(!found.is_unfinished_write());
        }
        let dead = format!("{TEMP_PREFIX}new-{}@1-0-a.md~", i32::MAX);
        assert!(Leftover::of("", &dead).unwrap().is_unfinished_write());
        // A name of another form: what it is is unknown, so it may be an edit.
        for unknown in ["1", "new-1@1-0-a.md", "new-x@1-0-a.md~"] {
            let unknown = Leftover::of("Inbox", &format!("{TEMP_PREFIX}{unknown}")).unwrap();
            assert!(unknown.target().is_none() && !unknown.is_unfinished_write());
        }
        assert_eq!(Leftover::of("Inbox", ".hidden"), None);
    }

    /// What an earlier version left is recovered too.
    #[test]
    fn leftover_of_an_earlier_version_is_recognised() {
        begin();
        let living = format!("{TEMP_PREFIX}swap-1-1-0-a.md");
        assert_eq!(Leftover::of("Inbox", &living), None);
        let earlier = format!("{TEMP_PREFIX}gone-{}-1-0-a-b.md", process::id());
        let found = Leftover::of("Inbox", &earlier).unwrap();
        assert_eq!(found.target().unwrap().as_str(), "Inbox/a-b.md");
        assert!(!found.is_unfinished_write());
        let dead = format!("{TEMP_PREFIX}new-{}-1-0-a.md", i32::MAX);
        assert!(Leftover::of("", &dead).unwrap().is_unfinished_write());
    }
}
