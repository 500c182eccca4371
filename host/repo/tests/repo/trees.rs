//! Commits as pure tree edits, and what changed between two, with git's own client as the judge.

use std::{path::Path, process::Command};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_policy::Change;
use platinum_repo::{CommitMeta, Edit, Oid, RefName, Repo, RepoError};

fn git(git_dir: &Path, args: &[&str], stdin: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("git")
        .args(args)
        .env("GIT_DIR", git_dir)
        .env("HOME", git_dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "t")
        .env("GIT_AUTHOR_EMAIL", "t@t.invalid")
        .env("GIT_COMMITTER_NAME", "t")
        .env("GIT_COMMITTER_EMAIL", "t@t.invalid")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(stdin.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn meta(message: &str) -> CommitMeta {
    CommitMeta {
        agent: "cloud".parse().unwrap(),
        role: Role::Cloud,
        message: message.to_owned(),
        trailers: vec![(
            "Platinum-Claim".to_owned(),
            "claim_1\nPlatinum-Agent: local".to_owned(),
        )],
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    }
}

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn put(at: &str, text: &str) -> (VaultPath, Edit) {
    (path(at), Edit::Put(text.as_bytes().to_vec()))
}

fn delete(at: &str) -> (VaultPath, Edit) {
    (path(at), Edit::Delete)
}

fn repo() -> (tempfile::TempDir, Repo) {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
    (folder, repo)
}

/// A commit changes what its edits name and nothing else.
#[test]
fn commit_changes_only_the_edited_paths() {
    let (_folder, repo) = repo();
    let first = [
        put("Inbox/a.md", "a"),
        put("Inbox/deep/b.md", "b"),
        put("Dashboard.md", "d"),
    ];
    let one = repo.commit(None, &first, &meta("One")).unwrap();
    let second = [
        delete("Inbox/deep/b.md"),
        put("Done/2026/11/c.md", "c"),
        put("Inbox/a.md", "a2"),
    ];
    let two = repo.commit(Some(one), &second, &meta("Two")).unwrap();
    let changes: Vec<_> = repo
        .changes(Some(one), two)
        .unwrap()
        .into_iter()
        .map(|c| (c.path.to_string(), c.change, c.blob.is_some()))
        .collect();
    assert_eq!(
        changes,
        [
            ("Done/2026/11/c.md".to_owned(), Change::Create, true),
            ("Inbox/a.md".to_owned(), Change::Modify, true),
            ("Inbox/deep/b.md".to_owned(), Change::Delete, false),
        ]
    );
    let listed = git(
        repo.git_dir(),
        &["ls-tree", "-r", "--name-only", &two.to_string()],
        "",
    );
    assert_eq!(listed, "Dashboard.md\nDone/2026/11/c.md\nInbox/a.md");
    assert_eq!(repo.tree_files(two).unwrap().len(), 3);
    assert_eq!(
        repo.file_at(two, &path("Inbox/a.md"), 10).unwrap().unwrap(),
        b"a2"
    );
    assert_eq!(
        repo.file_at(two, &path("Inbox/deep/b.md"), 10).unwrap(),
        None
    );
    git(repo.git_dir(), &["fsck", "--strict"], "");
    assert!(!repo.git_dir().join("index").exists());
}

#[test]
fn commit_trailer_value_cannot_add_a_trailer() {
    let (_folder, repo) = repo();
    let commit = repo
        .commit(
            None,
            &[put("Inbox/a.md", "a")],
            &meta("One\n\nPlatinum-Agent: local"),
        )
        .unwrap();
    let info = repo.commit_info(commit).unwrap();
    assert_eq!(info.trailer("Platinum-Agent"), Some("cloud"));
    assert_eq!(info.trailer("Platinum-Role"), Some("cloud"));
}

#[test]
fn commit_conflicting_edit_is_refused() {
    let (_folder, repo) = repo();
    let one = repo
        .commit(
            None,
            &[put("Inbox/a.md", "a"), put("Plans/b/c.md", "c")],
            &meta("One"),
        )
        .unwrap();
    let refused = |edit| repo.commit(Some(one), &[edit], &meta("Two")).unwrap_err();
    assert!(matches!(
        refused(delete("Inbox/no.md")),
        RepoError::Absent(_)
    ));
    assert!(matches!(refused(delete("Inbox")), RepoError::Absent(_)));
    assert!(matches!(
        refused(put("Inbox/a.md/x.md", "x")),
        RepoError::InTheWay(_)
    ));
    assert!(matches!(
        refused(put("Plans/b", "x")),
        RepoError::InTheWay(_)
    ));
}

#[test]
fn commits_between_lists_parents_first() {
    let (_folder, repo) = repo();
    let one = repo
        .commit(None, &[put("Inbox/a.md", "1")], &meta("One"))
        .unwrap();
    let two = repo
        .commit(Some(one), &[put("Inbox/a.md", "2")], &meta("Two"))
        .unwrap();
    let three = repo
        .commit(Some(two), &[put("Inbox/a.md", "3")], &meta("Three"))
        .unwrap();
    assert_eq!(
        repo.commits_between(Some(one), three, 10).unwrap(),
        [two, three]
    );
    assert_eq!(
        repo.commits_between(None, three, 10).unwrap(),
        [one, two, three]
    );
    assert!(repo.commits_between(None, three, 2).is_err());
    assert!(repo.is_ancestor(one, three).unwrap() && !repo.is_ancestor(three, one).unwrap());
    repo.set_ref(RefName::Verified, two).unwrap();
    assert_eq!(repo.tip(RefName::Verified).unwrap(), Some(two));
    repo.record_outgoing(three).unwrap();
    assert!(repo.outgoing().unwrap().contains(&three));
    repo.remove_outgoing(three).unwrap();
    repo.remove_outgoing(three).unwrap();
    assert!(repo.outgoing().unwrap().is_empty());
}

#[test]
fn changes_foreign_entry_is_named() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    let commit_of = |inner: &str| {
        let inner = git(dir, &["mktree", "--missing"], inner);
        let outer = git(dir, &["mktree"], &format!("040000 tree {inner}\tInbox\n"));
        Oid::from_str(&git(dir, &["commit-tree", &outer, "-m", "x"], "")).unwrap()
    };
    for (inner, text) in [
        (
            format!("120000 blob {blob}\tlink.md\n"),
            "`Inbox/link.md` is a symbolic link",
        ),
        (
            format!("160000 commit {}\tsub\n", "1".repeat(40)),
            "`Inbox/sub` is a submodule",
        ),
        (
            format!("100644 blob {blob}\tA.md\n100644 blob {blob}\ta.md\n"),
            "`Inbox/a.md` differs only in case from `A.md`, and many systems cannot hold both",
        ),
    ] {
        let found = repo.changes(None, commit_of(&inner)).unwrap_err();
        assert_eq!(found.to_string(), text);
    }
    let found = repo
        .changes(None, commit_of(&format!("100644 blob {blob}\ta:b.md\n")))
        .unwrap_err();
    assert!(
        found
            .to_string()
            .starts_with("`Inbox/a:b.md` is no path of a vault"),
        "{found}"
    );
}

/// Writes a tree object of these raw entries, which git's own tools would not.
fn raw_tree(dir: &Path, entries: &[(&str, &[u8], &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, oid) in entries {
        bytes.extend_from_slice(mode.as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(name);
        bytes.push(0);
        bytes.extend_from_slice(Oid::from_str(oid).unwrap().as_bytes());
    }
    let file = dir.join("raw");
    std::fs::write(&file, bytes).unwrap();
    git(
        dir,
        &[
            "hash-object",
            "-t",
            "tree",
            "-w",
            "--literally",
            file.to_str().unwrap(),
        ],
        "",
    )
}

fn commit_tree(dir: &Path, tree: &str) -> Oid {
    Oid::from_str(&git(dir, &["commit-tree", tree, "-m", "x"], "")).unwrap()
}

/// Every fault of a commit is listed beside what is right.
#[test]
fn compare_lists_every_fault_beside_the_changes() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    let tree = raw_tree(
        dir,
        &[
            ("100644", b"STRASSE.md", &blob),
            ("100644", b"bad\xff.md", &blob),
            ("100644", b"good.md", &blob),
            ("120000", b"link.md", &blob),
            ("100755", b"run.md", &blob),
            ("100644", "straße.md".as_bytes(), &blob),
        ],
    );
    let found = repo.compare(None, commit_tree(dir, &tree), 100).unwrap();
    let faults: Vec<_> = found.faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        faults,
        [
            "`straße.md` differs only in case from `STRASSE.md`, and many systems cannot hold both",
            "`bad\u{fffd}.md` has a name that is not UTF-8",
            "`link.md` is a symbolic link",
        ]
    );
    let changed: Vec<_> = found.changed.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(changed, ["STRASSE.md", "good.md", "run.md", "straße.md"]);
    assert_eq!(found.odd_modes, [(path("run.md"), 0o100_755)]);
    assert!(repo.compare(None, commit_tree(dir, &tree), 3).is_err());
}

/// A folder that two readers could take for two things is refused.
#[test]
fn compare_unsorted_or_doubled_entries_are_refused() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    let other = git(dir, &["hash-object", "-w", "--stdin"], "y");
    let twice = raw_tree(
        dir,
        &[("100644", b"a.md", &blob), ("100644", b"a.md", &other)],
    );
    let turned = raw_tree(
        dir,
        &[("100644", b"b.md", &blob), ("100644", b"a.md", &blob)],
    );
    for tree in [twice, turned] {
        let outer = raw_tree(dir, &[("40000", b"Inbox", &tree)]);
        let refused = repo.changes(None, commit_tree(dir, &outer)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`Inbox/a.md` is out of order in its folder, as git writes none"
        );
    }
}

