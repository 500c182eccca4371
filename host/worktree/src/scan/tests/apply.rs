//! Changing a real folder: one path that cannot be written keeps no other away, and no version
//! goes whose copy could not be kept.

use std::sync::Arc;

use super::*;
use crate::{VersionClock, Worktree, WorktreeUpdate};

fn worktree(fixture: &Fixture) -> Worktree {
    let agent: platinum_core::AgentName = "local".parse().unwrap();
    let clock = VersionClock::new(fixture.repo.clone(), agent.clone(), Role::Local);
    let filter = Box::new(AcceptAll);
    Worktree::new(
        fixture.vault.clone(),
        fixture.repo.clone(),
        agent,
        Arc::new(clock),
        filter,
    )
}

fn stored(fixture: &Fixture, text: &str) -> Oid {
    fixture.repo.write_blob(text.as_bytes()).unwrap()
}

/// A conflict copy whose place is taken: what was to be kept there stays at its path, the other
/// files are written, and both are named.
#[test]
fn apply_unwritable_copy_keeps_its_version_and_no_other_back() {
    let fixture = Fixture::new();
    let (ours, theirs) = (stored(&fixture, "ours\n"), stored(&fixture, "theirs\n"));
    fixture.write("Inbox/a.md", "ours\n");
    fixture.write("Inbox/a.conflict.md/x.txt", "in the way\n");
    let update = |at: &str, expected, new| WorktreeUpdate {
        path: path(at),
        expected,
        new: Some(new),
    };
    let (more, failed) = worktree(&fixture)
        .apply_each(
            &[(path("Inbox/a.conflict.md"), ours)],
            &[
                update("Inbox/a.md", Some(ours), theirs),
                update("Inbox/b.md", None, theirs),
            ],
        )
        .unwrap();
    assert_eq!(more, 0);
    let mut failed: Vec<_> = failed
        .iter()
        .map(|(at, why)| format!("{at}: {why}"))
        .collect();
    failed.sort();
    assert_eq!(
        failed,
        [
            "Inbox/a.conflict.md: Inbox/a.conflict.md is refused: it is a folder, not a regular \
             file",
            "Inbox/a.md: Inbox/a.md stays as it is here: its version could not be kept as \
             Inbox/a.conflict.md",
        ]
    );
    assert_eq!(
        fs::read_to_string(fixture.file("Inbox/a.md")).unwrap(),
        "ours\n"
    );
    assert_eq!(
        fs::read_to_string(fixture.file("Inbox/b.md")).unwrap(),
        "theirs\n"
    );
}

/// A file takes the place of a folder that holds nothing any more, and of no other.
#[test]
fn apply_file_replaces_an_empty_folder_alone() {
    let fixture = Fixture::new();
    let new = stored(&fixture, "a file\n");
    fs::create_dir_all(fixture.file("Inbox/a.md/b/c")).unwrap();
    fixture.write("Inbox/full.md/b/.hidden", "mine");
    let updates = ["Inbox/a.md", "Inbox/full.md"].map(|at| WorktreeUpdate {
        path: path(at),
        expected: None,
        new: Some(new),
    });
    let (_, failed) = worktree(&fixture).apply_each(&[], &updates).unwrap();
    let failed: Vec<_> = failed.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(failed, ["Inbox/full.md"]);
    assert_eq!(
        fs::read_to_string(fixture.file("Inbox/a.md")).unwrap(),
        "a file\n"
    );
    assert_eq!(
        fs::read_to_string(fixture.file("Inbox/full.md/b/.hidden")).unwrap(),
        "mine"
    );
}
