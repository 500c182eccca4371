//! The proxy between the browser and the world: lets the payee's origins through, refuses all else and records it.
//!
//! Lives elsewhere: what makes it the only way out is in `session`.
//! Invariants: only `CONNECT` to an allowed `host:port`, to the letter, is carried; a recipe has no origin without TLS,
//! so nothing else ever is; what is asked is bounded in size, time and number.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixListener, UnixStream},
    sync::Semaphore,
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

/// A running proxy; it ends with the value.
#[derive(Debug)]
pub(crate) struct Proxy {
    refused: Arc<Mutex<BTreeSet<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Serves on a socket.
    pub(crate) fn start(socket: UnixListener, allowed: BTreeSet<String>) -> Self {
        let refused = Arc::new(Mutex::new(BTreeSet::new()));
        let record = Arc::clone(&refused);
        let task = tokio::spawn(async move {
            let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
            let allowed = Arc::new(allowed);
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
                let (allowed, record) = (Arc::clone(&allowed), Arc::clone(&record));
                connections.spawn(async move {
                    let _slot = slot;
                    // A side that goes away in the middle is its right.
                    carry(client, &allowed, &record).await.ok();
                });
            }
        });
        Self { refused, task }
    }

    /// What was refused, without what browsers ask for by themselves.
    pub(crate) fn refused(&self) -> Vec<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.iter().cloned().collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut client: UnixStream,
    allowed: &BTreeSet<String>,
    refused: &Mutex<BTreeSet<String>>,
) -> io::Result<()> {
    let head = tokio::time::timeout(PATIENCE, read_head(&mut client)).await??;
    let target = target(&head);
    let server = match target.as_deref() {
        Some(target) if head.starts_with(b"CONNECT ") && allowed.contains(target) => {
            tokio::time::timeout(PATIENCE, TcpStream::connect(target)).await
        }
        _ => {
            note(
                refused,
                target.as_deref().unwrap_or("something that is no address"),
            );
            return client
                .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                .await;
        }
    };
    let Ok(Ok(mut server)) = server else {
        return client
            .write_all(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            .await;
    };
    server.set_nodelay(true).ok();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
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
}
