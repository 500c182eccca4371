//! Tests of the vault on a real folder: links, pipes, races, crashes.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use platinum_core::VaultPath;
use tempfile::TempDir;

use crate::{
    PathEntry, TEMP_PREFIX, Vault, VaultError,
    folder::Place,
    temp::{Temp, holds},
};

fn vault() -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    (folder, vault)
}

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

/// The names of unfinished files anywhere below.
fn leftovers(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(leftovers(&entry.path()));
        } else if entry.file_name().to_string_lossy().starts_with(TEMP_PREFIX) {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

fn names(entries: &[crate::Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.path.as_str()).collect()
}

/// A file is made with its folders read replaced moved and removed.
#[test]
fn vault_file_life_cycle_round_trips() {
    let (folder, vault) = vault();
    let (new, done) = (path("Needs_Action/email/a.md"), path("Done/2026/11/a.md"));
    vault.create(&new, b"one").unwrap();
    assert!(vault.exists(&new).unwrap());
    assert_eq!(vault.read(&new, 3).unwrap(), b"one");
    vault.replace(&new, b"two", Some(b"one")).unwrap();
    vault.replace(&new, b"three", None).unwrap();
    vault.rename(&new, &done).unwrap();
    assert_eq!(vault.read_text(&done, 100).unwrap(), "three");
    assert!(!vault.exists(&new).unwrap());
    vault.remove(&done).unwrap();
    assert!(matches!(vault.remove(&done), Err(VaultError::NotFound(_))));
    assert!(matches!(vault.read(&done, 1), Err(VaultError::NotFound(_))));
    assert!(matches!(
        vault.read(&path("No/where.md"), 1),
        Err(VaultError::NotFound(_))
    ));
    assert!(!vault.exists(&path("No/where.md")).unwrap());
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn create_existing_file_is_refused() {
    let (folder, vault) = vault();
    let (a, b) = (path("Inbox/a.md"), path("Inbox/b.md"));
    vault.create(&a, b"a").unwrap();
    vault.create(&b, b"b").unwrap();
    assert!(matches!(vault.create(&a, b"x"), Err(VaultError::Exists(_))));
    assert!(matches!(vault.rename(&a, &b), Err(VaultError::Exists(_))));
    assert!(matches!(
        vault.replace(&a, b"x", Some(b"other")),
        Err(VaultError::Changed(_))
    ));
    assert!(matches!(
        vault.replace(&a, b"x", Some(b"")),
        Err(VaultError::Changed(_))
    ));
    let missing = path("Missing/c.md");
    assert!(matches!(
        vault.replace(&missing, b"x", Some(b"")),
        Err(VaultError::Changed(_))
    ));
    assert_eq!(
        (vault.read(&a, 9).unwrap(), vault.read(&b, 9).unwrap()),
        (b"a".into(), b"b".into())
    );
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

/// A link in any part of a path is refused for every call.
#[test]
fn vault_link_in_any_component_is_refused() {
    let (folder, vault) = vault();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.md"), "secret").unwrap();
    fs::create_dir(folder.path().join("Inbox")).unwrap();
    fs::write(folder.path().join("Inbox/real.md"), "real").unwrap();
    symlink(outside.path(), folder.path().join("Plans")).unwrap();
    symlink("Inbox", folder.path().join("Inside")).unwrap();
    symlink(
        outside.path().join("secret.md"),
        folder.path().join("Inbox/link.md"),
    )
    .unwrap();
    symlink("real.md", folder.path().join("Inbox/near.md")).unwrap();
    symlink("nowhere", folder.path().join("Inbox/dangling.md")).unwrap();
    let refused = |result: Result<(), VaultError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, VaultError::Symlink { .. }), "{error}");
    };
    let real = path("Inbox/real.md");
    for bad in [
        "Plans/secret.md",
        "Plans/new.md",
        "Plans/deep/new.md",
        "Inside/real.md",
        "Inbox/link.md",
        "Inbox/near.md",
        "Inbox/dangling.md",
    ] {
        let bad = path(bad);
        refused(vault.read(&bad, 100).map(drop));
        refused(vault.create(&bad, b"x"));
        refused(vault.replace(&bad, b"x", None));
        refused(vault.replace(&bad, b"x", Some(b"secret")));
        refused(vault.rename(&bad, &path("Inbox/to.md")));
        refused(vault.rename(&real, &bad));
        refused(vault.remove(&bad));
        refused(vault.exists(&bad).map(drop));
    }
    refused(vault.list("Plans").map(drop));
    refused(vault.make_folder(&path("Plans/deep")));
    assert_eq!(names(&vault.list("Inbox").unwrap()), ["Inbox/real.md"]);
    assert_eq!(names(&vault.walk().unwrap()), ["Inbox/real.md"]);
    assert_eq!(
        fs::read_to_string(outside.path().join("secret.md")).unwrap(),
        "secret"
    );
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
    let text = vault
        .read(&path("Plans/secret.md"), 9)
        .unwrap_err()
        .to_string();
    assert!(
        text.starts_with("Plans/secret.md is refused: `Plans` is a symbolic link"),
        "{text}"
    );
}

