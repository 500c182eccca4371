//! One request to git's `http-backend`, as RFC 3875 has it.
//!
//! Invariant: once started, git's work runs to its end, whether anybody still listens or not: so
//! do the servers in the field, and only then can an answer be lost after the push has landed.

use std::{net::SocketAddr, path::Path, process::Stdio};

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Channel, Either, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::hermetic;

/// What goes back to the client.
pub(super) type Answer = Response<Either<Channel<Bytes>, Full<Bytes>>>;

/// Longest head of an answer that is read.
const MAX_HEAD: usize = 64 * 1024;

/// The answer to who does not say the password.
pub(super) fn refuse() -> anyhow::Result<Answer> {
    Ok(Response::builder()
        .status(StatusCode::UNAUTHORIZED)
        .header("www-authenticate", "Basic realm=\"vault\"")
        .body(Either::Right(Full::from("who are you?\n")))?)
}

/// Hands the request to `http-backend` for the repositories below `root`, and answers what it says.
pub(super) async fn run(
    root: &Path,
    user: &str,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> anyhow::Result<Answer> {
    let mut child = command(root, user, peer, &request)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start git http-backend")?;
    let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        bail!("git http-backend has no input or output");
    };
    tokio::spawn(send(request.into_body(), stdin));
    let mut stdout = BufReader::new(stdout);
    let head = head(&mut stdout).await?;
    let (sender, body) = Channel::new(4);
    tokio::spawn(relay(stdout, sender, child));
    let mut answer = Response::builder();
    for (name, value) in &head {
        answer = match name.as_str() {
            // `404 Not Found`
            "status" => answer.status(value.split(' ').next().unwrap_or("500")),
            _ => answer.header(name, value),
        };
    }
    Ok(answer.body(Either::Left(body))?)
}

fn command(root: &Path, user: &str, peer: SocketAddr, request: &Request<Incoming>) -> Command {
    let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
    let mut command = hermetic("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("SERVER_PROTOCOL", "HTTP/1.1")
        .env("REQUEST_METHOD", request.method().as_str())
        .env("PATH_INFO", request.uri().path())
        .env("QUERY_STRING", request.uri().query().unwrap_or_default())
        .env("REMOTE_ADDR", peer.ip().to_string())
        .env("REMOTE_PORT", peer.port().to_string())
        .env("REMOTE_USER", user);
    // Without a length (chunked), it reads to the end; packed with gzip, it unpacks.
    for (variable, name) in [
        ("CONTENT_TYPE", "content-type"),
        ("CONTENT_LENGTH", "content-length"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ("HTTP_GIT_PROTOCOL", "git-protocol"),
    ] {
        match header(name) {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    Command::from(command)
}

/// The request's body, until it ends or breaks off; git notices a pack that is cut short.
async fn send(mut body: Incoming, mut to: ChildStdin) {
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// The lines before the first empty one.
async fn head(stdout: &mut BufReader<ChildStdout>) -> anyhow::Result<Vec<(String, String)>> {
    let mut lines = Vec::new();
    let mut read = 0;
    loop {
        let mut line = String::new();
        read += stdout.read_line(&mut line).await?;
        let text = line.trim_end();
        match text.split_once(':') {
            Some((name, value)) => {
                lines.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None if line.ends_with('\n') && text.is_empty() => return Ok(lines),
            None => bail!("git http-backend printed {text:?} in place of a header"),
        }
        if read > MAX_HEAD {
            bail!("the head of git http-backend's answer has no end");
        }
    }
}

/// The rest of the answer; when no one listens any more, it is read to its end all the same.
async fn relay(
    mut stdout: BufReader<ChildStdout>,
    mut to: http_body_util::channel::Sender<Bytes>,
    mut child: Child,
) {
    let mut is_heard = true;
    let mut piece = vec![0_u8; 32 * 1024];
    while let Ok(count @ 1..) = stdout.read(&mut piece).await {
        if is_heard {
            let bytes = Bytes::copy_from_slice(&piece[..count]);
            is_heard = to.send_data(bytes).await.is_ok();
        }
    }
    let _ = child.wait().await;
}
