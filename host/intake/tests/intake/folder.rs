//! Dropped files, taken in once each, whatever happens between the steps.

use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
    path::PathBuf,
    time::Duration,
};

use platinum_core::{Role, ZoneId, layout};
use platinum_intake::{
    accounting::pdf::PdfReader,
    folder::{self, FolderSettings, FolderSource, source::MAX_FILE_BYTES},
    ledger::{Identity, Ledger},
    source::Source as _,
};
use platinum_vault::{
    Vault,
    note::{TaskNote, UpdateNote},
};

fn zones() -> Vec<ZoneId> {
    ["email", "social", "accounting"]
        .iter()
        .map(|zone| zone.parse().unwrap())
        .collect()
}

pub(crate) struct FolderFixture {
    dir: tempfile::TempDir,
    role: Role,
}

impl FolderFixture {
    pub(crate) fn new(role: Role) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in layout::FOLDERS {
            fs::create_dir_all(dir.path().join("vault").join(folder)).unwrap();
        }
        let fixture = Self { dir, role };
        drop(fixture.open());
        fixture
    }

    fn open(&self) -> FolderSource {
        FolderSource::open(FolderSettings {
            vault: self.dir.path().join("vault"),
            state: self.dir.path().join("state"),
            role: self.role,
            agent: self.role.as_str().parse().unwrap(),
            zones: zones(),
            facts: Vec::new(),
            default_zone: ZoneId::EMAIL,
            pdfs: PdfReader::Here,
            settled: Some(Duration::ZERO),
        })
        .unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("vault").join(path)
    }

    pub(crate) fn drop_file(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Polls once, as a new process.
    pub(crate) async fn poll(&self) -> usize {
        self.open().poll().await.unwrap()
    }

    fn vault(&self) -> Vault {
        Vault::open(&self.path("")).unwrap()
    }

    pub(crate) fn tasks(&self) -> Vec<TaskNote> {
        let vault = self.vault();
        let entries = vault.walk_in(layout::NEEDS_ACTION).unwrap();
        let tasks = entries.iter().filter_map(|entry| {
            let text = vault.read_text(&entry.path, 1 << 20).ok()?;
            let task = TaskNote::parse(&text).ok()?;
            assert_eq!(entry.path, layout::waiting(task.zone, task.id));
            Some(task)
        });
        let mut tasks: Vec<_> = tasks.collect();
        tasks.sort_by(|a, b| a.subject.cmp(&b.subject));
        tasks
    }

    fn reports(&self) -> Vec<String> {
        let vault = self.vault();
        let entries = vault.walk_in(layout::UPDATES).unwrap();
        let read = |path| UpdateNote::parse(&vault.read_text(path, 1 << 16).unwrap()).unwrap();
        entries
            .iter()
            .map(|entry| read(&entry.path).headline)
            .collect()
    }

    fn in_inbox(&self) -> Vec<String> {
        let entries = self.vault().list(layout::INBOX).unwrap();
        entries.iter().map(|entry| entry.path.to_string()).collect()
    }
}

