//! What is not taken, or not yet: a vault that went away, files being written, odd names.

use super::*;

/// The refusal that a look comes to.
fn refused(stage: &mut Stage) -> SyncError {
    let deadline = Instant::now() + DEADLINE;
    loop {
        stage.tree.begin();
        match stage.look() {
            Err(error) => return error,
            Ok(edits) => {
                assert!(edits.files.values().all(Option::is_some), "{edits:?}");
                assert!(Instant::now() < deadline, "{edits:?}");
            }
        }
    }
}

#[test]
fn what_the_house_writes_into_an_empty_vault_makes_no_deletions_of_the_others() {
    for is_watched in [false, true] {
        let files = ["Dashboard.md", "Inbox/a.md", "Inbox/b.md", "Plans/c.md"];
        let mut stage = match is_watched {
            true => Stage::watched(&files),
            false => Stage::synced(&files),
        };
        for file in files {
            fs::remove_file(stage.file(file)).unwrap();
        }
        stage.write("Dashboard.md", "Nothing waits.\n");
        stage.write("Updates/local/new.md", "told\n");
        let error = refused(&mut stage);
        assert!(
            matches!(error, SyncError::Vault(VaultError::FilesGone { of: 4, .. })),
            "{error}"
        );
        // And it stays refused, by the next daemon too.
        stage.tree = WorkTree::new(stage.repo.git_dir());
        refused(&mut stage);
        for file in &files[1..] {
            stage.write(file, &format!("{file}\n"));
        }
        stage.edits_become(&[
            ("Dashboard.md", Some(oid("Nothing waits.\n"))),
            ("Updates/local/new.md", Some(oid("told\n"))),
        ]);
    }
}

#[test]
fn a_vault_that_is_another_folder_deletes_nothing_till_the_owner_says_so() {
    let mut stage = Stage::synced(&["Inbox/a.md", "Inbox/b.md"]);
    assert_eq!(stage.edits(), []);
    let other = stage.folder.path().join("other");
    fs::create_dir_all(other.join("Inbox")).unwrap();
    fs::write(other.join("Inbox/a.md"), "Inbox/a.md\n").unwrap();
    stage.vault = Vault::open(&other).unwrap();
    stage.tree = WorkTree::new(stage.repo.git_dir());
    let error = refused(&mut stage);
    let SyncError::Vault(VaultError::FilesGone {
        gone: 1,
        of: 2,
        elsewhere: true,
    }) = error
    else {
        panic!("{error}");
    };
    accept(&stage);
    stage.edits_become(&[("Inbox/b.md", None)]);
    stage.sync();
    // It is the vault now, and what was accepted counts no longer.
    assert_eq!(stage.edits(), []);
    stage.write("Inbox/c.md", "c\n");
    stage.edits_become(&[("Inbox/c.md", Some(oid("c\n")))]);
    stage.sync();
    fs::remove_file(stage.file("Inbox/a.md")).unwrap();
    stage.edits_become(&[("Inbox/a.md", None)]);
}

#[test]
fn a_vault_that_was_moved_whole_is_taken_for_what_it_is() {
    let mut stage = Stage::synced(&["Inbox/a.md", "Inbox/b.md"]);
    assert_eq!(stage.edits(), []);
    let other = stage.folder.path().join("other");
    fs::create_dir_all(other.join("Inbox")).unwrap();
    for name in ["Inbox/a.md", "Inbox/b.md"] {
        fs::copy(stage.file(name), other.join(name)).unwrap();
    }
    stage.vault = Vault::open(&other).unwrap();
    stage.tree = WorkTree::new(stage.repo.git_dir());
    assert_eq!(stage.edits(), []);
    fs::remove_file(stage.file("Inbox/a.md")).unwrap();
    stage.edits_become(&[("Inbox/a.md", None)]);
}

