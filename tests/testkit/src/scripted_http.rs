//! [`ScriptedHttp`]: a small HTTP server on loopback that answers as a test says, or does not, and records what it was
//! asked.
//!
//! Invariants: a connection has one request; it is recorded before it is answered; nothing answers any more when the
//! value is dropped.

use std::{
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Such as `GET`.
    pub method: String,
    /// Without what stands behind the `?`.
    pub path: String,
    /// What stands there.
    pub query: Vec<(String, String)>,
    /// Everything before the body.
    pub head: String,
    /// What was sent with it.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads a request; `None` if the connection ends before.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let Some((head, body)) = read_message(reader)? else {
            return Ok(None);
        };
        let mut words = head.split(' ').map(str::to_owned);
        let (method, target) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Ok(Some(Self {
            method,
            path: path.to_owned(),
            query: pairs_of(query),
            head,
            body,
        }))
    }

    /// Its body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A value of its form.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<String> {
        value_of(pairs_of(&String::from_utf8_lossy(&self.body)), name)
    }

    /// A value of its query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        value_of(self.query.clone(), name)
    }

    /// A line of its head.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// `GET /path`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The head of a message and its body; `None` if the connection ends before. Without a length an answer has a body as
/// long as the connection, a request none.
pub(crate) fn read_message(reader: &mut impl BufRead) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(None);
        }
        if head[before..].trim().is_empty() {
            break;
        }
    }
    let mut body = Vec::new();
    match header(&head, "content-length").and_then(|text| text.parse().ok()) {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None if head.starts_with("HTTP/") => {
            reader.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok(Some((head, body)))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn pairs_of(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn value_of(pairs: Vec<(String, String)>, name: &str) -> Option<String> {
    let found = pairs.into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value)
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                let hex = String::from_utf8_lossy(&hex).into_owned();
                bytes.extend(u8::from_str_radix(&hex, 16).ok());
            }
            b'+' => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is done with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This status and JSON.
    Json(u16, Value),
    /// This status and text, as a page.
    Text(u16, String),
    /// Another answer, with a further header.
    Header(&'static str, String, Box<Reply>),
    /// Somewhere else, with what was sent.
    Redirect(String),
    /// So many bytes of an answer that says it has more.
    Broken(usize),
    /// An answer without end.
    Endless,
    /// The connection is closed.
    Closed,
    /// Nothing, until the client has enough of it.
    Silent,
}

impl Reply {
    /// An answer.
    #[must_use]
    pub fn ok(value: Value) -> Self {
        Self::Json(200, value)
    }

    /// With a further header.
    #[must_use]
    pub fn with(self, name: &'static str, text: impl Into<String>) -> Self {
        Self::Header(name, text.into(), Box::new(self))
    }

    fn send(self, more: &str, stream: &mut TcpStream) -> io::Result<()> {
        let (status, kind, body) = match self {
            Self::Json(status, value) => (status, "application/json", value.to_string()),
            Self::Text(status, text) => (status, "text/html", text),
            Self::Header(name, text, reply) => {
                return reply.send(&format!("{more}{name}: {text}\r\n"), stream);
            }
            Self::Redirect(to) => {
                return Self::Text(307, String::new())
                    .with("Location", to)
                    .send(more, stream);
            }
            Self::Broken(most) => {
                write!(stream, "HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n[")?;
                return stream.write_all(&vec![b' '; most]);
            }
            Self::Endless => {
                write!(stream, "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n[")?;
                // Until the client closes it.
                while stream.write_all(&[b' '; 8192]).is_ok() {}
                return Ok(());
            }
            Self::Closed => return Ok(()),
            Self::Silent => {
                // Until the client closes it.
                return stream.read_to_end(&mut Vec::new()).map(drop);
            }
        };
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    }
}

/// A running server. It ends with its value.
#[derive(Debug)]
pub struct ScriptedHttp {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    stopped: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl ScriptedHttp {
    /// Starts one that answers like this.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (record, ended) = (Arc::clone(&asked), Arc::clone(&stopped));
        let script = Arc::new(script);
        let listening = std::thread::Builder::new()
            .name("scripted http".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let (record, script) = (Arc::clone(&record), Arc::clone(&script));
                    std::thread::spawn(move || {
                        // A client may hang up.
                        let _ = answer(stream, &record, &*script);
                    });
                }
            })?;
        Ok(Self {
            address,
            asked,
            stopped,
            listening: Some(listening),
        })
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests until now.
    #[must_use]
    pub fn asked(&self) -> Vec<Request> {
        lock(&self.asked).clone()
    }

    /// All requests that are not for reading.
    #[must_use]
    pub fn posted(&self) -> Vec<Request> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.method != "GET");
        asked
    }

    /// How often it was asked this: the end of `GET /path`.
    #[must_use]
    pub fn count(&self, end: &str) -> usize {
        let asked = self.asked();
        asked
            .iter()
            .filter(|asked| asked.line().ends_with(end))
            .count()
    }
}

impl Drop for ScriptedHttp {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

fn answer(
    mut stream: TcpStream,
    record: &Mutex<Vec<Request>>,
    script: &(dyn Fn(&Request) -> Reply + Send + Sync),
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(request) = Request::read(&mut reader)? else {
        return Ok(());
    };
    lock(record).push(request.clone());
    script(&request).send("", &mut stream)?;
    stream.shutdown(Shutdown::Both)
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
