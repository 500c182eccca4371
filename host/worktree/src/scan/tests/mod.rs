//! The work tree on a real folder and a real repository, with and without a watcher.

use std::{collections::BTreeMap, fs, time::Duration};

use platinum_core::{Role, Timestamp};
use platinum_repo::{CommitMeta, Edit, RepoError};
use platinum_vault::VaultError;
use platinum_watch::Watch;
use tempfile::TempDir;

use super::*;
use crate::{ScanFilter, accept_deletions};

/// Longer than a hold or an event takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);

/// Lets everything into the repository.
struct AcceptAll;

impl FileFilter for AcceptAll {
    fn begin_scan<'a>(
        &'a self,
        _: &'a Repo,
        _: Option<Oid>,
    ) -> Result<Box<dyn ScanFilter + 'a>, RepoError> {
        Ok(Box::new(Self))
    }
}

impl ScanFilter for AcceptAll {
    fn check(&self, _: &VaultPath, _: Oid, _: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn clear(&self, _: &VaultPath) {}
}

struct Fixture {
    folder: TempDir,
    vault: Vault,
    repo: Repo,
    state: ScanState,
    base: Option<Oid>,
    _watch: Option<Watch>,
}

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn oid(text: &str) -> Oid {
    Repo::blob_oid_of(text.as_bytes()).unwrap()
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("vault")).unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        Self {
            vault: Vault::open(&folder.path().join("vault")).unwrap(),
            state: ScanState::new(repo.git_dir()),
            repo,
            base: None,
            _watch: None,
            folder,
        }
    }

    /// As after a sync that took all edits.
    fn synced(files: &[&str]) -> Self {
        let mut fixture = Self::new();
        for file in files {
            fixture.write(file, &format!("{file}\n"));
        }
        fixture.sync();
        fixture
    }

    fn watched(files: &[&str]) -> Self {
        let mut fixture = Self::synced(files);
        fixture.watch();
        fixture
    }

    fn watch(&mut self) {
        let dirty = DirtyPaths::new();
        let (watch, _) = Watch::gather(self.vault.root(), &dirty).unwrap();
        self.state.watched_by(dirty);
        self._watch = Some(watch);
        assert_eq!(self.edits(), []);
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.vault.root().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn scan(&mut self) -> Result<Edits, WorktreeError> {
        let sources = (&self.vault, &self.repo, &AcceptAll as &dyn FileFilter);
        let edits = self.state.scan(sources, self.base, &mut std::iter::empty());
        edits.map(|(edits, _)| edits)
    }

    /// The edits of a look that a sync begins with, by name.
    fn edits(&mut self) -> Vec<(String, Option<Oid>)> {
        self.state.begin();
        let files = self.scan().unwrap().files.into_iter();
        files.map(|(path, blob)| (path.to_string(), blob)).collect()
    }

    /// Scans until these are the edits.
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
        self.state.begin();
        let edits = self.scan().unwrap().files;
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

/// With and without a watcher.
#[test]
fn scan_finds_writes_moves_and_deletions() {
    for is_watched in [false, true] {
        let files = ["Inbox/a.md", "Inbox/b.md", "Plans/sub/c.md", "Dashboard.md"];
        let mut fixture = match is_watched {
            true => Fixture::watched(&files),
            false => Fixture::synced(&files),
        };
        fixture.write("Inbox/a.md", "other\n");
        fixture.write("Inbox/new/deep/d.md", "new\n");
        fixture.write("Inbox/no note.exe", "");
        fs::rename(fixture.file("Plans/sub"), fixture.file("Plans/moved")).unwrap();
        fs::remove_file(fixture.file("Inbox/b.md")).unwrap();
        fixture.edits_become(&[
            ("Inbox/a.md", Some(oid("other\n"))),
            ("Inbox/b.md", None),
            ("Inbox/new/deep/d.md", Some(oid("new\n"))),
            ("Plans/moved/c.md", Some(oid("Plans/sub/c.md\n"))),
            ("Plans/sub/c.md", None),
        ]);
        // It stays so until it is taken, though no event names it again.
        assert_eq!(fixture.edits().len(), 5);
        fixture.sync();
        assert_eq!(fixture.edits(), []);
    }
}

/// No file changed, only the base.
#[test]
fn scan_finds_a_change_of_the_base_alone() {
    let mut fixture = Fixture::watched(&["Inbox/a.md", "Inbox/b.md"]);
    let before = fixture.base;
    fixture.repo.write_blob(b"theirs\n").unwrap();
    fixture.commit(&BTreeMap::from([(
        path("Inbox/a.md"),
        Some(oid("theirs\n")),
    )]));
    assert_eq!(
        fixture.edits(),
        [("Inbox/a.md".to_owned(), Some(oid("Inbox/a.md\n")))]
    );
    fixture.base = before;
    assert_eq!(fixture.edits(), []);
}

/// Nor does the next daemon.
#[test]
fn scan_reads_no_file_in_a_cached_state() {
    let mut fixture = Fixture::synced(&["Inbox/a.md"]);
    let aged = filetime_of(&fixture, "Inbox/a.md");
    // Till its time is old enough that a second change would show.
    let deadline = Instant::now() + DEADLINE;
    while fixture
        .state
        .stat_cache
        .lookup(&path("Inbox/a.md"), &aged)
        .is_none()
    {
        assert!(Instant::now() < deadline);
        assert_eq!(fixture.edits(), []);
    }
    fixture.state = ScanState::new(fixture.repo.git_dir());
    // Were it read, it would differ: the base has it otherwise.
    fixture.state.stat_cache.load_once();
    let known = fixture.state.stat_cache.lookup(&path("Inbox/a.md"), &aged);
    assert_eq!(known, Some(oid("Inbox/a.md\n")));
}

fn filetime_of(fixture: &Fixture, name: &str) -> platinum_vault::FileState {
    match fixture.vault.stat(&path(name)).unwrap() {
        PathEntry::File(state) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn scan_save_in_two_steps_is_no_deletion() {
    let mut fixture = Fixture::watched(&["Inbox/a.md", "Inbox/b.md"]);
    fs::rename(fixture.file("Inbox/a.md"), fixture.file("Inbox/a.md~")).unwrap();
    // However often it is looked at within the time that a save takes.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) {
        assert_eq!(fixture.edits(), []);
    }
    fixture.write("Inbox/a.md", "saved\n");
    fixture.edits_become(&[("Inbox/a.md", Some(oid("saved\n")))]);
    fixture.sync();
    fs::remove_file(fixture.file("Inbox/a.md")).unwrap();
    fixture.edits_become(&[("Inbox/a.md", None)]);
}

/// It counts as it was, and is reported.
#[test]
fn scan_withholds_a_note_that_just_became_empty() {
    let mut fixture = Fixture::synced(&["Inbox/a.md", "Inbox/b.md"]);
    fixture.write("Inbox/a.md", "");
    fixture.write("Inbox/empty.md", "");
    fixture.state.begin();
    let edits = fixture.scan().unwrap();
    let new: Vec<_> = edits.files.keys().map(VaultPath::as_str).collect();
    assert_eq!(new, ["Inbox/empty.md"]);
    let withheld: Vec<_> = edits
        .withheld
        .iter()
        .map(|held| held.reason.as_str())
        .collect();
    assert_eq!(
        withheld,
        ["Inbox/a.md has just become empty; that counts once it stays so"]
    );
    fixture.write("Inbox/a.md", "filled again\n");
    let again = ("Inbox/a.md".to_owned(), Some(oid("filled again\n")));
    assert!(fixture.edits().contains(&again));
}

/// A file that is deleted while nothing else is read is not the end of the vault.
#[test]
fn scan_of_one_deletion_does_not_trip_the_guard() {
    for is_watched in [false, true] {
        let files = ["Inbox/a.md", "Plans/b.md"];
        let mut fixture = match is_watched {
            true => Fixture::watched(&files),
            false => Fixture::synced(&files),
        };
        // Till no file is so young that it is looked at again for that alone.
        let deadline = Instant::now() + DEADLINE;
        while fixture.state.scan_all || !fixture.state.pending.is_empty() {
            assert!(Instant::now() < deadline);
            assert!(fixture.scan().unwrap().files.is_empty());
        }
        fs::remove_file(fixture.file("Inbox/a.md")).unwrap();
        fixture.edits_become(&[("Inbox/a.md", None)]);
        // The second look of the same sync goes to that path alone.
        assert_eq!(fixture.scan().unwrap().files.len(), 1);
    }
}

/// What they are renamed to is taken.
#[test]
fn scan_skips_temporary_names_of_editors() {
    let mut fixture = Fixture::watched(&["Inbox/a.md"]);
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
        fixture.write(&format!("Inbox/{name}"), name);
    }
    fixture.write("Inbox/last.md", "last\n");
    fixture.edits_become(&[("Inbox/last.md", Some(oid("last\n")))]);
    fs::rename(fixture.file("Inbox/a.md.tmp"), fixture.file("Inbox/a.md")).unwrap();
    fixture.edits_become(&[
        ("Inbox/a.md", Some(oid("a.md.tmp"))),
        ("Inbox/last.md", Some(oid("last\n"))),
    ]);
}

#[test]
fn guard_refuses_an_emptied_vault_with_a_watcher() {
    let mut fixture = Fixture::watched(&["Inbox/a.md", "Plans/b.md"]);
    for folder in ["Inbox", "Plans"] {
        fs::remove_dir_all(fixture.file(folder)).unwrap();
    }
    let deadline = Instant::now() + DEADLINE;
    let error = loop {
        fixture.state.begin();
        match fixture.scan() {
            Err(error) => break error,
            Ok(edits) => assert!(Instant::now() < deadline, "{edits:?}"),
        }
    };
    assert!(
        matches!(
            error,
            WorktreeError::Vault(VaultError::FilesGone { gone: 2, of: 2, .. })
        ),
        "{error}"
    );
    fixture.write("Inbox/a.md", "Inbox/a.md\n");
    fixture.edits_become(&[("Plans/b.md", None)]);
}

/// They are reported until they can be read.
#[test]
fn scan_withholds_unreadable_files_as_unchanged() {
    let mut fixture = Fixture::watched(&["Inbox/a.md", "Plans/sub/b.md"]);
    fs::remove_file(fixture.file("Inbox/a.md")).unwrap();
    std::os::unix::fs::symlink("elsewhere", fixture.file("Inbox/a.md")).unwrap();
    fs::rename(fixture.file("Plans/sub"), fixture.folder.path().join("sub")).unwrap();
    std::os::unix::fs::symlink(fixture.folder.path().join("sub"), fixture.file("Plans/sub"))
        .unwrap();
    let deadline = Instant::now() + DEADLINE;
    loop {
        let edits = fixture.scan().unwrap();
        assert!(edits.files.is_empty(), "{edits:?}");
        let withheld: Vec<_> = edits
            .withheld
            .iter()
            .map(|held| held.path.as_str())
            .collect();
        if withheld == ["Inbox/a.md", "Plans/sub/b.md"] {
            break;
        }
        assert!(Instant::now() < deadline, "{withheld:?}");
    }
    // Also at a look that nothing new is a reason for.
    assert_eq!(fixture.scan().unwrap().withheld.len(), 2);
    fs::remove_file(fixture.file("Inbox/a.md")).unwrap();
    fixture.write("Inbox/a.md", "Inbox/a.md\n");
    fs::remove_file(fixture.file("Plans/sub")).unwrap();
    fs::rename(fixture.folder.path().join("sub"), fixture.file("Plans/sub")).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while !fixture.scan().unwrap().withheld.is_empty() {
        assert!(Instant::now() < deadline);
    }
    assert_eq!(fixture.edits(), []);
}

/// A link that was never synced is reported with what to do, until it is gone.
#[test]
fn scan_withholds_new_links() {
    let mut fixture = Fixture::watched(&["Inbox/a.md"]);
    let links = ["Inbox/folder", "Inbox/link.md"];
    for link in links.iter().chain(&["Inbox/link.exe"]) {
        std::os::unix::fs::symlink("a.md", fixture.file(link)).unwrap();
    }
    let deadline = Instant::now() + DEADLINE;
    loop {
        let edits = fixture.scan().unwrap();
        assert!(edits.files.is_empty(), "{edits:?}");
        let reasons: Vec<_> = edits.withheld.iter().map(|held| &held.reason).collect();
        let expected = links.map(|link| {
            let name = link.trim_start_matches("Inbox/");
            format!(
                "{link} is refused: `{name}` is a symbolic link, which could lead out of the \
                 vault; put the file or folder itself there"
            )
        });
        if reasons == expected.iter().collect::<Vec<_>>() {
            break;
        }
        assert!(Instant::now() < deadline, "{reasons:?}");
    }
    // Also at a look that nothing new is a reason for.
    assert_eq!(fixture.scan().unwrap().withheld.len(), 2);
    for link in links {
        fs::remove_file(fixture.file(link)).unwrap();
    }
    let deadline = Instant::now() + DEADLINE;
    while !fixture.scan().unwrap().withheld.is_empty() {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn scan_finds_files_and_folders_that_swap_places() {
    let mut fixture = Fixture::watched(&["Inbox/x.md", "Plans/y.md/z.md"]);
    fs::remove_file(fixture.file("Inbox/x.md")).unwrap();
    fixture.write("Inbox/x.md/below.md", "below\n");
    fs::remove_dir_all(fixture.file("Plans/y.md")).unwrap();
    fixture.write("Plans/y.md", "file\n");
    fixture.edits_become(&[
        ("Inbox/x.md", None),
        ("Inbox/x.md/below.md", Some(oid("below\n"))),
        ("Plans/y.md", Some(oid("file\n"))),
        ("Plans/y.md/z.md", None),
    ]);
}

#[test]
fn background_rescan_reaches_every_folder() {
    let mut fixture = Fixture::new();
    fixture.state.folders = (0..250).map(|n| format!("Inbox/{n:03}")).collect();
    let mut turns: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        assert!(
            fixture.state.background_rescan().is_empty(),
            "before its time"
        );
        let (_, at) = &mut fixture.state.background;
        *at = at.checked_sub(BACKGROUND_RESCAN.1).unwrap();
        for folder in fixture.state.background_rescan() {
            *turns.entry(folder).or_default() += 1;
        }
    }
    // Three at a time: each once in 84 minutes.
    assert_eq!(turns.len(), 250);
    assert!(turns.values().all(|count| (1..=2).contains(count)));
}

#[test]
fn background_rescan_makes_good_a_lost_event() {
    let mut fixture = Fixture::watched(&["Inbox/a.md", "Inbox/sub/b.md"]);
    fixture._watch = None;
    let dirty = DirtyPaths::new();
    // A watcher that is there, and hears nothing.
    let elsewhere = tempfile::tempdir().unwrap();
    let (watch, _) = Watch::gather(elsewhere.path(), &dirty).unwrap();
    fixture.state.watched_by(dirty);
    fixture._watch = Some(watch);
    let deadline = Instant::now() + DEADLINE;
    while fixture.state.scan_all || !fixture.state.pending.is_empty() {
        assert!(Instant::now() < deadline);
        assert_eq!(fixture.edits(), []);
    }
    fixture.write("Inbox/sub/b.md", "unheard of\n");
    assert_eq!(fixture.edits(), []);
    let deadline = Instant::now() + DEADLINE;
    while fixture.edits().is_empty() {
        assert!(Instant::now() < deadline);
        let (_, at) = &mut fixture.state.background;
        *at = at.checked_sub(BACKGROUND_RESCAN.1).unwrap();
    }
}

#[test]
fn scan_after_a_sleep_reads_everything() {
    let mut fixture = Fixture::watched(&["Inbox/a.md"]);
    assert!(!fixture.state.has_slept());
    fixture.state.clocks.0 = SystemTime::now() - 2 * ASLEEP;
    assert!(fixture.state.has_slept());
    assert!(!fixture.state.has_slept());
}

/// The owner says that the deletions are meant.
fn accept(fixture: &Fixture) {
    accept_deletions(fixture.repo.git_dir()).unwrap();
}

/// What a full scan finds that knows nothing.
fn afresh(fixture: &Fixture) -> Vec<(String, Option<Oid>)> {
    let nowhere = fixture.folder.path().join("nowhere");
    fs::create_dir_all(&nowhere).unwrap();
    accept_deletions(&nowhere).unwrap();
    let mut state = ScanState::new(&nowhere);
    let sources = (&fixture.vault, &fixture.repo, &AcceptAll as &dyn FileFilter);
    let (edits, _) = state
        .scan(sources, fixture.base, &mut std::iter::empty())
        .unwrap();
    let files = edits.files.into_iter();
    files.map(|(path, blob)| (path.to_string(), blob)).collect()
}

/// Reading where something changed finds what reading everything finds.
#[test]
fn partial_scan_equals_full_scan() {
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
        let mut fixture = Fixture::watched(&all);
        // So that the vault is never empty.
        fixture.write("Plans/stays.md", "here\n");
        for step in 0..60 {
            let one = fixture.file(&names[rng.random_range(0..names.len())]);
            let other = fixture.file(&names[rng.random_range(0..names.len())]);
            let folder = one.parent().unwrap().to_owned();
            // Each may fail: there may be nothing, or something in the way.
            drop(match rng.random_range(0..8) {
                0..3 => {
                    fs::create_dir_all(&folder).and_then(|()| fs::write(&one, format!("{step}")))
                }
                3 => fs::remove_file(&one),
                4 => fs::rename(&one, &other),
                5 => fs::rename(&folder, fixture.file(&format!("Inbox/moved {step}"))),
                6 => fs::remove_dir_all(&folder),
                _ => fs::create_dir_all(fixture.file(&format!("Inbox/new {step}/deep"))).and_then(
                    |()| {
                        let new = fixture.file(&format!("Inbox/new {step}/deep/{step}.md"));
                        fs::write(new, format!("{step}"))
                    },
                ),
            });
            if rng.random_bool(0.1) {
                accept(&fixture);
                fixture.sync();
            }
        }
        let deadline = Instant::now() + DEADLINE;
        loop {
            accept(&fixture);
            let (here, everywhere) = (fixture.edits(), afresh(&fixture));
            if here == everywhere {
                break;
            }
            let late = Instant::now() > deadline;
            assert!(!late, "seed {seed}: {here:?} and not {everywhere:?}");
        }
    }
}

mod apply;
mod moves;
mod withheld;
