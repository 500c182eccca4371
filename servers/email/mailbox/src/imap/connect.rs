//! A logged-in connection: login, capabilities, namespace. Up to the greeting it is `platinum-connect`.

use std::time::Duration;

use async_imap::error::Error;
use async_imap::{Authenticator, Client, Session};
use platinum_connect::credential::{oauthbearer, xoauth2};
use platinum_connect::{ConnectError, Login, Protocol};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::bounded::{Answer, Bounded};
use super::folders::{Namespace, ask_namespace};
use super::{ANSWER_BYTES, TimeLimits, raw};
use crate::config::ImapSettings;
use crate::error::MailboxError;

pub(super) type Stream = Bounded<TlsStream<TcpStream>>;

/// A session and what its server can do.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: Session<Stream>,
    /// Whether it can wait for news.
    pub(super) idle: bool,
    /// Whether its LIST says what folders are for when it is asked.
    pub(super) lists_uses: bool,
    pub(super) namespace: Namespace,
}

/// Connects and logs in. A refused login is not remembered here: see [`super::login_backoff`].
pub(super) async fn connect(
    settings: &ImapSettings,
    login: &Login,
    limits: TimeLimits,
) -> Result<Connection, MailboxError> {
    let server = settings.endpoint.address();
    let down = |error: &dyn std::fmt::Display| MailboxError::Unavailable {
        server: server.clone(),
        reason: error.to_string(),
    };
    let late = |command, after| MailboxError::TimedOut {
        server: server.clone(),
        command,
        after,
    };
    let patience = platinum_connect::TimeLimits {
        connect: limits.connect,
        command: limits.command,
    };
    let opened = settings.endpoint.open(Protocol::Imap, patience).await;
    let opened = opened.map_err(|error| match error {
        ConnectError::Unavailable(reason) => down(&reason),
        ConnectError::TimedOut { step, after } => late(step, after),
        ConnectError::Setup(problem) => MailboxError::Setup(problem),
    })?;
    let client = Client::new(Bounded::new(opened.stream, ANSWER_BYTES));
    let login = timeout(limits.command, log_in(client, settings, login))
        .await
        .map_err(|_| late("the login", limits.command))?;
    let mut session = login.map_err(|(error, mut client)| {
        let stream = client.get_mut();
        match (stream.answer(), error) {
            (_, Error::Validate(_)) => MailboxError::Setup(
                "user or password has a line end or another control character in it".to_owned(),
            ),
            (Some(Answer::No(words)), _) if is_passing(words) => down(&short(words)),
            (Some(Answer::No(words) | Answer::Bad(words)), _) => MailboxError::Login {
                server: server.clone(),
                user: settings.user.clone(),
                reason: format!("{}; {}", short(words), settings.advice),
                pause: Duration::ZERO,
            },
            (_, error) => match stream.bye() {
                Some(words) => down(&format!("the server turned us away: {}", short(words))),
                None => down(&error_text(&error)),
            },
        }
    })?;
    let capabilities = timeout(limits.command, session.capabilities())
        .await
        .map_err(|_| late("CAPABILITY", limits.command))?
        .map_err(|error| down(&error_text(&error)))?;
    let namespace = match capabilities.has_str("NAMESPACE") {
        false => Namespace::default(),
        true => {
            session.get_mut().allow(ANSWER_BYTES);
            timeout(limits.command, ask_namespace(session.get_mut()))
                .await
                .map_err(|_| late("NAMESPACE", limits.command))?
                .map_err(|error| down(&error_text(&error)))?
        }
    };
    let idle = capabilities.has_str("IDLE");
    let lists_uses = capabilities.has_str("SPECIAL-USE") && capabilities.has_str("LIST-EXTENDED");
    tracing::debug!(%server, idle, prefix = namespace.prefix, "connected");
    Ok(Connection {
        session,
        idle,
        lists_uses,
        namespace,
    })
}

/// Logs in with a password or a token.
async fn log_in(
    mut client: Client<Stream>,
    settings: &ImapSettings,
    login: &Login,
) -> Result<Session<Stream>, (Error, Client<Stream>)> {
    let (user, endpoint) = (&settings.user, &settings.endpoint);
    let token = match login {
        Login::Password(password) => return client.login(user, password.expose()).await,
        Login::Token(token) => token.expose(),
    };
    let mechanisms = match raw::ask(client.get_mut(), "CAPABILITY").await {
        Ok(lines) => {
            client.get_mut().allow(ANSWER_BYTES);
            raw::login_mechanisms(&lines)
        }
        Err(error) => return Err((error.into(), client)),
    };
    let has = |mechanism: &str| mechanisms.iter().any(|one| one == mechanism);
    let (mechanism, answer, end) = match has("OAUTHBEARER") && !has("XOAUTH2") {
        true => {
            let answer = oauthbearer(user, &endpoint.host, endpoint.port, token);
            ("OAUTHBEARER", answer, "\x01")
        }
        false => ("XOAUTH2", xoauth2(user, token), ""),
    };
    let answers = TokenAnswers {
        first: Some(answer),
        end,
    };
    client.authenticate(mechanism, answers).await
}

/// What is said in XOAUTH2 and OAUTHBEARER: the token, and after a refusal, which comes as a challenge, the end.
struct TokenAnswers {
    first: Option<String>,
    end: &'static str,
}

impl Authenticator for TokenAnswers {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        self.first.take().unwrap_or_else(|| self.end.to_owned())
    }
}

/// Whether the words after a NO say that it may be different soon (RFC 5530).
pub(super) fn is_passing(words: &str) -> bool {
    let code = words
        .strip_prefix('[')
        .and_then(|rest| rest.split([']', ' ']).next());
    code.is_some_and(|code| {
        ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"]
            .iter()
            .any(|passing| code.eq_ignore_ascii_case(passing))
    })
}

/// The error of the library about a failed connection, without the bytes that it failed to read.
pub(super) fn error_text(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    if text.contains("during parsing of") || text.starts_with("parse:") {
        return "the server does not speak IMAP".to_owned();
    }
    if text.contains("close_notify") || text == "connection lost" {
        return "the server closed the connection".to_owned();
    }
    short(text.strip_prefix("io: ").unwrap_or(&text))
}

/// A text of a server, on one line and bounded.
pub(super) fn short(text: &str) -> String {
    platinum_text::one_line(text, 300)
}
