//! Maintenance of a repository: packed by git's client, read by libgit2, and nothing is ever lost.

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
    repo.record_outgoing(outgoing).unwrap();
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

/// Eight thousand loose objects become a pack and none is lost.
#[tokio::test]
async fn maintain_packs_8000_loose_objects_losslessly() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_or_init(&git_dir).unwrap();
    let written = fill(&repo, 8_000);
    assert!(repo.object_stats().unwrap().needs_gc());
    assert!(loose(&git_dir) >= 8_000);

    repo.maintain().await.unwrap();
    assert_eq!(loose(&git_dir), 0);
    let stats = repo.object_stats().unwrap();
    assert_eq!((stats.loose, stats.packs), (0, 1));
    assert!(!stats.needs_gc());
    assert!(
        !git_dir.join("refs/vault/verified").exists(),
        "refs are gathered too"
    );
    // The same handle, which knew no pack, and a new one.
    all_is_there(&repo, &written);
    all_is_there(&Repo::open_or_init(&git_dir).unwrap(), &written);
    git_in(&git_dir, &["fsck", "--strict", "--no-dangling"]).unwrap();

    // Refs that were gathered can be moved and removed; the next maintenance packs what is new.
    let more = repo.write_blob(b"more").unwrap();
    let outgoing = repo.outgoing().unwrap();
    repo.remove_outgoing(*outgoing.first().unwrap()).unwrap();
    repo.record_outgoing(*outgoing.first().unwrap()).unwrap();
    repo.maintain().await.unwrap();
    assert_eq!(loose(&git_dir), 0);
    assert_eq!(repo.read_blob(more, 10).unwrap(), b"more");
    all_is_there(&repo, &written);
}

#[tokio::test]
async fn maintain_killed_at_any_moment_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_or_init(&git_dir).unwrap();
    let written = fill(&repo, 2_500);
    for millis in [1, 5, 15, 30, 60, 90, 120, 160, 200, 300] {
        // Given up, its whole process group is killed.
        let maintenance = tokio::time::timeout(Duration::from_millis(millis), repo.maintain());
        if let Ok(done) = maintenance.await {
            done.unwrap();
        }
        // The killed may need a moment to die.
        let taken = platinum_testkit::wait_for("git's end", Duration::from_secs(20), || {
            Ok(repo.remove_stale_locks()?)
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
fn object_stats_small_repository_needs_no_gc() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_or_init(&git_dir).unwrap();
    fill(&repo, 100);
    assert!(!repo.object_stats().unwrap().needs_gc());
    let refs = git_dir.join("refs/vault/marks");
    for number in 0..500 {
        fs::copy(refs.join("task"), refs.join(number.to_string())).unwrap();
    }
    assert!(repo.object_stats().unwrap().needs_gc());
}
