//! Upkeep of a repository: gathered by git's client, read by libgit2, and nothing is ever lost.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, RefName, Repo};
use platinum_testkit::git::git_in;

fn commit(repo: &Repo, parent: Option<Oid>, path: &str, blob: Oid) -> Oid {
    let meta = CommitMeta {
        agent: "local".parse().unwrap(),
        role: Role::Local,
        message: "Change".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    };
    let path = VaultPath::new(path).unwrap();
    repo.commit(parent, &[(path, Edit::PutBlob(blob))], &meta)
        .unwrap()
}

/// Blobs that no ref names, and commits of each kind of ref of ours.
fn fill(repo: &Repo, blobs: usize) -> BTreeMap<Oid, Vec<u8>> {
    let mut written = BTreeMap::new();
    for number in 0..blobs {
        let bytes = format!("note {number}\n")
            .repeat(1 + number % 40)
            .into_bytes();
        written.insert(repo.write_blob(&bytes).unwrap(), bytes);
    }
    let mut tip = None;
    for (number, blob) in written.keys().take(30).enumerate() {
        tip = Some(commit(repo, tip, &format!("Inbox/{number}.md"), *blob));
    }
    let tip = tip.unwrap();
    for name in [RefName::Remote, RefName::Verified, RefName::Applied] {
        repo.set_ref(name, tip).unwrap();
    }
    let outgoing = commit(
        repo,
        Some(tip),
        "Inbox/out.md",
        *written.keys().next().unwrap(),
    );
    repo.note_outgoing(outgoing).unwrap();
    repo.set_mark("task", Some(outgoing)).unwrap();
    written
}

fn all_is_there(repo: &Repo, written: &BTreeMap<Oid, Vec<u8>>) {
    for (oid, bytes) in written {
        assert_eq!(&repo.read_blob(*oid, 1 << 20).unwrap(), bytes);
    }
    let tip = repo.tip(RefName::Verified).unwrap().unwrap();
    assert_eq!(repo.commits_between(None, tip, 100).unwrap().len(), 30);
    let outgoing = repo.outgoing().unwrap();
    assert_eq!(outgoing.len(), 1);
    assert_eq!(repo.mark("task").unwrap(), outgoing.first().copied());
}

fn loose(git_dir: &Path) -> usize {
    let counted = git_in(git_dir, &["count-objects"]).unwrap();
    counted.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn eight_thousand_loose_objects_become_a_pack_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_or_init(&git_dir).unwrap();
    let written = fill(&repo, 8_000);
    assert!(repo.clutter().unwrap().is_much());
    assert!(loose(&git_dir) >= 8_000);

    repo.maintain().await.unwrap();
    assert_eq!(loose(&git_dir), 0);
    let clutter = repo.clutter().unwrap();
    assert_eq!((clutter.loose, clutter.packs), (0, 1));
    assert!(!clutter.is_much());
    assert!(
        !git_dir.join("refs/vault/verified").exists(),
        "refs are gathered too"
    );
    // The same handle, which knew no pack, and a new one.
    all_is_there(&repo, &written);
    all_is_there(&Repo::open_or_init(&git_dir).unwrap(), &written);
    git_in(&git_dir, &["fsck", "--strict", "--no-dangling"]).unwrap();

    // Refs that were gathered can be moved and removed; further upkeep gathers what is new.
    let more = repo.write_blob(b"more").unwrap();
    let outgoing = repo.outgoing().unwrap();
    repo.settle_outgoing(*outgoing.first().unwrap()).unwrap();
    repo.note_outgoing(*outgoing.first().unwrap()).unwrap();
    repo.maintain().await.unwrap();
    assert_eq!(loose(&git_dir), 0);
    assert_eq!(repo.read_blob(more, 10).unwrap(), b"more");
    all_is_there(&repo, &written);
}

#[tokio::test]
async fn upkeep_that_is_killed_at_any_moment_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_or_init(&git_dir).unwrap();
    let written = fill(&repo, 2_500);
    for millis in [1, 5, 15, 30, 60, 90, 120, 160, 200, 300] {
        // Given up, its whole process group is killed.
        let upkeep = tokio::time::timeout(Duration::from_millis(millis), repo.maintain());
        if let Ok(done) = upkeep.await {
            done.unwrap();
        }
        // The killed may need a moment to die.
        let taken = platinum_testkit::wait_for("git's end", Duration::from_secs(20), || {
            Ok(repo.take_stale_locks()?)
        });
        taken.unwrap();
        all_is_there(&repo, &written);
        repo.set_mark("moves", Some(repo.tip(RefName::Verified).unwrap().unwrap()))
            .unwrap();
        repo.write_blob(format!("between {millis}").as_bytes())
            .unwrap();
    }
    repo.maintain().await.unwrap();
    assert_eq!(loose(&git_dir), 0);
    all_is_there(&Repo::open_or_init(&git_dir).unwrap(), &written);
    git_in(&git_dir, &["fsck", "--strict", "--no-dangling"]).unwrap();
}

#[test]
fn a_repository_with_little_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_or_init(&git_dir).unwrap();
    fill(&repo, 100);
    assert!(!repo.clutter().unwrap().is_much());
    let refs = git_dir.join("refs/vault/marks");
    for number in 0..500 {
        fs::copy(refs.join("task"), refs.join(number.to_string())).unwrap();
    }
    assert!(repo.clutter().unwrap().is_much());
}
