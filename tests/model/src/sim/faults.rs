//! What happens when: hosts are set up, faults happen to them, and then all is calm.

use std::{collections::BTreeMap, rc::Rc};

use platinum_core::{AgentName, VaultPath};
use platinum_protocol::{TaskPlace, hlc::Stamp, reconcile::Intent};

use super::{
    Coverage, Mistake,
    content::{Content, Contents, Files},
    disk::Disk,
    editors::WRITING_MS,
    host::Op,
    remote::{Commit, Remote},
    rng::Rng,
    world::{Host, LOCAL, Memory, Paths, Truth, World},
};

/// Shared tasks, before the one of local's own zone.
const SHARED: usize = 2;
const NOTES: [&str; 5] = [
    "Notes/plan.md",
    "Notes/Plan.md",
    "Notes/letter.md",
    "Notes/list.md",
    "Dashboard.md",
];
/// More rounds than any calm needs.
const CALM: usize = 80;

/// Runs one simulation from this seed.
pub(super) fn run(
    seed: u64,
    mistake: Option<Mistake>,
    traced: bool,
) -> (Coverage, Option<String>, Vec<String>) {
    let mut world = set_up(seed, mistake, traced);
    let events = world.rng.between(60, 220);
    for _ in 0..events {
        world.event();
        if world.failure.is_some() {
            break;
        }
    }
    world.calm();
    world.judge_end();
    (world.seen, world.failure, world.trace.unwrap_or_default())
}

fn set_up(seed: u64, mistake: Option<Mistake>, traced: bool) -> World {
    let mut rng = Rng::new(seed);
    let count = 2 + rng.below(3);
    let mut contents = Contents::default();
    let agents: Vec<AgentName> = (0..count).map(|host| agent(host, mistake)).collect();
    let paths = paths(&agents);
    let mut files = Files::new();
    for task in 0..=SHARED {
        let blob = contents.blob(Content::Task {
            task,
            claim: None,
            last_epoch: 0,
        });
        files.insert(paths.waiting[task].clone(), blob);
    }
    let mut truth = Truth::default();
    for note in &paths.notes[2..] {
        let text = contents.new_text();
        truth.owed.insert(text);
        files.insert(note.clone(), text);
    }
    let files = Rc::new(files);
    let mut remote = Remote::default();
    let root = remote.add(Commit {
        parent: None,
        files: Rc::clone(&files),
        host: LOCAL,
        stamp: Stamp::default(),
        landed: true,
        is_of_disk: false,
    });
    remote.tip = Some(root);
    let hosts = agents
        .into_iter()
        .map(|agent| {
            let mut disk = Disk::new(rng.percent(30));
            for (path, blob) in files.iter() {
                disk.put(path, *blob, -100_000);
            }
            Host {
                agent,
                disk,
                applied: Rc::clone(&files),
                applied_at: Some(root),
                applying: None,
                verified: Some(root),
                outgoing: Vec::new(),
                marks: BTreeMap::new(),
                intents: BTreeMap::new(),
                journal: std::collections::BTreeSet::new(),
                memory: Memory::new(),
                offset_ms: match rng.below(4) {
                    0 => rng.between(-300_000, 300_000),
                    _ => rng.between(-2_000, 2_000),
                },
                is_cut: false,
                may_overwrite: rng.percent(80),
                writing: None,
            }
        })
        .collect();
    World {
        rng,
        now: 1_000_000,
        hosts,
        remote,
        contents,
        paths,
        truth,
        mistake,
        is_calm: false,
        seen: Coverage::default(),
        failure: None,
        trace: traced.then(Vec::new),
    }
}

#[expect(clippy::expect_used, reason = "constants that are valid names")]
fn agent(host: usize, mistake: Option<Mistake>) -> AgentName {
    let name = match (host, mistake) {
        (LOCAL, _) => "local".to_owned(),
        (_, Some(Mistake::NoNonce)) => "cloud".to_owned(),
        _ => format!("cloud-{host}"),
    };
    name.parse().expect("the name of an agent")
}

#[expect(clippy::expect_used, reason = "constants that are valid paths")]
fn paths(agents: &[AgentName]) -> Paths {
    let path = |text: String| VaultPath::new(text).expect("a path");
    let zone = |task| if task == SHARED { "payments" } else { "email" };
    let mut paths = Paths {
        notes: NOTES.map(|note| path(note.to_owned())).to_vec(),
        waiting: (0..=SHARED)
            .map(|task| path(format!("Needs_Action/{}/task-{task}.md", zone(task))))
            .collect(),
        in_progress: agents
            .iter()
            .map(|agent| {
                (0..=SHARED)
                    .map(|task| path(format!("In_Progress/{agent}/task-{task}.md")))
                    .collect()
            })
            .collect(),
        done: (0..=SHARED)
            .map(|task| path(format!("Done/2026/11/task-{task}.md")))
            .collect(),
        tasks: BTreeMap::new(),
    };
    for task in 0..=SHARED {
        let mine = paths.in_progress.iter().map(|of| &of[task]);
        let places = mine.chain([&paths.waiting[task], &paths.done[task]]);
        let places: Vec<VaultPath> = places.cloned().collect();
        paths
            .tasks
            .extend(places.into_iter().map(|path| (path, task)));
    }
    paths
}