#[test]
fn compare_unreadable_folder_is_a_fault() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    // Git takes it, with a warning; libgit2 has no room for such a mode.
    let evil = raw_tree(dir, &[("777777", b"a.md", &blob)]);
    let good = raw_tree(dir, &[("100644", b"b.md", &blob)]);
    let outer = |inner: &str| {
        let entries = [("40000", &b"Inbox"[..], inner), ("40000", b"Plans", &good)];
        commit_tree(dir, &raw_tree(dir, &entries))
    };
    let (evil_root, evil, clean) = (commit_tree(dir, &evil), outer(&evil), outer(&good));
    let refused = |from, to| repo.changes(from, to).unwrap_err().to_string();
    let why = "`Inbox/` is a folder that cannot be read";
    assert_eq!(refused(None, evil), why);
    assert_eq!(refused(Some(clean), evil), why);
    assert_eq!(
        refused(None, evil_root),
        "`` is a folder that cannot be read"
    );
    let found = repo.compare(Some(clean), evil, 10).unwrap();
    assert_eq!((found.faults.len(), found.changed.len()), (1, 0));
    // What takes it out, and all else that is asked for, is found.
    let healed = repo.changes(Some(evil), clean).unwrap();
    assert_eq!(healed.len(), 1);
    assert_eq!(healed[0].path, path("Inbox/b.md"));
    assert_eq!(repo.changes(Some(evil_root), clean).unwrap().len(), 2);
    let (gone, there) = (path("Inbox/a.md"), path("Plans/b.md"));
    assert_eq!(repo.blob_at(evil, &gone).unwrap(), None);
    assert_eq!(repo.blob_at(evil_root, &gone).unwrap(), None);
    assert!(repo.blob_at(evil, &there).unwrap().is_some());
    let blobs = repo.blobs_at(evil, [&gone, &there]).unwrap();
    assert_eq!(blobs.into_keys().collect::<Vec<_>>(), [there]);
    assert_eq!(repo.items(evil, "Inbox").unwrap(), []);
    assert_eq!(repo.folder_at(evil, "Inbox/sub").unwrap(), None);
    let inbox = repo.folder_at(evil, "Inbox").unwrap().unwrap();
    assert!(repo.folder(inbox).unwrap().files.is_empty());
    let mut names = 0;
    repo.visit_new(Some(evil), clean, 10, &|_| true, &mut |_| names += 1)
        .unwrap();
    let new = repo.visit_new(Some(clean), evil, 10, &|_| true, &mut |_| {});
    assert!(matches!(new, Err(RepoError::Foreign { .. })), "{new:?}");
    // One that is not there at all is another matter.
    let missing = raw_tree(dir, &[("40000", b"Inbox", &"1".repeat(40))]);
    let missing = repo.changes(None, commit_tree(dir, &missing)).unwrap_err();
    assert!(matches!(missing, RepoError::Git { .. }), "{missing}");
}

