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
async fn drain(wake_ups: &mut WakeUps) {
    while wake_ups.wait(QUIET).await == Wake::Changed {}
}

#[tokio::test]
async fn watch_write_rename_and_remove_wake() {
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
        drain(&mut wake_ups).await;
    }
}

#[tokio::test]
async fn watch_files_in_new_deep_folders_wake() {
    let (folder, _watch, mut wake_ups) = watched();
    let deep = folder.path().join("Done/2026/11");
    fs::create_dir_all(&deep).unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    drain(&mut wake_ups).await;
    fs::write(deep.join("task.md"), "done").unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    drain(&mut wake_ups).await;
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("moved")).unwrap();
    fs::rename(
        outside.path().join("moved"),
        folder.path().join("Inbox/moved"),
    )
    .unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    drain(&mut wake_ups).await;
    fs::write(folder.path().join("Inbox/moved/a.md"), "a").unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

/// A new folder wakes twice so that what was put in at once is seen.
#[tokio::test]
async fn watch_new_folder_wakes_again_later() {
    let (filter, mut wake_ups) = EventFilter::new("/vault".into(), &DirtyPaths::new());
    let created = EventKind::Create(notify::event::CreateKind::Folder);
    filter.on_event(Ok(Event::new(created).add_path("/vault/Inbox/new".into())));
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::Changed);
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::TimedOut);
}

#[tokio::test]
async fn watch_reads_and_temporary_files_do_not_wake() {
    let (folder, _watch, mut wake_ups) = watched();
    drain(&mut wake_ups).await;
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
async fn watch_many_changes_wake_each_waiter_once() {
    let (filter, mut wake_ups) = EventFilter::new("/vault".into(), &DirtyPaths::new());
    let mut other = wake_ups.clone();
    for _ in 0..100 {
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Content));
        filter.on_event(Ok(Event::new(written).add_path("/vault/Inbox/a.md".into())));
    }
    for waiting in [&mut wake_ups, &mut other] {
        assert_eq!(waiting.wait(DEADLINE).await, Wake::Changed);
        assert_eq!(waiting.wait(Duration::ZERO).await, Wake::TimedOut);
    }
}

#[tokio::test]
async fn watch_overflow_and_error_wake() {
    let (filter, mut wake_ups) = EventFilter::new("/vault".into(), &DirtyPaths::new());
    filter.on_event(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    drain(&mut wake_ups).await;
    filter.on_event(Err(notify::Error::generic("lost")));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    let exhausted = filter.on_event(Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
    assert!(matches!(exhausted, Handled::Exhausted(_)));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

#[test]
fn filter_accepts_only_events_that_matter() {
    let (filter, _wake_ups) = EventFilter::new("/vault".into(), &DirtyPaths::new());
    let close = |mode| EventKind::Access(AccessKind::Close(mode));
    let open = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let rename = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
    let note = "/vault/Inbox/a.md";
    let temp = "/vault/Inbox/.platinum-tmp-1";
    for (kind, paths, wakes) in [
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
            matches!(filter.on_event(Ok(event)), Handled::Woken),
            wakes,
            "{kind:?} {paths:?}"
        );
    }
}

#[tokio::test]
async fn watch_without_system_events_polls() {
    let folder = tempfile::tempdir().unwrap();
    let exhausted: Native = |_, _| Err(notify::Error::new(ErrorKind::MaxFilesWatch));
    let (watch, mut wake_ups) =
        Watch::start_with(folder.path(), &DirtyPaths::new(), exhausted).unwrap();
    assert!(watch.is_polling());
    fs::write(folder.path().join("a.md"), "a").unwrap();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
}

#[tokio::test]
async fn watch_dropped_closes_its_wake_ups() {
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
fn watch_path_that_is_no_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.md");
    fs::write(&file, "").unwrap();
    for root in [file, folder.path().join("missing")] {
        assert!(matches!(Watch::start(&root), Err(WatchError::Root { .. })));
    }
}

/// Takes what changed until it contains the path.
fn takes(dirty: &DirtyPaths, path: &str) -> Option<DirtyPath> {
    let deadline = std::time::Instant::now() + DEADLINE;
    while std::time::Instant::now() < deadline {
        if let Changes::Paths(paths) = dirty.take()
            && let Some(found) = paths.into_iter().find(|touched| touched.path == path)
        {
            return Some(found);
        }
        std::thread::yield_now();
    }
    None
}

/// What was written renamed and removed is named and nothing hidden is.
#[test]
fn dirty_names_changed_files_but_no_hidden_ones() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("Inbox")).unwrap();
    fs::write(root.join("Inbox/old.md"), "old").unwrap();
    let dirty = DirtyPaths::new();
    let (_watch, _wake_ups) = Watch::gather(root, &dirty).unwrap();
    assert_eq!(dirty.take(), Changes::Everything);

    fs::write(root.join("Inbox/.platinum-tmp-1"), "half").unwrap();
    fs::rename(
        root.join("Inbox/.platinum-tmp-1"),
        root.join("Inbox/new.md"),
    )
    .unwrap();
    let found = takes(&dirty, "Inbox/new.md").unwrap();
    assert!(!found.below);
    fs::rename(root.join("Inbox/old.md"), root.join("Inbox/moved.md")).unwrap();
    assert!(takes(&dirty, "Inbox/moved.md").is_some());
    fs::remove_file(root.join("Inbox/moved.md")).unwrap();
    assert!(takes(&dirty, "Inbox/moved.md").is_some());
    fs::create_dir(root.join("Inbox/.obsidian")).unwrap();
    fs::write(root.join("Inbox/.obsidian/a.md"), "a").unwrap();
    fs::write(root.join("Inbox/last.md"), "last").unwrap();
    let mut named = vec![];
    let deadline = std::time::Instant::now() + DEADLINE;
    while !named.contains(&"Inbox/last.md".to_owned()) {
        assert!(std::time::Instant::now() < deadline, "{named:?}");
        if let Changes::Paths(paths) = dirty.take() {
            named.extend(paths.into_iter().map(|touched| touched.path));
        }
    }
    named.retain(|path| path != "Inbox/last.md");
    // The end of what was done before may still come in.
    named.retain(|path| path != "Inbox/moved.md");
    assert_eq!(named, Vec::<String>::new());
}

