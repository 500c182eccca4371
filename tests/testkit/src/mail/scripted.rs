//! [`ScriptedImap`]: an IMAP server over TLS with one mail, which does one thing wrong as it is told.
//!
//! Invariants: what it does wrong it does as often as told, and is a good server after that; it ends with its value.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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

use super::{OWNER, write_private};
use crate::tls;

/// The subject of the one mail.
pub const SUBJECT: &str = "The one mail";
const MAIL: &str = "Message-ID: <one@client.test>\r\nFrom: Client <client@client.test>\r\nSubject: The one mail\r\n\r\nHello\r\n";

/// What a server does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Accepts and says nothing, not even TLS.
    Silent,
    /// Says nothing after the TLS handshake.
    SilentAfterTls,
    /// Speaks without TLS.
    PlainText,
    /// Ends with words instead of a greeting.
    Bye,
    /// Greets in another protocol.
    NotImap,
    /// Says NO to LOGIN.
    LoginRefused,
    /// Says NO to LOGIN, for now.
    LoginUnavailable,
    /// Closes before a word on EXAMINE.
    CloseAtExamine,
    /// Answers EXAMINE without UIDVALIDITY.
    NoUidValidity,
    /// Closes before a word on UID SEARCH.
    CloseAtSearch,
    /// Closes before a word on UID FETCH.
    CloseAtFetch,
    /// Closes in the middle of the mail.
    CloseInFetch,
    /// Says NO to UID FETCH.
    FetchRefused,
    /// Has mails 6, 7 and 8, and refuses the bytes of 7 with these words.
    MailRefused(&'static str),
    /// Answers UID FETCH with a line without end.
    EndlessLine,
    /// Answers UID FETCH with a literal of this size, and then bytes without end.
    Literal(u64),
    /// Answers UID FETCH with news without end.
    Flood,
    /// Has news at once whenever it is asked to wait, and nothing new.
    FalseNews,
}

/// The certificate that it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// For loopback, from the authority in `ca-file`.
    Good,
    /// As good, but out of date.
    Expired,
    /// As good, but for another name.
    OtherName,
    /// From an authority that is not in `ca-file`.
    Unknown,
    /// Signed by itself.
    SelfSigned,
}

/// The running server.
#[derive(Debug)]
pub struct ScriptedImap {
    dir: tempfile::TempDir,
    port: u16,
    state: Arc<State>,
    _stop: oneshot::Sender<()>,
}

#[derive(Debug)]
struct State {
    fault: Option<Fault>,
    times: AtomicUsize,
    connections: AtomicUsize,
    logins: AtomicUsize,
    looks: AtomicUsize,
}

impl ScriptedImap {
    /// Starts one that does `fault` wrong so many `times`.
    ///
    /// # Errors
    /// If the certificates cannot be made, or no port can be had.
    pub fn start(
        certificate: Certificate,
        fault: Option<Fault>,
        times: usize,
    ) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        tls::make_certificates(dir.path())?;
        let shown = match certificate {
            Certificate::Expired => "expired.pem",
            Certificate::OtherName => "other-name.pem",
            Certificate::SelfSigned => "self-signed.pem",
            Certificate::Good | Certificate::Unknown => "cert.pem",
        };
        if certificate == Certificate::Unknown {
            let other = dir.path().join("other");
            tls::make_certificates(&other)?;
            fs::copy(other.join("ca.pem"), dir.path().join("ca.pem"))?;
        }
        let certificate = CertificateDer::from_pem_file(dir.path().join(shown))?;
        let key = PrivateKeyDer::from_pem_file(dir.path().join("key.pem"))?;
        let config =
            ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let state = Arc::new(State {
            fault,
            times: AtomicUsize::new(times),
            connections: AtomicUsize::new(0),
            logins: AtomicUsize::new(0),
            looks: AtomicUsize::new(0),
        });
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let serving = Arc::clone(&state);
        std::thread::Builder::new()
            .name("scripted IMAP".to_owned())
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
            dir,
            port,
            state,
            _stop: stop,
        })
    }

    /// Writes a mail configuration for the account `owner`; its password is in the file beside.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn config(&self) -> anyhow::Result<PathBuf> {
        let (secret, ca) = (self.password_file(), self.dir.path().join("ca.pem"));
        write_private(&secret, b"secret")?;
        let text = format!(
            "[account.owner]\naddress = \"{OWNER}\"\nbackend = \"imap\"\nhost = \"127.0.0.1\"\nport = {}\n\
             user = \"{OWNER}\"\npassword = {{ file = {secret:?} }}\nca-file = {ca:?}\n",
            self.port
        );
        let path = self.dir.path().join("mail.toml");
        write_private(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Where the password is.
    pub fn password_file(&self) -> PathBuf {
        self.dir.path().join("password")
    }

    /// How often someone connected.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How often someone tried to log in.
    pub fn logins(&self) -> usize {
        self.state.logins.load(Ordering::SeqCst)
    }

    /// How often the inbox was looked at.
    pub fn looks(&self) -> usize {
        self.state.looks.load(Ordering::SeqCst)
    }

    /// The folder with everything.
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }
}

impl State {
    /// Whether to do this wrong now.
    fn does(&self, fault: Fault) -> bool {
        self.fault == Some(fault) && self.take()
    }

    fn take(&self) -> bool {
        let one_less = |times: usize| times.checked_sub(1);
        self.times
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
            .is_ok()
    }

