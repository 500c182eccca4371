//! What the two daemons weigh: their files, how soon they are up, and what they hold in memory while nothing
//! happens. Both with the installed skills, in the build that `PLATINUM_PROGRAMS` names.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use platinum_testkit::{add_skills, exchange_keys, git::GitServer, program, wait_for};

/// How long a daemon may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program, its package, its role, and what it logs when it is up.
const DAEMONS: [(&str, &str, &str, &str); 2] = [
    ("platinum-cloud", "platinum-cloud", "cloud", "is up"),
    ("platinum", "platinum-local", "local", "is up"),
];

/// A daemon's process; it ends with the value.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts each daemon so many times, and prints a table.
pub(crate) fn run(starts: usize) -> anyhow::Result<()> {
    println!(
        "{:<34} {:>10} {:>12} {:>12} {:>10}",
        "a daemon with nothing to do", "file, MB", "first, ms", "start, ms", "RSS, MB"
    );
    for (name, package, role, line) in DAEMONS {
        let program = program(package, name)?;
        let folder = tempfile::tempdir()?;
        let remote = GitServer::start()?;
        configure(folder.path(), &remote.address())?;
        // The first start compiles the skills, and makes the keys and the repository.
        let (first, _) = start(&program, folder.path(), role, line)?;
        let mut times = Vec::new();
        let mut resident = Vec::new();
        for _ in 0..starts {
            let (time, kilobytes) = start(&program, folder.path(), role, line)?;
            times.push(time);
            resident.push(kilobytes);
        }
        times.sort();
        resident.sort_unstable();
        let middle = times[times.len() / 2];
        println!(
            "{name:<34} {:>10.1} {:>12.0} {:>12.0} {:>10.1}",
            fs::metadata(&program)?.len() as f64 / 1e6,
            first.as_secs_f64() * 1e3,
            middle.as_secs_f64() * 1e3,
            resident[resident.len() / 2] as f64 / 1e3
        );
    }
    Ok(())
}

/// Both hosts, which know each other, with the skills of the owner.
fn configure(folder: &Path, remote: &str) -> anyhow::Result<()> {
    for role in ["cloud", "local"] {
        fs::create_dir_all(folder.join(role).join("vault"))?;
        let text = format!(
            "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n[sync]\n\
             remote = {remote:?}\n[work]\nskills = \"skills\"\nzones = []\n",
        );
        fs::write(folder.join(format!("{role}.toml")), text)?;
    }
    exchange_keys(&folder.join("cloud.toml"), &folder.join("local.toml"))?;
    add_skills(&folder.join("local.toml"))
}

/// How long a start takes, and the kilobytes in memory a moment later.
fn start(program: &Path, folder: &Path, role: &str, line: &str) -> anyhow::Result<(Duration, u64)> {
    let log = folder.join(format!("{role}.log"));
    let began = Instant::now();
    let child = Command::new(program)
        .args(["run", "--config"])
        .arg(folder.join(format!("{role}.toml")))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let daemon = Daemon(child);
    let text = || fs::read_to_string(&log).unwrap_or_default();
    wait_for("a daemon to be up", PATIENCE, || {
        Ok(text().contains(line).then_some(()))
    })
    .with_context(text)?;
    let took = began.elapsed();
    // Until it rests: two seconds in which it holds the same.
    let mut last = (Instant::now(), 0);
    let kilobytes = wait_for("a daemon to rest", PATIENCE, || {
        let now = resident_kilobytes(daemon.0.id())?;
        if now.abs_diff(last.1) > now / 50 {
            last = (Instant::now(), now);
        }
        Ok((last.0.elapsed() > Duration::from_secs(2)).then_some(now))
    })
    .with_context(text)?;
    Ok((took, kilobytes))
}

fn resident_kilobytes(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("the daemon has ended")?.trim().parse()?)
}
