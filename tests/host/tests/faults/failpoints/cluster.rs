//! Two hosts with a remote: `local`, which is killed, and `cloud`, which is not.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use platinum_core::{TaskId, Timestamp, ZoneId, layout};
use platinum_host_tests::{
    oracle::{self, Editor},
    worker::{self, Act, Answer, Died, FailPoint, Order, Setup, Worker},
};
use platinum_testkit::git::GitServer;
use platinum_vault::note::TaskNote;

use crate::failpoints::{NAME, RECOVERY, points::POINTS, workload::Kill};

/// Rounds of both hosts until nothing moves any more.
const ROUNDS: u32 = 6;
/// How long what was written last may be waited for.
const SETTLED: Duration = Duration::from_secs(10);

pub(crate) struct Cluster {
    /// What is killed; in its place another is started at once.
    local: Option<Worker>,
    cloud: Worker,
    setup: Setup,
    pub(crate) owner: Editor,
    pub(crate) other: Editor,
    pub(crate) server: GitServer,
    pub(crate) tasks: Vec<TaskId>,
    /// Where the host is still going to be killed.
    kills: Vec<Armed>,
    /// Where it was to be killed at all.
    killed: Vec<Kill>,
    /// What the owner saves at fail points: a file that is there once he did, where, and what.
    at_points: Vec<(PathBuf, String, String)>,
    outcome: Outcome,
    /// Of the hosts that ended by themselves.
    hits: BTreeMap<String, u32>,
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Two hosts that know each other, on an empty remote.
    pub(crate) fn set() -> Self {
        Self::set_with(|_| {})
    }

    /// As [`Estate::set`]; `change` says what is otherwise with the host that may be killed.
    pub(crate) fn set_with(change: impl FnOnce(&mut Setup)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = GitServer::start().unwrap();
        let setup = |agent: &str| {
            let home = folder.path().join(agent);
            let vault = home.join("vault");
            std::fs::create_dir_all(&vault).unwrap();
            Setup {
                agent: agent.to_owned(),
                vault,
                state: home.join("state"),
                remote: server.address(),
                ssh: None,
                time_out: Duration::from_secs(20),
                every: None,
                points: Vec::new(),
                fail_points: Vec::new(),
            }
        };
        let (mut local, cloud) = (setup("local"), setup("cloud"));
        change(&mut local);
        worker::acquaint(&[&local, &cloud]);
        local.points = POINTS.map(str::to_owned).to_vec();
        let at_once = Duration::ZERO;
        let mut cluster = Self {
            local: None,
            cloud: Worker::start(NAME, &[], folder.path(), &cloud),
            owner: Editor::new(&local.vault, at_once),
            other: Editor::new(&cloud.vault, at_once),
            setup: local,
            server,
            tasks: Vec::new(),
            kills: Vec::new(),
            killed: Vec::new(),
            at_points: Vec::new(),
            outcome: Outcome::default(),
            hits: BTreeMap::new(),
            folder,
        };
        cluster.start();
        cluster
    }

    fn start(&mut self) {
        // What dies while it starts is started again, too.
        let worker = Worker::start(NAME, &[], self.folder.path(), &self.setup);
        self.local = Some(worker);
    }

    /// An order for the host that may be killed; after its death, once more for the one that takes
    /// its place.
    pub(crate) fn local(&mut self, order: &Order) -> Answer {
        loop {
            let worker = self.local.as_mut().unwrap();
            match worker.ask(order) {
                Ok(answer) => return answer,
                Err(Died) => self.come_back(order),
            }
        }
    }

    /// The host died: another starts on what it left, and is in sync again soon. It may die again
    /// over that.
    fn come_back(&mut self, at: &Order) {
        loop {
            let before = self.kills.len();
            let died: Vec<_> = self
                .kills
                .extract_if(.., |armed| armed.witness.exists())
                .collect();
            let context = format!("{:?} at {at:?}\n{}", self.killed, self.logs());
            assert!(self.kills.len() < before, "no kill hit it: {context}");
            self.setup.fail_points = self.kills.iter().map(Armed::fail_point).collect();
            let began = Instant::now();
            self.start();
            match self.local.as_mut().unwrap().ask(&Order::Sync) {
                Ok(Answer::Synced { .. }) => {
                    let recovery = began.elapsed();
                    self.outcome.slowest = self.outcome.slowest.max(recovery);
                    if recovery >= RECOVERY {
                        self.outcome
                            .slow
                            .extend(died.iter().map(|armed| armed.kill));
                    }
                    return;
                }
                Ok(_) if self.is_cut_off() => return,
                Ok(other) => panic!("{other:?}: {context}"),
                Err(Died) => {}
            }
        }
    }

