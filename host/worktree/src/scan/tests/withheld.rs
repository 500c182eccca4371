//! What is withheld, or not taken yet: a vault that went away, files being written, odd names.

use super::*;

/// The refusal that scans come to.
pub(super) fn refused(fixture: &mut Fixture) -> WorktreeError {
    let deadline = Instant::now() + DEADLINE;
    loop {
        fixture.state.begin();
        match fixture.scan() {
            Err(error) => return error,
            Ok(edits) => {
                assert!(edits.files.values().all(Option::is_some), "{edits:?}");
                assert!(Instant::now() < deadline, "{edits:?}");
            }
        }
    }
}

/// What Platinum writes into an empty vault is no sign that the vault is there.
#[test]
fn guard_ignores_notes_that_platinum_writes() {
    for is_watched in [false, true] {
        let files = ["Dashboard.md", "Inbox/a.md", "Inbox/b.md", "Plans/c.md"];
        let mut fixture = match is_watched {
            true => Fixture::watched(&files),
            false => Fixture::synced(&files),
        };
        for file in files {
            fs::remove_file(fixture.file(file)).unwrap();
        }
        fixture.write("Dashboard.md", "Nothing waits.\n");
        fixture.write("Updates/local/new.md", "message\n");
        let error = refused(&mut fixture);
        assert!(
            matches!(
                error,
                WorktreeError::Vault(VaultError::FilesGone { of: 4, .. })
            ),
            "{error}"
        );
        // And it stays refused, by the next daemon too.
        fixture.state = ScanState::new(fixture.repo.git_dir());
        refused(&mut fixture);
        for file in &files[1..] {
            fixture.write(file, &format!("{file}\n"));
        }
        fixture.edits_become(&[
            ("Dashboard.md", Some(oid("Nothing waits.\n"))),
            ("Updates/local/new.md", Some(oid("message\n"))),
        ]);
    }
}

/// A vault that is another folder deletes nothing until the owner accepts it.
#[test]
fn guard_needs_acceptance_for_another_folder() {
    let mut fixture = Fixture::synced(&["Inbox/a.md", "Inbox/b.md"]);
    assert_eq!(fixture.edits(), []);
    let other = fixture.folder.path().join("other");
    fs::create_dir_all(other.join("Inbox")).unwrap();
    fs::write(other.join("Inbox/a.md"), "Inbox/a.md\n").unwrap();
    fixture.vault = Vault::open(&other).unwrap();
    fixture.state = ScanState::new(fixture.repo.git_dir());
    let error = refused(&mut fixture);
    let WorktreeError::Vault(VaultError::FilesGone {
        gone: 1,
        of: 2,
        elsewhere: true,
    }) = error
    else {
        panic!("{error}");
    };
    accept(&fixture);
    fixture.edits_become(&[("Inbox/b.md", None)]);
    fixture.sync();
    // It is the vault now, and what was accepted counts no longer.
    assert_eq!(fixture.edits(), []);
    fixture.write("Inbox/c.md", "c\n");
    fixture.edits_become(&[("Inbox/c.md", Some(oid("c\n")))]);
    fixture.sync();
    fs::remove_file(fixture.file("Inbox/a.md")).unwrap();
    fixture.edits_become(&[("Inbox/a.md", None)]);
}

#[test]
fn guard_accepts_a_vault_that_was_moved_whole() {
    let mut fixture = Fixture::synced(&["Inbox/a.md", "Inbox/b.md"]);
    assert_eq!(fixture.edits(), []);
    let other = fixture.folder.path().join("other");
    fs::create_dir_all(other.join("Inbox")).unwrap();
    for name in ["Inbox/a.md", "Inbox/b.md"] {
        fs::copy(fixture.file(name), other.join(name)).unwrap();
    }
    fixture.vault = Vault::open(&other).unwrap();
    fixture.state = ScanState::new(fixture.repo.git_dir());
    assert_eq!(fixture.edits(), []);
    fs::remove_file(fixture.file("Inbox/a.md")).unwrap();
    fixture.edits_become(&[("Inbox/a.md", None)]);
}