impl World {
    fn event(&mut self) {
        let host = self.rng.below(self.hosts.len());
        let passed = self.rng.between(5, 120);
        self.pass(passed);
        match self.rng.below(100) {
            0..=66 => self.work(host),
            67..=80 => self.edit(host),
            81..=84 => self.land_late(),
            85..=87 => {
                let passed = self.rng.between(300, 3_000);
                self.pass(passed);
            }
            88..=90 => self.crash(host),
            91..=93 => {
                self.hosts[host].is_cut = true;
                self.note(|w| format!("{} is cut off", w.hosts[host].agent));
            }
            94..=97 => {
                self.hosts[host].is_cut = false;
                self.note(|w| format!("the line of {} is back", w.hosts[host].agent));
            }
            98 => {
                let jump = self.rng.between(-400_000, 400_000);
                self.hosts[host].offset_ms = jump;
                self.note(|w| {
                    format!(
                        "the clock of {} jumps to {jump} ms off",
                        w.hosts[host].agent
                    )
                });
            }
            _ => self.finish_writing(host),
        }
    }

    /// Time goes on, without a write for longer than people and editors pause.
    fn pass(&mut self, ms: i64) {
        self.now += ms;
        for host in 0..self.hosts.len() {
            let began = self.hosts[host].writing.map(|(_, _, since)| since);
            if began.is_some_and(|since| self.now - since > WRITING_MS) {
                self.finish_writing(host);
            }
        }
    }

    /// A daemon goes on with what it is at, for a while, or begins something.
    fn work(&mut self, host: usize) {
        if matches!(self.hosts[host].memory.op, Op::Idle) {
            self.begin(host);
        }
        for _ in 0..=self.rng.below(4) {
            self.step(host);
        }
    }

    fn begin(&mut self, host: usize) {
        let task = self.rng.below(self.paths.done.len());
        let wished =
            |w: &Self| matches!(w.hosts[host].intents.get(&task), Some(Intent::Claim { .. }));
        let is_own = self.held(host, task).is_some();
        match self.rng.below(10) {
            0..=3 => self.begin_sync(host),
            _ if is_own => match self.rng.below(10) {
                0..=2 => self.begin_end(host, task, true),
                3..=5 => self.begin_end(host, task, false),
                _ if host == LOCAL && !self.hosts[host].journal.contains(&task) => {
                    self.begin_act(task);
                }
                _ => self.begin_sync(host),
            },
            _ if self.is_local_only(task) => match host {
                LOCAL => self.claim_here(task),
                _ => self.begin_sync(host),
            },
            4..=7 => self.begin_claim(host, task, false),
            _ if host == LOCAL && !wished(self) => self.suspect(task),
            _ => self.begin_sync(host),
        }
        self.note(|w| {
            format!(
                "{} begins {:?}",
                w.hosts[host].agent, w.hosts[host].memory.op
            )
        });
    }

    /// Takes over from an owner without a sign of life; now and then from one that has some: a
    /// wrong suspicion must be safe too.
    fn suspect(&mut self, task: usize) {
        let TaskPlace::Owned(record) = self.place(self.hosts[LOCAL].verified, task) else {
            return;
        };
        let is_stuck = self.hosts[LOCAL].memory.leases.has_expired(&record.agent);
        if record.agent != self.hosts[LOCAL].agent && (is_stuck || self.rng.percent(30)) {
            self.seen.taken_over += 1;
            self.begin_claim(LOCAL, task, true);
        }
    }

    /// No more faults: whatever is under way arrives or does not, everybody ends what he is at, the
    /// hosts sync until nothing changes, and local gets every task done.
    fn calm(&mut self) {
        self.is_calm = true;
        self.note(|_| "all is calm".to_owned());
        for host in 0..self.hosts.len() {
            self.hosts[host].is_cut = false;
            self.finish_writing(host);
        }
        while !self.remote.late.is_empty() {
            if self.rng.percent(50) {
                self.land_late();
            } else {
                self.remote.late.pop();
            }
        }
        for _ in 0..CALM {
            if self.failure.is_some() {
                return;
            }
            for host in 0..self.hosts.len() {
                self.finish_op(host);
                self.begin_sync(host);
                self.finish_op(host);
                self.pass(700);
            }
            if !self.has_converged() {
                continue;
            }
            if !self.get_done() {
                return;
            }
        }
    }

    fn finish_op(&mut self, host: usize) {
        for _ in 0..200 {
            if matches!(self.hosts[host].memory.op, Op::Idle) {
                return;
            }
            self.step(host);
        }
        self.fail("an operation does not come to its end");
    }

    /// Local goes on with the first task that is not done. False if there is none.
    fn get_done(&mut self) -> bool {
        for task in 0..self.paths.done.len() {
            match self.place(self.remote.tip, task) {
                TaskPlace::Finished => continue,
                TaskPlace::Owned(record) if record.agent == self.hosts[LOCAL].agent => {
                    if !self.hosts[LOCAL].journal.contains(&task) {
                        self.begin_act(task);
                        self.finish_op(LOCAL);
                    }
                    self.begin_end(LOCAL, task, false);
                }
                TaskPlace::Owned(_) => self.begin_claim(LOCAL, task, true),
                TaskPlace::Waiting if self.is_local_only(task) => self.claim_here(task),
                TaskPlace::Waiting | TaskPlace::Absent => self.begin_claim(LOCAL, task, false),
            }
            self.finish_op(LOCAL);
            return true;
        }
        false
    }
}