    /// How often the host may still be killed.
    pub(crate) fn kills_left(&self) -> usize {
        self.kills.len()
    }

    /// From now on the host may be killed.
    pub(crate) fn arm(&mut self, kills: &[Kill]) {
        let hits = self.hits();
        for kill in kills {
            let witness = self.folder.path().join(format!("died-{}", kill.point));
            self.kills.push(Armed {
                kill: *kill,
                before: hits.get(kill.point).copied().unwrap_or(0),
                witness,
            });
        }
        self.killed = kills.to_vec();
        let fail_points = self.kills.iter().map(Armed::fail_point).collect();
        self.local(&Order::Arm(fail_points));
    }

    /// Ends the host by itself and starts it with another remote's address.
    pub(crate) fn move_to(&mut self, remote: &str) {
        self.hits = self.hits();
        remote.clone_into(&mut self.setup.remote);
        // A trap that was not come by yet is set for the next one.
        for armed in &mut self.kills {
            let now = self.hits.get(armed.kill.point).copied().unwrap_or(0);
            let since = now.saturating_sub(std::mem::replace(&mut armed.before, now));
            armed.kill.hit = armed.kill.hit.saturating_sub(since).max(1);
        }
        self.setup.fail_points = self.kills.iter().map(Armed::fail_point).collect();
        self.local = None;
        self.start();
    }

    fn is_cut_off(&self) -> bool {
        self.setup.remote != self.server.address()
    }

    /// How often each fail point was come by until now; what a host that was killed came by is
    /// forgotten.
    pub(crate) fn hits(&mut self) -> BTreeMap<String, u32> {
        let mut hits = self.hits.clone();
        let worker = self.local.as_mut().unwrap();
        if let Ok(Answer::Hits(more)) = worker.ask(&Order::Hits) {
            for (point, count) in more {
                *hits.entry(point).or_default() += count;
            }
        }
        hits
    }

    /// The owner saves a file of his vault in the moment in which the host comes by a fail point
    /// next.
    pub(crate) fn save_at(&mut self, point: &str, path: &str) {
        let text = format!("The owner, at {point}, number {}.\n", self.at_points.len());
        let witness = self
            .folder
            .path()
            .join(format!("saved-{}", self.at_points.len()));
        let act = Act::Save {
            path: self.setup.vault.join(path),
            text: text.clone(),
        };
        let fail_point = FailPoint {
            point: point.to_owned(),
            hit: 1,
            act,
            witness: witness.clone(),
        };
        self.at_points.push((witness, path.to_owned(), text));
        self.local(&Order::Arm(vec![fail_point]));
    }

    /// An order for the host that is not killed.
    pub(crate) fn cloud(&mut self, order: &Order) -> Answer {
        self.cloud.must(order)
    }

    /// Puts tasks into the owner's `Needs_Action/`.
    pub(crate) fn put_task(&mut self, zone: ZoneId) -> TaskId {
        let number = self.tasks.len() as u64 + 1;
        let task = TaskNote {
            id: TaskId::from_parts(1_795_000_000_000 + number, u128::from(number)),
            zone,
            source: "maildir:owner".to_owned(),
            from: "Someone <someone@example.test>".to_owned(),
            subject: format!("Question {number}"),
            received: None,
            created: Timestamp::from_second(1_795_000_000).unwrap(),
            by: "intake".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: format!("Can you answer question {number}?\n"),
        };
        let path = layout::waiting(zone, task.id);
        self.owner.save(path.as_str(), task.render());
        self.tasks.push(task.id);
        task.id
    }

    /// The files of the remote's tip.
    pub(crate) fn remote_files(&self) -> BTreeSet<String> {
        let listed = self.server.git(&["ls-tree", "-r", "--name-only", "main"]);
        listed.unwrap().lines().map(str::to_owned).collect()
    }

