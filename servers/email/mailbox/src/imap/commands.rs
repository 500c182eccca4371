//! Single commands: each with its time-out and allowance, each ending the connection when it fails on it.

use std::time::Duration;

use async_imap::error::Result as ImapResult;
use async_imap::imap_proto::{MailboxDatum, Response};
use async_imap::types::{Fetch, Flag, Name};
use futures::TryStreamExt as _;
use jiff::Timestamp;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::bounded::Answer;
use super::connect::{Connection, connect, error_text, is_passing, short};
use super::login_backoff::LoginBackoff;
use super::mailbox::key;
use super::{ANSWER_BYTES, SURROUNDINGS, TimeLimits, utf7};
use crate::config::ImapSettings;
use crate::error::MailboxError;
use crate::mailbox::{
    BEGINNING_BYTES, MAX_MAIL_BYTES, MAX_WHOLE_MAIL_BYTES, MailPart, PEOPLE_BYTES, RawMail, Wake,
};

/// The answer of EXAMINE about a folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Examined {
    pub(super) uid_validity: u32,
    pub(super) next_uid: Option<u32>,
    pub(super) exists: u32,
}

/// One account on one server: its connection, made when it is needed, and the commands over it.
#[derive(Debug)]
pub(super) struct Client {
    settings: ImapSettings,
    pub(super) server: String,
    connection: Option<Connection>,
    pub(super) limits: TimeLimits,
    backoff: LoginBackoff,
}

impl Client {
    /// Nothing is connected yet.
    pub(super) fn new(settings: ImapSettings, limits: TimeLimits) -> Self {
        Self {
            server: settings.endpoint.address(),
            settings,
            connection: None,
            limits,
            backoff: LoginBackoff::default(),
        }
    }

    /// Whether the server that it is connected to tells of news by itself.
    pub(super) fn has_idle(&self) -> bool {
        let connection = self.connection.as_ref();
        connection.is_some_and(|connection| connection.idle)
    }

    /// Takes the live connection for one command; [`Client::end`] puts it back.
    pub(super) fn begin(&mut self) -> Result<Connection, MailboxError> {
        let mut connection = self
            .connection
            .take()
            .ok_or_else(|| self.lost("the connection was lost"))?;
        connection.session.get_mut().allow(ANSWER_BYTES);
        Ok(connection)
    }

    /// Ends a command. The connection is kept only when its answer was whole: an answer without its
    /// tagged line is a lost connection, whatever the library made of it.
    pub(super) fn end<T>(
        &mut self,
        mut connection: Connection,
        command: &'static str,
        within: Duration,
        outcome: Result<ImapResult<T>, Elapsed>,
    ) -> Result<T, MailboxError> {
        let Ok(outcome) = outcome else {
            return Err(MailboxError::TimedOut {
                server: self.server.clone(),
                command,
                after: within,
            });
        };
        let stream = connection.session.get_mut();
        let refused = |words: &str| MailboxError::Refused {
            server: self.server.clone(),
            command,
            reason: short(words),
        };
        match (stream.answer(), outcome) {
            (Some(Answer::Ok), Ok(answer)) => {
                self.connection = Some(connection);
                Ok(answer)
            }
            (Some(Answer::No(words)), _) => {
                let error = if is_passing(words) {
                    self.lost(&format!("{command} is refused for now: {words}"))
                } else {
                    refused(words)
                };
                self.connection = Some(connection);
                Err(error)
            }
            (Some(Answer::Bad(words)), _) => Err(refused(words)),
            (_, outcome) => Err(match (stream.bye(), outcome) {
                (Some(words), _) => {
                    self.lost(&format!("the server closed the connection: {words}"))
                }
                (None, Err(error)) => self.lost(&error_text(&error)),
                (None, Ok(_)) => self.lost(&format!(
                    "the server closed the connection in the middle of its answer to {command}"
                )),
            }),
        }
    }

    fn lost(&self, reason: &str) -> MailboxError {
        MailboxError::Unavailable {
            server: self.server.clone(),
            reason: short(reason),
        }
    }

    /// Connects when there is no connection; answers whether there was one, which may turn out to be dead.
    pub(super) async fn connected(&mut self) -> Result<bool, MailboxError> {
        if self.connection.is_some() {
            return Ok(true);
        }
        let mut login = self.settings.credential.login().await?;
        self.backoff.check(login.secret())?;
        let mut answer = connect(&self.settings, &login, self.limits).await;
        // A token may end before its time.
        if matches!(answer, Err(MailboxError::Login { .. }))
            && let Some(renewed) = self.settings.credential.renew(&login).await?
        {
            login = renewed;
            answer = connect(&self.settings, &login, self.limits).await;
        }
        self.connection = Some(self.backoff.record(answer, login.secret())?);
        Ok(false)
    }