/// Pipes folders and second names are refused without waiting.
#[test]
fn vault_pipes_folders_and_hard_links_are_refused() {
    let (folder, vault) = vault();
    fs::create_dir_all(folder.path().join("Inbox/folder.md")).unwrap();
    let pipe = folder.path().join("Inbox/pipe.md");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    for (bad, what) in [("Inbox/pipe.md", "a pipe"), ("Inbox/folder.md", "a folder")] {
        let text = vault.read(&path(bad), 9).unwrap_err().to_string();
        assert_eq!(
            text,
            format!("{bad} is refused: it is {what}, not a regular file")
        );
        assert!(matches!(
            vault.remove(&path(bad)),
            Err(VaultError::NotAFile { .. })
        ));
        assert!(matches!(
            vault.replace(&path(bad), b"", None),
            Err(VaultError::NotAFile { .. })
        ));
    }
    let file_as_folder = vault.create(&path("Inbox/pipe.md/x.md"), b"").unwrap_err();
    assert!(
        matches!(file_as_folder, VaultError::NotAFolder { .. }),
        "{file_as_folder}"
    );

    let outside = tempfile::tempdir_in(folder.path().parent().unwrap()).unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    for (name, refused) in [("Inbox/second.md", true), ("Inbox/second.bin", false)] {
        fs::hard_link(outside.path().join("secret"), folder.path().join(name)).unwrap();
        let read = vault.read(&path(name), 99);
        assert_eq!(
            matches!(read, Err(VaultError::HardLinked { .. })),
            refused,
            "{name}"
        );
    }
}

#[test]
fn read_too_large_or_not_utf8_is_refused() {
    let (_folder, vault) = vault();
    let note = path("Inbox/a.md");
    vault.create(&note, b"0123456789").unwrap();
    assert!(vault.read(&note, 10).is_ok());
    assert!(matches!(
        vault.read(&note, 9),
        Err(VaultError::TooLarge { max: 9, .. })
    ));
    vault.replace(&note, b"ab\xFF", None).unwrap();
    assert!(matches!(
        vault.read_text(&note, 9),
        Err(VaultError::NotText { at: 2, .. })
    ));
    assert_eq!(vault.read(&note, u64::MAX).unwrap(), b"ab\xFF");
}

#[test]
fn list_is_sorted_and_skips_non_notes() {
    let (folder, vault) = vault();
    for name in [
        "b.md",
        "a.md",
        "sub/c.md",
        ".hidden.md",
        "a:b.md",
        "note.exe",
    ] {
        let file = folder.path().join("Inbox").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, name).unwrap();
    }
    fs::write(folder.path().join(format!("Inbox/{TEMP_PREFIX}1")), "half").unwrap();
    fs::write(folder.path().join("Dashboard.md"), "").unwrap();
    fs::write(folder.path().join("private.md"), "").unwrap();
    fs::create_dir(folder.path().join("Private")).unwrap();
    fs::write(folder.path().join("Private/a.md"), "").unwrap();
    let inbox = vault.list("Inbox").unwrap();
    assert_eq!(
        names(&inbox),
        ["Inbox/a.md", "Inbox/b.md", "Inbox/note.exe"]
    );
    assert_eq!(inbox[0].len, 4);
    assert_eq!(
        names(&vault.list("").unwrap()),
        ["Dashboard.md", "private.md"]
    );
    assert_eq!(vault.list("Missing").unwrap(), []);
    assert!(matches!(vault.list("../.."), Err(VaultError::Folder(_))));
    assert_eq!(
        names(&vault.walk().unwrap()),
        ["Dashboard.md", "Inbox/a.md", "Inbox/b.md", "Inbox/sub/c.md"]
    );
}

