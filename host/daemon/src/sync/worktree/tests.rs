//! The work tree on a real folder and a real repository, with and without a watcher.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use platinum_core::{Role, Timestamp};
use platinum_repo::{CommitMeta, Edit};
use platinum_vault::VaultError;
use platinum_watch::Watch;
use tempfile::TempDir;

use super::*;
use crate::noted::accept_deletions;

/// Longer than a hold or an event takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

struct Stage {
    folder: TempDir,
    vault: Vault,
    repo: Repo,
    gate: Gate,
    tree: WorkTree,
    base: Option<Oid>,
    _watch: Option<Watch>,
}

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn oid(text: &str) -> Oid {
    Repo::blob_oid_of(text.as_bytes()).unwrap()
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("vault")).unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        Self {
            vault: Vault::open(&folder.path().join("vault")).unwrap(),
            gate: Gate::new(Arc::default()),
            tree: WorkTree::new(repo.git_dir()),
            repo,
            base: None,
            _watch: None,
            folder,
        }
    }

    /// As after a sync that took all edits.
    fn synced(files: &[&str]) -> Self {
        let mut stage = Self::new();
        for file in files {
            stage.write(file, &format!("{file}\n"));
        }
        stage.sync();
        stage
    }

    fn watched(files: &[&str]) -> Self {
        let mut stage = Self::synced(files);
        let dirty = DirtyPaths::new();
        let (watch, _) = Watch::gather(stage.vault.root(), &dirty).unwrap();
        stage.tree.watched_by(dirty);
        stage._watch = Some(watch);
        assert_eq!(stage.edits(), []);
        stage
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.vault.root().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn look(&mut self) -> Result<Edits, SyncError> {
        let sources = (&self.vault, &self.repo, &self.gate);
        let edits = self.tree.edits(sources, self.base, &mut std::iter::empty());
        edits.map(|(edits, _)| edits)
    }

    /// The edits of a look that a sync begins with, by name.
    fn edits(&mut self) -> Vec<(String, Option<Oid>)> {
        self.tree.begin();
        let files = self.look().unwrap().files.into_iter();
        files.map(|(path, blob)| (path.to_string(), blob)).collect()
    }

    /// Looks till these are the edits.
    fn edits_become(&mut self, expected: &[(&str, Option<Oid>)]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, blob)| ((*name).to_owned(), *blob))
            .collect();
        let deadline = Instant::now() + DEADLINE;
        loop {
            let edits = self.edits();
            if edits == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{edits:?} and not {expected:?}");
        }
    }

    fn sync(&mut self) {
        self.tree.begin();
        let edits = self.look().unwrap().files;
        self.commit(&edits);
    }

    fn commit(&mut self, edits: &BTreeMap<VaultPath, Option<Oid>>) {
        let edits: Vec<_> = edits
            .iter()
            .map(|(path, blob)| (path.clone(), blob.map_or(Edit::Delete, Edit::PutBlob)))
            .collect();
        let meta = CommitMeta {
            agent: "local".parse().unwrap(),
            role: Role::Local,
            message: "Sync".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        self.base = Some(self.repo.commit(self.base, &edits, &meta).unwrap());
    }
}

#[test]
fn what_was_written_moved_and_removed_is_found_with_and_without_a_watcher() {
    for is_watched in [false, true] {
        let files = ["Inbox/a.md", "Inbox/b.md", "Plans/sub/c.md", "Dashboard.md"];
        let mut stage = match is_watched {
            true => Stage::watched(&files),
            false => Stage::synced(&files),
        };
        stage.write("Inbox/a.md", "other\n");
        stage.write("Inbox/new/deep/d.md", "new\n");
        stage.write("Inbox/no note.exe", "");
        fs::rename(stage.file("Plans/sub"), stage.file("Plans/moved")).unwrap();
        fs::remove_file(stage.file("Inbox/b.md")).unwrap();
        stage.edits_become(&[
            ("Inbox/a.md", Some(oid("other\n"))),
            ("Inbox/b.md", None),
            ("Inbox/new/deep/d.md", Some(oid("new\n"))),
            ("Plans/moved/c.md", Some(oid("Plans/sub/c.md\n"))),
            ("Plans/sub/c.md", None),
        ]);
        // It stays so till it is taken, though no event tells of it again.
        assert_eq!(stage.edits().len(), 5);
        stage.sync();
        assert_eq!(stage.edits(), []);
    }
}

