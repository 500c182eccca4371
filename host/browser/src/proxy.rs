//! The proxy between the browser and the world: lets the payee's origins through, refuses all else and records it.
//!
//! Lives elsewhere: what makes it the only way out is in `session`.
//! Invariants: only `CONNECT` to an allowed `host:port`, to the letter, is carried; a recipe has no origin without TLS,
//! so nothing else ever is; what is asked is bounded in size, time and number; after the last click, a browser cannot
//! repeat by itself a request that stayed without an answer.

use std::{
    collections::BTreeSet,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixListener, UnixStream},
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// How long it may take, and so a connection to the other side.
const PATIENCE: Duration = Duration::from_secs(15);
/// Connections at one time.
const MAX_CONNECTIONS: usize = 128;
/// How many refused addresses are kept.
const MAX_REFUSED: usize = 64;
/// What Chromium asks for by itself. It is refused as all else.
const BROWSERS_OWN: [&str; 9] = [
    "accounts.google.com:443",
    "clients2.google.com:443",
    "clients2.google.com:80",
    "content-autofill.googleapis.com:443",
    "optimizationguide-pa.googleapis.com:443",
    "safebrowsingohttpgateway.googleapis.com:443",
    "update.googleapis.com:443",
    "update.googleapis.com:80",
    "www.google.com:443",
];

/// What the connections share.
#[derive(Debug, Default)]
struct Line {
    allowed: BTreeSet<String>,
    refused: Mutex<BTreeSet<String>>,
    /// Set at the last click: from then on a request that stays without an answer is the last one.
    is_sealed: AtomicBool,
    /// Set once that happened.
    is_shut: AtomicBool,
    /// Ends the connections that are open.
    cut: Notify,
}

/// A running proxy; it ends with the value.
#[derive(Debug)]
pub(crate) struct Proxy {
    line: Arc<Line>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Serves on a socket.
    pub(crate) fn start(socket: UnixListener, allowed: BTreeSet<String>) -> Self {
        let line = Arc::new(Line {
            allowed,
            ..Line::default()
        });
        let shared = Arc::clone(&line);
        let task = tokio::spawn(async move {
            let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
            // Ends all connections when it is dropped.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                    return;
                };
                let Ok((client, _)) = socket.accept().await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                while connections.try_join_next().is_some() {}
                let line = Arc::clone(&shared);
                connections.spawn(async move {
                    let _slot = slot;
                    // A side that goes away in the middle is its right.
                    carry(client, &line).await.ok();
                });
            }
        });
        Self { line, task }
    }

    /// What was refused, without what browsers ask for by themselves.
    pub(crate) fn refused(&self) -> Vec<String> {
        let refused = &self.line.refused;
        let refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().cloned().collect()
    }

    /// Ends the open connections: a browser repeats a request by itself if the connection that it had open for it
    /// ends without an answer, and the last click is to be one request.
    pub(crate) fn cut(&self) {
        self.line.cut.notify_waiters();
    }

    /// From now on, once a request stays without an answer, no other leaves.
    pub(crate) fn seal(&self) {
        self.line.is_sealed.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(mut client: UnixStream, line: &Line) -> io::Result<()> {
    // Before anything that waits, so that a cut in between is not missed.
    let cut = line.cut.notified();
    let head = tokio::time::timeout(PATIENCE, read_head(&mut client)).await??;
    let target = target(&head);
    let is_shut = line.is_shut.load(Ordering::SeqCst);
    let mut server = match target.as_deref() {
        Some(target)
            if head.starts_with(b"CONNECT ") && line.allowed.contains(target) && !is_shut =>
        {
            match tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await {
                Ok(Ok(server)) => server,
                _ => {
                    let answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
                    return client.write_all(answer).await;
                }
            }
        }
        target => {
            if !is_shut {
                note(
                    &line.refused,
                    target.unwrap_or("something that is no address"),
                );
            }
            let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
            return client.write_all(answer).await;
        }
    };
    server.set_nodelay(true).ok();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let is_asked = AtomicBool::new(false);
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let is_ended_by_server = tokio::select! {
        () = cut => false,
        // A browser that ends its side has no more to ask.
        ended = pump(&mut from_client, &mut to_server, || is_asked.store(true, Ordering::SeqCst)) => ended.is_err(),
        _ = pump(&mut from_server, &mut to_client, || is_asked.store(false, Ordering::SeqCst)) => true,
    };
    let is_unanswered = is_ended_by_server && is_asked.load(Ordering::SeqCst);
    if is_unanswered && line.is_sealed.load(Ordering::SeqCst) {
        // Before the browser sees the end.
        line.is_shut.store(true, Ordering::SeqCst);
    }
    Ok(())
}

/// Copies until one side ends.
async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut on_bytes: impl FnMut(),
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        on_bytes();
        to.write_all(&buffer[..count]).await?;
    }
}

