//! [`Drafts`]: which tasks have drafts, and under which claims those were made; [`has_undecided_post`]: whether one of
//! several still waits.
//!
//! Lives elsewhere: which draft counts for a claim is decided by [`DraftNote::is_under`].

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{ActionKind, DraftId, TaskId, Timestamp, VaultPath, layout};
use platinum_repo::{Oid, Repo, RepoError};
use platinum_vault::{
    Entry, Vault, VaultError,
    note::{DraftNote, Note},
};

use crate::location::draft_of;

/// Largest file in their folders that is read, in bytes: a draft may have grown.
const MAX_DRAFT_BYTES: u64 = 32 << 20;

/// Where drafts are: waiting, approved or rejected.
pub const DRAFT_FOLDERS: [&str; 3] = [layout::PENDING_APPROVAL, layout::APPROVED, layout::REJECTED];

/// The drafts of a vault, waiting, approved or rejected: each with its task and the epoch in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts(BTreeSet<(TaskId, Option<u64>)>);

impl Drafts {
    /// Reads them. Blocks on the disk. What can be read and is no draft is passed over.
    ///
    /// # Errors
    /// If a folder, or a file with the name of a draft, cannot be read: it may be the draft that is
    /// asked about, and none would mean to draft again.
    pub fn of(vault: &Vault) -> Result<Self, VaultError> {
        ReadDrafts::default().read_on(vault)
    }

    /// The epochs that the drafts of a task say.
    pub fn epochs(&self, task: TaskId) -> impl Iterator<Item = Option<u64>> + '_ {
        let of_task = self.0.range((task, None)..=(task, Some(u64::MAX)));
        of_task.map(|(_, made)| *made)
    }

    /// Whether a task has one that was made under the claim of this epoch.
    pub fn has(&self, task: TaskId, claim: u64) -> bool {
        self.epochs(task)
            .any(|made| DraftNote::is_under(made, claim))
    }
}

/// The files that were read, as they were then, each with the task and the epoch in it if it is a draft: what
/// is as it was is not read again.
#[derive(Debug, Default)]
pub struct ReadDrafts(BTreeMap<VaultPath, ReadFile>);

type ReadFile = (u64, Timestamp, Option<(TaskId, Option<u64>)>);

impl ReadDrafts {
    /// [`Drafts::of`] by what was read before.
    ///
    /// # Errors
    /// As there.
    pub fn read_on(&mut self, vault: &Vault) -> Result<Drafts, VaultError> {
        let mut known = std::mem::take(&mut self.0);
        for folder in DRAFT_FOLDERS {
            let (entries, links) = vault.list_with_links(folder)?;
            if let Some(path) = links.into_iter().find(is_named_as_a_draft) {
                return Err(VaultError::Symlink {
                    at: path.file_name().to_owned(),
                    path: path.to_string(),
                });
            }
            for Entry {
                path,
                len,
                modified,
            } in entries
            {
                if let Some(read) = known.remove(&path)
                    && (read.0, read.1) == (len, modified)
                {
                    self.0.insert(path, read);
                    continue;
                }
                let bytes = match vault.read(&path, MAX_DRAFT_BYTES) {
                    Ok(bytes) => bytes,
                    // It was moved on a moment ago, which the next look finds.
                    Err(VaultError::NotFound(_)) => continue,
                    Err(error) if is_named_as_a_draft(&path) => return Err(error),
                    Err(_) => continue,
                };
                let text = String::from_utf8_lossy(&bytes);
                // One whose owner is in the middle of it, or made a mistake in it, is one.
                let made_for = |note| DraftNote::made_for(&note);
                let draft = Note::parse(&text).ok().and_then(made_for);
                self.0.insert(path, (len, modified, draft));
            }
        }
        Ok(self.0.values().filter_map(|(.., draft)| *draft).collect())
    }
}

fn is_named_as_a_draft(path: &VaultPath) -> bool {
    path.stem().parse::<DraftId>().is_ok()
}