#[test]
fn a_change_of_the_base_is_found_though_no_file_changed() {
    let mut stage = Stage::watched(&["Inbox/a.md", "Inbox/b.md"]);
    let before = stage.base;
    stage.repo.write_blob(b"theirs\n").unwrap();
    stage.commit(&BTreeMap::from([(
        path("Inbox/a.md"),
        Some(oid("theirs\n")),
    )]));
    assert_eq!(
        stage.edits(),
        [("Inbox/a.md".to_owned(), Some(oid("Inbox/a.md\n")))]
    );
    stage.base = before;
    assert_eq!(stage.edits(), []);
}

#[test]
fn a_state_that_is_known_is_not_read_again_by_the_next_daemon_either() {
    let mut stage = Stage::synced(&["Inbox/a.md"]);
    let aged = filetime_of(&stage, "Inbox/a.md");
    // Till its time is old enough that a second change would show.
    let deadline = Instant::now() + DEADLINE;
    while stage.tree.seen.blob(&path("Inbox/a.md"), &aged).is_none() {
        assert!(Instant::now() < deadline);
        assert_eq!(stage.edits(), []);
    }
    stage.tree = WorkTree::new(stage.repo.git_dir());
    // Were it read, it would differ: the base has it otherwise.
    stage.tree.seen.load_once();
    let seen = stage.tree.seen.blob(&path("Inbox/a.md"), &aged);
    assert_eq!(seen, Some(oid("Inbox/a.md\n")));
}

