//! [`Proxy`]: between the program and Odoo, so that requests and answers are lost when the test says.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use platinum_testkit::wait_for;

/// What is done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
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
pub(crate) struct Proxy {
    port: u16,
    judge: Arc<Mutex<Box<Decide>>>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    pub(crate) fn start(odoo: &str) -> Self {
        let odoo = odoo.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let judge: Arc<Mutex<Box<Decide>>> = Arc::new(Mutex::new(Box::new(|_: &str| Fate::Passed)));
        let open = Arc::new(AtomicUsize::new(0));
        let shared = (Arc::clone(&judge), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (judge, open) = shared.clone();
                let odoo = odoo.clone();
                std::thread::spawn(move || {
                    open.fetch_add(1, Ordering::SeqCst);
                    let _ = exchange(client, &odoo, &judge);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, judge, open }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Decides about the requests from now on like this.
    pub(crate) fn set(&self, judge: impl FnMut(&str) -> Fate + Send + 'static) {
        *self.judge.lock().unwrap() = Box::new(judge);
    }

    /// The first request with this text ends like this, all others pass.
    pub(crate) fn lose(&self, text: &'static str, fate: Fate) {
        let mut is_lost = false;
        self.set(move |request| match !is_lost && request.contains(text) {
            true => {
                is_lost = true;
                fate
            }
            false => Fate::Passed,
        });
    }

    /// Waits until Odoo is at nothing that came this way.
    pub(crate) fn drain(&self) {
        wait_for("Odoo to answer all", Duration::from_secs(60), || {
            Ok((self.open.load(Ordering::SeqCst) == 0).then_some(()))
        })
        .unwrap();
    }
}

/// One request and its answer; a connection has no second one.
fn exchange(mut client: TcpStream, odoo: &str, judge: &Mutex<Box<Decide>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    let (head, body_at) = loop {
        let read = client.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    while bytes.len() < body_at + length.unwrap_or(0) {
        let read = client.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..read]);
    }
    let path = head.lines().next().unwrap_or_default();
    let text = format!("{path}\n{}", String::from_utf8_lossy(&bytes[body_at..]));
    let fate = (judge.lock().unwrap())(&text);
    if fate == Fate::LostBefore {
        return Ok(());
    }
    let kept = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let head: Vec<&str> = kept.collect();
    let mut server = TcpStream::connect(odoo)?;
    server.set_read_timeout(Some(Duration::from_secs(60)))?;
    server.write_all(format!("{}\r\nConnection: close\r\n\r\n", head.join("\r\n")).as_bytes())?;
    server.write_all(&bytes[body_at..])?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    if fate == Fate::Passed {
        client.write_all(&answer)?;
    }
    Ok(())
}
