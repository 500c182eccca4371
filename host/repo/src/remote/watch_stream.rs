//! Notices a moved branch at once where the remote's host is ours: one ssh connection that
//! stays open, over which `platinum hook watch <repository>` reports each move.
//!
//! Lives here: both ends, [`WatchStream`] of the listener and [`watch_branch`] of the host.
//! Invariants: a line is an id, `none` or `.`, and nothing else is believed; a connection over
//! which nothing comes for a while is ended; either end notices that the other one is gone, and
//! ends too; a line is never more than a reason to fetch.

use std::{io, path::Path, process::Stdio, time::Duration};

use git2::Oid;
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout},
    time::{Instant, interval, timeout, timeout_at},
};

use super::{
    ClientOptions,
    address::Site,
    client::ProcessGroup,
    folder::{FolderPoll, FolderTip},
};

/// How often the host polls its own files.
const POLL: Duration = Duration::from_millis(500);
/// How often it sends a line when nothing changed.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// After so long without a line the connection is dead.
const DEAD: Duration = Duration::from_secs(100);
/// How long the first line may take: a connection, a login, a start.
const HANDSHAKE: Duration = Duration::from_secs(40);
/// No line is longer.
const MAX_LINE: usize = 64;
/// How long a program that has closed its output is waited for.
const LAST: Duration = Duration::from_secs(2);

/// What came over the connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The branch points there.
    Tip(Option<Oid>),
    /// The host is there.
    KeepAlive,
    /// The deadline passed.
    Nothing,
    /// The connection is no more. `unknown_command`: ssh got there, and the command was not what we know.
    Closed {
        /// Whether the other side does not know the command.
        unknown_command: bool,
    },
}

/// An open connection. Dropped, it is ended with everything that ssh started.
#[derive(Debug)]
pub(super) struct WatchStream {
    child: Child,
    _group: ProcessGroup,
    output: ChildStdout,
    /// Held open: its end tells the host that we are gone.
    _input: Option<ChildStdin>,
    read: Vec<u8>,
    /// Of the last line, or of the start.
    last_line: Instant,
    handshaken: bool,
}

impl WatchStream {
    /// Starts ssh. Nothing is known yet.
    pub(super) fn start(options: &ClientOptions, site: &Site) -> io::Result<Self> {
        let mut command = options.ssh_command();
        if let Some(port) = site.port {
            command.arg(format!("-p{port}"));
        }
        let target = match &site.user {
            Some(user) => format!("{user}@{}", site.host),
            None => site.host.clone(),
        };
        let path = site.path.replace('\'', "'\\''");
        command
            .args(["-T", "-x", "-a", "-oControlMaster=no", "--", &target])
            .arg(format!("platinum hook watch '{path}'"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let group = ProcessGroup::of(&child);
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            _group: group,
            output,
            _input: child.stdin.take(),
            child,
            read: Vec::new(),
            last_line: Instant::now(),
            handshaken: false,
        })
    }

    /// Whether a line ever came.
    pub(super) fn is_handshaken(&self) -> bool {
        self.handshaken
    }

    /// The newest line, waited for until the deadline. Dropping the future loses nothing.
    pub(super) async fn next_line(&mut self, deadline: Instant) -> Line {
        loop {
            match newest(&mut self.read) {
                Ok(Some(line)) => {
                    self.last_line = Instant::now();
                    self.handshaken = true;
                    return line;
                }
                Ok(None) => {}
                Err(()) => {
                    return Line::Closed {
                        unknown_command: true,
                    };
                }
            }
            let dead = self.last_line + if self.handshaken { DEAD } else { HANDSHAKE };
            let mut piece = [0; 256];
            match timeout_at(deadline.min(dead), self.output.read(&mut piece)).await {
                Ok(Ok(count @ 1..)) => self.read.extend_from_slice(&piece[..count]),
                Ok(_) => return self.closed().await,
                Err(_) if Instant::now() >= dead => {
                    return Line::Closed {
                        unknown_command: false,
                    };
                }
                Err(_) => return Line::Nothing,
            }
        }
    }

    async fn closed(&mut self) -> Line {
        // 255 is ssh's own: it did not get there. Everything else the other side answered.
        let unknown_command = match timeout(LAST, self.child.wait()).await {
            Ok(Ok(status)) => status.code().is_some_and(|code| code != 255),
            _ => false,
        };
        Line::Closed { unknown_command }
    }
}

/// Takes all whole lines, and answers the newest that tells a tip, or that there was one at all.
fn newest(read: &mut Vec<u8>) -> Result<Option<Line>, ()> {
    let mut newest = None;
    while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = read.drain(..=end).collect();
        match &line[..end] {
            b"." => newest = newest.or(Some(Line::KeepAlive)),
            b"none" => newest = Some(Line::Tip(None)),
            hex if hex.len() == 40 => {
                let text = std::str::from_utf8(hex).map_err(drop)?;
                newest = Some(Line::Tip(Some(Oid::from_str(text).map_err(drop)?)));
            }
            _ => return Err(()),
        }
    }
    match read.len() > MAX_LINE {
        true => Err(()),
        false => Ok(newest),
    }
}

/// The host's end: writes to `output` where the branch of the repository at `path` points, now and
/// whenever it moved, until `gone` is done or the output is closed.
///
/// # Errors
/// If there is no repository, if its refs are not in files, or if the output is closed.
pub async fn watch_branch(
    path: &Path,
    gone: impl Future<Output = ()>,
    mut output: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let path = below_home(path);
    let mut folder = FolderPoll::default();
    let mut polls = interval(POLL);
    let mut reported: Option<Option<Oid>> = None;
    let mut last_line = Instant::now();
    tokio::pin!(gone);
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            () = &mut gone => return Ok(()),
        }
        let tip = match folder.poll_tip(&path).await.map_err(io::Error::other)? {
            FolderTip::Known(tip) => tip,
            FolderTip::AskGit => {
                return Err(io::Error::other(
                    "the refs of this repository cannot be read by libgit2; git polls it instead",
                ));
            }
        };
        let line = match tip {
            _ if reported == Some(tip) && last_line.elapsed() < KEEP_ALIVE => continue,
            _ if reported == Some(tip) => ".\n".to_owned(),
            Some(tip) => format!("{tip}\n"),
            None => "none\n".to_owned(),
        };
        output.write_all(line.as_bytes()).await?;
        output.flush().await?;
        reported = Some(tip);
        last_line = Instant::now();
    }
}

/// `~/…` as the shell of git's own server would read it.
fn below_home(path: &Path) -> std::path::PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(below), Some(home)) => Path::new(&home).join(below),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_line_of_several_counts() {
        let id = "1".repeat(40);
        let tip = Line::Tip(Some(Oid::from_str(&id).unwrap()));
        let mut read = format!("none\n.\n{id}\n.\n12").into_bytes();
        assert_eq!(newest(&mut read), Ok(Some(tip)));
        assert_eq!(read, b"12");
        assert_eq!(newest(&mut read), Ok(None));
        assert_eq!(newest(&mut b".\n".to_vec()), Ok(Some(Line::KeepAlive)));
        for strange in ["Welcome!\n".to_owned(), "\n".to_owned(), "a".repeat(65)] {
            assert_eq!(
                newest(&mut strange.clone().into_bytes()),
                Err(()),
                "{strange:?}"
            );
        }
    }
}
