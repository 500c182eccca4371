//! [`is_synced`]: the allow-list of paths that leave this machine at all; [`is_attachable`]: of files that leave with
//! what is approved.
//!
//! Lives elsewhere: what must never be synced by its name or content although it is on this list
//! is for `secrets`; that links and odd modes are refused is the synchronizer's.
//! Invariant: a path that is not known to be a note or an attachment of one is not synced.

use platinum_core::{VaultPath, layout};

/// Extensions, in lower case, that are synced beside `md`.
pub const ATTACHMENT_TYPES: [&str; 10] = [
    "png", "jpg", "jpeg", "gif", "webp", "pdf", "svg", "txt", "csv", "eml",
];

/// Larger files are not synced, and not taken from the remote.
pub const MAX_FILE_BYTES: usize = 32 * 1024 * 1024;

/// All files together that leave with one action, in bytes. Most mail servers take 25 MB after encoding.
pub const MAX_ATTACHMENT_BYTES: u64 = 20_000_000;

/// Whether the path takes part in sync: in a known folder or a known file at the top, a note or
/// an attachment, no component starts with a dot, and the name is none that programs give to files
/// that are not finished. Conflict copies are notes like others.
pub fn is_synced(path: &VaultPath) -> bool {
    if path
        .components()
        .any(|component| component.starts_with('.'))
    {
        return false;
    }
    let known_type = path.extension().is_some_and(|extension| {
        let extension = extension.to_ascii_lowercase();
        extension == "md" || ATTACHMENT_TYPES.contains(&extension.as_str())
    });
    known_type
        && !is_an_editors_own(path.file_name())
        && (is_in_known_folder(path) || is_known_top_file(path))
}

/// How a Git LFS pointer begins: what Git has in place of a file that is kept elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
/// A longer file is no such pointer.
pub const MAX_LFS_POINTER_BYTES: usize = 1024;

/// Whether the bytes of an attachment are a Git LFS pointer and not the file itself: it would take the place of the
/// real one. A note may say what it likes.
pub fn is_lfs_pointer(path: &VaultPath, bytes: &[u8]) -> bool {
    let is_note = path
        .extension()
        .is_none_or(|extension| extension.eq_ignore_ascii_case("md"));
    !is_note && bytes.len() <= MAX_LFS_POINTER_BYTES && bytes.starts_with(LFS_POINTER)
}

/// Whether a file may leave with what is approved: it lies where the owner puts files, in `Inbox/` or `Approved/`, and
/// is of a type that is synced. A cloud agent can make files in every other folder, also after the approval.
pub fn is_attachable(path: &VaultPath) -> bool {
    [layout::INBOX, layout::APPROVED].contains(&path.top()) && is_synced(path)
}

/// Whether what is at this path would be synced if it were a file, or, if it were a folder, could
/// hold files that are.
pub fn could_be_synced(path: &VaultPath) -> bool {
    let is_folder_name = path.extension().is_none() && layout::FOLDERS.contains(&path.top());
    let is_hidden = path.components().any(|part| part.starts_with('.'));
    is_synced(path) || (is_folder_name && !is_hidden)
}

/// Names that programs give to locks and unfinished files, and that end as notes do. The others of
/// their kind (`x.md~`, `#x.md#`, `x.tmp`, `x.crswap`, `4913`, and all that are hidden) are of no
/// known type.
fn is_an_editors_own(name: &str) -> bool {
    name.starts_with("~$") || name.starts_with("~syncthing~") || name.starts_with(".#")
}

fn is_in_known_folder(path: &VaultPath) -> bool {
    path.components().count() > 1 && layout::FOLDERS.contains(&path.top())
}

/// `Dashboard.md`, `Company_Handbook.md`, and the conflict copies of both.
fn is_known_top_file(path: &VaultPath) -> bool {
    [layout::DASHBOARD, layout::HANDBOOK]
        .into_iter()
        .any(|known| {
            let name = path.as_str();
            name == known
                || known.strip_suffix(".md").is_some_and(|stem| {
                    name.strip_prefix(stem)
                        .is_some_and(|rest| rest.starts_with(".conflict-") && rest.ends_with(".md"))
                })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synced(path: &str) -> bool {
        is_synced(&VaultPath::new(path).unwrap())
    }

    /// Notes and attachments in known folders are synced.
    #[test]
    fn is_synced_notes_and_attachments_are() {
        for path in [
            "Dashboard.md",
            "Company_Handbook.md",
            "Company_Handbook.conflict-cloud-20261120T184303123Z-0123abcd.md",
            "Inbox/idea.md",
            "Inbox/scan/invoice.PDF",
            "Needs_Action/email/task_1.md",
            "In_Progress/cloud/task_1.md",
            "Plans/p.md",
            "Pending_Approval/draft_1.conflict-local-20261120T184303123Z-0123abcd.md",
            "Approved/draft_1.md",
            "Rejected/draft_1.md",
            "Done/2026/11/task_1.md",
            "Updates/cloud/u.md",
        ] {
            assert!(synced(path), "{path}");
        }
    }

    #[test]
    fn is_lfs_pointer_of_attachments_alone() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
        let found =
            |path: &str, bytes: &[u8]| is_lfs_pointer(&VaultPath::new(path).unwrap(), bytes);
        assert!(found("Inbox/a.png", pointer));
        assert!(!found("Inbox/a.md", pointer));
        assert!(!found("Inbox/a.png", b"\x89PNG\r\n"));
        assert!(!found(
            "Inbox/a.png",
            &[pointer.as_slice(), &[b'x'; 1024]].concat()
        ));
    }

    #[test]
    fn is_attachable_where_the_owner_puts_files_alone() {
        for (path, expected) in [
            ("Inbox/attachments/a.png", true),
            ("Approved/a.pdf", true),
            ("Inbox/a.mp4", false),
            ("Inbox/.a.png", false),
            ("Pending_Approval/a.png", false),
            ("Done/2026/11/a.png", false),
            ("Company_Handbook.md", false),
        ] {
            let path = VaultPath::new(path).unwrap();
            assert_eq!(is_attachable(&path), expected, "{path}");
        }
    }

    /// Everything else stays on this machine.
    #[test]
    fn is_synced_other_paths_stay_here() {
        for path in [
            "README.md",
            "Dashboard.txt",
            "Dashboard.md.md",
            "Dashboard.conflict-x.txt",
            "Notes/private.md",
            "Mail_Attachments/task_1/Attachments.md",
            "Mail_Attachments/task_1/offer.pdf",
            "inbox/idea.md",
            ".env",
            ".obsidian/plugins/x/main.js",
            ".obsidian/note.md",
            "Inbox/.git/config.md",
            "Inbox/.hidden.md",
            "Inbox/.env",
            "Inbox/key.pem",
            "Inbox/run.sh",
            "Inbox/page.html",
            "Inbox/noextension",
            "Inbox/backup.md.bak",
            "Inbox/.platinum-tmp-1.md",
            "Inbox/.a.md.swp",
            "Inbox/4913",
            "Inbox/a.md~",
            "Inbox/.#a.md",
            "Inbox/#a.md#",
            "Inbox/a.md.tmp",
            "Inbox/.~lock.a.md#",
            "Inbox/a.md.crswap",
            "Inbox/~$a.md",
            "Inbox/~$invoice.pdf",
            "Inbox/.syncthing.a.md.tmp",
            "Inbox/~syncthing~a.md",
            "Plans",
            "Inbox",
        ] {
            assert!(!synced(path), "{path}");
        }
    }
}