#[test]
fn more_than_half_of_many_files_is_held_back_till_the_owner_says_it_is_meant() {
    let names: Vec<String> = (0..24).map(|n| format!("Inbox/{n:02}.md")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    for is_watched in [false, true] {
        let mut stage = match is_watched {
            true => Stage::watched(&all),
            false => Stage::synced(&all),
        };
        for name in &all[..12] {
            fs::remove_file(stage.file(name)).unwrap();
        }
        let half: Vec<_> = all[..12].iter().map(|name| (*name, None)).collect();
        stage.edits_become(&half);
        fs::remove_file(stage.file(all[12])).unwrap();
        let error = refused(&mut stage);
        let told = error.to_string();
        assert!(told.starts_with("13 of the 24 files"), "{told}");
        assert!(told.contains("platinum accept-deletions"), "{told}");
        // Moved they are, not gone.
        fs::create_dir(stage.file("Plans")).unwrap();
        for name in &all[13..] {
            fs::rename(
                stage.file(name),
                stage.file(&name.replace("Inbox", "Plans")),
            )
            .unwrap();
        }
        refused(&mut stage);
        accept(&stage);
        let deadline = Instant::now() + DEADLINE;
        while stage
            .edits()
            .iter()
            .filter(|(_, blob)| blob.is_none())
            .count()
            < 24
        {
            assert!(Instant::now() < deadline);
        }
        // Till they have landed, however often it is looked.
        stage.tree = WorkTree::new(stage.repo.git_dir());
        stage.sync();
        assert_eq!(stage.edits(), []);
    }
}

#[test]
fn what_the_remote_deleted_and_a_killed_daemon_brought_is_no_loss() {
    let names: Vec<String> = (0..24).map(|n| format!("Inbox/{n:02}.md")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut stage = Stage::synced(&all);
    let base = stage.base;
    let theirs = all[..20].iter().map(|name| (path(name), None)).collect();
    stage.commit(&theirs);
    let verified = stage.base.unwrap();
    stage
        .repo
        .set_ref(platinum_repo::RefName::Verified, verified)
        .unwrap();
    stage.base = base;
    for name in &all[..20] {
        fs::remove_file(stage.file(name)).unwrap();
    }
    let gone: Vec<_> = all[..20].iter().map(|name| (*name, None)).collect();
    stage.edits_become(&gone);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells that an event has come to a set that is not to be taken from"
)]
fn a_path_that_was_named_is_looked_at_though_the_look_failed_before_it_began() {
    let mut stage = Stage::watched(&["Inbox/a.md", "Inbox/b.md"]);
    let deadline = Instant::now() + DEADLINE;
    while stage.tree.lost || !stage.tree.pending.is_empty() {
        assert!(Instant::now() < deadline);
        assert_eq!(stage.edits(), []);
    }
    let base = stage.base;
    // A base that cannot be compared: the watcher's paths are taken by then.
    stage.base = Some(oid("no commit"));
    stage.write("Inbox/a.md", "other\n");
    std::thread::sleep(Duration::from_millis(300));
    assert!(stage.look().is_err());
    stage.base = base;
    stage.edits_become(&[("Inbox/a.md", Some(oid("other\n")))]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a slow writer is what is tested")]
fn a_file_that_is_being_written_is_taken_once_it_is_whole() {
    use std::io::Write;
    let mut stage = Stage::watched(&["Inbox/a.md"]);
    let mut file = fs::File::create(stage.file("Inbox/slow.pdf")).unwrap();
    for _ in 0..12 {
        file.write_all(&[7; 65_536]).unwrap();
        assert_eq!(stage.edits(), []);
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(stage.edits(), []);
    }
    drop(file);
    let whole = Repo::blob_oid_of(&[7; 12 * 65_536]).unwrap();
    let deadline = Instant::now() + DEADLINE;
    loop {
        match stage.edits().as_slice() {
            [] => assert!(Instant::now() < deadline),
            [(name, blob)] => {
                assert_eq!((name.as_str(), *blob), ("Inbox/slow.pdf", Some(whole)));
                break;
            }
            more => panic!("{more:?}"),
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the clock of a file system is what is waited for"
)]
fn a_save_that_puts_a_whole_file_in_place_is_taken_at_the_first_look() {
    let mut stage = Stage::watched(&["Inbox/a.md"]);
    stage.write("Inbox/.a.md.tmp", "saved\n");
    // Longer than a file system's clock takes to go on.
    std::thread::sleep(Duration::from_millis(20));
    fs::rename(stage.file("Inbox/.a.md.tmp"), stage.file("Inbox/a.md")).unwrap();
    stage.tree.touch(std::iter::once(&path("Inbox/a.md")));
    let saved = ("Inbox/a.md".to_owned(), Some(oid("saved\n")));
    assert_eq!(stage.edits(), [saved]);
}

#[test]
fn a_file_whose_name_no_vault_has_is_told_of_till_it_has_another() {
    for is_watched in [false, true] {
        let mut stage = match is_watched {
            true => Stage::watched(&["Inbox/a.md"]),
            false => Stage::synced(&["Inbox/a.md"]),
        };
        let names = [
            "What now?.md",
            "10:30 meeting.md",
            "Cafe\u{301}.md",
            "Why?/inner.md",
            "no note?.exe",
        ];
        for name in names {
            stage.write(&format!("Inbox/{name}"), name);
        }
        fs::create_dir_all(stage.file("Elsewhere")).unwrap();
        stage.write("Elsewhere/what?.md", "");
        let expected = [
            "Inbox/10_30 meeting.md",
            "Inbox/Café.md",
            "Inbox/What now_.md",
            "Inbox/Why_",
        ];
        let told = |stage: &mut Stage| {
            stage.tree.begin();
            let unread = stage.look().unwrap().unread;
            let paths: Vec<_> = unread.iter().map(|held| held.path.to_string()).collect();
            (paths, unread)
        };
        let deadline = Instant::now() + DEADLINE;
        while told(&mut stage).0 != expected {
            assert!(Instant::now() < deadline, "{:?}", told(&mut stage));
        }
        // Also at a look that nothing new is a reason for.
        let (paths, unread) = told(&mut stage);
        assert_eq!(paths, expected);
        assert_eq!(
            unread[2].reason,
            "`Inbox/What now?.md` has the character '?', which some systems refuse or hide; \
             give it another name, such as `What now_.md`"
        );
        for name in &names[..4] {
            let name = name.split('/').next().unwrap();
            let good = name.replace(['?', ':', '\u{301}'], "-");
            fs::rename(
                stage.file(&format!("Inbox/{name}")),
                stage.file(&format!("Inbox/{good}")),
            )
            .unwrap();
        }
        let deadline = Instant::now() + DEADLINE;
        while !told(&mut stage).0.is_empty() || stage.edits().len() != 4 {
            assert!(Instant::now() < deadline, "{:?}", told(&mut stage));
        }
    }
}

#[test]
fn names_with_emoji_and_joined_letters_are_taken() {
    let mut stage = Stage::watched(&["Inbox/a.md"]);
    let names = [
        "Inbox/✈\u{FE0F} Trip.md",
        "Inbox/🗂\u{FE0F} Projects/می\u{200C}خواهم.md",
    ];
    for name in names {
        stage.write(name, "x");
    }
    stage.edits_become(&[(names[0], Some(oid("x"))), (names[1], Some(oid("x")))]);
}
