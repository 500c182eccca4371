//! The journal, after power failures of every kind that a file system allows: files that are there
//! in part, empty or not at all.

use std::process::Command;

use platinum_core::{Role, Timestamp, VaultPath};
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use std::{collections::BTreeMap, fs};

use git2::ObjectType;

use super::{record::MAGIC, *};
use crate::{CommitMeta, Edit, RefName, Repo};

/// Small, so that it begins anew now and then.
const SHORT: u64 = 16 * 1024;

fn meta(message: &str) -> CommitMeta {
    CommitMeta {
        agent: "local".parse().unwrap(),
        role: Role::Local,
        message: message.to_owned(),
        trailers: Vec::new(),
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    }
}

/// One change as a sync makes it: kept, committed, noted, landed.
fn change(repo: &Repo, number: u32, text: &str) -> Oid {
    let path = VaultPath::new(format!("Inbox/sub/{}.md", number % 7)).unwrap();
    let blob = repo.write_blob(text.as_bytes()).unwrap();
    let edit = [(path, Edit::PutBlob(blob))];
    let applied = repo.tip(RefName::Applied).unwrap();
    repo.save_snapshot(applied, &edit, &meta("Kept")).unwrap();
    let tip = repo.tip(RefName::Verified).unwrap();
    let commit = repo.commit(tip, &edit, &meta("Sync")).unwrap();
    repo.record_outgoing(commit).unwrap();
    commit
}

fn land(repo: &Repo, commit: Oid) {
    repo.set_ref(RefName::Verified, commit).unwrap();
    repo.remove_outgoing(commit).unwrap();
    repo.set_ref(RefName::Applied, commit).unwrap();
}

/// Every ref of ours and its value.
fn refs(git_dir: &Path) -> BTreeMap<String, String> {
    let listed = git(
        git_dir,
        &["for-each-ref", "--format=%(refname) %(objectname)"],
    );
    listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn git(git_dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("--git-dir")
        .arg(git_dir)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The files that hold objects and refs, and what is in them.
fn files(git_dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, found),
                false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(&git_dir.join("objects"), &mut found);
    collect(&git_dir.join("refs"), &mut found);
    found
}

/// What the power may leave of files without fsync: any of them as it was before, empty,
/// cut, or not there.
fn fail_power(before: &BTreeMap<PathBuf, Vec<u8>>, git_dir: &Path, random: &mut StdRng) -> usize {
    let mut torn = 0;
    for (path, now) in files(git_dir) {
        let was = before.get(&path);
        if was == Some(&now) || random.random_bool(0.3) {
            continue;
        }
        torn += 1;
        fs::remove_file(&path).unwrap();
        match (random.random_range(0..4), was) {
            (0, _) => {}
            (1, _) => fs::write(&path, "").unwrap(),
            (2, _) => fs::write(&path, &now[..now.len() / 2]).unwrap(),
            (_, Some(was)) => fs::write(&path, was).unwrap(),
            (_, None) => {}
        }
    }
    // Refs that were taken away may be there again.
    for (path, was) in before {
        if path.starts_with(git_dir.join("refs")) && !path.exists() && random.random_bool(0.5) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, was).unwrap();
            torn += 1;
        }
    }
    torn
}

/// Whatever the power leaves of the files nothing that was durable is lost.
#[test]
fn wal_any_power_failure_loses_nothing_durable() {
    let mut torn = 0;
    for seed in 0..12 {
        let mut random = StdRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("vault.git");
        let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
        let mut texts = Vec::new();
        let mut number = 0;
        for _life in 0..3 {
            let mut before = files(&git_dir);
            for _ in 0..random.random_range(1..20) {
                number += 1;
                let text = format!("{number} ").repeat(random.random_range(1..400));
                let was_at = repo.wal().unwrap().unwrap().generation;
                let commit = change(&repo, number, &text);
                texts.push(text);
                if random.random_bool(0.8) {
                    land(&repo, commit);
                    // What comes last need not be durable; the next change makes it so.
                    let text = format!("after {number}");
                    change(&repo, number, &text);
                    texts.push(text);
                }
                if repo.wal().unwrap().unwrap().generation != was_at {
                    // All of this was put on the disk, with a system call; what came after may be.
                    before = files(&git_dir);
                }
            }
            let expected = refs(&git_dir);
            torn += fail_power(&before, &git_dir, &mut random);
            let again = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
            assert_eq!(refs(&git_dir), expected, "seed {seed}");
            git(&git_dir, &["fsck", "--full", "--strict", "--no-dangling"]);
            for text in &texts {
                let blob = Repo::blob_oid_of(text.as_bytes()).unwrap();
                assert_eq!(again.read_blob(blob, 9999).unwrap(), text.as_bytes());
            }
        }
    }
    assert!(torn > 100, "{torn}");
}