    fn literal(&self) -> Option<u64> {
        match self.fault {
            Some(Fault::Literal(size)) if self.take() => Some(size),
            _ => None,
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    state: Arc<State>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        state.connections.fetch_add(1, Ordering::SeqCst);
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let _ = connection(stream, acceptor, &state).await;
        });
    }
}

async fn connection(mut stream: TcpStream, acceptor: TlsAcceptor, state: &State) -> io::Result<()> {
    if state.does(Fault::Silent) {
        return std::future::pending().await;
    }
    if state.does(Fault::PlainText) {
        stream.write_all(b"* OK plain\r\n").await?;
        let mut ignored = String::new();
        let _ = BufReader::new(stream).read_line(&mut ignored).await;
        return Ok(());
    }
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let ended = session(&mut stream, state).await;
    // With TLS's own end: a client that does not look closely takes it for the end of an answer.
    stream.shutdown().await?;
    ended
}

async fn session(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    state: &State,
) -> io::Result<()> {
    if state.does(Fault::SilentAfterTls) {
        return std::future::pending().await;
    }
    let greeting = if state.does(Fault::Bye) {
        "* BYE too many connections\r\n"
    } else if state.does(Fault::NotImap) {
        "220 mail.example ESMTP\r\n"
    } else {
        "* OK scripted\r\n"
    };
    stream.write_all(greeting.as_bytes()).await?;
    stream.flush().await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let (tag, command) = line.trim_end().split_once(' ').unwrap_or((&line, ""));
        let word = command.to_ascii_uppercase();
        let answer = if word.starts_with("LOGIN") {
            state.logins.fetch_add(1, Ordering::SeqCst);
            if state.does(Fault::LoginRefused) {
                format!("{tag} NO [AUTHENTICATIONFAILED] wrong user or password\r\n")
            } else if state.does(Fault::LoginUnavailable) {
                format!("{tag} NO [UNAVAILABLE] the users cannot be read now\r\n")
            } else {
                format!("{tag} OK in\r\n")
            }
        } else if word.starts_with("CAPABILITY") {
            format!("* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n")
        } else if word.starts_with("EXAMINE") {
            state.looks.fetch_add(1, Ordering::SeqCst);
            if state.does(Fault::CloseAtExamine) {
                return Ok(());
            }
            let validity = if state.does(Fault::NoUidValidity) {
                ""
            } else {
                "* OK [UIDVALIDITY 42] valid\r\n"
            };
            format!("* 1 EXISTS\r\n{validity}* OK [UIDNEXT 8] next\r\n{tag} OK done\r\n")
        } else if word.starts_with("UID SEARCH") {
            if state.does(Fault::CloseAtSearch) {
                return Ok(());
            }
            let uids = match state.fault {
                Some(Fault::MailRefused(_)) => "6 7 8",
                _ => "7",
            };
            format!("* SEARCH {uids}\r\n{tag} OK done\r\n")
        } else if word.starts_with("UID FETCH") {
            match fetch(stream, tag, &word, state).await? {
                Some(answer) => answer,
                None => return Ok(()),
            }
        } else if word == "IDLE" {
            stream.write_all(b"+ idling\r\n").await?;
            if state.does(Fault::FalseNews) {
                stream.write_all(b"* 1 EXISTS\r\n").await?;
            }
            stream.flush().await?;
            let mut done = String::new();
            if stream.read_line(&mut done).await? == 0 {
                return Ok(());
            }
            format!("{tag} OK done\r\n")
        } else {
            format!("{tag} OK done\r\n")
        };
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
    }
}

/// The answer to UID FETCH; nothing when the connection ends here.
async fn fetch(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
    tag: &str,
    command: &str,
    state: &State,
) -> io::Result<Option<String>> {
    let literal = state.literal();
    let endless = if state.does(Fault::EndlessLine) {
        Some(("* 1 FETCH (UID ", "1".repeat(4096)))
    } else if state.does(Fault::Flood) {
        Some(("", "* 1 EXISTS\r\n".repeat(300)))
    } else {
        literal.map(|_| ("* 1 FETCH (UID 7 BODY[]<0> {", "x".repeat(4096)))
    };
    if let Some((start, piece)) = endless {
        stream.write_all(start.as_bytes()).await?;
        if let Some(size) = literal {
            stream.write_all(format!("{size}}}\r\n").as_bytes()).await?;
        }
        loop {
            stream.write_all(piece.as_bytes()).await?;
            stream.flush().await?;
        }
    }
    if state.does(Fault::CloseAtFetch) {
        return Ok(None);
    }
    if state.does(Fault::FetchRefused) {
        return Ok(Some(format!("{tag} NO [SERVERBUG] try later\r\n")));
    }
    let uid = command.split(' ').nth(2).unwrap_or_default();
    if let (Some(Fault::MailRefused(words)), "7") = (state.fault, uid) {
        return Ok(Some(match command.contains("BODY") {
            true => format!("{tag} {words}\r\n"),
            false => format!("* 2 FETCH (UID 7 FLAGS (\\Seen))\r\n{tag} OK done\r\n"),
        }));
    }
    let head = format!(
        "* 1 FETCH (UID {uid} FLAGS () RFC822.SIZE {size} INTERNALDATE \"20-Nov-2026 10:00:00 +0000\" BODY[]<0> {{{size}}}\r\n",
        size = MAIL.len()
    );
    if state.does(Fault::CloseInFetch) {
        let half = &MAIL[..MAIL.len() / 2];
        stream.write_all(format!("{head}{half}").as_bytes()).await?;
        stream.flush().await?;
        return Ok(None);
    }
    Ok(Some(format!("{head}{MAIL})\r\n{tag} OK done\r\n")))
}
