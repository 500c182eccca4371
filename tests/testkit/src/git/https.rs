//! [`HttpsServer`]: git's `http-backend` behind TLS, with one repository, for one user.
//!
//! The programs that serve a repository in the field (Apache, nginx, Caddy) start the same
//! `http-backend` with the same variables; here hyper and rustls stand in for them, in this
//! process, so that nothing is left behind.
//! Lives elsewhere: one request to `http-backend` is in `cgi.rs`.
//! Invariants: it trusts no one without the user's name and password, for reading too; it listens
//! on loopback alone; the client trusts one authority, made for this server.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context as _;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{net::TcpListener, sync::oneshot};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto},
};

use super::{Access, bare_repository, cgi, git_in};
use crate::tls;

/// Who may use it.
const USER: &str = "owner";
/// And the password.
const PASSWORD: &str = "only-on-loopback";
/// The two as a client says them.
const AUTHORIZATION: &str = "Basic b3duZXI6b25seS1vbi1sb29wYmFjaw==";

/// A running server with one empty repository; it ends when this is dropped.
#[derive(Debug)]
pub struct HttpsServer {
    port: u16,
    folder: tempfile::TempDir,
    turned_away: Arc<AtomicUsize>,
    _stop: oneshot::Sender<()>,
}

impl HttpsServer {
    /// Starts one on loopback.
    ///
    /// # Errors
    /// If its certificates cannot be made (Debian: openssl), or no port can be had.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let dir = folder.path();
        bare_repository(&dir.join("vault.git"))?;
        tls::make_certificates(&dir.join("tls"))?;
        make_credential_helper(dir)?;
        let acceptor = acceptor(&dir.join("tls"))?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let turned_away = Arc::new(AtomicUsize::new(0));
        let site = Site {
            root: dir.to_owned(),
            turned_away: Arc::clone(&turned_away),
        };
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("https".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        _ = serve(listener, acceptor, Arc::new(site)) => {}
                    }
                });
            })
            .context("no thread for the server")?;
        Ok(Self {
            port,
            folder,
            turned_away,
            _stop: stop,
        })
    }

    /// The remote's address. The user is in it, the password is not.
    pub fn address(&self) -> String {
        address(self.port)
    }

    /// How a client reaches it.
    pub fn access(&self) -> Access {
        self.access_through(self.port)
    }

    /// How a client reaches it through another port of loopback.
    pub fn access_through(&self, port: u16) -> Access {
        let dir = self.folder.path().display();
        let settings = [
            ("http.sslCAInfo", format!("{dir}/tls/ca.pem")),
            ("http.proxy", String::new()),
            // The empty one forgets what was said before.
            ("credential.helper", String::new()),
            ("credential.helper", format!("{dir}/credential-helper")),
        ];
        Access {
            address: address(port),
            settings: settings
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            ..Access::plain("")
        }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How often it turned someone away who did not say the password: git's client asks without
    /// one first.
    pub fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::SeqCst)
    }

    /// The repository itself, to look at or to forge commits in.
    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("vault.git")
    }

    /// Runs git in the repository, and answers what it wrote.
    ///
    /// # Errors
    /// If it failed; the text has what it said.
    pub fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        git_in(&self.repository(), args)
    }
}

fn address(port: u16) -> String {
    format!("https://{USER}@127.0.0.1:{port}/vault.git")
}

/// What the server knows.
#[derive(Debug)]
struct Site {
    root: PathBuf,
    turned_away: Arc<AtomicUsize>,
}

async fn serve(listener: std::net::TcpListener, acceptor: TlsAcceptor, site: Arc<Site>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        // Out of files for a moment: whoever is turned away asks again.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let (acceptor, site) = (acceptor.clone(), Arc::clone(&site));
        tokio::spawn(async move {
            // Nagle's algorithm and delayed answers cost 40 ms a request.
            drop(stream.set_nodelay(true));
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| answer(Arc::clone(&site), peer, request));
            // A client that goes away in the middle is a client's right.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    site: Arc<Site>,
    peer: SocketAddr,
    request: Request<Incoming>,
) -> anyhow::Result<cgi::Answer> {
    let printed = request.headers().get("authorization");
    if printed.is_none_or(|printed| printed.as_bytes() != AUTHORIZATION.as_bytes()) {
        site.turned_away.fetch_add(1, Ordering::SeqCst);
        return cgi::refuse();
    }
    // A task of its own: git's work goes on when the client has gone away.
    tokio::spawn(async move { cgi::run(&site.root, USER, peer, request).await })
        .await
        .context("the request panicked")?
}

fn acceptor(dir: &Path) -> anyhow::Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_file(dir.join("cert.pem"))?;
    let key = PrivateKeyDer::from_pem_file(dir.join("key.pem"))?;
    let mut config =
        ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// As a desktop's keyring would: it is asked, and the password is in no address and no setting.
fn make_credential_helper(dir: &Path) -> anyhow::Result<()> {
    let path = dir.join("credential-helper");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = get ] || exit 0\nprintf 'username={USER}\\npassword={PASSWORD}\\n'\n"
    );
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(())
}