/// Whether a task has a post that its owner has not decided on: one that waits or is approved, was made under the claim
/// of this epoch, and is none of `ended`. One text for each network makes several drafts of a task; of any other kind
/// it has one. Blocks on the disk.
///
/// # Errors
/// If a folder, or a file with the name of a draft, cannot be read: it may be one.
pub fn has_undecided_post(
    vault: &Vault,
    task: TaskId,
    claim: u64,
    ended: &[DraftId],
) -> Result<bool, VaultError> {
    for folder in [layout::PENDING_APPROVAL, layout::APPROVED] {
        for Entry { path, .. } in vault.list(folder)? {
            let id = path.stem().parse::<DraftId>();
            if !id.is_ok_and(|id| !ended.contains(&id)) {
                continue;
            }
            let bytes = match vault.read(&path, MAX_DRAFT_BYTES) {
                Err(VaultError::NotFound(_)) => continue,
                bytes => bytes?,
            };
            let Ok(note) = Note::parse(&String::from_utf8_lossy(&bytes)) else {
                continue;
            };
            let is_post = note.get_text("action") == Some(ActionKind::SOCIAL_PUBLISH.as_str());
            let made_for = DraftNote::made_for(&note).filter(|(of, _)| is_post && *of == task);
            if made_for.is_some_and(|(_, made)| DraftNote::is_under(made, claim)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether `tip` has a draft for a task, made under the claim of this epoch, that `applied` has
/// not.
///
/// # Errors
/// If the repository cannot be read.
pub fn has_new_draft(
    repo: &Repo,
    (applied, tip): (Option<Oid>, Oid),
    task: TaskId,
    epoch: u64,
) -> Result<bool, RepoError> {
    for changed in repo.changes(applied, tip)? {
        let Some(blob) = changed
            .blob
            .filter(|_| DRAFT_FOLDERS.contains(&changed.path.top()))
        else {
            continue;
        };
        if let Some((of, made)) = draft_of(repo, blob)?
            && of == task
            && DraftNote::is_under(made, epoch)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

impl FromIterator<(TaskId, Option<u64>)> for Drafts {
    fn from_iter<I: IntoIterator<Item = (TaskId, Option<u64>)>>(drafts: I) -> Self {
        Self(drafts.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::PathBuf};

    use platinum_core::{Action, EmailSend};

    use super::*;

    fn vault() -> (tempfile::TempDir, Vault) {
        let folder = tempfile::tempdir().unwrap();
        for name in DRAFT_FOLDERS {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let vault = Vault::open(folder.path()).unwrap();
        (folder, vault)
    }

    fn note(task: TaskId, epoch: u64) -> String {
        let at = Timestamp::UNIX_EPOCH;
        let mail = EmailSend {
            from_account: "owner".to_owned(),
            to: vec!["ada@example.test".to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Desks".to_owned(),
            in_reply_to: None,
            references: vec![],
            attachments: vec![],
            body: "Yes.\n".to_owned(),
        };
        DraftNote {
            id: DraftId::from_parts(1, 1),
            created: at,
            by: "cloud".to_owned(),
            task,
            epoch: Some(epoch),
            action: Action::new(&mail),
            summary: "Reply".to_owned(),
            reason: "She asks".to_owned(),
            expires: at,
            doubts: vec![],
        }
        .render()
    }

    /// A post of the task, of its claim, that neither ended nor was rejected; nothing else holds it open.
    #[test]
    fn undecided_post_is_of_the_task_and_its_claim() {
        let task = TaskId::from_parts(1, 7);
        let post = |epoch: u64| {
            let mail = note(task, epoch);
            let front = mail.split_once("action: ").unwrap().0;
            let rest = mail.split_once("summary: ").unwrap().1;
            format!("{front}action: social-publish\naccount: me\nsummary: {rest}")
        };
        let id = |n| DraftId::from_parts(1, n);
        for (folder, text, expected) in [
            (layout::PENDING_APPROVAL, post(3), true),
            (layout::APPROVED, post(3), true),
            (layout::REJECTED, post(3), false),
            (layout::PENDING_APPROVAL, post(2), false),
            (layout::PENDING_APPROVAL, note(task, 3), false),
            (layout::PENDING_APPROVAL, "# Mine\n".to_owned(), false),
        ] {
            let (root, vault) = vault();
            let path = root.path().join(folder).join(format!("{}.md", id(1)));
            fs::write(path, &text).unwrap();
            let is_undecided =
                |task, ended: &[DraftId]| has_undecided_post(&vault, task, 3, ended).unwrap();
            assert_eq!(is_undecided(task, &[id(2)]), expected, "{folder}: {text}");
            assert!(!is_undecided(task, &[id(1)]) && !is_undecided(TaskId::from_parts(1, 8), &[]));
        }
    }

    /// A draft counts in each of the folders; what is no draft, or cannot be read and has no draft's
    /// name, is passed over.
    #[test]
    fn drafts_are_found_beside_other_files() {
        let (folder, vault) = vault();
        let task = TaskId::from_parts(1, 7);
        for (epoch, place) in (1..).zip(DRAFT_FOLDERS) {
            let place = folder.path().join(place);
            let id = DraftId::from_parts(1, u128::from(epoch));
            fs::write(place.join(format!("{id}.md")), note(task, epoch)).unwrap();
            fs::write(place.join("note.md"), "# Mine\n").unwrap();
            fs::write(place.join("odd.md"), b"\xff\xfe").unwrap();
            let large = fs::File::create(place.join("film.md")).unwrap();
            large.set_len(MAX_DRAFT_BYTES + 1).unwrap();
            symlink("/nowhere", place.join("link.md")).unwrap();
        }
        let drafts = Drafts::of(&vault).unwrap();
        let epochs: Vec<_> = drafts.epochs(task).collect();
        assert_eq!(epochs, [Some(1), Some(2), Some(3)]);
        assert!(drafts.has(task, 2) && !drafts.has(task, 4));
        assert_eq!(drafts.epochs(TaskId::from_parts(1, 8)).count(), 0);
    }

    /// As if all were read anew, whatever was changed, moved or removed.
    #[test]
    fn drafts_that_were_read_before_follow_their_files() {
        let (folder, vault) = vault();
        let task = TaskId::from_parts(1, 7);
        let file = |place: &str, n| {
            let id = DraftId::from_parts(1, n);
            folder.path().join(place).join(format!("{id}.md"))
        };
        let mut read = ReadDrafts::default();
        let mut epochs = || {
            let drafts = read.read_on(&vault).unwrap();
            assert_eq!(drafts, Drafts::of(&vault).unwrap());
            drafts.epochs(task).flatten().collect::<Vec<_>>()
        };
        fs::write(file("Approved", 1), note(task, 1)).unwrap();
        fs::write(file("Rejected", 2), note(task, 2)).unwrap();
        assert_eq!(epochs(), [1, 2]);
        assert_eq!(epochs(), [1, 2]);
        fs::rename(file("Approved", 1), file("Rejected", 1)).unwrap();
        fs::write(file("Rejected", 2), note(task, 20)).unwrap();
        assert_eq!(epochs(), [1, 20]);
        fs::remove_file(file("Rejected", 1)).unwrap();
        assert_eq!(epochs(), [20]);
    }

    /// What has the name of a draft and cannot be read may be the one that is asked about: none is no
    /// answer.
    #[test]
    fn unreadable_draft_is_an_error_and_not_none() {
        let name = format!("{}.md", DraftId::from_parts(1, 1));
        let too_large = |path: PathBuf| {
            let file = fs::File::create(path).unwrap();
            file.set_len(MAX_DRAFT_BYTES + 1).unwrap();
        };
        let link = |path: PathBuf| symlink("/nowhere", path).unwrap();
        for place in DRAFT_FOLDERS {
            for make in [&too_large as &dyn Fn(PathBuf), &link] {
                let (folder, vault) = vault();
                make(folder.path().join(place).join(&name));
                let error = Drafts::of(&vault).unwrap_err().to_string();
                assert!(error.contains(&name), "{error}");
            }
        }
    }
}
