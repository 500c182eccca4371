//! [`Child`]: a server process that cannot outlive the test.
//!
//! A small shell stands between: it starts the server, waits for its own standard input to close
//! and then ends the server. That input is a pipe we hold, so it closes when the value is
//! dropped and also when the test process is killed.

use std::{
    ffi::OsStr,
    fs::File,
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
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
