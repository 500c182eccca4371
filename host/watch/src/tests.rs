//! Tests on real folders, each wait with a deadline.

use std::fs;

use notify::event::{AccessKind, AccessMode, DataChange, Flag, ModifyKind, RenameMode};
use notify::{Event, EventKind};
use tempfile::TempDir;

use super::*;

/// Longer than any event takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long it has to be quiet to be called quiet.
const QUIET: Duration = Duration::from_millis(600);

fn watched() -> (TempDir, Watch, WakeUps) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("Inbox")).unwrap();
    fs::write(folder.path().join("Inbox/old.md"), "old").unwrap();
    let (watch, wake_ups) = Watch::start(folder.path()).unwrap();
    (folder, watch, wake_ups)
}

/// Takes the wake-ups of what was done before, until it is quiet.
async fn settle(wake_ups: &mut WakeUps) {
    while wake_ups.wait(QUIET).await == Wake::Changed {}
}

#[tokio::test]
async fn writing_renaming_and_removing_a_file_wake() {
    let (folder, _watch, mut wake_ups) = watched();
    let path = folder.path().join("Inbox/new.md");
    let moved = folder.path().join("Inbox/moved.md");
    for step in 0..4 {
        match step {
            0 => fs::write(&path, "one").unwrap(),
            1 => fs::write(&path, "two").unwrap(),
            2 => fs::rename(&path, &moved).unwrap(),
            _ => fs::remove_file(&moved).unwrap(),
        }
        assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed, "step {step}");
        settle(&mut wake_ups).await;
    }
}

#[tokio::test]
async fn files_in_folders_made_later_wake_however_deep() {
    let (folder, _watch, mut wake_ups) = watched();
    let deep = folder.path().join("Done/2026/11");
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    settle(&mut wake_ups).await;
    fs::write(deep.join("task.md"), "done").unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    settle(&mut wake_ups).await;
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("moved")).unwrap();
    fs::rename(
        outside.path().join("moved"),
        folder.path().join("Inbox/moved"),
    )
    .unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    settle(&mut wake_ups).await;
    fs::write(folder.path().join("Inbox/moved/a.md"), "a").unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

#[tokio::test]
async fn a_new_folder_wakes_twice_so_that_what_was_put_in_at_once_is_seen() {
    let (ears, mut wake_ups) = Ears::new("/vault".into());
    let created = EventKind::Create(notify::event::CreateKind::Folder);
    ears.hear(Ok(Event::new(created).add_path("/vault/Inbox/new".into())));
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::Changed);
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::TimedOut);
}

#[tokio::test]
async fn reading_and_unfinished_files_wake_nobody() {
    let (folder, _watch, mut wake_ups) = watched();
    settle(&mut wake_ups).await;
    for _ in 0..50 {
        fs::read(folder.path().join("Inbox/old.md")).unwrap();
        assert_eq!(
            fs::read_dir(folder.path().join("Inbox")).unwrap().count(),
            1
        );
    }
    let temp = folder.path().join("Inbox/.platinum-tmp-1-2-3");
    fs::write(&temp, "half").unwrap();
    fs::remove_file(&temp).unwrap();
    fs::create_dir(folder.path().join(".obsidian")).unwrap();
    fs::write(folder.path().join(".obsidian/workspace.json"), "{}").unwrap();
    assert_eq!(wake_ups.wait(QUIET).await, Wake::TimedOut);
    // An unfinished file that takes its place does wake.
    fs::write(&temp, "whole").unwrap();
    fs::rename(&temp, folder.path().join("Inbox/note.md")).unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

#[tokio::test]
async fn many_changes_are_one_wake_up_for_each_who_waits() {
    let (ears, mut wake_ups) = Ears::new("/vault".into());
    let mut other = wake_ups.clone();
    for _ in 0..100 {
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Content));
        ears.hear(Ok(Event::new(written).add_path("/vault/Inbox/a.md".into())));
    }
    for waiting in [&mut wake_ups, &mut other] {
        assert_eq!(waiting.wait(DEADLINE).await, Wake::Changed);
        assert_eq!(waiting.wait(Duration::ZERO).await, Wake::TimedOut);
    }
}

#[tokio::test]
async fn an_overflow_and_an_error_wake_too() {
    let (ears, mut wake_ups) = Ears::new("/vault".into());
    ears.hear(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    settle(&mut wake_ups).await;
    ears.hear(Err(notify::Error::generic("lost")));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    let exhausted = ears.hear(Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
    assert!(matches!(exhausted, Heard::Exhausted(_)));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

#[test]
fn what_is_news_is_told_from_what_is_not() {
    let (ears, _wake_ups) = Ears::new("/vault".into());
    let close = |mode| EventKind::Access(AccessKind::Close(mode));
    let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let rename = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
    let note = "/vault/Inbox/a.md";
    let temp = "/vault/Inbox/.platinum-tmp-1";
    for (kind, paths, news) in [
        (open, vec![note], false),
        (EventKind::Access(AccessKind::Read), vec![note], false),
        (close(AccessMode::Read), vec![note], false),
        (close(AccessMode::Write), vec![note], true),
        (close(AccessMode::Write), vec![temp], false),
        (rename, vec![temp, note], true),
        (rename, vec!["/vault/.git/a", "/vault/.git/b"], false),
        (EventKind::Any, vec![], true),
        (EventKind::Any, vec!["/elsewhere/.hidden"], true),
    ] {
        let event = paths
            .iter()
            .fold(Event::new(kind), |e, path| e.add_path(path.into()));
        assert_eq!(
            matches!(ears.hear(Ok(event)), Heard::News),
            news,
            "{kind:?} {paths:?}"
        );
    }
}

#[tokio::test]
async fn without_events_from_the_system_polling_wakes() {
    let folder = tempfile::tempdir().unwrap();
    let exhausted: Native = |_, _| Err(notify::Error::new(ErrorKind::MaxFilesWatch));
    let (watch, mut wake_ups) = Watch::start_with(folder.path(), exhausted).unwrap();
    assert!(watch.is_polling());
    fs::write(folder.path().join("a.md"), "a").unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

#[tokio::test]
async fn a_dropped_watch_closes_its_wake_ups() {
    let (_folder, watch, mut wake_ups) = watched();
    assert!(!watch.is_polling());
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::TimedOut);
    drop(watch);
    let mut last = Wake::Changed;
    while last == Wake::Changed {
        last = wake_ups.wait(DEADLINE).await;
    }
    assert_eq!(last, Wake::Closed);
}

#[test]
fn what_is_no_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.md");
    fs::write(&file, "").unwrap();
    for root in [file, folder.path().join("missing")] {
        assert!(matches!(Watch::start(&root), Err(WatchError::Root { .. })));
    }
}