/// A plain note, one with frontmatter, a PDF and odd names, in each of the places.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_files_become_tasks_of_their_zones() {
    let fixture = FolderFixture::new(Role::Local);
    fixture.drop_file("Inbox/a plain.md", b"Call Bob.\n");
    fixture.drop_file("Inbox/scan.pdf", b"%PDF\0\xff");
    fixture.drop_file(
        "Needs_Action/front.md",
        b"---\ntitle: b front\nzone: social\n---\nPost.\n",
    );
    fixture.drop_file("Needs_Action/social/c zone.txt", b"A post.\n");
    let odd = fixture
        .path("Needs_Action/email")
        .join(std::ffi::OsStr::from_bytes(b"d: odd\xe9?.md"));
    fs::create_dir_all(odd.parent().unwrap()).unwrap();
    fs::write(&odd, "Odd.\n").unwrap();
    assert_eq!(fixture.poll().await, 5);

    let tasks = fixture.tasks();
    let shown: Vec<_> = tasks
        .iter()
        .map(|task| (task.subject.as_str(), task.zone.to_string()))
        .collect();
    let zone = |zone: &str| zone.to_owned();
    assert_eq!(
        shown,
        [
            ("a plain", zone("email")),
            ("b front", zone("social")),
            ("c zone", zone("social")),
            ("d_ odd__", zone("email")),
            ("scan", zone("email")),
        ]
    );
    for task in &tasks {
        let kept = task.fact("file")[0].parse().unwrap();
        assert!(fixture.vault().exists(&kept).unwrap(), "{kept}");
    }
    assert!(tasks[0].body.contains("Call Bob."));
    assert_eq!(fixture.in_inbox(), Vec::<String>::new());
    assert_eq!(fixture.poll().await, 0);
    assert_eq!(fixture.reports(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn handbook_rule_decides_where_nothing_else_does() {
    let fixture = FolderFixture::new(Role::Local);
    fixture.drop_file(layout::HANDBOOK, b"## Zones\n- invoice: accounting\n");
    fixture.drop_file("Inbox/Invoice 7.md", b"Pay.\n");
    fixture.poll().await;
    assert_eq!(fixture.tasks()[0].zone.to_string(), "accounting");
}

#[tokio::test(flavor = "multi_thread")]
async fn same_bytes_twice_are_one_task_and_reported() {
    let fixture = FolderFixture::new(Role::Local);
    fixture.drop_file("Inbox/a.md", b"Call Bob.\n");
    assert_eq!(fixture.poll().await, 1);
    fixture.drop_file("Needs_Action/b.md", b"Call Bob.\n");
    assert_eq!(fixture.poll().await, 0);
    let tasks = fixture.tasks();
    assert_eq!(tasks.len(), 1);
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains(&format!("same content as the task {}", tasks[0].id)),
        "{reports:?}"
    );
    // Nothing is lost.
    let kept = format!("Inbox/attachments/{}/b.md", tasks[0].id);
    assert_eq!(fs::read(fixture.path(&kept)).unwrap(), b"Call Bob.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_too_large_stays_and_is_reported_once() {
    let fixture = FolderFixture::new(Role::Local);
    let file = fs::File::create(fixture.path("Inbox/film.mp4")).unwrap();
    file.set_len(MAX_FILE_BYTES + 1).unwrap();
    fixture.drop_file("Inbox/empty.md", b"");
    assert_eq!(fixture.poll().await, 0);
    assert_eq!(fixture.poll().await, 0);
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].starts_with("Inbox/film.mp4 is too large"),
        "{reports:?}"
    );
    assert_eq!(fixture.in_inbox(), ["Inbox/empty.md", "Inbox/film.mp4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn link_stays_and_is_reported_once() {
    let fixture = FolderFixture::new(Role::Local);
    let outside = tempfile::NamedTempFile::new().unwrap();
    for path in ["Inbox/scan.pdf", "Needs_Action/idea.md"] {
        symlink(outside.path(), fixture.path(path)).unwrap();
    }
    assert_eq!(fixture.poll().await, 0);
    assert_eq!(fixture.poll().await, 0);
    let mut reports = fixture.reports();
    reports.sort();
    let expected = ["Inbox/scan.pdf", "Needs_Action/idea.md"].map(|path| {
        format!(
            "{path} is a symbolic link and cannot become a task. It stays where it is; put the \
             file itself there."
        )
    });
    assert_eq!(reports, expected);
}

/// A note that names a zone that there is not is a question, and a task once it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn note_of_an_unknown_zone_is_asked_about_once() {
    let fixture = FolderFixture::new(Role::Local);
    let text = |zone: &str| format!("---\nzone: {zone}\n---\nPost it.\n").into_bytes();
    fixture.drop_file("Needs_Action/post.md", &text("socail"));
    fixture.drop_file("Needs_Action/other.md", b"Call Bob.\n");
    assert_eq!(fixture.poll().await, 1, "one stops no other");
    assert_eq!(fixture.poll().await, 0);
    assert_eq!(
        fixture.reports(),
        [
            "Needs_Action/post.md is left alone: there is no zone `socail`. Which is it? Write one of \
             email, social, accounting after `zone:` in it, or add [zones.…] to the configuration."
        ]
    );
    assert!(fixture.path("Needs_Action/post.md").exists());
    fixture.drop_file("Needs_Action/post.md", &text("social"));
    assert_eq!(fixture.poll().await, 1);
    assert_eq!(fixture.reports().len(), 1);

    // A cloud host leaves it to the owner's machine.
    let fixture = FolderFixture::new(Role::Cloud);
    fixture.drop_file("Needs_Action/post.md", &text("socail"));
    assert_eq!(fixture.poll().await, 0);
    assert_eq!(fixture.reports(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_of_no_zone_is_left_alone_and_reported_once() {
    let fixture = FolderFixture::new(Role::Local);
    fixture.drop_file("Needs_Action/projects/a.md", b"Build.\n");
    assert_eq!(fixture.poll().await, 0);
    assert_eq!(fixture.poll().await, 0);
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1);
    assert!(
        reports[0].contains("there is no zone `projects`"),
        "{reports:?}"
    );
    assert!(fixture.path("Needs_Action/projects/a.md").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn inbox_of_before_the_first_start_is_left_alone() {
    let fixture = FolderFixture::new(Role::Local);
    let other = FolderFixture {
        dir: tempfile::tempdir().unwrap(),
        role: Role::Local,
    };
    fs::create_dir_all(other.path("Inbox")).unwrap();
    other.drop_file("Inbox/old.md", b"Years ago.\n");
    other.drop_file("Needs_Action/new.md", b"Now.\n");
    assert_eq!(other.poll().await, 1);
    assert_eq!(other.in_inbox(), ["Inbox/old.md"]);
    // An edit makes it another.
    other.drop_file("Inbox/old.md", b"Again, and more.\n");
    assert_eq!(other.poll().await, 1);
    drop(fixture);
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_still_changes_is_waited_for() {
    let fixture = FolderFixture::new(Role::Local);
    let settings = FolderSettings {
        vault: fixture.path(""),
        state: fixture.dir.path().join("state"),
        role: Role::Local,
        agent: "local".parse().unwrap(),
        zones: zones(),
        facts: Vec::new(),
        default_zone: ZoneId::EMAIL,
        pdfs: PdfReader::Here,
        settled: Some(Duration::from_millis(300)),
    };
    let mut source = FolderSource::open(settings).unwrap();
    for length in 1..5 {
        fixture.drop_file("Inbox/a.md", &vec![b'x'; length]);
        assert_eq!(source.poll().await.unwrap(), 0);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(source.poll().await.unwrap(), 1);
    assert!(fixture.tasks()[0].body.contains("\nxxxx\n"));
}

/// Killed after the ledger and before the note, and after the note and before the move.
#[tokio::test(flavor = "multi_thread")]
async fn pass_that_was_cut_short_is_finished_by_the_next() {
    let fixture = FolderFixture::new(Role::Local);
    fixture.drop_file("Inbox/a.md", b"Call Bob.\n");
    fixture.poll().await;
    let task = fixture.tasks().remove(0);
    let kept = fixture.path(&task.fact("file")[0]);
    // The file was not moved yet.
    fs::rename(&kept, fixture.path("Inbox/a.md")).unwrap();
    assert_eq!(fixture.poll().await, 0);
    assert!(kept.exists());
    assert_eq!(fixture.tasks().len(), 1);
    assert_eq!(fixture.reports(), Vec::<String>::new());
    // The note was chosen and not written.
    let other = FolderFixture::new(Role::Local);
    let mut ledger = Ledger::open(&other.dir.path().join("state/folder.sqlite")).unwrap();
    let identity = Identity {
        key: "k".to_owned(),
        identity: "i".to_owned(),
        content: "i".to_owned(),
    };
    ledger.choose(&identity, task.id, &task.render()).unwrap();
    drop(ledger);
    other.poll().await;
    assert_eq!(other.tasks(), [task]);
}

/// The cloud takes in what waits in `Needs_Action/`, changes nothing else, and makes the task that
/// the owner's machine would make.
#[tokio::test(flavor = "multi_thread")]
async fn cloud_creates_the_same_task_and_leaves_the_file() {
    let (cloud, local) = (
        FolderFixture::new(Role::Cloud),
        FolderFixture::new(Role::Local),
    );
    for fixture in [&cloud, &local] {
        fixture.drop_file("Needs_Action/email/a.md", b"Call Bob.\n");
        fixture.drop_file("Inbox/b.md", b"Not in Needs_Action.\n");
    }
    assert_eq!((cloud.poll().await, local.poll().await), (1, 2));
    assert_eq!(cloud.poll().await, 0);
    let [task] = cloud.tasks().try_into().unwrap();
    assert!(local.tasks().iter().any(|other| other.id == task.id));
    assert!(cloud.path("Needs_Action/email/a.md").exists());
    assert_eq!(cloud.in_inbox(), ["Inbox/b.md"]);

    // The owner's machine comes back: it finds the task, and moves the file alone.
    let back = FolderFixture::new(Role::Local);
    back.drop_file("Needs_Action/email/a.md", b"Call Bob.\n");
    back.drop_file(
        &format!("In_Progress/cloud/{}.md", task.id),
        task.render().as_bytes(),
    );
    back.poll().await;
    assert_eq!(back.tasks(), []);
    assert!(back.path(&task.fact("file")[0]).exists());
}

/// A file in the place of the zone's folder becomes a task like any other, and keeps none away.
#[tokio::test(flavor = "multi_thread")]
async fn file_named_like_the_zone_becomes_a_task() {
    let fixture = FolderFixture::new(Role::Local);
    let folder = fixture.path("Needs_Action/email");
    if folder.exists() {
        fs::remove_dir(&folder).unwrap();
    }
    let mut source = fixture.open();
    fixture.drop_file("Needs_Action/a.md", b"Call Ann.\n");
    fixture.drop_file("Needs_Action/email", b"Call Eve.\n");
    fixture.drop_file("Needs_Action/z.md", b"Call Zoe.\n");
    for _ in 0..4 {
        source.poll().await.unwrap();
    }
    assert_eq!(fixture.tasks().len(), 3);
    assert_eq!(fixture.reports(), Vec::<String>::new());
    for name in ["a.md", "z.md"] {
        assert!(!fixture.path(&format!("Needs_Action/{name}")).exists());
    }
}

/// What cannot be moved or written is reported once and tried again; the others are taken in.
#[tokio::test(flavor = "multi_thread")]
async fn file_that_cannot_be_taken_in_stops_no_other() {
    let fixture = FolderFixture::new(Role::Local);
    let mut source = fixture.open();
    fixture.drop_file("Inbox/a.md", b"Call Ann.\n");
    fixture.drop_file("Inbox/z.md", b"Call Zoe.\n");
    // Where the first goes there is a file.
    let bad = format!(
        "Inbox/attachments/{}",
        folder::task::task_id(b"Call Ann.\n")
    );
    fixture.drop_file(&bad, b"in the way");
    for _ in 0..4 {
        source.poll().await.unwrap();
    }
    let reports = fixture.reports();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(
        reports[0].starts_with("The dropped file Inbox/a.md waits, and is tried again: ")
            && reports[0].contains("is not a folder"),
        "{reports:?}"
    );
    assert!(!fixture.path("Inbox/z.md").exists());
    fs::remove_file(fixture.path(&bad)).unwrap();
    source.poll().await.unwrap();
    assert!(!fixture.path("Inbox/a.md").exists());
    let tasks = fixture.tasks();
    assert_eq!(tasks.len(), 2);
}
