//! Looking into a repository that is a folder on this machine: where its branch points, read from
//! the files, without a process.
//!
//! Invariant: what cannot be read with certainty (another ref format, a symbolic ref, a linked
//! work tree) is [`Looked::Unclear`], never a guess.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use git2::Oid;

use super::BRANCH;

/// Packed refs that changed so recently are read again: they may have changed once more within
/// one tick of the clock.
const RACY: Duration = Duration::from_secs(3);
/// Longer packed refs are not read here.
const MAX_PACKED: u64 = 8 * 1024 * 1024;

/// What a look brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// The branch points there, or there is none.
    Tip(Option<Oid>),
    /// Git itself has to be asked.
    Unclear,
}

/// Looks, and what is remembered between them.
#[derive(Debug, Default)]
pub(super) struct Look {
    packed: Arc<Mutex<Packed>>,
    unclear: bool,
}

#[derive(Debug, Default)]
struct Packed {
    at: Option<(SystemTime, u64)>,
    tip: Option<Oid>,
}

impl Look {
    /// Whether the last look did not help.
    pub(super) fn is_unclear(&self) -> bool {
        self.unclear
    }

    /// Where the branch points.
    pub(super) async fn look(&mut self, path: &Path) -> Result<Looked, String> {
        // The file name of a `file://` address is decoded by git; that is left to it.
        if path.to_string_lossy().contains('%') {
            self.unclear = true;
            return Ok(Looked::Unclear);
        }
        let (path, packed) = (path.to_owned(), Arc::clone(&self.packed));
        let looked = tokio::task::spawn_blocking(move || {
            // Another look that hangs (a network drive) holds it: no second thread waits for it.
            let Ok(mut packed) = packed.try_lock() else {
                return Err(io::ErrorKind::TimedOut.into());
            };
            look(&path, &mut packed)
        })
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
        self.unclear = looked == Looked::Unclear;
        Ok(looked)
    }
}

fn look(path: &Path, packed: &mut Packed) -> io::Result<Looked> {
    let Some(git_dir) = git_dir(path)? else {
        return Ok(Looked::Unclear);
    };
    if git_dir.join("reftable").exists() || git_dir.join("commondir").exists() {
        return Ok(Looked::Unclear);
    }
    match fs::read(git_dir.join(BRANCH)) {
        Ok(bytes) => Ok(id(&bytes).map_or(Looked::Unclear, |id| Looked::Tip(Some(id)))),
        Err(error) if is_absent(&error) => in_packed(&git_dir.join("packed-refs"), packed),
        Err(error) => Err(error),
    }
}

/// The repository that git would find there; `None` if that takes git to say.
fn git_dir(path: &Path) -> io::Result<Option<PathBuf>> {
    let with = |end: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    for candidate in [
        with("/.git"),
        path.to_owned(),
        with(".git/.git"),
        with(".git"),
    ] {
        if candidate.is_file() {
            return Ok(None);
        }
        if candidate.join("HEAD").is_file() && candidate.join("objects").is_dir() {
            return Ok(Some(candidate));
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "there is no repository",
    ))
}

fn in_packed(file: &Path, packed: &mut Packed) -> io::Result<Looked> {
    let found = match fs::metadata(file) {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(Looked::Tip(None)),
        Err(error) => return Err(error),
    };
    let changed = found.modified()?;
    let at = (changed, found.len());
    let is_old = changed.elapsed().is_ok_and(|age| age > RACY);
    if packed.at == Some(at) {
        return Ok(Looked::Tip(packed.tip));
    }
    if found.len() > MAX_PACKED {
        return Ok(Looked::Unclear);
    }
    let text = fs::read(file)?;
    let tip = text.split(|byte| *byte == b'\n').find_map(|line| {
        let name = line.get(41..)?;
        (name == BRANCH.as_bytes()).then(|| id(&line[..40]))
    });
    packed.at = is_old.then_some(at);
    packed.tip = tip.flatten();
    match tip {
        Some(None) => Ok(Looked::Unclear),
        _ => Ok(Looked::Tip(packed.tip)),
    }
}

/// A full SHA-1 id, with nothing but a line end after it.
fn id(bytes: &[u8]) -> Option<Oid> {
    let text = std::str::from_utf8(bytes).ok()?.trim_end();
    (text.len() == 40)
        .then(|| Oid::from_str(text).ok())
        .flatten()
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    fn tip(text: &str) -> Looked {
        Looked::Tip(Some(Oid::from_str(text).unwrap()))
    }

    #[test]
    fn the_branch_is_read_as_git_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("vault.git");
        let mut packed = Packed::default();
        let mut here = |path: &Path| look(path, &mut packed);
        assert!(here(&bare).is_err());
        fs::create_dir_all(bare.join("objects")).unwrap();
        fs::create_dir_all(bare.join("refs/heads")).unwrap();
        fs::write(bare.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        assert_eq!(here(&bare).unwrap(), Looked::Tip(None));

        let packed = format!("# pack-refs with: peeled\n{B} refs/heads/main2\n{A} {BRANCH}\n");
        fs::write(bare.join("packed-refs"), packed).unwrap();
        assert_eq!(here(&bare).unwrap(), tip(A));
        // Within one tick of the clock, and of the same length.
        fs::write(bare.join("packed-refs"), format!("{B} {BRANCH}\n")).unwrap();
        assert_eq!(here(&bare).unwrap(), tip(B));
        fs::write(bare.join(BRANCH), format!("{A}\n")).unwrap();
        assert_eq!(here(&bare).unwrap(), tip(A));
        // Git adds the end by itself.
        assert_eq!(here(&folder.path().join("vault")).unwrap(), tip(A));

        for unclear in ["ref: refs/heads/other\n", "", "11", &"1".repeat(64)] {
            fs::write(bare.join(BRANCH), unclear).unwrap();
            assert_eq!(here(&bare).unwrap(), Looked::Unclear, "{unclear:?}");
        }
        fs::create_dir(bare.join("reftable")).unwrap();
        assert_eq!(here(&bare).unwrap(), Looked::Unclear);
    }
}