#[test]
fn compare_removed_foreign_entry_is_no_fault() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    let with = raw_tree(
        dir,
        &[("120000", b"link.md", &blob), ("100644", b"x:y.md", &blob)],
    );
    let (with, without) = (
        commit_tree(dir, &with),
        repo.commit(None, &[], &meta("x")).unwrap(),
    );
    assert_eq!(repo.changes(Some(with), without).unwrap(), []);
}

/// A commit over another has its files and the edits alone.
#[test]
fn commit_over_has_the_base_files_and_edits() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let base = repo
        .commit(
            None,
            &[put("Inbox/a.md", "a"), put("Plans/b.md", "b")],
            &meta("x"),
        )
        .unwrap();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "/etc");
    let tree = raw_tree(
        dir,
        &[
            ("120000", b"Inbox", &blob),
            ("160000", b"sub", &"1".repeat(40)),
            ("100644", b"x\xff", &blob),
        ],
    );
    let parent = base.to_string();
    let evil = git(dir, &["commit-tree", &tree, "-p", &parent, "-m", "x"], "");
    let evil = Oid::from_str(&evil).unwrap();
    let over = [put("Plans/c.md", "c")];
    let healed = repo
        .commit_over(Some(evil), Some(base), &over, &meta("Undo"))
        .unwrap();
    assert_eq!(repo.commit_info(healed).unwrap().parents, [evil]);
    let changes = repo.changes(Some(base), healed).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].path, path("Plans/c.md"));
    assert_eq!(repo.changes(Some(evil), healed).unwrap().len(), 3);
}
