//! [`Bank`]: a bank over TLS on loopback with a login, a second factor, transfers with a final screen, and a list of
//! payments; it does what a test says on the way, and books a payment before it answers.
//!
//! Lives elsewhere: its pages are in `pages`; the recipe that walks over them in `recipe.toml`.
//! Invariants: a payment that was asked for is booked, however often: a bank that pays once by itself would hide what
//! is to be seen; what reaches its look-alike or its port for datagrams is counted.

use std::{
    collections::HashMap,
    io::{self, BufReader, Write as _},
    net::{TcpListener, TcpStream, UdpSocket},
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

use super::pages;
use crate::{run, scripted_http::Request, tls};

/// The name of its user.
pub const BANK_USER: &str = "ada";
/// The password.
pub const BANK_PASSWORD: &str = "correct-horse-battery";
/// The code of the second factor.
pub const BANK_CODE: &str = "493817";

/// What the bank does that a bank should not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BankFault {
    /// Nothing.
    None,
    /// The final screen has another payee.
    WrongPayee,
    /// It has another payee whose name looks the same.
    HomoglyphPayee,
    /// It has another account.
    WrongIban,
    /// It has another amount.
    ChangedAmount,
    /// It has another currency.
    OtherCurrency,
    /// It writes amounts with a point before the decimals.
    DecimalPoint,
    /// A dialog opens on the final screen.
    Dialog,
    /// The final screen has an element that asks something.
    Question,
    /// The login is forgotten before the final screen.
    SessionExpired,
    /// The final screen takes longer than a step may.
    Slow,
    /// The final screen is on another origin.
    Redirect,
    /// The final screen has a hidden field with another amount.
    HiddenField,
    /// The final screen has a field with another amount that is moved out of sight.
    InvisibleField,
    /// A text says to click on a second button of the same name.
    Orders,
    /// The way to the final screen opens a window.
    Popup,
    /// The final screen opens in a second tab.
    SecondTab,
    /// Something lies over the last button.
    Overlay,
    /// The way to the final screen begins a download.
    Download,
    /// The final screen opens a WebSocket to another origin.
    WebSocket,
    /// It wants to talk by WebRTC.
    WebRtc,
    /// It registers a service worker.
    ServiceWorker,
    /// Its amount changes when the pointer is over the button.
    ChangesOnHover,
    /// Its amount changes some hundred times a second.
    Flickers,
    /// Its amount changes when the button is pressed, after all that can be compared.
    ChangesOnPress,
    /// The receipt shows another amount than was booked.
    OtherReceipt,
    /// A payment is booked and its answer never comes.
    StallsAfterBooking,
    /// A payment is booked and the connection closes.
    ClosesAfterBooking,
}

/// A payment in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankPayment {
    /// As it was filled in.
    pub payee: String,
    /// As it was filled in.
    pub iban: String,
    /// As it was filled in: `1234,56`.
    pub amount: String,
    /// As it was filled in.
    pub reference: String,
}

#[derive(Debug, Default)]
struct Books {
    /// What each session is at, by its cookie.
    sessions: HashMap<String, BankVisit>,
    payments: Vec<BankPayment>,
    requests: Vec<String>,
    /// Requests that reached the look-alike.
    astray: Vec<String>,
    datagrams: usize,
    /// A session's number.
    next: usize,
}

#[derive(Debug, Default, Clone)]
struct BankVisit {
    is_known: bool,
    has_code: bool,
    pending: Option<BankPayment>,
}

/// What all connections share.
#[derive(Debug)]
struct Branch {
    books: Mutex<Books>,
    fault: Mutex<BankFault>,
    is_closed: AtomicBool,
    /// The look-alike's port, which takes datagrams too.
    other: u16,
}