/// A record that was not durable may be lost and costs no other.
#[test]
fn wal_lost_lazy_record_costs_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
    let first = change(&repo, 1, "one");
    land(&repo, first);
    let second = change(&repo, 2, "two");
    let end = repo.wal().unwrap().unwrap().at;
    let kept = repo.last_snapshot().unwrap();
    land(&repo, second);
    let wal = git_dir.join(FILE);
    let whole = fs::read(&wal).unwrap();
    let last = repo.wal().unwrap().unwrap().at;
    drop(repo);
    let before = files(&git_dir);
    for cut in (end..last).step_by(5) {
        let mut bytes = whole.clone();
        bytes[usize::try_from(cut).unwrap()..].fill(0);
        fs::write(&wal, bytes).unwrap();
        for name in ["verified", "applied"] {
            fs::write(git_dir.join("refs/vault").join(name), "").unwrap();
        }
        let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
        let verified = repo.tip(RefName::Verified).unwrap().unwrap();
        assert!([first, second].contains(&verified), "cut at {cut}");
        assert_eq!(repo.last_snapshot().unwrap(), kept);
        drop(repo);
        for (path, bytes) in &before {
            fs::remove_file(path).ok();
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
}

/// What was fetched last is in no record: git's own client notes it.
#[test]
fn wal_open_removes_torn_refs_without_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
    let commit = change(&repo, 1, "one");
    land(&repo, commit);
    drop(repo);
    let expected = refs(&git_dir);
    let ours = git_dir.join("refs/vault");
    for torn in ["", "0123456789", "\0\0\0\0\0\0\0\0"] {
        fs::write(ours.join("remote"), torn).unwrap();
        fs::create_dir_all(ours.join("unheard")).unwrap();
        fs::write(ours.join("unheard").join(commit.to_string()), torn).unwrap();
        let again = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
        assert_eq!(again.tip(RefName::Remote).unwrap(), None, "{torn:?}");
        assert_eq!(refs(&git_dir), expected, "{torn:?}");
    }
}

#[test]
fn wal_open_after_a_kill_removes_the_ref_lock() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
    change(&repo, 1, "one");
    let kept = repo.last_snapshot().unwrap().unwrap();
    let file = git_dir.join("refs/vault/kept");
    let before = fs::read(&file).unwrap();
    change(&repo, 2, "two");
    let ahead = repo.last_snapshot().unwrap();
    drop(repo);
    fs::write(&file, before).unwrap();
    fs::write(git_dir.join("refs/vault/kept.lock"), "").unwrap();
    // Or while it set something; and a reader has set it otherwise.
    fs::write(git_dir.join("config.lock"), "").unwrap();
    Repo::open_or_init(&git_dir).unwrap();
    let again = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
    assert_eq!(again.last_snapshot().unwrap(), ahead);
    assert_ne!(ahead, Some(kept));
}

#[test]
fn wal_replay_keeps_a_ref_moved_by_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
    let first = change(&repo, 1, "one");
    land(&repo, first);
    drop(repo);
    // An earlier release without a write-ahead log goes on for a while.
    let earlier = Repo::open_or_init(&git_dir).unwrap();
    let second = change(&earlier, 2, "two");
    land(&earlier, second);
    drop(earlier);
    let expected = refs(&git_dir);
    Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
    assert_eq!(refs(&git_dir), expected);
}

