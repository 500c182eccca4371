//! [`Receiver`]: the listener for the webhook, on this machine alone; the owner's tunnel leads to it.
//!
//! Meta brings a webhook again, for days, until it was taken with 200: so one is taken only when it is in the store, and
//! one that is signed and of no use is taken, too.
//! Invariants: nothing of a body is believed before its signature was checked; connections, bodies and times are
//! bounded; the same webhook may be brought any number of times at once.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use platinum_kit::{Password, SecretError};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};

use crate::config::WhatsappConfig;
use crate::payload::{self, Brought};
use crate::signature::{self, is_same_word, is_signed};
use crate::store::Store;

/// Where webhooks are taken.
pub const PATH: &str = "/webhook";
/// Connections at one time; a further one waits.
const MAX_CONNECTIONS: usize = 32;
/// Bytes of one webhook; Meta sends 3 MB at most.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a whole connection may take.
const CONNECTION_TIME: Duration = Duration::from_secs(60);
/// The longest word that is given back when the webhook is set up.
const MAX_CHALLENGE: usize = 200;

type Answer = Response<Full<Bytes>>;

/// Why webhooks cannot be received.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    /// A secret cannot be had.
    #[error("{name} of WhatsApp: {source}")]
    Secret {
        /// Its key in the configuration.
        name: &'static str,
        /// Why.
        source: SecretError,
    },
    /// The address is taken, or none of this machine.
    #[error("cannot listen at {address} for WhatsApp's webhook: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: std::io::Error,
    },
}

/// The listener.
#[derive(Debug)]
pub struct Receiver {
    listener: TcpListener,
    address: SocketAddr,
    taker: Arc<Taker>,
}

/// What checks and stores a webhook.
#[derive(Debug)]
struct Taker {
    app_secret: Password,
    verify_token: Password,
    phone_number_id: String,
    store: Store,
    arrived: Arc<Notify>,
}

impl Receiver {
    /// Listens at the address of the configuration. `arrived` is told when something new is in the store.
    ///
    /// # Errors
    /// If a secret cannot be had, or the address is taken.
    pub async fn bind(
        config: &WhatsappConfig,
        store: Store,
        arrived: Arc<Notify>,
    ) -> Result<Self, ReceiverError> {
        let named = |name| move |source| ReceiverError::Secret { name, source };
        let app_secret = config.app_secret.fetch().await;
        let verify_token = config.verify_token.fetch().await;
        let taker = Taker {
            app_secret: app_secret.map_err(named("`app_secret`"))?,
            verify_token: verify_token.map_err(named("`verify_token`"))?,
            phone_number_id: config.phone_number_id.clone(),
            store,
            arrived,
        };
        let failed = |source| ReceiverError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            taker: Arc::new(taker),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes webhooks until this is dropped.
    pub async fn serve(self) {
        let open = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&open).acquire_owned().await else {
                return;
            };
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Such as too many open files: it passes, or the next one says so again.
                    tracing::warn!("a connection of WhatsApp's webhook was not accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let taker = Arc::clone(&self.taker);
            tokio::spawn(async move {
                let _place = place;
                let answer = hyper::service::service_fn(|request| {
                    let taker = Arc::clone(&taker);
                    async move { Ok::<_, Infallible>(taker.answer(request).await) }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEAD_TIME)
                    .keep_alive(false)
                    .serve_connection(TokioIo::new(stream), answer);
                match tokio::time::timeout(CONNECTION_TIME, connection).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!("a connection broke off: {error}"),
                    Err(_) => tracing::debug!("a connection took too long"),
                }
            });
        }
    }
}

impl Taker {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if request.uri().path() != PATH {
            return plain(StatusCode::NOT_FOUND, "the webhook is at /webhook");
        }
        match *request.method() {
            Method::GET => self.verify(request.uri().query().unwrap_or_default()),
            Method::POST => self.take(request).await,
            _ => plain(StatusCode::METHOD_NOT_ALLOWED, "GET or POST"),
        }
    }

    /// Lets Meta set the webhook up, if it names our word.
    fn verify(&self, query: &str) -> Answer {
        let query = reqwest::Url::parse(&format!("http://localhost/?{query}"));
        let value = |name: &str| {
            let url = query.as_ref().ok()?;
            let found = url.query_pairs().find(|(key, _)| key == name)?;
            Some(found.1.into_owned())
        };
        let is_ours = value("hub.mode").as_deref() == Some("subscribe")
            && value("hub.verify_token")
                .is_some_and(|word| is_same_word(&word, self.verify_token.expose()));
        let challenge = value("hub.challenge").unwrap_or_default();
        let is_plain = !challenge.is_empty()
            && challenge.len() <= MAX_CHALLENGE
            && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match is_ours && is_plain {
            true => {
                tracing::info!("WhatsApp's webhook was set up");
                let mut answer = Response::new(Full::new(Bytes::from(challenge)));
                let text = hyper::header::HeaderValue::from_static("text/plain");
                answer
                    .headers_mut()
                    .insert(hyper::header::CONTENT_TYPE, text);
                answer
            }
            false => plain(
                StatusCode::FORBIDDEN,
                "not the verify token of this webhook",
            ),
        }
    }

    async fn take(&self, request: Request<Incoming>) -> Answer {
        let mut headers = request.headers().get_all(signature::HEADER).iter();
        let header = match (headers.next(), headers.next()) {
            (Some(header), None) => header.to_str().ok().map(str::to_owned),
            _ => None,
        };
        if header.is_none() {
            return plain(StatusCode::FORBIDDEN, "not signed");
        }
        let body = match Limited::new(request.into_body(), MAX_BODY).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "cut off, or too large"),
        };
        if !is_signed(self.app_secret.expose(), header.as_deref(), &body) {
            tracing::warn!(
                "a webhook was refused: it is not signed with the app secret of the configuration"
            );
            return plain(StatusCode::FORBIDDEN, "not the signature of this body");
        }
        let now = Timestamp::now();
        let brought = serde_json::from_slice::<Value>(&body)
            .ok()
            .and_then(|payload| payload::parse(&payload, &self.phone_number_id, now).ok());
        let Some(brought) = brought else {
            // Signed: it would only be brought again.
            tracing::warn!("a webhook is of no known form, and was passed over");
            return plain(StatusCode::OK, "passed over");
        };
        self.keep(brought, now).await
    }

    async fn keep(&self, brought: Brought, now: Timestamp) -> Answer {
        for error in &brought.errors {
            tracing::warn!("WhatsApp reports: {error}");
        }
        if brought.left_out > 0 {
            let count = brought.left_out;
            tracing::warn!("{count} parts of a webhook are of no known form, and were left out");
        }
        let events = brought.events;
        let stored = self
            .store
            .run(move |store| store.record(&events, now))
            .await;
        match stored {
            Ok(recorded) => {
                if recorded.new > 0 {
                    self.arrived.notify_one();
                }
                plain(StatusCode::OK, "taken")
            }
            Err(error) => {
                tracing::error!("a webhook cannot be kept, and is asked for again: {error}");
                plain(StatusCode::SERVICE_UNAVAILABLE, "later")
            }
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer
}
