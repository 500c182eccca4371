//! [`Child`]: a server process that cannot outlive the test.
//!
//! A small shell stands between: it starts the server, waits for its own standard input to close
//! and then ends the server. That input is a pipe we hold, so it closes when the value is
//! dropped and also when the test process is killed.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

/// `$1` names a file with the id of the process to end, for servers that fork; empty: the child.
const KEEPER: &str = r#"
pid_file=$1; shift
"$@" & server=$!
read -r _
if [ -s "$pid_file" ]; then kill $(cat "$pid_file"); else kill "$server"; fi 2>/dev/null
wait "$server"
"#;

/// Becomes a program under an id that is written into `$1`, with `$2` as its fail points.
const NOTED: &str = r#"echo $$ > "$1"; export FAILPOINTS="$2"; shift 2; exec "$@""#;

/// A running server. Dropping it ends the server and waits for that.
#[derive(Debug)]
pub struct Child {
    keeper: std::process::Child,
}

impl Child {
    /// Starts `program` with `arguments`; what it prints goes to the end of `log`. `pid_file` is
    /// where a server that forks writes whom to end.
    ///
    /// # Errors
    /// If the shell or the log cannot be opened. A server that ends at once is not noticed here:
    /// wait for its port.
    pub fn start<S: AsRef<OsStr>>(
        program: &str,
        arguments: impl IntoIterator<Item = S>,
        log: &Path,
        pid_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot open {}", log.display()))?;
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(pid_file.unwrap_or(Path::new("")))
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        Ok(Self { keeper })
    }

    /// Starts a daemon of Platinum, `run` with its configuration; its id goes into `pid_file`, so that exactly it can
    /// be killed. `fail_points` as the variable FAILPOINTS has them.
    ///
    /// # Errors
    /// As [`Child::start`].
    pub fn start_daemon(
        program: &Path,
        config: &Path,
        log: &Path,
        pid_file: &Path,
        fail_points: &str,
    ) -> anyhow::Result<Self> {
        let arguments: [&OsStr; 9] = [
            "-c".as_ref(),
            NOTED.as_ref(),
            "noted".as_ref(),
            pid_file.as_ref(),
            fail_points.as_ref(),
            program.as_ref(),
            "run".as_ref(),
            "--config".as_ref(),
            config.as_ref(),
        ];
        Self::start("sh", arguments, log, Some(pid_file))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// Whether the process whose id is in a file has ended; not before the file is there.
#[must_use]
pub fn is_dead(pid_file: &Path) -> bool {
    let Ok(id) = fs::read_to_string(pid_file) else {
        return false;
    };
    let status = fs::read_to_string(format!("/proc/{}/status", id.trim()));
    status.map_or(true, |status| status.contains("State:\tZ"))
}
