//! One of the four that contest: a host in a process of its own, which claims task after task and
//! writes down what came of it.
//!
//! The process is the test executable once more, running the very test that started it. It may be
//! killed and started again at any moment: where it was it reads in its own history, as a daemon
//! would find it in its vault.
//! Invariant: it ends when the test's process ends, which holds its standard input; one that is
//! stopped gets a hang-up from the system then, because it is a process group of its own.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::{fs::FileExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use platinum_core::{TaskId, ZoneId};
use platinum_host_tests::worker::{Setup, open};
use platinum_protocol::Claimed;
use platinum_repo::ClientOptions;
use platinum_sync::{ClaimError, SyncError, Synchronizer};
use serde::{Deserialize, Serialize};

use crate::contest::history::{self, Outcome, Recorder, What};

/// Names the worker's [`Part`], in a process that is to be one.
const VARIABLE: &str = "PLATINUM_TEST_CONTESTANT";
/// Every so many tasks the whole vault is synced, and its repository tended.
const SYNC_EVERY: usize = 40;
/// How long a worker waits for the others before it goes on.
const PATIENCE: Duration = Duration::from_millis(700);

/// What one worker needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) number: usize,
    pub(crate) of: usize,
    pub(crate) tasks: usize,
    pub(crate) setup: Setup,
    pub(crate) settings: Vec<(String, String)>,
    /// Where histories and places are.
    pub(crate) folder: PathBuf,
}

/// The id of a task of the contest.
pub(crate) fn task(number: usize) -> TaskId {
    let number = number as u64;
    TaskId::from_parts(1_795_000_000_000 + number, u128::from(number))
}

/// And its zone: all those that both halves may work in.
pub(crate) fn zone(number: usize) -> ZoneId {
    [ZoneId::EMAIL, ZoneId::SOCIAL, ZoneId::ACCOUNTING][number % 3]
}

/// Whether the winner of this task gives it back, for the next to win.
pub(crate) fn is_given_back(task: usize) -> bool {
    task.is_multiple_of(4)
}

/// The name of a worker.
pub(crate) fn name(number: usize) -> String {
    format!("cloud-{}", number + 1)
}

/// The part of this process, if it is to be a worker.
pub(crate) fn asked() -> Option<Part> {
    let text = std::env::var(VARIABLE).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// Starts a worker; `test` is the name of the test that is running.
pub(crate) fn start(test: &str, part: &Part) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(part.folder.join(format!("{}.log", name(part.number))))
        .unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, serde_json::to_string(part).unwrap())
        .stdin(Stdio::piped())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Plays the part to its end.
pub(crate) fn play(part: &Part) {
    std::thread::spawn(|| {
        // Nothing is ever written: it ends when the test's process does.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let options = ClientOptions {
        user_config: false,
        time_out: part.setup.time_out,
        ssh: part.setup.ssh.clone().unwrap_or_default(),
        settings: part.settings.clone(),
        ..ClientOptions::default()
    };
    let (_, sync) = open(&part.setup, options);
    let contestant = Contestant { part, sync };
    runtime.block_on(contestant.play());
    // A blocked thread of the runtime is no one's concern any more.
    std::process::exit(0);
}

struct Contestant<'a> {
    part: &'a Part,
    sync: Synchronizer,
}

impl Contestant<'_> {
    async fn play(&self) {
        let part = self.part;
        let done = history::read(&part.folder, part.number);
        let mut recorder = Recorder::open(&history::file(&part.folder, part.number));
        let first = done.last().map_or(0, |it| it.task);
        // In the middle of the last one, perhaps.
        let mut is_won = done
            .iter()
            .any(|it| it.task == first && matches!(it.outcome, Outcome::Won(_)));
        self.sync_once().await;
        for task in first..part.tasks {
            self.meet(task).await;
            if !is_won {
                is_won = self.claim(task, &mut recorder).await;
            }
            if is_won && is_given_back(task) {
                self.release(task, &mut recorder).await;
            }
            is_won = false;
            if task % SYNC_EVERY == SYNC_EVERY - 1 {
                self.sync_once().await;
            }
        }
        announce(&part.folder, part.number, part.tasks as u64 + 1);
    }

    /// What the daemon does now and then: a sync of the whole vault, and upkeep of the repository.
    /// That the line is down is no news.
    async fn sync_once(&self) {
        if let Err(error) = self.sync.sync().await {
            println!("sync: {error}");
        }
        if let Err(error) = self.sync.maintain().await {
            println!("upkeep: {error}");
        }
    }

    /// Claims until it is known whose the task is; answers whether it is ours.
    async fn claim(&self, task: usize, recorder: &mut Recorder) -> bool {
        loop {
            recorder.begin(task, What::Claim);
            let outcome = match self.sync.claim(self::task(task)).await {
                Ok(Claimed::Won { epoch }) => Outcome::Won(epoch),
                Ok(Claimed::Lost { owner }) => Outcome::Lost(owner.map(|it| it.to_string())),
                Ok(Claimed::GaveUp) => Outcome::Failed,
                Ok(Claimed::Tentative) => Outcome::Unknown("tentative".to_owned()),
                Err(error) => Outcome::Unknown(error.to_string()),
            };
            recorder.end(outcome.clone());
            match outcome {
                Outcome::Won(_) => return true,
                Outcome::Lost(_) => return false,
                _ => println!("claim {task}: {outcome:?}"),
            }
        }
    }

    /// Gives it back until it is known that it is.
    async fn release(&self, task: usize, recorder: &mut Recorder) {
        loop {
            recorder.begin(task, What::Release);
            let ended = self.sync.release(self::task(task), "For the next.").await;
            let (outcome, is_over) = match ended {
                Ok(()) => (Outcome::Released, true),
                // An earlier attempt landed, and the next has it: this one did nothing.
                Err(SyncError::Claim(ClaimError::NotOwner { .. })) => (Outcome::Failed, true),
                Err(error) => (Outcome::Unknown(error.to_string()), false),
            };
            if !is_over {
                println!("release {task}: {outcome:?}");
            }
            recorder.end(outcome);
            if is_over {
                return;
            }
        }
    }

    /// Waits until all are at this task, so that they contest for it; not for long for one that is
    /// stopped or dead.
    async fn meet(&self, task: usize) {
        let Part {
            number, of, folder, ..
        } = self.part;
        // From one on: nothing is written yet by one that never began.
        let here = task as u64 + 1;
        announce(folder, *number, here);
        let places: Vec<_> = (0..*of)
            .map(|other| File::open(place(folder, other)))
            .collect();
        let are_here = || places.iter().all(|it| at(it.as_ref().ok()) >= here);
        let deadline = Instant::now() + PATIENCE;
        while !are_here() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn place(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("place-{number}"))
}

/// How far a worker is, from its file.
fn at(place: Option<&File>) -> u64 {
    let mut bytes = [0; 8];
    place
        .and_then(|file| file.read_exact_at(&mut bytes, 0).ok())
        .map_or(0, |()| u64::from_le_bytes(bytes))
}

fn announce(folder: &Path, number: usize, here: u64) {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(place(folder, number))
        .unwrap();
    file.write_all_at(&here.to_le_bytes(), 0).unwrap();
}

/// How far each worker is.
pub(crate) fn places(folder: &Path, of: usize) -> Vec<u64> {
    (0..of)
        .map(|number| at(File::open(place(folder, number)).ok().as_ref()))
        .collect()
}

/// The end of what a worker said.
pub(crate) fn log(folder: &Path, number: usize) -> String {
    let text = fs::read_to_string(folder.join(format!("{}.log", name(number))));
    let text = text.unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
