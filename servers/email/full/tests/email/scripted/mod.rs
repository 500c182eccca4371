//! A submission server over TLS that ends as the test chooses; and a wire to a server that can be cut.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto};

/// How a session ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    /// All is well.
    Accepted,
    /// The answer to RCPT.
    RecipientRefused(&'static str),
    /// The connection breaks at DATA.
    LostBeforeData,
    /// The answer to the message.
    MessageRefused(&'static str),
    /// The connection breaks when the message is there.
    LostAfterMessage,
}

/// The running server.
pub(crate) struct ScriptedServer {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl ScriptedServer {
    pub(crate) async fn start(tls: &Path, ending: Ending) -> Self {
        let certificate = CertificateDer::from_pem_file(tls.join("cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(tls.join("key.pem")).unwrap();
        let config =
            ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
                .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = session(acceptor.clone(), stream, ending).await;
            }
        });
        Self { port, connections }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn session(acceptor: TlsAcceptor, stream: TcpStream, ending: Ending) -> std::io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    stream.write_all(b"220 scripted\r\n").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match (line.split([' ', '\r']).next().unwrap_or_default(), ending) {
            ("EHLO", _) => "250-scripted\r\n250 AUTH PLAIN LOGIN",
            ("AUTH", _) => "235 ok",
            ("RCPT", Ending::RecipientRefused(answer)) => answer,
            ("DATA", Ending::LostBeforeData) => return Ok(()),
            ("DATA", _) => {
                stream.write_all(b"354 go on\r\n").await?;
                let mut text = Vec::new();
                while !text.ends_with(b"\r\n.\r\n") {
                    if stream.read_until(b'\n', &mut text).await? == 0 {
                        return Ok(());
                    }
                }
                match ending {
                    Ending::LostAfterMessage => return Ok(()),
                    Ending::MessageRefused(answer) => answer,
                    _ => "250 2.0.0 taken",
                }
            }
            ("QUIT", _) => "221 bye",
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        stream.flush().await?;
    }
}

/// Forwards connections to a port on loopback until it is cut.
pub(crate) struct Wire {
    pub(crate) port: u16,
    open: Arc<Mutex<Vec<AbortHandle>>>,
    bytes: Arc<AtomicU64>,
}

impl Wire {
    pub(crate) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(Mutex::new(Vec::new()));
        let opened = Arc::clone(&open);
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                let forward = tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(("127.0.0.1", to)).await {
                        let passed = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                        let (to, back) = passed.unwrap_or_default();
                        counted.fetch_add(to + back, Ordering::SeqCst);
                    }
                });
                opened.lock().unwrap().push(forward.abort_handle());
            }
        });
        Self { port, open, bytes }
    }

    /// The bytes of all connections that have ended, in both directions.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Breaks all connections; new ones are forwarded again.
    pub(crate) fn cut(&self) {
        self.open
            .lock()
            .unwrap()
            .drain(..)
            .for_each(|forward| forward.abort());
    }
}
