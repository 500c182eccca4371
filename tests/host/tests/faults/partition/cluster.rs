//! The two hosts, their remote and their people, from before the cut until all agree again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use platinum_core::{TaskId, Timestamp, ZoneId, layout};
use platinum_host_tests::{
    oracle::{self, Editor},
    worker::{self, Answer, Line, Order, Setup, Worker},
};
use platinum_testkit::{
    git::{SshOptions, SshServer},
    seed, wait_for,
};
use platinum_vault::note::TaskNote;
use rand::{SeedableRng as _, rngs::StdRng};

use crate::partition::{
    NAME, PHASES, editors,
    network::Network,
    work::{Event, Hand, History},
};

/// What was left alone for so long has to be kept: the daemon waits until a vault is quiet, and at
/// most three seconds.
const SETTLED: Duration = Duration::from_secs(5);
/// How long after the lines are mended everything may take to be done and told.
const AFTERWARDS: Duration = Duration::from_secs(90);
/// Tasks that either host may have, and tasks that are local's alone, for each phase.
const SHARED: usize = 3;
const OWN: usize = 2;
/// A cut in which a claim surely comes to be tentative.
const LONG: Duration = Duration::from_secs(60);
/// Where sshd listens.
const PORT: u16 = 22;

type Open = Arc<Mutex<Vec<String>>>;

pub(crate) struct Cluster {
    pub(crate) network: Network,
    server: SshServer,
    local: Host,
    cloud: Host,
    history: Arc<History>,
    /// What each hand has to do.
    open_shared: Open,
    open_own: Open,
    open_cloud: Open,
    hands: Vec<JoinHandle<()>>,
    /// Not begun yet.
    shared: Vec<String>,
    own: Vec<String>,
    /// The cloud has it all the time; both sides write into it.
    long: String,
    stop_people: Arc<AtomicBool>,
    stop_work: Arc<AtomicBool>,
    people: Vec<JoinHandle<()>>,
    folder: tempfile::TempDir,
    seed: u64,
}

struct Host {
    setup: Setup,
    editor: Arc<Editor>,
    worker: Worker,
}

impl Host {
    fn line(&mut self) -> Line {
        self.worker.one_more_line().unwrap()
    }
}

fn add(open: &Open, tasks: &[String]) {
    let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
    open.extend_from_slice(tasks);
}

