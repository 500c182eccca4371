//! [`HttpProxy`]: between a program and a server over HTTP, so that requests and answers are lost when the test says.
//!
//! For a line that carries anything, with faults by chance, see [`git`](crate::git).

use std::{
    io::{BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{scripted_http::read_message, wait_for};

/// What is done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is passed on, and so is its answer.
    Passed,
    /// It does not arrive.
    LostBefore,
    /// It arrives, and its answer is lost.
    LostAfter,
}

/// Decides about each request, by the text of its path and body.
type Decide = dyn FnMut(&str) -> Fate + Send;

/// A proxy; it ends with the test program.
#[derive(Clone)]
pub struct HttpProxy {
    port: u16,
    decide: Arc<Mutex<Box<Decide>>>,
    open: Arc<AtomicUsize>,
}

impl std::fmt::Debug for HttpProxy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("HttpProxy")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl HttpProxy {
    /// Starts one before the server at an address, `http://127.0.0.1:…`. All passes until [`HttpProxy::set`].
    ///
    /// # Errors
    /// If the system has no port.
    pub fn start(url: &str) -> anyhow::Result<Self> {
        let server = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let decide: Arc<Mutex<Box<Decide>>> =
            Arc::new(Mutex::new(Box::new(|_: &str| Fate::Passed)));
        let open = Arc::new(AtomicUsize::new(0));
        let shared = (Arc::clone(&decide), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (decide, open) = shared.clone();
                let server = server.clone();
                std::thread::spawn(move || {
                    open.fetch_add(1, Ordering::SeqCst);
                    let _ = exchange(client, &server, &decide);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Ok(Self { port, decide, open })
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Decides about the requests from now on like this.
    pub fn set(&self, decide: impl FnMut(&str) -> Fate + Send + 'static) {
        *self.decide.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(decide);
    }

    /// The first request with this text ends like this, all others pass.
    pub fn lose(&self, text: &'static str, fate: Fate) {
        let mut is_lost = false;
        self.set(move |request| match !is_lost && request.contains(text) {
            true => {
                is_lost = true;
                fate
            }
            false => Fate::Passed,
        });
    }

    /// Waits until the server is at nothing that came this way.
    ///
    /// # Errors
    /// If it still is after a minute.
    pub fn drain(&self) -> anyhow::Result<()> {
        wait_for("the server to answer all", Duration::from_secs(60), || {
            Ok((self.open.load(Ordering::SeqCst) == 0).then_some(()))
        })
    }
}

/// One request and its answer; a connection has no second one.
fn exchange(
    mut client: TcpStream,
    server: &str,
    decide: &Mutex<Box<Decide>>,
) -> std::io::Result<()> {
    let Some((head, body)) = read_message(&mut BufReader::new(client.try_clone()?))? else {
        return Ok(());
    };
    let path = head.lines().next().unwrap_or_default();
    let text = format!("{path}\n{}", String::from_utf8_lossy(&body));
    let fate = (decide.lock().unwrap_or_else(PoisonError::into_inner))(&text);
    if fate == Fate::LostBefore {
        return Ok(());
    }
    let kept = head
        .lines()
        .filter(|line| !line.is_empty() && !line.to_ascii_lowercase().starts_with("connection:"));
    let head: Vec<&str> = kept.collect();
    let mut server = TcpStream::connect(server)?;
    server.set_read_timeout(Some(Duration::from_secs(60)))?;
    server.write_all(format!("{}\r\nConnection: close\r\n\r\n", head.join("\r\n")).as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    if fate == Fate::Passed {
        client.write_all(&answer)?;
    }
    Ok(())
}