#[test]
fn create_race_succeeds_once() {
    let (folder, vault) = vault();
    let note = path("In_Progress/cloud/a.md");
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u8)
            .map(|n| (vault.clone(), note.clone(), n))
            .map(|(vault, note, n)| scope.spawn(move || vault.create(&note, &[n; 64]).map(|()| n)))
            .collect();
        threads
            .into_iter()
            .filter_map(|t| t.join().unwrap().ok())
            .collect::<Vec<_>>()
    });
    assert_eq!(made.len(), 1);
    assert_eq!(vault.read(&note, 64).unwrap(), [made[0]; 64]);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn replace_if_race_loses_no_update() {
    let (folder, vault) = vault();
    let note = path("Dashboard.md");
    vault.create(&note, b"0").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            // A vault of its own, as another process has.
            let vault = Vault::open(folder.path()).unwrap();
            let note = &note;
            scope.spawn(move || {
                for _ in 0..25 {
                    loop {
                        let old = vault.read(note, 99).unwrap();
                        let count: u32 = String::from_utf8(old.clone()).unwrap().parse().unwrap();
                        let new = (count + 1).to_string();
                        match vault.replace(note, new.as_bytes(), Some(&old)) {
                            Ok(()) => break,
                            Err(VaultError::Changed(_)) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(vault.read(&note, 99).unwrap(), b"100");
    assert_eq!(names(&vault.list("").unwrap()), ["Dashboard.md"]);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

/// An edit made between reading and writing is put back.
#[test]
fn replace_if_concurrent_edit_is_restored() {
    let (folder, vault) = vault();
    let note = path("Inbox/a.md");
    vault.create(&note, b"as read").unwrap();
    let root = cap_std::fs::Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority());
    let place = Place::open(&root.unwrap(), &note, false).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let temp = Temp::write(&place, b"ours", mode).unwrap();
    // An editor saves at the last moment.
    fs::write(folder.path().join("Inbox/a.md"), "the owner's").unwrap();
    assert!(matches!(
        temp.take_place_of(b"as read"),
        Err(VaultError::Changed(_))
    ));
    assert!(holds(&place.dir, "a.md", b"the owner's"));
    // And an editor that removes the file.
    let temp = Temp::write(&place, b"ours", mode).unwrap();
    fs::remove_file(folder.path().join("Inbox/a.md")).unwrap();
    assert!(matches!(
        temp.take_place_of(b"the owner's"),
        Err(VaultError::Changed(_))
    ));
    assert!(!vault.exists(&note).unwrap());
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn replace_readers_never_see_half_a_file() {
    let (_folder, vault) = vault();
    let note = path("Inbox/a.md");
    vault.create(&note, &[b'a'; 10_000]).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..50_u32 {
                let byte = if round.is_multiple_of(2) { b'b' } else { b'a' };
                vault
                    .replace(&note, &vec![byte; 10_000 + round as usize], None)
                    .unwrap();
            }
            over.store(true, Ordering::Release);
        });
        while !over.load(Ordering::Acquire) {
            let bytes = vault.read(&note, 99_999).unwrap();
            assert!(bytes.len() >= 10_000 && bytes.iter().all(|b| *b == bytes[0]));
        }
    });
}

/// Permissions of a replaced file stay and new ones are private.
#[test]
fn replace_keeps_permissions_and_new_is_private() {
    let (folder, vault) = vault();
    let mode = |name: &str| {
        fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    vault.create(&path("Inbox/new.md"), b"").unwrap();
    assert_eq!(mode("Inbox/new.md"), 0o600);
    fs::set_permissions(
        folder.path().join("Inbox/new.md"),
        PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    vault
        .replace(&path("Inbox/new.md"), b"x", Some(b""))
        .unwrap();
    assert_eq!(mode("Inbox/new.md"), 0o644);
}

/// A write that fails leaves neither the file nor an unfinished one.
#[test]
fn failed_write_leaves_no_file() {
    let (folder, vault) = vault();
    // The limit on a file's size fails a write half way, as a full disk does. It holds for the
    // whole process, so the test runs itself in one of its own.
    if std::env::var_os("PLATINUM_VAULT_WITHOUT_ROOM").is_none() {
        let test = "tests::failed_write_leaves_no_file";
        let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact \"$1\"";
        let done = std::process::Command::new("sh")
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env("PLATINUM_VAULT_WITHOUT_ROOM", "1")
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stdout)
        );
        return;
    }
    let note = path("Inbox/a.md");
    vault.create(&note, b"small").unwrap();
    let large = vec![b'x'; 1 << 20];
    assert!(vault.create(&path("Inbox/b.md"), &large).is_err());
    assert!(vault.replace(&note, &large, Some(b"small")).is_err());
    assert_eq!(vault.read(&note, 9).unwrap(), b"small");
    assert!(!vault.exists(&path("Inbox/b.md")).unwrap());
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn full_disk_error_is_plain() {
    let error = crate::folder::io_error("write", "Inbox/a.md", rustix::io::Errno::NOSPC.into());
    assert!(
        error
            .to_string()
            .starts_with("there is no room left on the disk to write Inbox/a.md")
    );
}

#[test]
fn open_vault_that_is_no_folder_is_refused() {
    let (folder, _vault) = vault();
    fs::write(folder.path().join("file"), "").unwrap();
    for root in ["file", "missing"] {
        let error = Vault::open(&folder.path().join(root))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("is it a folder you may read and write?"),
            "{error}"
        );
    }
}

fn is_temp(name: &str) -> bool {
    name.starts_with(TEMP_PREFIX)
}

/// A file is taken away only with the bytes that were expected.
#[test]
fn remove_if_other_bytes_is_refused() {
    let (folder, vault) = vault();
    let note = path("Inbox/a.md");
    vault.create(&note, b"as known").unwrap();
    let changed = vault.remove_if(&note, b"other");
    assert!(matches!(changed, Err(VaultError::Changed(_))));
    assert_eq!(vault.read(&note, 99).unwrap(), b"as known");
    vault.remove_if(&note, b"as known").unwrap();
    assert!(!vault.exists(&note).unwrap());
    let gone = vault.remove_if(&note, b"as known");
    assert!(matches!(gone, Err(VaultError::NotFound(_))));
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn stat_tells_the_kind_without_reading() {
    let (folder, vault) = vault();
    let note = path("Inbox/a.md");
    assert_eq!(vault.stat(&note).unwrap(), PathEntry::Absent);
    vault.create(&note, b"one").unwrap();
    let (bytes, state) = vault.read_once(&note, 9).unwrap().unwrap();
    assert_eq!((bytes, state.len), (b"one".to_vec(), 3));
    assert_eq!(vault.stat(&note).unwrap(), PathEntry::File(state));
    assert_eq!(vault.stat(&path("Inbox")).unwrap(), PathEntry::Folder);
    assert_eq!(
        vault.stat(&path("Inbox/a.md/x.md")).unwrap(),
        PathEntry::Absent
    );
    // The same length and a time that was set back: the change shows all the same.
    let file = fs::File::options()
        .write(true)
        .open(folder.path().join("Inbox/a.md"))
        .unwrap();
    let before = file.metadata().unwrap().modified().unwrap();
    fs::write(folder.path().join("Inbox/a.md"), "two").unwrap();
    file.set_modified(before).unwrap();
    let PathEntry::File(after) = vault.stat(&note).unwrap() else {
        panic!("no file");
    };
    assert_eq!((after.len, after.modified), (state.len, state.modified));
    assert_ne!(after, state);
    symlink("a.md", folder.path().join("Inbox/l.md")).unwrap();
    let link = vault.stat(&path("Inbox/l.md"));
    assert!(matches!(link, Err(VaultError::Symlink { .. })));
}

/// A folder is listed with its own files folders and leftovers alone.
#[test]
fn scan_lists_one_folder_alone() {
    let (folder, vault) = vault();
    for name in ["b.md", "a.md", "x.exe", ".hidden.md", "4913", "c.md~"] {
        fs::create_dir_all(folder.path().join("Inbox/sub/deep")).unwrap();
        fs::write(folder.path().join("Inbox").join(name), name).unwrap();
    }
    fs::write(folder.path().join("Inbox/sub/d.md"), "").unwrap();
    symlink("a.md", folder.path().join("Inbox/l.md")).unwrap();
    let name = format!("Inbox/{TEMP_PREFIX}new-{}-1-0-a.md", i32::MAX);
    fs::write(folder.path().join(name), "half").unwrap();
    let listing = vault.list_folder("Inbox").unwrap().unwrap();
    let files: Vec<_> = listing
        .files
        .iter()
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(files, ["Inbox/a.md", "Inbox/b.md"]);
    assert_eq!(listing.folders, [path("Inbox/sub")]);
    let [leftover] = listing.leftovers.as_slice() else {
        panic!("{:?}", listing.leftovers);
    };
    assert!(leftover.is_unfinished_write());
    assert_eq!(leftover.read(&vault, 9).unwrap().unwrap(), b"half");
    assert!(leftover.read(&vault, 3).is_err());
    let back = path("Inbox/back.md");
    leftover.restore(&vault, &back).unwrap();
    assert_eq!(vault.read(&back, 9).unwrap(), b"half");
    assert_eq!(leftover.read(&vault, 9).unwrap(), None);
    leftover.remove(&vault).unwrap();
    assert!(vault.list_folder("Missing").unwrap().is_none());
    assert!(vault.list_folder("").unwrap().unwrap().files.is_empty());
}

/// Another spelling of a name is found on the way to a path.
#[test]
fn spelling_on_disk_is_found_for_a_path() {
    let (_folder, vault) = vault();
    vault.create(&path("Inbox/Straße/Note.md"), b"x").unwrap();
    for (asked, twin) in [
        ("Inbox/Straße/note.md", Some("Inbox/Straße/Note.md")),
        ("Inbox/STRASSE/new.md", Some("Inbox/Straße")),
        ("Inbox/Straße/Note.md", None),
        ("Inbox/Straße/other.md", None),
        ("Plans/Note.md", None),
    ] {
        let found = vault.other_spelling(&path(asked)).unwrap();
        assert_eq!(found.as_deref(), twin, "{asked}");
    }
}

#[test]
fn respell_renames_and_loses_nothing() {
    let (folder, vault) = vault();
    let (old, new) = (path("Inbox/note.md"), path("Inbox/Note.md"));
    vault.create(&old, b"text").unwrap();
    vault.respell(&old, &new).unwrap();
    assert_eq!(vault.read(&new, 9).unwrap(), b"text");
    vault.create(&old, b"another").unwrap();
    let taken = vault.respell(&new, &old);
    assert!(matches!(taken, Err(VaultError::Exists(_))));
    assert_eq!(vault.read(&new, 9).unwrap(), b"text");
    assert_eq!(vault.read(&old, 9).unwrap(), b"another");
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn case_probe_leaves_no_file() {
    let (folder, vault) = vault();
    let there = folder.path().join("PROBE-me");
    fs::write(&there, "").unwrap();
    assert_eq!(
        vault.ignores_case(),
        folder.path().join("probe-ME").exists()
    );
    assert!(
        !fs::read_dir(folder.path())
            .unwrap()
            .any(|entry| { is_temp(&entry.unwrap().file_name().to_string_lossy()) })
    );
}