    /// Both hosts sync until nothing moves and nothing is waited for; then everything that must hold is looked at.
    pub(crate) fn end(mut self) -> Outcome {
        let still = |answer: &Answer| {
            matches!(
                answer,
                Answer::Synced {
                    pulled: 0,
                    pushed: 0,
                    ..
                }
            )
        };
        let vaults = [
            self.setup.vault.clone(),
            self.folder.path().join("cloud/vault"),
        ];
        let began = Instant::now();
        let mut rounds = 0;
        let last = loop {
            let last = vec![self.local(&Order::Sync), self.cloud(&Order::Sync)];
            rounds += 1;
            let rests = last.iter().all(still);
            // What was written this moment is waited for: a sync without it moves nothing.
            let agree = oracle::tree(&vaults[0]) == oracle::tree(&vaults[1]);
            if rests && agree || began.elapsed() > SETTLED && (rests || rounds >= ROUNDS) {
                break last;
            }
        };
        let context = format!("{:?}: {last:?}\n{}", self.killed, self.logs());
        assert!(last.iter().all(still), "no rest\n{context}");

        let cloud = self.folder.path().join("cloud");
        let (here, there) = (
            oracle::tree(&self.setup.vault.clone()),
            oracle::tree(&cloud.join("vault")),
        );
        assert_eq!(here, there, "the vaults differ\n{context}");
        let tree: BTreeSet<String> = here.into_keys().collect();
        assert_eq!(tree, self.remote_files(), "the remote differs\n{context}");

        self.each_task_has_one_owner(&tree, &context);
        for (witness, path, text) in &self.at_points {
            if witness.exists() {
                self.owner.must_keep(path, text);
            }
        }
        let repositories = [
            self.setup.state.join("vault.git"),
            cloud.join("state/vault.git"),
            self.server.repository(),
        ];
        let repositories = repositories.each_ref().map(PathBuf::as_path);
        let vaults = [self.setup.vault.clone(), cloud.join("vault")];
        let vaults = vaults.each_ref().map(PathBuf::as_path);
        for editor in [&self.owner, &self.other] {
            let missing = editor.missing(&repositories, &vaults);
            assert!(missing.is_empty(), "lost: {missing:?}\n{context}");
        }
        self.outcome.missed = self.kills.iter().map(|armed| armed.kill).collect();
        self.outcome
    }

    /// In the tree each task is in one place; in the history each epoch of a task is claimed once.
    fn each_task_has_one_owner(&self, tree: &BTreeSet<String>, context: &str) {
        for task in &self.tasks {
            let name = format!("/{task}.md");
            let places: Vec<_> = tree.iter().filter(|path| path.ends_with(&name)).collect();
            assert_eq!(places.len(), 1, "{places:?}\n{context}");
        }
        let format = "--format=%s %(trailers:key=Platinum-Epoch,valueonly,separator=%x2C)";
        let log = self.server.git(&["log", format, "main"]).unwrap();
        let mut claims: Vec<_> = log
            .lines()
            .filter(|line| line.starts_with("Claim "))
            .collect();
        let all = claims.len();
        claims.sort_unstable();
        claims.dedup();
        assert_eq!(claims.len(), all, "{log}\n{context}");
    }

    fn logs(&self) -> String {
        let local = self.local.as_ref().map(Worker::log).unwrap_or_default();
        format!("--- local\n{local}--- cloud\n{}", self.cloud.log())
    }
}

/// What came of the kills.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How long after its start a host that came back was in sync, at most.
    pub(crate) slowest: Duration,
    /// After which kills that was too long.
    pub(crate) slow: Vec<Kill>,
    /// Where no one came by to be killed.
    pub(crate) missed: Vec<Kill>,
}

/// A kill that is still to come.
struct Armed {
    kill: Kill,
    /// How often the fail point had been come by when the trap was set.
    before: u32,
    /// There once it happened.
    witness: PathBuf,
}

impl Armed {
    fn fail_point(&self) -> FailPoint {
        FailPoint {
            point: self.kill.point.to_owned(),
            hit: self.kill.hit,
            act: Act::Die,
            witness: self.witness.clone(),
        }
    }
}