    /// Opens a folder for reading only; on a new connection when the old one is dead.
    pub(super) async fn examine(&mut self, folder: &str) -> Result<Examined, MailboxError> {
        let was_open = self.connected().await?;
        let answer = match self.examine_once(folder).await {
            Err(error) if was_open && error.is_passing() => {
                tracing::debug!(server = self.server, %error, "connecting again");
                self.connected().await?;
                self.examine_once(folder).await
            }
            answer => answer,
        };
        match answer {
            Err(MailboxError::Refused { .. }) => Err(MailboxError::NoFolder(utf7::decode(folder))),
            answer => answer,
        }
    }

    async fn examine_once(&mut self, folder: &str) -> Result<Examined, MailboxError> {
        let mut connection = self.begin()?;
        let outcome = timeout(self.limits.command, connection.session.examine(folder)).await;
        let opened = self.end(connection, "EXAMINE", self.limits.command, outcome)?;
        // Without it no UID means anything: an invented one would make every old mail a new one.
        let uid_validity = opened
            .uid_validity
            .filter(|validity| *validity > 0)
            .ok_or_else(|| self.lost("the server gave the folder no UIDVALIDITY"))?;
        Ok(Examined {
            uid_validity,
            next_uid: opened.uid_next,
            exists: opened.exists,
        })
    }

    /// The UIDs in the open folder that a search finds, lowest first; the query is one of [`query`](super::query),
    /// whose lines but the last end with the announcement of a literal.
    pub(super) async fn uids(&mut self, query: &str) -> Result<Vec<u32>, MailboxError> {
        let mut connection = self.begin()?;
        let session = &mut connection.session;
        let outcome = timeout(self.limits.command, async {
            if !query.contains("\r\n") {
                return Ok(session.uid_search(query).await?.into_iter().collect());
            }
            let mut lines = query.split("\r\n");
            let first = lines.next().unwrap_or_default();
            let tag = session.run_command(format!("UID SEARCH {first}")).await?;
            let mut uids: Vec<u32> = Vec::new();
            while let Some(response) = session.read_response().await? {
                match response.parsed() {
                    Response::Continue(_) => {
                        let line = lines.next().unwrap_or_default();
                        session.run_command_untagged(line).await?;
                    }
                    Response::MailboxData(MailboxDatum::Search(found)) => uids.extend(found),
                    Response::Done { tag: ended, .. } if *ended == tag => break,
                    _ => {}
                }
            }
            Ok(uids)
        })
        .await;
        let mut uids = self.end(connection, "UID SEARCH", self.limits.command, outcome)?;
        uids.sort_unstable();
        uids.dedup();
        Ok(uids)
    }

    /// All folders, on a new connection when the old one is dead.
    pub(super) async fn folders(&mut self) -> Result<Vec<Name>, MailboxError> {
        if !self.connected().await? {
            return self.list().await;
        }
        match self.list().await {
            Err(error) if error.is_passing() => {
                self.connected().await?;
                self.list().await
            }
            answer => answer,
        }
    }

    /// What the names of this account's folders begin with, once it is connected.
    pub(super) fn prefix(&self) -> String {
        self.connection
            .as_ref()
            .map(|connection| connection.namespace.prefix.clone())
            .unwrap_or_default()
    }

    async fn list(&mut self) -> Result<Vec<Name>, MailboxError> {
        let mut connection = self.begin()?;
        // Servers may leave special uses out of a plain LIST (RFC 6154, 2).
        let pattern = match connection.lists_uses {
            true => "\"*\" RETURN (SPECIAL-USE)",
            false => "\"*\"",
        };
        let session = &mut connection.session;
        let outcome = timeout(self.limits.command, async {
            session
                .list(Some(""), Some(pattern))
                .await?
                .try_collect::<Vec<_>>()
                .await
        })
        .await;
        self.end(connection, "LIST", self.limits.command, outcome)
    }

    /// One mail of the open folder, cut when it is large; nothing when it is gone.
    pub(super) async fn fetch(
        &mut self,
        uid_validity: u32,
        uid: u32,
        part: MailPart,
    ) -> Result<Option<RawMail>, MailboxError> {
        let found = self.fetch_all(uid_validity, &[uid], part).await?;
        Ok(found.into_iter().next())
    }

    /// What the server says of a mail whose bytes it does not give, without the bytes.
    pub(super) async fn fetch_flags(
        &mut self,
        uid_validity: u32,
        uid: u32,
    ) -> Result<Option<RawMail>, MailboxError> {
        let answers = self
            .fetch_parts(&[uid], "(UID FLAGS INTERNALDATE)", ANSWER_BYTES)
            .await?;
        let mail = |answer: &Fetch| raw_mail(uid_validity, answer, Vec::new());
        Ok(answers.first().and_then(mail))
    }

