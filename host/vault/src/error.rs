//! [`VaultError`]: what can go wrong with a file of the vault.

use std::{io, path::PathBuf};

use platinum_core::{PathError, VaultPath};

/// Why a file of the vault could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// So much is gone that it may be a mistake, or the vault is another folder.
    #[error(
        "{}{gone} of the {of} files of the last sync are gone; is the vault's disk mounted? Nothing was sent. Bring them back and start the daemon anew; or, if they are to go from every machine, run `platinum accept-deletions` (or `platinum-cloud`, where this is the cloud's)",
        if *elsewhere { "the vault is another folder than it was, and " } else { "" }
    )]
    FilesGone {
        /// How many are gone.
        gone: usize,
        /// How many there were.
        of: usize,
        /// Whether the vault is another folder than at the last sync.
        elsewhere: bool,
    },
    /// The vault's own folder cannot be opened.
    #[error("cannot open the vault {}: {source}; is it a folder you may read and write?", root.display())]
    Open {
        /// The folder asked for.
        root: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The vault's folder is not where it was opened.
    #[error(
        "the vault's folder {} was {} while the daemon ran; nothing is read or written until it is back, or the daemon is restarted",
        root.display(), if *gone { "moved away or removed" } else { "replaced by another one" }
    )]
    Displaced {
        /// The folder that was opened.
        root: PathBuf,
        /// Whether nothing is there now.
        gone: bool,
    },
    /// There is no such file.
    #[error("{0} is not in the vault")]
    NotFound(VaultPath),
    /// There is a file already, and it was not to be replaced.
    #[error("{0} exists already; it was left as it is")]
    Exists(VaultPath),
    /// The file does not hold what the writer had read.
    #[error("{0} was changed by another program in the meantime; read it again")]
    Changed(VaultPath),
    /// A part of the path is a symbolic link.
    #[error(
        "{path} is refused: `{at}` is a symbolic link, which could lead out of the vault; put the file or folder itself there"
    )]
    Symlink {
        /// The path asked for.
        path: String,
        /// The part of it that is a link.
        at: String,
    },
    /// Something other than a regular file.
    #[error("{path} is refused: it is {what}, not a regular file")]
    NotAFile {
        /// The path asked for.
        path: String,
        /// What it is instead.
        what: &'static str,
    },
    /// The version that is there would be lost.
    #[error("{path} stays as it is here: its version could not be kept as {copy}")]
    NotKept {
        /// What was to be replaced.
        path: VaultPath,
        /// Where its version was to be kept.
        copy: VaultPath,
    },
    /// A part of the path that should be a folder is not.
    #[error("{path} is refused: `{at}` is not a folder")]
    NotAFolder {
        /// The path asked for.
        path: String,
        /// The part of it that is no folder.
        at: String,
    },
    /// The same file has a second name, perhaps outside the vault.
    #[error(
        "{path} is refused: the file has {links} names (hard links), and another may be outside the vault; replace it by a copy"
    )]
    HardLinked {
        /// The path asked for.
        path: VaultPath,
        /// How many names the file has.
        links: u64,
    },
    /// Another file's name is the same to systems that ignore case or how letters are composed.
    #[error(
        "{path} is not put here: `{twin}` is the same name on many systems; rename one of them"
    )]
    Twin {
        /// The path to write.
        path: VaultPath,
        /// The name that is there.
        twin: String,
    },
    /// More bytes than the reader takes.
    #[error("{path} is larger than {}, the most that is read of such a file", size(*max))]
    TooLarge {
        /// The path asked for.
        path: VaultPath,
        /// The most the reader takes.
        max: u64,
    },
    /// Not UTF-8.
    #[error("{path} is not UTF-8 text (first at byte {at}); save it as UTF-8")]
    NotText {
        /// The path asked for.
        path: VaultPath,
        /// Where the text ends.
        at: usize,
    },
    /// More files, or deeper folders, than a vault has.
    #[error("`{at}` holds more than is walked: {what}")]
    TooMany {
        /// The folder where it was too much.
        at: String,
        /// Of what.
        what: &'static str,
    },
    /// The name of a folder to list is no path of a vault.
    #[error("cannot list that folder: {0}")]
    Folder(#[from] PathError),
    /// The disk is full, or a quota is.
    #[error(
        "there is no room left on the disk to write {path}; nothing was changed. Free some space"
    )]
    Full {
        /// The path being written.
        path: String,
    },
    /// The system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which path.
        path: String,
        /// The system's error.
        source: io::Error,
    },
}

/// A number of bytes as people say it.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        bytes if bytes >= MIB && bytes % MIB == 0 => format!("{} MiB", bytes / MIB),
        bytes if bytes >= KIB && bytes % KIB == 0 => format!("{} KiB", bytes / KIB),
        bytes => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_large_says_the_limit_as_people_do() {
        for (max, words) in [
            (32 * 1024 * 1024, "32 MiB"),
            (64 * 1024, "64 KiB"),
            (1000, "1000 bytes"),
        ] {
            let error = VaultError::TooLarge {
                path: VaultPath::new("Inbox/a.pdf").unwrap(),
                max,
            };
            assert_eq!(
                error.to_string(),
                format!("Inbox/a.pdf is larger than {words}, the most that is read of such a file")
            );
        }
    }
}