/// A new folder is meant with all below it and once more later.
#[test]
fn dirty_new_folder_is_deep_and_repeated_later() {
    let folder = tempfile::tempdir().unwrap();
    let dirty = DirtyPaths::new();
    let (_watch, _wake_ups) = Watch::gather(folder.path(), &dirty).unwrap();
    assert_eq!(dirty.take(), Changes::Everything);
    fs::create_dir_all(folder.path().join("Inbox/deep")).unwrap();
    for _ in 0..2 {
        assert!(takes(&dirty, "Inbox").unwrap().below);
    }
}

/// An overflow an error and an event without a path are everything.
#[test]
fn dirty_overflow_error_and_pathless_are_everything() {
    let dirty = DirtyPaths::new();
    let (filter, _wake_ups) = EventFilter::new("/vault".into(), &dirty);
    filter.attach();
    assert_eq!(dirty.take(), Changes::Everything);
    let gone = EventKind::Remove(notify::event::RemoveKind::Folder);
    for event in [
        Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)),
        Ok(Event::new(EventKind::Any)),
        Ok(Event::new(EventKind::Any).add_path("/elsewhere".into())),
        Ok(Event::new(gone).add_path("/vault".into())),
        Err(notify::Error::generic("lost")),
    ] {
        filter.on_event(event);
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }
}

#[tokio::test]
async fn watch_delayed_path_wakes_when_due() {
    let dirty = DirtyPaths::new();
    let (filter, mut wake_ups) = EventFilter::new("/vault".into(), &dirty);
    filter.attach();
    dirty.take();
    for name in ["a", "b", "c"] {
        let path = format!("Inbox/{name}.md");
        dirty.mark_after(&path, Duration::from_millis(100));
    }
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::TimedOut);
    let began = std::time::Instant::now();
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    assert!(began.elapsed() >= Duration::from_millis(50));
    // All three are due by the end of the slot they share.
    while wake_ups.wait(QUIET).await == Wake::Changed {}
    let Changes::Paths(paths) = dirty.take() else {
        panic!("everything");
    };
    assert_eq!(paths.len(), 3);
}

#[tokio::test]
async fn watch_end_closes_waits_while_paths_are_held() {
    let folder = tempfile::tempdir().unwrap();
    let dirty = DirtyPaths::new();
    let (watch, mut wake_ups) = Watch::gather(folder.path(), &dirty).unwrap();
    drop(watch);
    while wake_ups.wait(DEADLINE).await != Wake::Closed {}
    assert_eq!(dirty.take(), Changes::Everything);
    assert_eq!(dirty.take(), Changes::Everything);
}

/// A folder that cannot be read is named once and nothing else is.
#[tokio::test]
async fn watch_unreadable_folder_is_reported_once() {
    let dirty = DirtyPaths::new();
    let (filter, mut wake_ups) = EventFilter::new("/vault".into(), &dirty);
    filter.attach();
    dirty.take();
    let denied = || {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        Err(notify::Error::io(denied).add_path("/vault/Inbox/closed".into()))
    };
    assert!(matches!(filter.on_event(denied()), Handled::Woken));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    let Changes::Paths(paths) = dirty.take() else {
        panic!("everything");
    };
    assert_eq!(paths.len(), 1);
    assert_eq!(paths[0].path, "Inbox/closed");
    // As a poller does every two seconds.
    assert!(matches!(filter.on_event(denied()), Handled::Ignored));
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::TimedOut);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dirty_tells_a_replaced_file_from_an_edited_one() {
    let folder = tempfile::tempdir().unwrap();
    let dirty = DirtyPaths::new();
    let (_watch, mut wake_ups) = Watch::gather(folder.path(), &dirty).unwrap();
    assert_eq!(dirty.take(), Changes::Everything);
    let path = folder.path().join("note.md");
    let new = folder.path().join(".note.md.new");
    for (is_moved, text) in [(true, "one"), (false, "two"), (true, "three")] {
        match is_moved {
            true => {
                fs::write(&new, text).unwrap();
                fs::rename(&new, &path).unwrap();
            }
            false => fs::write(&path, text).unwrap(),
        }
        assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
        drain(&mut wake_ups).await;
        let touched = DirtyPath {
            path: "note.md".to_owned(),
            below: false,
            arrived: is_moved,
        };
        assert_eq!(dirty.take(), Changes::Paths(vec![touched]), "{text}");
    }
}
