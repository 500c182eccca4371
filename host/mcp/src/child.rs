//! The server process: started with a bare environment, its answers bounded line by line, its
//! stderr turned into log lines, itself and its children killed when the session lets go.

use std::{
    collections::HashSet,
    pin::Pin,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use rmcp::{
    RoleClient,
    model::{ClientRequest, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, async_rw::AsyncRwTransport},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, ReadBuf},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
};

use platinum_core::text::one_line;

use crate::{MAX_ANSWER_BYTES, ServerSpec, fail_points};

/// How long a server has to end by itself once its stdin is closed.
const FAREWELL: Duration = Duration::from_secs(3);
/// The longest line of stderr that is kept whole.
const MAX_LOG_LINE: u64 = 4096;
/// What a server gets of our own environment.
const INHERITED: [&str; 2] = ["PATH", "HOME"];

/// What is known of a connection beside its answers. Shared by the transport and the session.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    /// Requests whose bytes may have reached the server.
    written: Mutex<HashSet<RequestId>>,
    /// Why the connection ended, if we ended it.
    ended: Mutex<Option<String>>,
    /// The last line of stderr.
    last_line: Mutex<Option<String>>,
    /// Whether stderr was read to its end.
    heard_out: tokio::sync::watch::Sender<bool>,
}

/// How long the last words of a server that ended are waited for: a child of its own may keep
/// stderr open.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Trace {
    /// Whether any of the request's bytes may have reached the server.
    pub(crate) fn was_written(&self, id: &RequestId) -> bool {
        lock(&self.written).contains(id)
    }

    /// Forgets an answered request.
    pub(crate) fn forget(&self, id: &RequestId) {
        lock(&self.written).remove(id);
    }

    /// As [`Trace::reason`], for a server that ended this moment: its last line is read first.
    pub(crate) async fn last_reason(&self) -> String {
        let mut heard_out = self.heard_out.subscribe();
        let all = heard_out.wait_for(|done| *done);
        // Without the rest, what was heard has to do.
        drop(tokio::time::timeout(LAST_WORDS, all).await);
        self.reason()
    }

    /// Why the connection is gone, in words for a person.
    pub(crate) fn reason(&self) -> String {
        let ended = lock(&self.ended).clone();
        let last_line = lock(&self.last_line).clone();
        match (ended, last_line) {
            (Some(reason), _) => reason,
            (None, Some(line)) => format!("the server ended; its last words: {line}"),
            (None, None) => "the server ended".to_owned(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A running server and the pipes to it, as rmcp sees them.
pub(crate) struct ChildTransport {
    pipes: AsyncRwTransport<RoleClient, BoundedLines<ChildStdout>, ChildStdin>,
    child: Group,
    trace: Arc<Trace>,
}

/// Starts the process of `spec`.
pub(crate) fn start(spec: &ServerSpec) -> std::io::Result<(ChildTransport, Arc<Trace>)> {
    let mut command = Command::new(&spec.command);
    command
        .args(&spec.args)
        .env_clear()
        .envs(
            INHERITED
                .iter()
                .filter_map(|name| std::env::var_os(name).map(|value| (*name, value))),
        )
        .envs(&spec.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: the terminal's Ctrl-C is for us to pass on, and wrappers
        // (`npx`, shell scripts) end together with what they started.
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let missing = || std::io::Error::other("the process has no pipes");
    let stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;

    let trace = Arc::new(Trace::default());
    tokio::spawn(log_stderr(spec.name.clone(), stderr, Arc::clone(&trace)));
    let stdout = BoundedLines {
        inner: stdout,
        line: 0,
        trace: Arc::clone(&trace),
    };
    let pipes = AsyncRwTransport::new(stdout, stdin).with_max_line_length(MAX_ANSWER_BYTES + 1);
    Ok((
        ChildTransport {
            pipes,
            child: Group(child),
            trace: Arc::clone(&trace),
        },
        trace,
    ))
}

impl Transport<RoleClient> for ChildTransport {
    type Error = std::io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let (id, tool) = match &item {
            JsonRpcMessage::Request(request) => {
                (Some(request.id.clone()), tool_of(&request.request))
            }
            _ => (None, None),
        };
        let trace = Arc::clone(&self.trace);
        let sending = self.pipes.send(item);
        async move {
            // Marked before the first byte: a write cut short counts as written unless it says
            // that it failed, and then the line has no end and is no message.
            if let Some(id) = &id {
                lock(&trace.written).insert(id.clone());
            }
            let sent = sending.await;
            if let (Err(_), Some(id)) = (&sent, &id) {
                lock(&trace.written).remove(id);
            }
            if let (Ok(()), Some(tool)) = (&sent, &tool) {
                fail_points::written(tool);
            }
            sent
        }
    }

    fn receive(&mut self) -> impl Future<Output = Option<RxJsonRpcMessage<RoleClient>>> + Send {
        self.pipes.receive()
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.pipes.close().await?;
        if tokio::time::timeout(FAREWELL, self.child.0.wait())
            .await
            .is_err()
        {
            self.child.kill();
            self.child.0.wait().await?;
        }
        Ok(())
    }
}

/// The tool that a request calls, if it calls one.
fn tool_of(request: &ClientRequest) -> Option<String> {
    match request {
        ClientRequest::CallToolRequest(call) => Some(call.params.name.to_string()),
        _ => None,
    }
}

/// A child that leads a process group, killed as a whole when dropped.
struct Group(Child);

impl Group {
    fn kill(&mut self) {
        // `id` is `None` once the child was waited for: its number may be another's by then.
        let leader = self
            .0
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(leader) = leader {
            // A group that is gone already needs no killing.
            rustix::process::kill_process_group(leader, rustix::process::Signal::KILL).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Passes bytes on and fails once a line is longer than [`MAX_ANSWER_BYTES`], so that a call that
/// gets such an answer ends at once instead of at its time-out.
struct BoundedLines<R> {
    inner: R,
    line: usize,
    trace: Arc<Trace>,
}

impl<R: AsyncRead + Unpin> AsyncRead for BoundedLines<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        for piece in buf.filled()[before..].split_inclusive(|&byte| byte == b'\n') {
            self.line += piece.len();
            if self.line > MAX_ANSWER_BYTES {
                let reason = format!("the answer is larger than {MAX_ANSWER_BYTES} bytes");
                *lock(&self.trace.ended) = Some(reason.clone());
                return Poll::Ready(Err(std::io::Error::new(
                    std::io::ErrorKind::InvalidData,
                    reason,
                )));
            }
            if piece.ends_with(b"\n") {
                self.line = 0;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Logs what the server writes to stderr, a bounded line at a time, until it closes it.
async fn log_stderr(server: String, stderr: ChildStderr, trace: Arc<Trace>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader)
            .take(MAX_LOG_LINE)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => {
                trace.heard_out.send_replace(true);
                return;
            }
            Ok(_) => {}
        }
        let text = one_line(&String::from_utf8_lossy(&line), 1000);
        // Our own line begins with a level already.
        let text = ["INFO ", "WARN ", "ERROR "]
            .iter()
            .find_map(|level| text.strip_prefix(level))
            .unwrap_or(&text);
        if !text.is_empty() {
            tracing::info!(target: "platinum::mcp::stderr", server, "{text}");
            *lock(&trace.last_line) = Some(one_line(text, 300));
        }
    }
}
