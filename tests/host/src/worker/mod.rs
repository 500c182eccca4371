//! [`Worker`]: a host in a process of its own, which a test orders about over a socket.
//!
//! The process is the test executable once more: it runs the very test that started it, which
//! asks [`asked`] first thing and then serves instead of testing. So it has all that the test was
//! built with, fail points included, and nothing else has to be built.
//!
//! Lives here: the orders, their answers, and the side of the test. Lives elsewhere: the side of
//! the host is in [`host`], what happens at fail points in [`fail_points`].
//! Invariant: a worker ends with the value that started it, and when the test's process ends.

mod fail_points;
mod host;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use platinum_testkit::wait_for;
use serde::{Deserialize, Serialize};

pub use fail_points::{Act, FailPoint};
pub use host::{open, serve};

/// Names the worker's [`Setup`], in a process that is to be one.
const VARIABLE: &str = "PLATINUM_TEST_WORKER";
/// How long an order may take.
const PATIENCE: Duration = Duration::from_secs(150);

/// How many more lines there are to a host that syncs by itself.
pub const MORE_LINES: u32 = 2;

/// What a host needs to know of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Its name, which begins with its role.
    pub agent: String,
    /// Its vault.
    pub vault: PathBuf,
    /// Its state folder: the repository and the keys.
    pub state: PathBuf,
    /// The remote's address.
    pub remote: String,
    /// The ssh command with its options, where the remote is reached by ssh.
    pub ssh: Option<String>,
    /// How long git's client may be silent.
    pub time_out: Duration,
    /// Whether it syncs by itself, as the daemon does: after changes, and this often anyway.
    pub every: Option<Duration>,
    /// The fail points whose hits are counted.
    pub points: Vec<String>,
    /// What happens at fail points.
    pub fail_points: Vec<FailPoint>,
}

/// What a test tells a host to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// Pull and push.
    Sync,
    /// Claim a task.
    Claim(String),
    /// File a task as done.
    Finish(String),
    /// Give a task back.
    Release(String),
    /// Who has a task, as far as is known here.
    Place(String),
    /// Write a note into `Updates/<self>/`, as Platinum itself does.
    Publish(String),
    /// Draft an answer for a task, as a skill does; the answer is where the draft is.
    Draft(String),
    /// Write a file of the vault, whatever is there, as Platinum does with its dashboard.
    Write(String, String),
    /// Set more fail points.
    Arm(Vec<FailPoint>),
    /// How often each fail point was come by.
    Hits,
}

/// What a host answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// A sync ended well.
    Synced {
        /// Files taken from the remote.
        pulled: u32,
        /// Files given to it.
        pushed: u32,
        /// Files kept a second time.
        conflicts: u32,
        /// What stays on that machine, and why.
        withheld: Vec<String>,
    },
    /// How a claim ended, as `Debug` writes it.
    Claimed(String),
    /// Where a task is.
    Place(String),
    /// It is done.
    Done,
    /// How often each fail point was come by.
    Hits(BTreeMap<String, u32>),
    /// It could not be done, and why.
    Failed(String),
}

/// The worker's process is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Died;

/// What the worker says when it is up.
#[derive(Debug, Serialize, Deserialize)]
struct Up {
    process: u32,
}

/// A running worker. Dropping it kills it.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    line: Line,
    more: Vec<Line>,
}

/// A line to a worker, which does one thing at a time for it.
#[derive(Debug)]
pub struct Line {
    stream: BufReader<UnixStream>,
    log: PathBuf,
}

/// Whether this process is to be a worker, and which.
#[must_use]
pub fn asked() -> Option<(Setup, PathBuf)> {
    let text = std::env::var(VARIABLE).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// Makes the keys of these hosts, and lets each trust the others, as their owner does once.
///
/// # Panics
/// If a state folder cannot be written.
pub fn acquaint(hosts: &[&Setup]) {
    let identities: Vec<_> = hosts.iter().map(|setup| host::identity(setup)).collect();
    for (place, identity) in identities.iter().enumerate() {
        for (other, stranger) in identities.iter().enumerate() {
            if place != other {
                identity.trust(&stranger.line(), false).unwrap();
            }
        }
    }
}

impl Worker {
    /// Starts one. `test` is the name of the test that is running, `prefix` what to start it
    /// with, `folder` where its socket and its log are.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start(test: &str, prefix: &[String], folder: &Path, setup: &Setup) -> Self {
        let socket = folder.join(format!("{}.socket", setup.agent));
        let log = folder.join(format!("{}.log", setup.agent));
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        listener.set_nonblocking(true).unwrap();
        let log_file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        let exe = std::env::current_exe().unwrap();
        let mut command = match prefix.split_first() {
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(exe);
                command
            }
            None => Command::new(exe),
        };
        let child = command
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(VARIABLE, serde_json::to_string(&(setup, &socket)).unwrap())
            .stdin(Stdio::null())
            .stdout(log_file.try_clone().unwrap())
            .stderr(log_file)
            .spawn()
            .unwrap();
        let line = Line::accept(&listener, &log);
        let many = if setup.every.is_some() { MORE_LINES } else { 0 };
        let more = (0..many).map(|_| Line::accept(&listener, &log)).collect();
        Self { child, line, more }
    }

    /// Gives an order and waits for the answer.
    ///
    /// # Errors
    /// If the process died.
    ///
    /// # Panics
    /// If it takes longer than two and a half minutes.
    pub fn ask(&mut self, order: &Order) -> Result<Answer, Died> {
        self.line.ask(order).inspect_err(|Died| {
            let _ = self.child.wait();
        })
    }

    /// As [`Worker::ask`], of a worker that does not die.
    ///
    /// # Panics
    /// If it did.
    pub fn must(&mut self, order: &Order) -> Answer {
        self.line.must(order)
    }

    /// One more line to a host that syncs by itself: such a daemon does several things at a time.
    /// There are [`MORE_LINES`].
    pub fn one_more_line(&mut self) -> Option<Line> {
        self.more.pop()
    }

    /// What it printed.
    #[must_use]
    pub fn log(&self) -> String {
        self.line.log()
    }
}

impl Line {
    fn accept(listener: &UnixListener, log: &Path) -> Self {
        let accepted = wait_for("a worker to come up", PATIENCE, || {
            Ok(listener.accept().ok())
        });
        let (stream, _) = accepted.unwrap_or_else(|error| {
            panic!("{error}\n{}", fs::read_to_string(log).unwrap_or_default())
        });
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut line = Self {
            stream: BufReader::new(stream),
            log: log.to_owned(),
        };
        let up: Option<Up> = line.receive();
        assert!(up.is_some(), "a worker died at once\n{}", line.log());
        line
    }

    fn ask(&mut self, order: &Order) -> Result<Answer, Died> {
        let text = serde_json::to_string(order).unwrap();
        let sent = writeln!(self.stream.get_mut(), "{text}");
        sent.ok().and_then(|()| self.receive()).ok_or(Died)
    }

    /// Gives an order to a worker that does not die, and waits for the answer.
    ///
    /// # Panics
    /// If it died, or takes longer than two and a half minutes.
    pub fn must(&mut self, order: &Order) -> Answer {
        self.ask(order)
            .unwrap_or_else(|Died| panic!("a worker died at {order:?}\n{}", self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn receive<T: for<'a> Deserialize<'a>>(&mut self) -> Option<T> {
        let mut text = String::new();
        match self.stream.read_line(&mut text) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&text).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("a worker does not answer: {error}\n{}", self.log()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
