//! [`ScriptedSmtp`]: a submission server over TLS that does wrong what it is told, recipient by
//! recipient, and keeps what it took.
//!
//! Invariants: what it took is in [`ScriptedSmtp::taken`] before its client can know; a fault is used
//! up by doing it; it ends with its value.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto},
};

/// What it does wrong with the next mail to a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpFault {
    /// Refuses the recipient, with this answer.
    RefuseRecipient(&'static str),
    /// Closes the connection at RCPT.
    CloseAtRecipient,
    /// Refuses DATA, with this answer.
    RefuseData(&'static str),
    /// Closes the connection at DATA.
    CloseAtData,
    /// Closes the connection in the middle of the message, which it does not take.
    CloseInMessage,
    /// Refuses the message, with this answer.
    RefuseMessage(&'static str),
    /// Closes the connection after the message: it took it or not, and says nothing.
    CloseAfterMessage {
        /// Whether it took it.
        is_taken: bool,
    },
    /// Says nothing for so long, then closes the connection: it took the message or not.
    StallAfterMessage {
        /// Whether it took it.
        is_taken: bool,
        /// For how many milliseconds.
        milliseconds: u64,
    },
}

/// A mail that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// To whom.
    pub recipient: String,
    /// The message.
    pub message: Vec<u8>,
}

/// The running server.
#[derive(Debug)]
pub struct ScriptedSmtp {
    port: u16,
    state: Arc<Mutex<State>>,
    _stop: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    faults: BTreeMap<String, VecDeque<SmtpFault>>,
    refuses_login: bool,
    taken: Vec<Taken>,
    connections: usize,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ScriptedSmtp {
    /// Starts one with the certificate and the key in this folder.
    ///
    /// # Errors
    /// If they cannot be read, or no port can be had.
    pub fn start(tls: &Path) -> anyhow::Result<Self> {
        let certificate = CertificateDer::from_pem_file(tls.join("cert.pem"))?;
        let key = PrivateKeyDer::from_pem_file(tls.join("key.pem"))?;
        let config =
            ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serving = Arc::clone(&state);
        std::thread::Builder::new()
            .name("scripted SMTP".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        _ = serve(listener, acceptor, serving) => {}
                    }
                });
            })
            .context("no thread for the server")?;
        Ok(Self {
            port,
            state,
            _stop: stop,
        })
    }

    /// Where it listens, with TLS from the first byte.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it does wrong with the next mails to this recipient, one after the other; then no more.
    pub fn set_faults(&self, recipient: &str, faults: impl IntoIterator<Item = SmtpFault>) {
        let faults = faults.into_iter().collect();
        locked(&self.state)
            .faults
            .insert(recipient.to_owned(), faults);
    }

    /// Whether it says no to every login from now on.
    pub fn refuse_logins(&self, refuses: bool) {
        locked(&self.state).refuses_login = refuses;
    }

    /// The mails that it took, oldest first.
    pub fn taken(&self) -> Vec<Taken> {
        locked(&self.state).taken.clone()
    }

    /// How often someone connected.
    pub fn connections(&self) -> usize {
        locked(&self.state).connections
    }
}

async fn serve(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    state: Arc<Mutex<State>>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        locked(&state).connections += 1;
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let _ = connection(stream, acceptor, &state).await;
        });
    }
}

async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    state: &Mutex<State>,
) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let ended = session(&mut stream, state).await;
    stream.shutdown().await?;
    ended
}

async fn session(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    state: &Mutex<State>,
) -> io::Result<()> {
    let mut recipient = String::new();
    let mut fault = None;
    let mut answer = "220 scripted".to_owned();
    loop {
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        stream.flush().await?;
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        answer = match (line.split([' ', '\r']).next().unwrap_or_default(), fault) {
            ("EHLO", _) => "250-scripted\r\n250 AUTH PLAIN LOGIN".to_owned(),
            ("AUTH", _) if locked(state).refuses_login => "535 5.7.8 no".to_owned(),
            ("AUTH", _) => "235 ok".to_owned(),
            ("RCPT", _) => {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                let next = locked(state)
                    .faults
                    .get_mut(&recipient)
                    .and_then(VecDeque::pop_front);
                fault = next;
                match fault {
                    Some(SmtpFault::RefuseRecipient(answer)) => answer.to_owned(),
                    Some(SmtpFault::CloseAtRecipient) => return Ok(()),
                    _ => "250 ok".to_owned(),
                }
            }
            ("DATA", Some(SmtpFault::RefuseData(answer))) => answer.to_owned(),
            ("DATA", Some(SmtpFault::CloseAtData)) => return Ok(()),
            ("DATA", _) => match message(stream, fault).await? {
                None => return Ok(()),
                Some(message) => {
                    let taken = Taken {
                        recipient: recipient.clone(),
                        message,
                    };
                    let Some(answer) = end(state, fault, taken).await else {
                        return Ok(());
                    };
                    answer
                }
            },
            ("QUIT", _) => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
    }
}

/// Reads a message to its end; nothing if the connection ends before.
async fn message(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    fault: Option<SmtpFault>,
) -> io::Result<Option<Vec<u8>>> {
    stream.write_all(b"354 go on\r\n").await?;
    stream.flush().await?;
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n.\r\n") {
        let read = stream.read_until(b'\n', &mut text).await?;
        if read == 0 || fault == Some(SmtpFault::CloseInMessage) {
            return Ok(None);
        }
    }
    Ok(Some(text))
}

/// The answer to a message; nothing if there is none. Whether it is taken is decided before.
async fn end(state: &Mutex<State>, fault: Option<SmtpFault>, taken: Taken) -> Option<String> {
    let (is_taken, stall, answer) = match fault {
        Some(SmtpFault::RefuseMessage(answer)) => (false, 0, Some(answer)),
        Some(SmtpFault::CloseAfterMessage { is_taken }) => (is_taken, 0, None),
        Some(SmtpFault::StallAfterMessage {
            is_taken,
            milliseconds,
        }) => (is_taken, milliseconds, None),
        _ => (true, 0, Some("250 2.0.0 taken")),
    };
    if is_taken {
        locked(state).taken.push(taken);
    }
    if stall > 0 {
        tokio::time::sleep(Duration::from_millis(stall)).await;
    }
    answer.map(str::to_owned)
}