/// More than half of many files is withheld until the owner accepts it.
#[test]
fn guard_withholds_deleting_half_of_many_files() {
    let names: Vec<String> = (0..24).map(|n| format!("Inbox/{n:02}.md")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    for is_watched in [false, true] {
        let mut fixture = match is_watched {
            true => Fixture::watched(&all),
            false => Fixture::synced(&all),
        };
        for name in &all[..12] {
            fs::remove_file(fixture.file(name)).unwrap();
        }
        let half: Vec<_> = all[..12].iter().map(|name| (*name, None)).collect();
        fixture.edits_become(&half);
        fs::remove_file(fixture.file(all[12])).unwrap();
        let error = refused(&mut fixture);
        let message = error.to_string();
        assert!(message.starts_with("13 of the 24 files"), "{message}");
        assert!(message.contains("platinum accept-deletions"), "{message}");
        // Moved they are, not gone.
        fs::create_dir(fixture.file("Plans")).unwrap();
        for name in &all[13..] {
            fs::rename(
                fixture.file(name),
                fixture.file(&name.replace("Inbox", "Plans")),
            )
            .unwrap();
        }
        refused(&mut fixture);
        accept(&fixture);
        let deadline = Instant::now() + DEADLINE;
        while fixture
            .edits()
            .iter()
            .filter(|(_, blob)| blob.is_none())
            .count()
            < 24
        {
            assert!(Instant::now() < deadline);
        }
        // Till they have landed, however often it is looked.
        fixture.state = ScanState::new(fixture.repo.git_dir());
        fixture.sync();
        assert_eq!(fixture.edits(), []);
    }
}

/// Updates that are merged into the dashboard go all at once, and may be most of a young vault. They do not
/// hide a loss either.
#[test]
fn guard_ignores_updates_that_were_merged() {
    let updates: Vec<String> = (0..40)
        .map(|n| format!("Updates/cloud/{n:02}.md"))
        .collect();
    let notes: Vec<String> = (0..20).map(|n| format!("Inbox/{n:02}.md")).collect();
    let all: Vec<&str> = updates.iter().chain(&notes).map(String::as_str).collect();
    for is_watched in [false, true] {
        let mut fixture = match is_watched {
            true => Fixture::watched(&all),
            false => Fixture::synced(&all),
        };
        for name in &updates {
            fs::remove_file(fixture.file(name)).unwrap();
        }
        let merged: Vec<_> = updates.iter().map(|name| (name.as_str(), None)).collect();
        fixture.edits_become(&merged);
        for name in &notes[..11] {
            fs::remove_file(fixture.file(name)).unwrap();
        }
        let message = refused(&mut fixture).to_string();
        assert!(message.starts_with("11 of the 20 files"), "{message}");
        // Nothing but updates is left: no sign of a vault.
        let mut fixture = Fixture::synced(&[&notes[0], &notes[1], &notes[2], &updates[0]]);
        for name in &notes[..3] {
            fs::remove_file(fixture.file(name)).unwrap();
        }
        let message = refused(&mut fixture).to_string();
        assert!(message.starts_with("3 of the 3 files"), "{message}");
    }
}

/// Nor are those of a killed daemon that was applying them a loss.
#[test]
fn guard_ignores_deletions_of_the_remote() {
    let names: Vec<String> = (0..24).map(|n| format!("Inbox/{n:02}.md")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fixture = Fixture::synced(&all);
    let base = fixture.base;
    let theirs = all[..20].iter().map(|name| (path(name), None)).collect();
    fixture.commit(&theirs);
    let verified = fixture.base.unwrap();
    fixture
        .repo
        .set_ref(platinum_repo::RefName::Verified, verified)
        .unwrap();
    fixture.base = base;
    for name in &all[..20] {
        fs::remove_file(fixture.file(name)).unwrap();
    }
    let gone: Vec<_> = all[..20].iter().map(|name| (*name, None)).collect();
    fixture.edits_become(&gone);
}

/// A path that the watcher named is read although the scan failed before it began.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "nothing reports that an event has come to a set that is not to be taken from"
)]
fn failed_scan_keeps_the_paths_of_the_watcher() {
    let mut fixture = Fixture::watched(&["Inbox/a.md", "Inbox/b.md"]);
    let deadline = Instant::now() + DEADLINE;
    while fixture.state.scan_all || !fixture.state.pending.is_empty() {
        assert!(Instant::now() < deadline);
        assert_eq!(fixture.edits(), []);
    }
    let base = fixture.base;
    // A base that cannot be compared: the watcher's paths are taken by then.
    fixture.base = Some(oid("no commit"));
    fixture.write("Inbox/a.md", "other\n");
    std::thread::sleep(Duration::from_millis(300));
    assert!(fixture.scan().is_err());
    fixture.base = base;
    fixture.edits_become(&[("Inbox/a.md", Some(oid("other\n")))]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a slow writer is what is tested")]
fn scan_takes_a_file_once_its_writer_is_done() {
    use std::io::Write;
    let mut fixture = Fixture::watched(&["Inbox/a.md"]);
    let mut file = fs::File::create(fixture.file("Inbox/slow.pdf")).unwrap();
    for _ in 0..12 {
        file.write_all(&[7; 65_536]).unwrap();
        assert_eq!(fixture.edits(), []);
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(fixture.edits(), []);
    }
    drop(file);
    let whole = Repo::blob_oid_of(&[7; 12 * 65_536]).unwrap();
    let deadline = Instant::now() + DEADLINE;
    loop {
        match fixture.edits().as_slice() {
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
fn scan_takes_an_atomic_save_at_once() {
    let mut fixture = Fixture::watched(&["Inbox/a.md"]);
    fixture.write("Inbox/.a.md.tmp", "saved\n");
    // Longer than a file system's clock takes to go on.
    std::thread::sleep(Duration::from_millis(20));
    fs::rename(fixture.file("Inbox/.a.md.tmp"), fixture.file("Inbox/a.md")).unwrap();
    fixture.state.touch(std::iter::once(&path("Inbox/a.md")));
    let saved = ("Inbox/a.md".to_owned(), Some(oid("saved\n")));
    assert_eq!(fixture.edits(), [saved]);
}

#[test]
fn scan_reports_impossible_names_until_renamed() {
    for is_watched in [false, true] {
        let mut fixture = match is_watched {
            true => Fixture::watched(&["Inbox/a.md"]),
            false => Fixture::synced(&["Inbox/a.md"]),
        };
        let names = [
            "What now?.md",
            "10:30 meeting.md",
            "Cafe\u{301}.md",
            "Why?/inner.md",
            "no note?.exe",
        ];
        for name in names {
            fixture.write(&format!("Inbox/{name}"), name);
        }
        fs::create_dir_all(fixture.file("Elsewhere")).unwrap();
        fixture.write("Elsewhere/what?.md", "");
        let expected = [
            "Inbox/10_30 meeting.md",
            "Inbox/Café.md",
            "Inbox/What now_.md",
            "Inbox/Why_",
        ];
        let message = |fixture: &mut Fixture| {
            fixture.state.begin();
            let withheld = fixture.scan().unwrap().withheld;
            let paths: Vec<_> = withheld.iter().map(|held| held.path.to_string()).collect();
            (paths, withheld)
        };
        let deadline = Instant::now() + DEADLINE;
        while message(&mut fixture).0 != expected {
            assert!(Instant::now() < deadline, "{:?}", message(&mut fixture));
        }
        // Also at a look that nothing new is a reason for.
        let (paths, withheld) = message(&mut fixture);
        assert_eq!(paths, expected);
        assert_eq!(
            withheld[2].reason,
            "`Inbox/What now?.md` has the character '?', which some systems refuse or hide; \
             give it another name, such as `What now_.md`"
        );
        for name in &names[..4] {
            let name = name.split('/').next().unwrap();
            let good = name.replace(['?', ':', '\u{301}'], "-");
            fs::rename(
                fixture.file(&format!("Inbox/{name}")),
                fixture.file(&format!("Inbox/{good}")),
            )
            .unwrap();
        }
        let deadline = Instant::now() + DEADLINE;
        while !message(&mut fixture).0.is_empty() || fixture.edits().len() != 4 {
            assert!(Instant::now() < deadline, "{:?}", message(&mut fixture));
        }
    }
}

#[test]
fn scan_takes_names_with_emoji() {
    let mut fixture = Fixture::watched(&["Inbox/a.md"]);
    let names = [
        "Inbox/✈\u{FE0F} Trip.md",
        "Inbox/🗂\u{FE0F} Projects/می\u{200C}خواهم.md",
    ];
    for name in names {
        fixture.write(name, "x");
    }
    fixture.edits_become(&[(names[0], Some(oid("x"))), (names[1], Some(oid("x")))]);
}