fn note(refused: &Mutex<BTreeSet<String>>, target: &str) {
    tracing::warn!(target: "platinum::browser", "the payments' browser was refused {target}");
    let mut refused = refused.lock().unwrap_or_else(PoisonError::into_inner);
    if !BROWSERS_OWN.contains(&target) && refused.len() < MAX_REFUSED {
        refused.insert(target.to_owned());
    }
}

/// Reads to the empty line, and nothing behind it: a client waits for the answer before it goes on.
async fn read_head(client: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(client.read_u8().await?);
    }
    Ok(head)
}

/// `host:port` of a request, of a plain one too.
fn target(head: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(head.split(|byte| *byte == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let target = match target.strip_prefix("http://") {
        Some(rest) if method != "CONNECT" => {
            let host = rest.split('/').next()?;
            match host.contains(':') {
                true => host.to_owned(),
                false => format!("{host}:80"),
            }
        }
        _ => target.to_owned(),
    };
    let is_plain = target.len() <= 260 && target.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| target.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(proxy: &std::path::Path, request: &str) -> String {
        let mut client = UnixStream::connect(proxy).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 64];
        let read = client.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    #[tokio::test]
    async fn proxy_carries_allowed_authorities_to_the_letter() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = server.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let proxy = Proxy::start(
            UnixListener::bind(&path).unwrap(),
            BTreeSet::from([own.clone()]),
        );
        let answer = asked(&path, &format!("CONNECT {own} HTTP/1.1\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        for (request, noted) in [
            ("CONNECT 127.0.0.1:1 HTTP/1.1", "127.0.0.1:1"),
            (
                &*format!(
                    "CONNECT localhost:{} HTTP/1.1",
                    own.split_once(':').unwrap().1
                ),
                "localhost:",
            ),
            (&*format!("GET http://{own}/ HTTP/1.1"), &own),
            ("GET http://other.test/x HTTP/1.1", "other.test:80"),
            ("CONNECT update.googleapis.com:443 HTTP/1.1", ""),
            ("nonsense", "something"),
        ] {
            let answer = asked(&path, &format!("{request}\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 403"), "{request}: {answer}");
            let refused = proxy.refused();
            assert!(
                noted.is_empty() || refused.iter().any(|one| one.starts_with(noted)),
                "{refused:?}"
            );
        }
        assert!(!proxy.refused().iter().any(|one| one.contains("googleapis")));
    }

    /// As Chromium does it: a request over a connection that was open, which ends without an answer, and the same again.
    #[tokio::test]
    async fn proxy_lets_no_request_be_repeated_once_sealed() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = server.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let proxy = Proxy::start(
            UnixListener::bind(&path).unwrap(),
            BTreeSet::from([own.clone()]),
        );
        for (is_sealed, again) in [(false, "HTTP/1.1 200"), (true, "HTTP/1.1 403")] {
            if is_sealed {
                proxy.seal();
            }
            let mut client = UnixStream::connect(&path).await.unwrap();
            client
                .write_all(format!("CONNECT {own} HTTP/1.1\r\n\r\n").as_bytes())
                .await
                .unwrap();
            let (mut other_side, _) = server.accept().await.unwrap();
            let mut answer = [0; 19];
            client.read_exact(&mut answer).await.unwrap();
            client.write_all(b"pay").await.unwrap();
            let mut asked = [0; 3];
            other_side.read_exact(&mut asked).await.unwrap();
            drop(other_side);
            assert_eq!(client.read(&mut answer).await.unwrap(), 0);
            let answer = self::asked(&path, &format!("CONNECT {own} HTTP/1.1\r\n\r\n")).await;
            assert!(answer.starts_with(again), "{answer}");
            if !is_sealed {
                server.accept().await.unwrap();
            }
        }
        assert_eq!(proxy.refused(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn proxy_cut_ends_what_is_open() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = server.local_addr().unwrap().to_string();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let proxy = Proxy::start(
            UnixListener::bind(&path).unwrap(),
            BTreeSet::from([own.clone()]),
        );
        let mut client = UnixStream::connect(&path).await.unwrap();
        client
            .write_all(format!("CONNECT {own} HTTP/1.1\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let mut answer = [0; 19];
        client.read_exact(&mut answer).await.unwrap();
        proxy.cut();
        assert_eq!(client.read(&mut answer).await.unwrap(), 0);
    }
}
