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
    let (ears, mut wake_ups) = Ears::new("/vault".into(), &Dirty::new());
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
    let (ears, mut wake_ups) = Ears::new("/vault".into(), &Dirty::new());
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
    let (ears, mut wake_ups) = Ears::new("/vault".into(), &Dirty::new());
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
    let (ears, _wake_ups) = Ears::new("/vault".into(), &Dirty::new());
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
    let (watch, mut wake_ups) = Watch::start_with(folder.path(), &Dirty::new(), exhausted).unwrap();
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

/// Takes what changed until it contains the path.
fn takes(dirty: &Dirty, path: &str) -> Option<Touched> {
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

#[test]
fn what_was_written_renamed_and_removed_is_named_and_nothing_hidden_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("Inbox")).unwrap();
    fs::write(root.join("Inbox/old.md"), "old").unwrap();
    let dirty = Dirty::new();
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

#[test]
fn a_new_folder_is_meant_with_all_below_it_and_once_more_later() {
    let folder = tempfile::tempdir().unwrap();
    let dirty = Dirty::new();
    let (_watch, _wake_ups) = Watch::gather(folder.path(), &dirty).unwrap();
    assert_eq!(dirty.take(), Changes::Everything);
    fs::create_dir_all(folder.path().join("Inbox/deep")).unwrap();
    for _ in 0..2 {
        assert!(takes(&dirty, "Inbox").unwrap().below);
    }
}

#[test]
fn an_overflow_an_error_and_an_event_without_a_path_are_everything() {
    let dirty = Dirty::new();
    let (ears, _wake_ups) = Ears::new("/vault".into(), &dirty);
    dirty.attach(&ears);
    assert_eq!(dirty.take(), Changes::Everything);
    let gone = EventKind::Remove(notify::event::RemoveKind::Folder);
    for event in [
        Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)),
        Ok(Event::new(EventKind::Any)),
        Ok(Event::new(EventKind::Any).add_path("/elsewhere".into())),
        Ok(Event::new(gone).add_path("/vault".into())),
        Err(notify::Error::generic("lost")),
    ] {
        ears.hear(event);
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }
}

#[tokio::test]
async fn a_path_to_look_at_again_wakes_when_it_is_due_and_not_before() {
    let dirty = Dirty::new();
    let (ears, mut wake_ups) = Ears::new("/vault".into(), &dirty);
    dirty.attach(&ears);
    dirty.take();
    for name in ["a", "b", "c"] {
        let path = format!("Inbox/{name}.md");
        dirty.look_again(&path, Duration::from_millis(100));
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
async fn the_end_of_a_watch_ends_the_waits_though_the_paths_are_still_held() {
    let folder = tempfile::tempdir().unwrap();
    let dirty = Dirty::new();
    let (watch, mut wake_ups) = Watch::gather(folder.path(), &dirty).unwrap();
    drop(watch);
    while wake_ups.wait(DEADLINE).await != Wake::Closed {}
    assert_eq!(dirty.take(), Changes::Everything);
    assert_eq!(dirty.take(), Changes::Everything);
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_named_once_and_nothing_else_is() {
    let dirty = Dirty::new();
    let (ears, mut wake_ups) = Ears::new("/vault".into(), &dirty);
    dirty.attach(&ears);
    dirty.take();
    let denied = || {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        Err(notify::Error::io(denied).add_path("/vault/Inbox/closed".into()))
    };
    assert!(matches!(ears.hear(denied()), Heard::News));
    assert_eq!(wake_ups.wait(DEADLINE).await, Wake::Changed);
    let Changes::Paths(paths) = dirty.take() else {
        panic!("everything");
    };
    assert_eq!(paths.len(), 1);
    assert_eq!(paths[0].path, "Inbox/closed");
    // As a poller does every two seconds.
    assert!(matches!(ears.hear(denied()), Heard::Nothing));
    assert_eq!(wake_ups.wait(Duration::ZERO).await, Wake::TimedOut);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_save_that_moves_a_new_file_into_place_is_told_from_one_that_writes_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let dirty = Dirty::new();
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
        settle(&mut wake_ups).await;
        let touched = Touched {
            path: "note.md".to_owned(),
            below: false,
            arrived: is_moved,
        };
        assert_eq!(dirty.take(), Changes::Paths(vec![touched]), "{text}");
    }
}