impl Branch {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> BankFault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running bank; it ends with the value.
#[derive(Debug)]
pub struct Bank {
    port: u16,
    key: String,
    branch: Arc<Branch>,
    _folder: tempfile::TempDir,
}

impl Bank {
    /// Starts one, with a look-alike on another port.
    ///
    /// # Errors
    /// If its certificates cannot be made (Debian: openssl), or no port can be had.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let dir = folder.path().join("tls");
        tls::make_certificates(&dir)?;
        let script = "openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform der \
                      | openssl dgst -sha256 -binary | openssl base64 -A";
        let key = run("sh", &["-c", script], &dir)?;
        let config = Arc::new(server_config(&dir)?);
        let own = TcpListener::bind("127.0.0.1:0")?;
        let (other, datagrams) = both_kinds()?;
        let port = own.local_addr()?.port();
        let branch = Arc::new(Branch {
            books: Mutex::default(),
            fault: Mutex::new(BankFault::None),
            is_closed: AtomicBool::new(false),
            other: other.local_addr()?.port(),
        });
        serve(own, &config, &branch, false);
        serve(other, &config, &branch, true);
        let counting = Arc::clone(&branch);
        datagrams.set_read_timeout(Some(Duration::from_millis(200)))?;
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while !counting.is_closed.load(Ordering::SeqCst) {
                if datagrams.recv_from(&mut buffer).is_ok() {
                    counting.books().datagrams += 1;
                }
            }
        });
        Ok(Self {
            port,
            key,
            branch,
            _folder: folder,
        })
    }

    /// From now on it does this.
    pub fn set(&self, fault: BankFault) {
        *self
            .branch
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// `host:port` of its look-alike.
    #[must_use]
    pub fn look_alike(&self) -> String {
        format!("127.0.0.1:{}", self.branch.other)
    }

    /// The recipe for its pages, named `test-bank`.
    #[must_use]
    pub fn recipe(&self) -> String {
        include_str!("recipe.toml")
            .replace("ORIGIN", &self.origin())
            .replace("KEY", &self.key)
    }

    /// What is in its books.
    #[must_use]
    pub fn payments(&self) -> Vec<BankPayment> {
        self.branch.books().payments.clone()
    }

    /// What it was asked, such as `POST /pay`.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.branch.books().requests.clone()
    }

    /// What reached its look-alike: requests, and how many datagrams.
    #[must_use]
    pub fn astray(&self) -> (Vec<String>, usize) {
        let books = self.branch.books();
        (books.astray.clone(), books.datagrams)
    }
}

impl Drop for Bank {
    fn drop(&mut self) {
        self.branch.is_closed.store(true, Ordering::SeqCst);
    }
}

/// A port that takes connections and datagrams.
fn both_kinds() -> anyhow::Result<(TcpListener, UdpSocket)> {
    for _ in 0..20 {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        if let Ok(socket) = UdpSocket::bind(listener.local_addr()?) {
            return Ok((listener, socket));
        }
    }
    anyhow::bail!("no port for connections and datagrams")
}

fn server_config(dir: &Path) -> anyhow::Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(dir.join("cert.pem"))?;
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem"))?;
    ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .context("the bank's certificate")
}

fn serve(listener: TcpListener, config: &Arc<ServerConfig>, branch: &Arc<Branch>, is_other: bool) {
    let (config, branch) = (Arc::clone(config), Arc::clone(branch));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if branch.is_closed.load(Ordering::SeqCst) {
                return;
            }
            let (config, branch) = (Arc::clone(&config), Arc::clone(&branch));
            std::thread::spawn(move || {
                // A browser opens connections that it never uses, and leaves in the middle.
                let _ = exchange(stream, config, &branch, is_other);
            });
        }
    });
}

/// One request and its answer.
fn exchange(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    branch: &Branch,
    is_other: bool,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let Some(request) = Request::read(&mut reader)? else {
        return Ok(());
    };
    let answer = match is_other {
        true => {
            branch.books().astray.push(request.line());
            pages::page("Look-alike", "", "<p>Welcome</p>")
        }
        false => {
            branch.books().requests.push(request.line());
            branch.answer(&request)
        }
    };
    if let Some(answer) = answer_bytes(answer) {
        let stream = reader.get_mut();
        stream.write_all(&answer)?;
        stream.conn.send_close_notify();
        stream.flush()?;
    }
    Ok(())
}

/// What is answered.
pub(super) enum BankAnswer {
    Html(String),
    File,
    SeeOther(String, Option<String>),
    Missing,
    /// Nothing, for as long as a browser waits.
    Silence(Duration),
}

