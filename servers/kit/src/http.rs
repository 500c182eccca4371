//! A server over Streamable HTTP, for programs of the same machine.
//!
//! Lives elsewhere: the protocol, its sessions and the checks of `Host` and `Origin` are `rmcp`'s.
//! Invariants: it listens on loopback alone; nothing is read of a request that does not show the token; a web page
//! cannot use it, also not under a name that leads here (DNS rebinding); connections, sessions and bodies are
//! bounded.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::secret::Secret;
use crate::server::Server;

/// Where the server answers.
const PATH: &str = "/mcp";
/// Connections at one time; a further one waits.
const MAX_CONNECTIONS: usize = 64;
/// Sessions at one time; a further one is refused.
const MAX_SESSIONS: usize = 32;
/// Bytes of one request: a mail with 25 MB of attachments.
const MAX_BODY: usize = 36 * 1024 * 1024;
/// Requests that are read at one time: so many times [`MAX_BODY`] is the most memory they take.
const MAX_READING: usize = 4;
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Characters that a token has at least.
const MIN_TOKEN: usize = 16;
/// The header that names a session.
const SESSION: &str = "mcp-session-id";
/// The header that names what is asked for; one that contradicts the body is refused.
const METHOD: &str = "mcp-method";

/// Where to listen, and what a client has to show.
#[derive(Debug, Clone, clap::Args)]
pub struct HttpArguments {
    /// Serve over Streamable HTTP at this address of this machine, at the path /mcp, instead of on standard input and
    /// output. Port 0 takes any that is free.
    #[arg(long, value_name = "127.0.0.1:PORT", requires = "token_file")]
    pub http: Option<SocketAddr>,
    /// A file that only its owner can read, with the token that every request has to carry: `Authorization: Bearer
    /// TOKEN`. At least 16 characters.
    #[arg(long, value_name = "FILE", requires = "http")]
    pub token_file: Option<PathBuf>,
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// What a client has to show.
struct Token(String);

impl Token {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let token = Secret::File(path.to_path_buf()).read().with_context(|| {
            format!(
                "the token of --token-file; one is made by: (umask 077; head -c 32 /dev/urandom | base64 > {})",
                path.display()
            )
        })?;
        let token = token.expose().trim();
        let is_plain = token.bytes().all(|byte| byte.is_ascii_graphic());
        anyhow::ensure!(
            token.len() >= MIN_TOKEN && is_plain,
            "the token in {} must be at least {MIN_TOKEN} letters, digits and signs without blanks",
            path.display()
        );
        Ok(Self(token.to_owned()))
    }

    /// Whether a request carries it. How long that takes says nothing of where they differ.
    fn is_shown(&self, request: &Request<Incoming>) -> bool {
        let mut values = request.headers().get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return false;
        };
        let Some((scheme, shown)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return false;
        };
        let (shown, token) = (shown.trim().as_bytes(), self.0.as_bytes());
        let differ = shown
            .iter()
            .zip(token)
            .fold(0, |differ, (one, other)| differ | (one ^ other));
        scheme.eq_ignore_ascii_case("bearer") && shown.len() == token.len() && differ == 0
    }
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// If the address is not of this machine alone or taken, or the token cannot be had.
pub async fn serve<S: Send + Sync + 'static>(
    server: Server<S>,
    address: SocketAddr,
    token: &Path,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "--http {address}: not an address of this machine alone; use 127.0.0.1:{}",
        address.port()
    );
    let token = Token::read(token)?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen at {address}"))?;
    let address = listener.local_addr()?;
    let mut stop = std::pin::pin!(stopped()?);
    tracing::info!("listening at http://{address}{PATH}");
    let listening = Arc::new(Listening::new(server, token));
    let open = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let connect = async {
            let place = Arc::clone(&open).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            (place, connection) = connect => match connection {
                Ok((stream, _)) => (place?, stream),
                Err(error) => {
                    // Such as too many open files: it passes, or the next one says so again.
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => return Ok(()),
        };
        let listening = Arc::clone(&listening);
        tokio::spawn(async move {
            let _place = place;
            let answer = hyper::service::service_fn(|request| {
                let listening = Arc::clone(&listening);
                async move { Ok::<_, Infallible>(listening.answer(request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = connection.await {
                tracing::debug!("a connection broke off: {error}");
            }
        });
    }
}

/// The server behind its checks.
struct Listening<S: Send + Sync + 'static> {
    token: Token,
    reading: Semaphore,
    sessions: Arc<LocalSessionManager>,
    service: StreamableHttpService<Server<S>, LocalSessionManager>,
}

impl<S: Send + Sync + 'static> Listening<S> {
    fn new(server: Server<S>, token: Token) -> Self {
        let sessions = Arc::new(LocalSessionManager::default());
        let config = StreamableHttpServerConfig::default()
            .with_max_request_body_bytes(MAX_BODY)
            .with_allowed_hosts(["localhost", "127.0.0.1", "::1"])
            .enforce_origin_validation()
            .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"]);
        let service =
            StreamableHttpService::new(move || Ok(server.clone()), Arc::clone(&sessions), config);
        Self {
            token,
            reading: Semaphore::new(MAX_READING),
            sessions,
            service,
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if !self.token.is_shown(&request) {
            let mut answer = refusal(
                StatusCode::UNAUTHORIZED,
                "the request does not carry the token of --token-file: Authorization: Bearer TOKEN",
            );
            let bearer = hyper::header::HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(WWW_AUTHENTICATE, bearer);
            return answer;
        }
        if request.uri().path() != PATH {
            return refusal(StatusCode::NOT_FOUND, "the server answers at the path /mcp");
        }
        let is_post = request.method() == Method::POST;
        let headers = request.headers();
        let opens = is_post
            && !headers.contains_key(SESSION)
            && headers
                .get(METHOD)
                .is_none_or(|method| method == "initialize");
        if opens && self.sessions.sessions.read().await.len() >= MAX_SESSIONS {
            return refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many sessions are open; end one (DELETE), or wait five minutes",
            );
        }
        // It is never closed.
        let _reading = match is_post {
            true => self.reading.acquire().await.ok(),
            false => None,
        };
        self.service.handle(request).await
    }
}

fn refusal(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())).boxed());
    *answer.status_mut() = status;
    answer
}

/// Comes when the process is asked to end; from this call on, also if it is asked at once.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