    /// These mails of the open folder, as much of each as is asked for, by one command. Those that are gone are left
    /// out.
    pub(super) async fn fetch_all(
        &mut self,
        uid_validity: u32,
        uids: &[u32],
        part: MailPart,
    ) -> Result<Vec<RawMail>, MailboxError> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let (section, most) = match part {
            MailPart::Whole => ("", MAX_MAIL_BYTES),
            MailPart::WithFiles => ("", MAX_WHOLE_MAIL_BYTES),
            MailPart::Beginning => ("", BEGINNING_BYTES),
            MailPart::People => ("HEADER.FIELDS (FROM TO CC)", PEOPLE_BYTES),
        };
        let parts = format!("(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[{section}]<0.{most}>)");
        let mail = |answer: &Fetch| {
            // What else a server says of this mail, such as new flags, has no part that was asked for.
            let mut bytes = answer.body().or_else(|| answer.header())?.to_vec();
            if part == MailPart::People && bytes.len() as u64 >= most {
                // Half of an address is that of somebody else.
                let whole = bytes.iter().rposition(|byte| *byte == b',');
                bytes.truncate(whole.unwrap_or_default());
            }
            raw_mail(uid_validity, answer, bytes)
        };
        let allowed = ANSWER_BYTES.max(most + SURROUNDINGS);
        let answers = self.fetch_parts(uids, &parts, allowed).await?;
        Ok(answers.iter().filter_map(mail).collect())
    }

    async fn fetch_parts(
        &mut self,
        uids: &[u32],
        parts: &str,
        allowed: u64,
    ) -> Result<Vec<Fetch>, MailboxError> {
        let set: Vec<_> = uids.iter().map(u32::to_string).collect();
        let mut connection = self.begin()?;
        connection.session.get_mut().allow(allowed);
        let session = &mut connection.session;
        let outcome = timeout(self.limits.transfer, async {
            session
                .uid_fetch(set.join(","), parts)
                .await?
                .try_collect::<Vec<Fetch>>()
                .await
        })
        .await;
        let mut answers = self.end(connection, "UID FETCH", self.limits.transfer, outcome)?;
        answers.retain(|answer| answer.uid.is_some_and(|uid| uids.contains(&uid)));
        Ok(answers)
    }

    pub(super) async fn create(&mut self, folder: &str) -> Result<(), MailboxError> {
        let mut connection = self.begin()?;
        let outcome = timeout(self.limits.command, connection.session.create(folder)).await;
        self.end(connection, "CREATE", self.limits.command, outcome)
    }

    pub(super) async fn append_once(
        &mut self,
        folder: &str,
        flags: &str,
        mail: &[u8],
    ) -> Result<(), MailboxError> {
        let mut connection = self.begin()?;
        let outcome = timeout(
            self.limits.transfer,
            connection.session.append(folder, Some(flags), None, mail),
        )
        .await;
        self.end(connection, "APPEND", self.limits.transfer, outcome)
    }

    /// Waits in the open folder until the server has news.
    pub(super) async fn idle(&mut self, at_most: Duration) -> Result<Wake, MailboxError> {
        use async_imap::extensions::idle::IdleResponse;
        let Connection {
            session,
            idle,
            lists_uses,
            namespace,
        } = self.begin()?;
        let mut handle = session.idle();
        let late = |after| MailboxError::TimedOut {
            server: self.server.clone(),
            command: "IDLE",
            after,
        };
        match timeout(self.limits.command, handle.init()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.lost(&error_text(&error))),
            Err(_) => return Err(late(self.limits.command)),
        }
        let news = {
            let (news, _stop) = handle.wait_with_timeout(at_most);
            timeout(at_most, news).await
        };
        let wake = match news {
            Ok(Ok(IdleResponse::NewData(_))) => Wake::Changed,
            Ok(Ok(IdleResponse::Timeout)) | Err(_) => Wake::TimedOut,
            // Nothing interrupts here: this is how the end of the stream shows.
            Ok(Ok(IdleResponse::ManualInterrupt)) => {
                return Err(self.lost("the server closed the connection"));
            }
            Ok(Err(error)) => return Err(self.lost(&error_text(&error))),
        };
        match timeout(self.limits.command, handle.done()).await {
            Ok(Ok(session)) => {
                self.connection = Some(Connection {
                    session,
                    idle,
                    lists_uses,
                    namespace,
                });
            }
            Ok(Err(error)) => return Err(self.lost(&error_text(&error))),
            Err(_) => return Err(late(self.limits.command)),
        }
        Ok(wake)
    }
}

/// A mail as far as the server gave its bytes.
fn raw_mail(uid_validity: u32, answer: &Fetch, bytes: Vec<u8>) -> Option<RawMail> {
    let size = answer
        .size
        .map_or(bytes.len() as u64, u64::from)
        .max(bytes.len() as u64);
    let internal_date = answer
        .internal_date()
        .and_then(|date| Timestamp::from_second(date.timestamp()).ok());
    Some(RawMail {
        key: key(uid_validity, answer.uid?),
        size,
        truncated: size > bytes.len() as u64,
        bytes,
        internal_date,
        answered: answer.flags().any(|flag| flag == Flag::Answered),
        is_read: answer.flags().any(|flag| flag == Flag::Seen),
    })
}