fn answer_bytes(answer: BankAnswer) -> Option<Vec<u8>> {
    let (status, headers, body) = match answer {
        BankAnswer::Html(body) => ("200 OK", "Content-Type: text/html; charset=utf-8\r\n".to_owned(), body),
        BankAnswer::File => (
            "200 OK",
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=a.bin\r\n".to_owned(),
            "x".to_owned(),
        ),
        BankAnswer::SeeOther(place, cookie) => {
            let cookie = cookie.map(|id| format!("Set-Cookie: id={id}; Secure; HttpOnly; Path=/\r\n"));
            let headers = format!("Location: {place}\r\n{}", cookie.unwrap_or_default());
            ("303 See Other", headers, String::new())
        }
        BankAnswer::Missing => ("404 Not Found", String::new(), String::new()),
        BankAnswer::Silence(time) => {
            std::thread::park_timeout(time);
            return None;
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    Some([head.into_bytes(), body.into_bytes()].concat())
}

impl Branch {
    fn answer(&self, request: &Request) -> BankAnswer {
        let cookie = request.header("cookie").unwrap_or_default();
        let id = cookie
            .split("; ")
            .find_map(|pair| pair.strip_prefix("id="))
            .unwrap_or_default()
            .to_owned();
        let fault = self.fault();
        let form = |name: &str| request.form(name).unwrap_or_default();
        let mut books = self.books();
        let visit = books.sessions.get(&id).cloned().unwrap_or_default();
        let to = |place: &str| BankAnswer::SeeOther(place.to_owned(), None);
        match (request.line().as_str(), visit.is_known, visit.has_code) {
            ("GET /login", ..) => pages::login(),
            ("POST /login", ..) => {
                if (form("user").as_str(), form("password").as_str()) != (BANK_USER, BANK_PASSWORD)
                {
                    return to("/login");
                }
                books.next += 1;
                let id = format!("s{}", books.next);
                let visit = BankVisit {
                    is_known: true,
                    ..BankVisit::default()
                };
                books.sessions.insert(id.clone(), visit);
                BankAnswer::SeeOther("/code".to_owned(), Some(id))
            }
            ("GET /sw.js" | "GET /favicon.ico", ..) => BankAnswer::Missing,
            ("GET /popup", ..) => pages::page("Offer", "", "<p>An offer</p>"),
            ("GET /file", ..) => BankAnswer::File,
            (_, false, _) => to("/login"),
            ("GET /code", ..) => pages::code(),
            ("POST /code", ..) => {
                if form("code") != BANK_CODE {
                    return to("/code");
                }
                let visit = BankVisit {
                    has_code: true,
                    ..visit
                };
                books.sessions.insert(id, visit);
                to("/home")
            }
            (_, _, false) => to("/code"),
            ("GET /home", ..) => pages::page(
                "Home",
                "",
                "<h1>Your accounts</h1><p>Balance 9.876,54 EUR</p>",
            ),
            ("GET /transfer", ..) => pages::transfer(fault),
            ("POST /check", ..) => {
                let pending = BankPayment {
                    payee: form("payee"),
                    iban: form("iban"),
                    amount: form("amount"),
                    reference: form("reference"),
                };
                let visit = BankVisit {
                    pending: Some(pending),
                    ..visit
                };
                books.sessions.insert(id, visit);
                match fault {
                    BankFault::Redirect => to(&format!("https://127.0.0.1:{}/check", self.other)),
                    BankFault::SessionExpired => {
                        books.sessions.clear();
                        to("/check")
                    }
                    _ => to("/check"),
                }
            }
            ("GET /check", ..) => match visit.pending {
                Some(_) if fault == BankFault::Slow => {
                    drop(books);
                    BankAnswer::Silence(Duration::from_secs(30))
                }
                Some(pending) => pages::check(&pending, fault, self.other),
                None => to("/transfer"),
            },
            ("POST /pay", ..) => {
                let Some(payment) = visit.pending.clone() else {
                    return to("/transfer");
                };
                books.payments.push(payment.clone());
                let number = books.payments.len();
                drop(books);
                match fault {
                    BankFault::StallsAfterBooking => BankAnswer::Silence(Duration::from_secs(90)),
                    BankFault::ClosesAfterBooking => BankAnswer::Silence(Duration::ZERO),
                    _ => pages::receipt(&payment, number, fault),
                }
            }
            ("GET /payments", ..) => pages::payments(&books.payments),
            _ => BankAnswer::Missing,
        }
    }
}
