//! A disk that is full, and a vault that may not be written: told as what it is, nothing lost, and
//! what could not be done is done once it can be.
//!
//! The disks are small file systems in memory, which only root may mount: where that is refused,
//! the tests say so and are skipped, unless this is root and they must run.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use platinum_core::ZoneId;
use platinum_host_tests::worker::{Answer, Order};
use platinum_testkit::{notes::as_note, seed};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use crate::failpoints::cluster::Cluster;

/// What takes the room. Hidden: no note of the vault's.
const BALLAST: &str = ".ballast";

/// A small file system; it goes with the value.
struct Disk(tempfile::TempDir);

impl Disk {
    /// Of so many mebibytes; nothing where it may not be mounted.
    fn mount(mebibytes: u32) -> anyhow::Result<Option<Self>> {
        let disk = Self(tempfile::tempdir()?);
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = run(
            "mount",
            &["-t", "tmpfs", "-o", &size, "platinum-test"],
            disk.path(),
        );
        match mounted {
            Ok(()) => Ok(Some(disk)),
            Err(error) => {
                let is_root = rustix::process::geteuid().is_root();
                // In a container root may not either.
                let text = format!("{error:#}");
                let is_forbidden =
                    text.contains("not permitted") || text.contains("ermission denied");
                let why = format!("no file system can be mounted here: {text}");
                platinum_testkit::skip(&why, !is_root || is_forbidden)?;
                Ok(None)
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room but so many kibibytes.
    fn fill(&self, but: u64) {
        let about = rustix::fs::statvfs(self.path()).unwrap();
        let free = about.f_bavail * about.f_frsize;
        let ballast = vec![0_u8; usize::try_from(free - but * 1024).unwrap()];
        fs::write(self.path().join(BALLAST), ballast).unwrap();
    }

    fn empty(&self) {
        fs::remove_file(self.path().join(BALLAST)).unwrap();
    }

    fn may_be_written(&self, yes: bool) {
        let how = if yes { "remount,rw" } else { "remount,ro" };
        run("mount", &["-o", how], self.path()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["--lazy"], self.path());
    }
}

fn run(program: &str, words: &[&str], path: &Path) -> anyhow::Result<()> {
    let ended = Command::new(program)
        .args(words)
        .arg(path)
        .output()
        .with_context(|| format!("{program} is not installed"))?;
    let printed = String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{program}: {}", printed.trim());
    Ok(())
}

fn withheld(answer: &Answer) -> &[String] {
    match answer {
        Answer::Synced { withheld, .. } => withheld,
        other => panic!("{other:?}"),
    }
}

/// Hidden files: what an unfinished write leaves.
fn hidden(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().display().to_string())
        .filter(|name| name.starts_with('.'))
        .collect()
}

/// A vault on a full disk takes what fits and the rest later.
#[test]
fn full_vault_disk_takes_what_fits_and_the_rest_later() {
    let Some(disk) = Disk::mount(4).unwrap() else {
        return;
    };
    let mut cluster = Cluster::set_with(|setup| setup.vault = disk.path().to_owned());
    cluster.owner.save("Inbox/idea.md", "An idea.\n");
    assert_eq!(withheld(&cluster.local(&Order::Sync)), [""; 0]);
    disk.fill(600);
    cluster.cloud(&Order::Sync);
    cluster.other.save(
        "In_Progress/cloud/large.txt",
        "A large text. ".repeat(100_000),
    );
    cluster
        .other
        .save("In_Progress/cloud/small.md", "A small text.\n");
    cluster.cloud(&Order::Sync);
    cluster.owner.save("Inbox/idea.md", "A better idea.\n");
    let reason = "In_Progress/cloud/large.txt: there is no room left on the disk to write \
                  In_Progress/cloud/large.txt; nothing was changed. Free some space";
    for _ in 0..2 {
        assert_eq!(withheld(&cluster.local(&Order::Sync)), [reason]);
        assert_eq!(hidden(&disk.path().join("In_Progress/cloud")), [""; 0]);
    }
    assert_eq!(
        cluster.owner.read("In_Progress/cloud/small.md").unwrap(),
        "A small text.\n"
    );
    // What is not here for want of room is not taken for deleted, and the owner's edit went.
    assert!(
        cluster
            .remote_files()
            .contains("In_Progress/cloud/large.txt")
    );
    disk.empty();
    cluster.end();
}

/// A state folder on a full disk changes nothing until there is room.
#[test]
fn full_state_disk_changes_nothing_until_there_is_room() {
    // Its journal alone takes four.
    let Some(disk) = Disk::mount(8).unwrap() else {
        return;
    };
    let mut cluster = Cluster::set_with(|setup| setup.state = disk.path().to_owned());
    let task = cluster.put_task(ZoneId::EMAIL).to_string();
    cluster.owner.save("Inbox/idea.md", "An idea.\n");
    assert_eq!(withheld(&cluster.local(&Order::Sync)), [""; 0]);
    cluster.cloud(&Order::Sync);
    cluster
        .other
        .save("Plans/plan.md", as_note("Plans/plan.md", "A plan.\n"));
    cluster.cloud(&Order::Sync);
    disk.fill(0);
    let before = cluster.remote_files();
    let text = noise(500_000);
    cluster.owner.save("Inbox/large.txt", &text);
    for order in [Order::Sync, Order::Claim(task.clone())] {
        let answer = cluster.local(&order);
        let refused = matches!(&answer, Answer::Failed(_))
            || answer == Answer::Claimed("Tentative".to_owned());
        assert!(refused, "{order:?}: {answer:?}");
    }
    assert_eq!(cluster.remote_files(), before);
    assert_eq!(cluster.owner.read("Inbox/large.txt"), Some(text));
    disk.empty();
    let answer = cluster.local(&Order::Claim(task));
    assert_eq!(answer, Answer::Claimed("Won { epoch: 1 }".to_owned()));
    cluster.end();
}

/// A vault that may not be written is told as that and filled later.
#[test]
fn read_only_vault_is_reported_and_filled_later() {
    let Some(disk) = Disk::mount(4).unwrap() else {
        return;
    };
    let mut cluster = Cluster::set_with(|setup| setup.vault = disk.path().to_owned());
    let task = cluster.put_task(ZoneId::EMAIL).to_string();
    cluster.owner.save("Inbox/idea.md", "An idea.\n");
    assert_eq!(withheld(&cluster.local(&Order::Sync)), [""; 0]);
    cluster.cloud(&Order::Claim(task));
    cluster
        .other
        .save("Plans/plan.md", as_note("Plans/plan.md", "A plan.\n"));
    cluster.cloud(&Order::Sync);
    disk.may_be_written(false);
    for _ in 0..2 {
        let answer = cluster.local(&Order::Sync);
        let message = match &answer {
            Answer::Synced { withheld, .. } => withheld.join("\n"),
            Answer::Failed(reason) => reason.clone(),
            other => panic!("{other:?}"),
        };
        assert!(message.contains("Read-only file system"), "{answer:?}");
    }
    assert!(cluster.remote_files().contains("Plans/plan.md"));
    disk.may_be_written(true);
    cluster.end();
}

/// Text that does not get smaller.
fn noise(length: usize) -> String {
    let random = StdRng::seed_from_u64(seed());
    let random = random.sample_iter(rand::distr::Alphanumeric);
    random.take(length).map(char::from).collect()
}