impl Cluster {
    /// The remote and two hosts that know each other, all lines whole.
    pub(crate) fn set(network: Network) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = SshServer::start_with(SshOptions {
            listen: network.address("remote").parse().unwrap(),
            port: Some(PORT),
            under: network.at("remote"),
            ..SshOptions::default()
        })
        .unwrap();
        let setup = |agent: &str| {
            let home = folder.path().join(agent);
            let vault = home.join("vault");
            std::fs::create_dir_all(&vault).unwrap();
            Setup {
                agent: agent.to_owned(),
                vault,
                state: home.join("state"),
                remote: server.address(),
                ssh: Some(server.ssh()),
                time_out: Duration::from_secs(15),
                every: Some(Duration::from_secs(3)),
                points: Vec::new(),
                fail_points: Vec::new(),
            }
        };
        let (local, cloud) = (setup("local"), setup("cloud"));
        worker::acquaint(&[&local, &cloud]);
        let host = |setup: Setup| Host {
            editor: Arc::new(Editor::new(&setup.vault, SETTLED)),
            worker: Worker::start(NAME, &network.at(&setup.agent), folder.path(), &setup),
            setup,
        };
        Self {
            local: host(local),
            cloud: host(cloud),
            server,
            history: Arc::default(),
            open_shared: Open::default(),
            open_own: Open::default(),
            open_cloud: Open::default(),
            hands: Vec::new(),
            shared: Vec::new(),
            own: Vec::new(),
            long: String::new(),
            stop_people: Arc::default(),
            stop_work: Arc::default(),
            people: Vec::new(),
            folder,
            network,
            seed: seed(),
        }
    }

    /// Tasks for all phases get to both hosts, and everybody begins.
    pub(crate) fn begin(&mut self) {
        let mut number = 0;
        let mut put = |editor: &Editor, zone| {
            number += 1;
            let task = note(zone, number);
            let path = layout::waiting(zone, task.id);
            editor.save(path.as_str(), task.render());
            task.id.to_string()
        };
        let editor = Arc::clone(&self.local.editor);
        self.long = put(&editor, ZoneId::EMAIL);
        for _ in PHASES {
            self.shared
                .extend((0..SHARED).map(|_| put(&editor, ZoneId::EMAIL)));
            self.own
                .extend((0..OWN).map(|_| put(&editor, ZoneId::PAYMENTS)));
        }
        let many = 1 + PHASES.len() * (SHARED + OWN);
        wait_for("the tasks to get to the remote", AFTERWARDS, || {
            Ok((self.remote_files().len() == many).then_some(()))
        })
        .unwrap();
        let answer = self.cloud.worker.must(&Order::Claim(self.long.clone()));
        let won = matches!(&answer, Answer::Claimed(how) if how.starts_with("Won"));
        assert!(won, "{answer:?}");
        let answer = self.local.worker.must(&Order::Sync);
        assert!(matches!(answer, Answer::Synced { .. }), "{answer:?}");
        self.start_people();
        let stop = Arc::clone(&self.stop_work);
        let hands = [
            ("local", self.local.line(), Arc::clone(&self.open_shared)),
            ("local", self.local.line(), Arc::clone(&self.open_own)),
            ("cloud", self.cloud.line(), Arc::clone(&self.open_cloud)),
        ];
        for (number, (agent, line, open)) in (1..).zip(hands) {
            let mut random = StdRng::seed_from_u64(self.seed.wrapping_add(number));
            let (history, stop) = (Arc::clone(&self.history), Arc::clone(&stop));
            self.hands.push(std::thread::spawn(move || {
                let mut hand = Hand {
                    agent,
                    line,
                    history: &history,
                    open: &open,
                };
                hand.work(&mut random, &stop);
            }));
        }
    }

    fn start_people(&mut self) {
        let seed = self.seed;
        let path = format!("In_Progress/cloud/{}.md", self.long);
        for (host, person) in [
            (
                &self.local,
                editors::owner as fn(&Editor, &mut StdRng, &AtomicBool, &str),
            ),
            (&self.cloud, editors::guest),
        ] {
            let (editor, stop) = (Arc::clone(&host.editor), Arc::clone(&self.stop_people));
            let path = path.clone();
            self.people.push(std::thread::spawn(move || {
                person(&editor, &mut StdRng::seed_from_u64(seed), &stop, &path);
            }));
        }
    }

    /// A phase: there is new work for both, and time passes.
    pub(crate) fn let_pass(&mut self, time: Duration) {
        let shared: Vec<_> = self.shared.iter().take(SHARED).cloned().collect();
        let own: Vec<_> = self.own.iter().take(OWN).cloned().collect();
        self.shared.rotate_left(SHARED);
        self.own.rotate_left(OWN);
        add(&self.open_shared, &shared);
        add(&self.open_own, &own);
        add(&self.open_cloud, &shared);
        pause(time);
    }

    /// Everything is done and told; then it is looked at.
    pub(crate) fn end(mut self, cut_at: Instant, healed_at: Instant) {
        self.stop_people.store(true, Ordering::SeqCst);
        for person in self.people.drain(..) {
            person.join().unwrap();
        }
        let done = wait_for("every task to be done", AFTERWARDS, || {
            let files = self.remote_files();
            let all = self.shared.iter().chain(&self.own);
            let done = |task: &String| {
                let name = format!("/{task}.md");
                files
                    .iter()
                    .any(|path| path.starts_with("Done/") && path.ends_with(&name))
            };
            Ok(all.clone().all(done).then_some(()))
        });
        println!(
            "FIGURE: all was done {:.1} s after the lines were mended",
            healed_at.elapsed().as_secs_f64()
        );
        self.stop_work.store(true, Ordering::SeqCst);
        for hand in self.hands.drain(..) {
            hand.join().unwrap();
        }
        let events = self.history.events();
        assert!(
            done.is_ok(),
            "{done:?}\n{:#?}\n{}\n{}",
            self.remote_files(),
            self.history.timeline(),
            self.logs(),
        );
        let answer = self.cloud.worker.must(&Order::Finish(self.long.clone()));
        assert_eq!(answer, Answer::Done);
        self.come_to_rest();
        self.owners(&events);
        self.nothing_is_lost();
        self.work_while_cut_off(&events, cut_at, healed_at);
    }

    /// Both sync until nothing moves, and hold the same.
    fn come_to_rest(&mut self) {
        let outcome = wait_for("both hosts to rest", AFTERWARDS, || {
            let answers = [
                self.local.worker.must(&Order::Sync),
                self.cloud.worker.must(&Order::Sync),
            ];
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
            Ok(answers.iter().all(still).then_some(()))
        });
        let (local, cloud) = (
            oracle::tree(&self.local.setup.vault),
            oracle::tree(&self.cloud.setup.vault),
        );
        assert!(outcome.is_ok(), "{outcome:?}\n{}", self.logs());
        assert_eq!(local, cloud, "{}", self.logs());
        let paths: BTreeSet<String> = local.into_keys().collect();
        assert_eq!(paths, self.remote_files());
    }

    /// No one was told that he owns what another owns, and the history says the same.
    fn owners(&self, events: &[Event]) {
        let mut winners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut filed: BTreeMap<&str, u32> = BTreeMap::new();
        for event in events {
            match &event.answer {
                Answer::Claimed(how) if how.starts_with("Won") => {
                    winners.entry(&event.task).or_default().insert(event.agent);
                }
                Answer::Done if event.order == "finish" => {
                    *filed.entry(&event.task).or_default() += 1;
                }
                _ => {}
            }
        }
        for task in self.shared.iter().chain(&self.own) {
            let won = winners.get(task.as_str()).map_or(0, BTreeSet::len);
            assert_eq!(won, 1, "{task}\n{}", self.history.timeline());
            let filed = filed.get(task.as_str());
            assert_eq!(filed, Some(&1), "{task}\n{}", self.history.timeline());
        }
        let format = "--format=%s %(trailers:key=Platinum-Epoch,valueonly,separator=%x2C)";
        let log = self.server.git(&["log", format, "main"]).unwrap();
        let claims: Vec<_> = log
            .lines()
            .filter(|line| line.starts_with("Claim "))
            .collect();
        let once: BTreeSet<_> = claims.iter().collect();
        assert_eq!(once.len(), claims.len(), "{log}");
        let files = self.remote_files();
        for task in self.shared.iter().chain(&self.own).chain([&self.long]) {
            let name = format!("/{task}.md");
            let places = files.iter().filter(|path| path.ends_with(&name)).count();
            assert_eq!(places, 1, "{task}: {files:#?}");
        }
    }

    /// What is local's alone was done while it was cut off; of what is shared it owned nothing.
    fn work_while_cut_off(&self, events: &[Event], cut_at: Instant, healed_at: Instant) {
        let cut_off = |event: &&Event| {
            event.agent == "local" && event.asked > cut_at && event.answered < healed_at
        };
        let done: BTreeSet<_> = events
            .iter()
            .filter(cut_off)
            .filter(|event| event.order == "finish" && event.answer == Answer::Done)
            .map(|event| event.task.as_str())
            .collect();
        let own: BTreeSet<_> = self.own.iter().map(String::as_str).collect();
        let foreign: Vec<_> = done.difference(&own).collect();
        assert!(foreign.is_empty(), "owned without a remote: {foreign:?}");
        println!(
            "FIGURE: local did {} of its {} own tasks while it was cut off",
            done.len(),
            own.len()
        );
        assert_eq!(done, own, "{}\n{}", self.history.timeline(), self.logs());
        let tentative = events
            .iter()
            .filter(|event| event.asked > cut_at && event.asked < healed_at)
            .filter(|event| event.answer == Answer::Claimed("Tentative".to_owned()))
            .count();
        println!("{tentative} claims of shared tasks were tentative");
        // On a silent line it takes most of half a minute to know that no one answers.
        let is_long = healed_at.duration_since(cut_at) >= LONG;
        assert!(tentative > 0 || !is_long, "{}", self.history.timeline());
    }

    fn nothing_is_lost(&self) {
        let hosts = [&self.local, &self.cloud];
        let mut repositories = hosts
            .map(|host| host.setup.state.join("vault.git"))
            .to_vec();
        repositories.push(self.server.repository());
        let repositories: Vec<_> = repositories.iter().map(PathBuf::as_path).collect();
        let vaults = hosts.map(|host| host.setup.vault.as_path());
        for (host, at_least) in hosts.into_iter().zip([20, 5]) {
            let (saves, settled) = (host.editor.saves(), host.editor.stable_versions());
            println!(
                "{}: {saves} saves by hand, {} of them settled",
                host.setup.agent,
                settled.len()
            );
            assert!(settled.len() >= at_least, "too little was tried");
            let missing = host.editor.missing(&repositories, &vaults);
            assert!(missing.is_empty(), "lost: {missing:?}\n{}", self.logs());
        }
        let copies = oracle::copies(&self.local.setup.vault).len();
        println!("{copies} conflict copies");
        assert!(copies > 0, "both sides wrote into one file");
    }

    fn remote_files(&self) -> BTreeSet<String> {
        let listed = self.server.git(&["ls-tree", "-r", "--name-only", "main"]);
        // At first there is no branch.
        let listed = listed.unwrap_or_default();
        listed.lines().map(str::to_owned).collect()
    }

    fn logs(&self) -> String {
        let mut text = String::new();
        for agent in ["local", "cloud"] {
            let log = self.folder.path().join(format!("{agent}.log"));
            text += &format!("--- {agent}\n{}", std::fs::read_to_string(log).unwrap());
        }
        text
    }
}

fn note(zone: ZoneId, number: u64) -> TaskNote {
    TaskNote {
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
    }
}

/// Lets time pass: how long the lines are cut and when people save is the subject of the test.
#[expect(
    clippy::disallowed_methods,
    reason = "the time that passes is the subject of the test"
)]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}
