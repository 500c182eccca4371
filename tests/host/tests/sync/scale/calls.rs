//! File system calls outside the folders that changed: there are none, as `strace` sees it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::runtime::Runtime;

use crate::scale::fixture::{Daemon, child_process, folder_of, generate, given_folder};

const NOTES: usize = 3_000;
/// The test below.
const NAME: &str = "scale::calls::sync_of_a_changed_note_reads_only_its_folder";
/// The note that changes.
const CHANGED: usize = 1_250;
/// Names that are in no vault, looked for to mark a place among the calls.
const MARKS: [&str; 2] = ["/platinum-the-change-begins", "/platinum-the-change-ended"];

#[test]
fn sync_of_a_changed_note_reads_only_its_folder() {
    if let Some(folder) = given_folder() {
        return Runtime::new()
            .unwrap()
            .block_on(change_between_two_marks(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), NOTES);
    let calls = folder.path().join("calls");
    let child = || child_process(NAME, folder.path());
    // Once without being watched: the first daemon reads everything.
    assert!(child().status().unwrap().success());
    let child = child();
    let ran = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=%file,getdents64,fstat,read", "-o"])
        .arg(&calls)
        .arg(child.get_program())
        .args(child.get_args())
        .envs(child.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .output()
        .unwrap_or_else(|error| panic!("strace is needed for this test: {error}"));
    let output = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{output}\n{errors}");

    let calls = fs::read_to_string(&calls).unwrap();
    let all: Vec<&str> = calls.lines().collect();
    let mark = |text: &str| all.iter().position(|call| call.contains(text)).unwrap();
    let between = &all[mark(MARKS[0]) + 1..mark(MARKS[1])];
    let root = folder.path().canonicalize().unwrap().join("vault");
    let touched: Vec<(PathBuf, &str)> = between
        .iter()
        .flat_map(|call| paths_of(call).into_iter().map(|path| (path, *call)))
        .filter(|(path, _)| path.starts_with(&root))
        .collect();
    // The change itself is among them, so this does see calls.
    let changed = root.join(folder_of(CHANGED));
    let note = changed.join(format!("note {CHANGED}.md"));
    assert!(touched.iter().any(|(path, _)| *path == note), "{between:?}");
    for (path, call) in &touched {
        let on_the_way = changed.starts_with(path) && !call.contains("getdents");
        let inside = path.starts_with(&changed);
        assert!(inside || on_the_way, "{call}");
    }
    // Of the other notes of its folder none is looked at either.
    let notes: BTreeSet<&Path> = touched
        .iter()
        .map(|(path, _)| path.as_path())
        .filter(|path| path.extension().is_some())
        .collect();
    assert_eq!(notes, BTreeSet::from([note.as_path()]));
    assert!(touched.len() < 150, "{} calls: {touched:#?}", touched.len());
}

/// What is traced, in a process of its own.
async fn change_between_two_marks(folder: &Path) {
    let mut daemon = Daemon::start(folder);
    daemon.calm_down().await;
    assert!(!Path::new(MARKS[0]).exists());
    let text = format!("changed by {}\n", std::process::id());
    let (report, _) = daemon.change(CHANGED, &text).await;
    assert!(!Path::new(MARKS[1]).exists());
    assert_eq!(report.pushed, 1);
}

/// The paths that a line of `strace -y` names: those of its open files, and of its arguments, which
/// are relative to the first of those.
fn paths_of(call: &str) -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = Vec::new();
    for part in call.split('<').skip(1) {
        if let Some((path, _)) = part.split_once('>')
            && path.starts_with('/')
        {
            open.push(path.trim_end_matches(" (deleted)").into());
        }
    }
    let mut named = Vec::new();
    let folder = open.first().cloned().unwrap_or_default();
    for argument in call.split('"').skip(1).step_by(2) {
        match argument {
            "." | "" => {}
            // The bytes that were read are no path.
            _ if call.contains(" read(") => {}
            argument => named.push(folder.join(argument)),
        }
    }
    open.extend(named);
    open
}

#[test]
fn the_paths_of_a_call_are_found() {
    let open = r#"7 openat(5</v>, "Inbox", O_RDONLY|O_NOFOLLOW) = 6</v/Inbox>"#;
    assert_eq!(
        paths_of(open),
        ["/v", "/v/Inbox", "/v/Inbox"].map(PathBuf::from)
    );
    let absolute = r#"7 statx(AT_FDCWD, "/v/a.md", 0) = 0"#;
    assert_eq!(paths_of(absolute), ["/v/a.md"].map(PathBuf::from));
    let list = "7 getdents64(6</v/Inbox>, 0x1, 32768) = 80";
    assert_eq!(paths_of(list), ["/v/Inbox"].map(PathBuf::from));
    let read = r#"7 read(6</v/a.md>, "Inbox/b.md", 10) = 10"#;
    assert_eq!(paths_of(read), ["/v/a.md"].map(PathBuf::from));
}