/// A change waits for the disk twice and large bytes by themselves.
#[test]
fn wal_change_costs_two_fsyncs_and_one_for_large_blobs() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_with_wal_of(&git_dir, LENGTH).unwrap();
    let begun = repo.wal().unwrap().unwrap().number;
    change(&repo, 1, "one");
    assert_eq!(repo.wal().unwrap().unwrap().number, begun + 2);
    // Nothing that is known is written once more.
    let at = repo.wal().unwrap().unwrap().at;
    let large = "large ".repeat(LARGE);
    let commit = change(&repo, 2, &large);
    let grown = repo.wal().unwrap().unwrap().at - at;
    assert!(grown < 4096, "{grown}");
    land(&repo, commit);
    assert!(repo.wal().unwrap().unwrap().made.is_empty());
}

/// A repository with a journal says nothing that git warns of.
#[test]
fn wal_repository_causes_no_git_warning() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    // As an earlier run left it, with and without a write-ahead log.
    Repo::open_or_init(&git_dir).unwrap();
    for _ in 0..2 {
        let repo = Repo::open_with_wal_of(&git_dir, SHORT).unwrap();
        let config = repo.lock().unwrap().config().unwrap();
        assert!(config.get_bool("core.fsyncObjectFiles").is_err());
    }
    let output = Command::new("git")
        .args(["--git-dir", git_dir.to_str().unwrap(), "count-objects"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn wal_is_empty_after_maintenance() {
    let folder = tempfile::tempdir().unwrap();
    let git_dir = folder.path().join("vault.git");
    let repo = Repo::open_with_wal_of(&git_dir, LENGTH).unwrap();
    for number in 0..5 {
        let commit = change(&repo, number, &format!("text {number}"));
        land(&repo, commit);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(repo.maintain()).unwrap();
    assert_eq!(repo.wal().unwrap().unwrap().number, 1);
    let expected = refs(&git_dir);
    let commit = change(&repo, 9, "after");
    drop(repo);
    let again = Repo::open_with_wal_of(&git_dir, LENGTH).unwrap();
    assert!(again.outgoing().unwrap().contains(&commit));
    assert_eq!(
        again.tip(RefName::Verified).unwrap().unwrap().to_string(),
        expected["refs/vault/verified"]
    );
}

fn record() -> impl Strategy<Value = Record> {
    let kinds = [
        ObjectType::Blob,
        ObjectType::Tree,
        ObjectType::Commit,
        ObjectType::Tag,
    ];
    let object = (
        prop::sample::select(kinds.to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
    );
    let value = prop::option::of(any::<[u8; 20]>());
    let reference = ("refs/vault/[a-z/]{0,20}", value)
        .prop_map(|(name, to)| (name, to.map(|to| Oid::from_bytes(&to).unwrap())));
    (
        prop::collection::vec(object, 0..4),
        prop::collection::vec(reference, 0..4),
    )
        .prop_map(|(objects, refs)| Record { objects, refs })
}

proptest! {
    /// Records are read as they were written up to the first that is not whole.
    #[test]
    fn wal_parse_stops_at_the_first_torn_record(
        records in prop::collection::vec(record(), 1..6),
        generation in any::<u64>(),
        flipped in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for (number, record) in records.iter().enumerate() {
            bytes.extend(record.encode(generation, u32::try_from(number).unwrap()));
            ends.push(bytes.len());
        }
        bytes.extend(records[0].encode(generation ^ 1, u32::try_from(records.len()).unwrap()));
        prop_assert_eq!(parse(&bytes), (generation, records.clone(), *ends.last().unwrap()));

        let at = flipped.index(*ends.last().unwrap());
        let whole = ends.iter().filter(|end| **end <= at).count();
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x20;
        prop_assert_eq!(&parse(&damaged).1, &records[..whole]);

        let at = cut.index(bytes.len());
        let whole = ends.iter().filter(|end| **end <= at).count();
        prop_assert_eq!(&parse(&bytes[..at]).1, &records[..whole]);
    }

    #[test]
    fn wal_parse_any_bytes_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut with_magic = MAGIC.to_vec();
        with_magic.extend(&bytes);
        parse(&bytes);
        parse(&with_magic);
        Record::decode(&bytes);
    }
}