fn filetime_of(stage: &Stage, name: &str) -> platinum_vault::FileState {
    match stage.vault.stat(&path(name)).unwrap() {
        PathEntry::File(state) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_save_in_two_steps_is_no_deletion() {
    let mut stage = Stage::watched(&["Inbox/a.md", "Inbox/b.md"]);
    fs::rename(stage.file("Inbox/a.md"), stage.file("Inbox/a.md~")).unwrap();
    // However often it is looked at within the time that a save takes.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        assert_eq!(stage.edits(), []);
    }
    stage.write("Inbox/a.md", "saved\n");
    stage.edits_become(&[("Inbox/a.md", Some(oid("saved\n")))]);
    stage.sync();
    fs::remove_file(stage.file("Inbox/a.md")).unwrap();
    stage.edits_become(&[("Inbox/a.md", None)]);
}

#[test]
fn a_note_that_became_empty_a_moment_ago_counts_as_it_was_and_that_is_told() {
    let mut stage = Stage::synced(&["Inbox/a.md", "Inbox/b.md"]);
    stage.write("Inbox/a.md", "");
    stage.write("Inbox/empty.md", "");
    stage.tree.begin();
    let edits = stage.look().unwrap();
    let new: Vec<_> = edits.files.keys().map(VaultPath::as_str).collect();
    assert_eq!(new, ["Inbox/empty.md"]);
    let told: Vec<_> = edits
        .unread
        .iter()
        .map(|held| held.reason.as_str())
        .collect();
    assert_eq!(
        told,
        ["Inbox/a.md has just become empty; that counts once it stays so"]
    );
    stage.write("Inbox/a.md", "filled again\n");
    let again = ("Inbox/a.md".to_owned(), Some(oid("filled again\n")));
    assert!(stage.edits().contains(&again));
}

#[test]
fn a_file_that_goes_while_nothing_else_is_looked_at_is_not_the_end_of_the_vault() {
    for is_watched in [false, true] {
        let files = ["Inbox/a.md", "Plans/b.md"];
        let mut stage = match is_watched {
            true => Stage::watched(&files),
            false => Stage::synced(&files),
        };
        // Till no file is so young that it is looked at again for that alone.
        let deadline = Instant::now() + DEADLINE;
        while stage.tree.lost || !stage.tree.pending.is_empty() {
            assert!(Instant::now() < deadline);
            assert!(stage.look().unwrap().files.is_empty());
        }
        fs::remove_file(stage.file("Inbox/a.md")).unwrap();
        stage.edits_become(&[("Inbox/a.md", None)]);
        // The second look of the same sync goes to that path alone.
        assert_eq!(stage.look().unwrap().files.len(), 1);
    }
}

#[test]
fn names_of_editors_are_never_taken_and_what_they_become_is() {
    let mut stage = Stage::watched(&["Inbox/a.md"]);
    for name in [
        ".a.md.swp",
        "4913",
        "a.md~",
        ".#a.md",
        "#a.md#",
        "a.md.tmp",
        ".~lock.a.md#",
        "a.md.crswap",
        "~$a.md",
        ".syncthing.a.md.tmp",
        "~syncthing~a.md.tmp",
    ] {
        stage.write(&format!("Inbox/{name}"), name);
    }
    stage.write("Inbox/last.md", "last\n");
    stage.edits_become(&[("Inbox/last.md", Some(oid("last\n")))]);
    fs::rename(stage.file("Inbox/a.md.tmp"), stage.file("Inbox/a.md")).unwrap();
    stage.edits_become(&[
        ("Inbox/a.md", Some(oid("a.md.tmp"))),
        ("Inbox/last.md", Some(oid("last\n"))),
    ]);
}

#[test]
fn a_vault_whose_files_are_all_gone_is_refused_with_a_watcher_too() {
    let mut stage = Stage::watched(&["Inbox/a.md", "Plans/b.md"]);
    for folder in ["Inbox", "Plans"] {
        fs::remove_dir_all(stage.file(folder)).unwrap();
    }
    let deadline = Instant::now() + DEADLINE;
    let error = loop {
        stage.tree.begin();
        match stage.look() {
            Err(error) => break error,
            Ok(edits) => assert!(Instant::now() < deadline, "{edits:?}"),
        }
    };
    assert!(
        matches!(
            error,
            SyncError::Vault(VaultError::FilesGone { gone: 2, of: 2, .. })
        ),
        "{error}"
    );
    stage.write("Inbox/a.md", "Inbox/a.md\n");
    stage.edits_become(&[("Plans/b.md", None)]);
}

#[test]
fn what_cannot_be_read_is_unchanged_and_told_of_till_it_can() {
    let mut stage = Stage::watched(&["Inbox/a.md", "Plans/sub/b.md"]);
    fs::remove_file(stage.file("Inbox/a.md")).unwrap();
    std::os::unix::fs::symlink("elsewhere", stage.file("Inbox/a.md")).unwrap();
    fs::rename(stage.file("Plans/sub"), stage.folder.path().join("sub")).unwrap();
    std::os::unix::fs::symlink(stage.folder.path().join("sub"), stage.file("Plans/sub")).unwrap();
    let deadline = Instant::now() + DEADLINE;
    loop {
        let edits = stage.look().unwrap();
        assert!(edits.files.is_empty(), "{edits:?}");
        let told: Vec<_> = edits.unread.iter().map(|held| held.path.as_str()).collect();
        if told == ["Inbox/a.md", "Plans/sub/b.md"] {
            break;
        }
        assert!(Instant::now() < deadline, "{told:?}");
    }
    // Also at a look that nothing new is a reason for.
    assert_eq!(stage.look().unwrap().unread.len(), 2);
    fs::remove_file(stage.file("Inbox/a.md")).unwrap();
    stage.write("Inbox/a.md", "Inbox/a.md\n");
    fs::remove_file(stage.file("Plans/sub")).unwrap();
    fs::rename(stage.folder.path().join("sub"), stage.file("Plans/sub")).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while !stage.look().unwrap().unread.is_empty() {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(stage.edits(), []);
}

#[test]
fn a_file_in_the_place_of_a_folder_and_the_other_way_round_are_found() {
    let mut stage = Stage::watched(&["Inbox/x.md", "Plans/y.md/z.md"]);
    fs::remove_file(stage.file("Inbox/x.md")).unwrap();
    stage.write("Inbox/x.md/below.md", "below\n");
    fs::remove_dir_all(stage.file("Plans/y.md")).unwrap();
    stage.write("Plans/y.md", "file\n");
    stage.edits_become(&[
        ("Inbox/x.md", None),
        ("Inbox/x.md/below.md", Some(oid("below\n"))),
        ("Plans/y.md", Some(oid("file\n"))),
        ("Plans/y.md/z.md", None),
    ]);
}

#[test]
fn every_folder_has_its_turn_without_a_reason() {
    let mut stage = Stage::new();
    stage.tree.folders = (0..250).map(|n| format!("Inbox/{n:03}")).collect();
    let mut turns: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        assert!(stage.tree.trickled().is_empty(), "before its time");
        let (_, at) = &mut stage.tree.trickle;
        *at = at.checked_sub(TRICKLE.1).unwrap();
        for folder in stage.tree.trickled() {
            *turns.entry(folder).or_default() += 1;
        }
    }
    // Three at a time: each once in 84 minutes.
    assert_eq!(turns.len(), 250);
    assert!(turns.values().all(|count| (1..=2).contains(count)));
}

#[test]
fn a_lost_event_is_made_good_by_the_turn_of_its_folder() {
    let mut stage = Stage::watched(&["Inbox/a.md", "Inbox/sub/b.md"]);
    stage._watch = None;
    let dirty = DirtyPaths::new();
    // A watcher that is there, and hears nothing.
    let elsewhere = tempfile::tempdir().unwrap();
    let (watch, _) = Watch::gather(elsewhere.path(), &dirty).unwrap();
    stage.tree.watched_by(dirty);
    stage._watch = Some(watch);
    let deadline = Instant::now() + DEADLINE;
    while stage.tree.lost || !stage.tree.pending.is_empty() {
        assert!(Instant::now() < deadline);
        assert_eq!(stage.edits(), []);
    }
    stage.write("Inbox/sub/b.md", "unheard of\n");
    assert_eq!(stage.edits(), []);
    let deadline = Instant::now() + DEADLINE;
    while stage.edits().is_empty() {
        assert!(Instant::now() < deadline);
        let (_, at) = &mut stage.tree.trickle;
        *at = at.checked_sub(TRICKLE.1).unwrap();
    }
}

#[test]
fn after_a_sleep_everything_is_looked_at() {
    let mut stage = Stage::watched(&["Inbox/a.md"]);
    assert!(!stage.tree.slept());
    stage.tree.clocks.0 = SystemTime::now() - 2 * ASLEEP;
    assert!(stage.tree.slept());
    assert!(!stage.tree.slept());
}

/// The owner says that the deletions are meant.
fn accept(stage: &Stage) {
    accept_deletions(stage.repo.git_dir()).unwrap();
}

/// What a look at everything finds that knows nothing.
fn afresh(stage: &Stage) -> Vec<(String, Option<Oid>)> {
    let nowhere = stage.folder.path().join("nowhere");
    fs::create_dir_all(&nowhere).unwrap();
    accept_deletions(&nowhere).unwrap();
    let mut tree = WorkTree::new(&nowhere);
    let sources = (&stage.vault, &stage.repo, &stage.gate);
    let (edits, _) = tree
        .edits(sources, stage.base, &mut std::iter::empty())
        .unwrap();
    let files = edits.files.into_iter();
    files.map(|(path, blob)| (path.to_string(), blob)).collect()
}

#[test]
fn looking_where_something_changed_finds_what_looking_everywhere_finds() {
    use rand::{Rng, SeedableRng, rngs::StdRng};
    for seed in 0..6 {
        let mut rng = StdRng::seed_from_u64(seed);
        let names: Vec<String> = (0..24)
            .map(|n| match n % 3 {
                0 => format!("Inbox/{n}.md"),
                1 => format!("Inbox/box {}/{n}.md", n % 4),
                _ => format!("Done/2026/{:02}/{n}.md", n % 5 + 1),
            })
            .collect();
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut stage = Stage::watched(&all);
        // So that the vault is never empty.
        stage.write("Plans/stays.md", "here\n");
        for step in 0..60 {
            let one = stage.file(&names[rng.random_range(0..names.len())]);
            let other = stage.file(&names[rng.random_range(0..names.len())]);
            let folder = one.parent().unwrap().to_owned();
            // Each may fail: there may be nothing, or something in the way.
            drop(match rng.random_range(0..8) {
                0..3 => {
                    fs::create_dir_all(&folder).and_then(|()| fs::write(&one, format!("{step}")))
                }
                3 => fs::remove_file(&one),
                4 => fs::rename(&one, &other),
                5 => fs::rename(&folder, stage.file(&format!("Inbox/moved {step}"))),
                6 => fs::remove_dir_all(&folder),
                _ => fs::create_dir_all(stage.file(&format!("Inbox/new {step}/deep"))).and_then(
                    |()| {
                        let new = stage.file(&format!("Inbox/new {step}/deep/{step}.md"));
                        fs::write(new, format!("{step}"))
                    },
                ),
            });
            if rng.random_bool(0.1) {
                accept(&stage);
                stage.sync();
            }
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            accept(&stage);
            let (here, everywhere) = (stage.edits(), afresh(&stage));
            if here == everywhere {
                break;
            }
            let late = Instant::now() > deadline;
            assert!(!late, "seed {seed}: {here:?} and not {everywhere:?}");
        }
    }
}

#[path = "held.rs"]
mod held;
