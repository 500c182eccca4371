//! What is put back after a power cut, on real files and processes.

use std::process::Output;

use super::*;

fn shell(disk: &VolatileDisk, at: &Path, script: &str) -> Output {
    let start = || {
        Command::new("sh")
            .args(["-c", script])
            .current_dir(at)
            .output()
    };
    disk.run(start).unwrap().unwrap()
}

/// All paths with what they hold.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let all = walk(folder).unwrap().into_iter().skip(1);
    let text = |path: &Path| match path.is_dir() {
        true => "/".to_owned(),
        false => fs::read_to_string(path).unwrap(),
    };
    let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    all.map(|(path, _)| (name(&path), text(&path))).collect()
}

fn fixture() -> (tempfile::TempDir, PathBuf, VolatileDisk) {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("state");
    fs::create_dir_all(folder.join("a")).unwrap();
    fs::create_dir(folder.join("b")).unwrap();
    fs::write(folder.join("a/old"), "old").unwrap();
    let disk = VolatileDisk::new(std::slice::from_ref(&folder)).unwrap();
    (above, folder, disk)
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    let pairs = pairs.map(|(path, text)| (path.to_owned(), text.to_owned()));
    pairs.into_iter().collect()
}

/// `sync FILE…` of coreutils calls fsync for each of them.
#[test]
fn discard_keeps_what_was_synced_alone() {
    let cases: [(&str, &[(&str, &str)]); 8] = [
        ("echo new > a/new", &[("a/old", "old")]),
        ("echo new > a/new; sync a/new", &[("a/old", "old")]),
        (
            "echo new > a/new; sync a",
            &[("a/new", ""), ("a/old", "old")],
        ),
        (
            "echo new > a/new; sync a/new a",
            &[("a/new", "new\n"), ("a/old", "old")],
        ),
        ("echo more >> a/old", &[("a/old", "old")]),
        (
            "echo more >> a/old; sync a/old; echo x > a/old",
            &[("a/old", "oldmore\n")],
        ),
        ("rm a/old", &[("a/old", "old")]),
        ("rm a/old; sync a", &[]),
    ];
    for (script, kept) in cases {
        let (_above, folder, disk) = fixture();
        assert!(shell(&disk, &folder, script).status.success(), "{script}");
        disk.discard(|| false).unwrap();
        let mut expected = pairs([("a", "/"), ("b", "/")]);
        expected.extend(
            kept.iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
        );
        assert_eq!(tree(&folder), expected, "{script}");
    }
}

#[test]
fn discard_moves_a_file_to_one_place_and_keeps_its_inode() {
    let moved = |script: &str| {
        let (_above, folder, disk) = fixture();
        let before = fs::metadata(folder.join("a/old")).unwrap();
        shell(&disk, &folder, script);
        disk.discard(|| false).unwrap();
        let files = walk(&folder).unwrap();
        let files: Vec<_> = files
            .into_iter()
            .filter(|(_, file)| file.is_file())
            .collect();
        assert_eq!(files.len(), 1, "{script}");
        assert_eq!(inode(&files[0].1), inode(&before), "{script}");
        files[0]
            .0
            .strip_prefix(&folder)
            .unwrap()
            .display()
            .to_string()
    };
    assert_eq!(moved("mv a/old b/new"), "a/old");
    assert_eq!(moved("mv a/old b/new; sync b"), "b/new");
    assert_eq!(moved("mv a/old b/new; sync a"), "b/new");
    assert_eq!(moved("mv a/old a/new"), "a/old");
}

#[test]
fn cut_after_some_syncs_does_the_next_one_no_more() {
    let (_above, folder, disk) = fixture();
    disk.cut_after(2);
    let log = folder.parent().unwrap().join("log");
    let pid = folder.parent().unwrap().join("pid");
    let script = format!(
        "echo $$ > {}; cd {}; echo 1 > a/1; sync a/1; sync a; echo 2 > a/2; sync a",
        pid.display(),
        folder.display()
    );
    let start = || crate::Child::start("sh", ["-c", &script], &log, Some(&pid));
    let child = disk.run(start).unwrap().unwrap();
    let soon = Duration::from_secs(30);
    wait_for("the cut", soon, || Ok(disk.is_cut().then_some(()))).unwrap();
    kill_tree(fs::read_to_string(&pid).unwrap().trim().parse().unwrap()).unwrap();
    drop(child);
    assert_eq!(disk.syncs(), 3);
    disk.discard(|| false).unwrap();
    assert_eq!(
        tree(&folder),
        pairs([("a", "/"), ("a/1", "1\n"), ("a/old", "old"), ("b", "/")])
    );
}

#[test]
fn discard_may_let_unsynced_writes_survive() {
    let (_above, folder, disk) = fixture();
    shell(
        &disk,
        &folder,
        "echo new > a/new; echo more >> a/old; mkdir c; echo x > c/x",
    );
    disk.discard(|| true).unwrap();
    let expected = [
        ("a", "/"),
        ("a/new", "new\n"),
        ("a/old", "oldmore\n"),
        ("b", "/"),
    ];
    assert_eq!(tree(&folder), pairs(expected));
}
