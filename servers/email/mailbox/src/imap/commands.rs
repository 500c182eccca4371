//! Single commands: each with its time-out and allowance, each ending the connection when it fails on it.

use std::time::Duration;

use async_imap::error::Result as ImapResult;
use async_imap::types::{Fetch, Flag, Name, NameAttribute};
use futures::TryStreamExt as _;
use jiff::Timestamp;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::bounded::Answer;
use super::connect::{Connection, connect, error_text, is_passing, short};
use super::{ANSWER_BYTES, Imap};
use crate::error::MailboxError;
use crate::mailbox::{MAX_MAIL_BYTES, RawMail, Wake};

/// The answer of EXAMINE about a folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Examined {
    pub(super) uid_validity: u32,
    pub(super) next_uid: Option<u32>,
    pub(super) exists: u32,
}

/// The folders with a special use.
#[derive(Debug, Clone)]
pub(super) struct Special {
    pub(super) drafts: String,
    pub(super) sent: String,
}

impl Imap {
    /// Takes the live connection for one command; [`Imap::end`] puts it back.
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
    async fn connected(&mut self) -> Result<bool, MailboxError> {
        if self.connection.is_some() {
            return Ok(true);
        }
        let password = self.settings.password.fetch().await?;
        self.backoff.check(&password)?;
        let answer = connect(&self.settings, &password, self.limits).await;
        self.connection = Some(self.backoff.record(answer, &password)?);
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
            Err(MailboxError::Refused { .. }) => Err(MailboxError::NoFolder(folder.to_owned())),
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

    /// The UIDs in the open folder that a search finds, lowest first.
    pub(super) async fn uids(&mut self, query: &str) -> Result<Vec<u32>, MailboxError> {
        let mut connection = self.begin()?;
        let outcome = timeout(self.limits.command, connection.session.uid_search(query)).await;
        let found = self.end(connection, "UID SEARCH", self.limits.command, outcome)?;
        let mut uids: Vec<u32> = found.into_iter().collect();
        uids.sort_unstable();
        Ok(uids)
    }

    /// One mail of the open folder, cut when it is large; nothing when it is gone.
    pub(super) async fn fetch(
        &mut self,
        uid: u32,
        key: String,
    ) -> Result<Option<RawMail>, MailboxError> {
        let parts = format!("(UID FLAGS RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{MAX_MAIL_BYTES}>)");
        let mut connection = self.begin()?;
        let session = &mut connection.session;
        let outcome = timeout(self.limits.transfer, async {
            session
                .uid_fetch(uid.to_string(), parts)
                .await?
                .try_collect::<Vec<Fetch>>()
                .await
        })
        .await;
        let answers = self.end(connection, "UID FETCH", self.limits.transfer, outcome)?;
        let Some(answer) = answers
            .iter()
            .find(|answer| answer.uid == Some(uid) && answer.body().is_some())
        else {
            return Ok(None);
        };
        let bytes = answer.body().unwrap_or_default().to_vec();
        let size = answer
            .size
            .map_or(bytes.len() as u64, u64::from)
            .max(bytes.len() as u64);
        let internal_date = answer
            .internal_date()
            .and_then(|date| Timestamp::from_second(date.timestamp()).ok());
        Ok(Some(RawMail {
            key,
            size,
            truncated: size > bytes.len() as u64,
            bytes,
            internal_date,
            answered: answer.flags().any(|flag| flag == Flag::Answered),
        }))
    }

    /// The names of Drafts and Sent: by special use, else by the names they usually have.
    pub(super) async fn special(&mut self) -> Result<Special, MailboxError> {
        if let Some(special) = &self.special {
            return Ok(special.clone());
        }
        let names = if self.connected().await? {
            match self.list().await {
                Err(error) if error.is_passing() => {
                    self.connected().await?;
                    self.list().await?
                }
                answer => answer?,
            }
        } else {
            self.list().await?
        };
        let find = |wanted: &NameAttribute<'_>, usual: &[&str], otherwise: &str| {
            let by_use = names.iter().find(|name| name.attributes().contains(wanted));
            let by_name = || {
                names.iter().find(|name| {
                    let last = name
                        .delimiter()
                        .and_then(|at| name.name().rsplit(at).next())
                        .unwrap_or(name.name());
                    usual.iter().any(|usual| last.eq_ignore_ascii_case(usual))
                })
            };
            by_use
                .or_else(by_name)
                .map_or_else(|| otherwise.to_owned(), |name| name.name().to_owned())
        };
        // Names other than English are as on the wire, in modified UTF-7.
        let special = Special {
            drafts: find(
                &NameAttribute::Drafts,
                &[
                    "Drafts",
                    "Draft",
                    "Entw&APw-rfe",
                    "Brouillons",
                    "Borradores",
                    "Bozze",
                ],
                "Drafts",
            ),
            sent: find(
                &NameAttribute::Sent,
                &[
                    "Sent",
                    "Sent Items",
                    "Sent Mail",
                    "Sent Messages",
                    "Gesendet",
                    "Gesendete Objekte",
                    "Envoy&AOk-s",
                    "Enviados",
                    "Inviata",
                ],
                "Sent",
            ),
        };
        self.special = Some(special.clone());
        Ok(special)
    }

    async fn list(&mut self) -> Result<Vec<Name>, MailboxError> {
        let mut connection = self.begin()?;
        let session = &mut connection.session;
        let outcome = timeout(self.limits.command, async {
            session
                .list(Some(""), Some("*"))
                .await?
                .try_collect::<Vec<_>>()
                .await
        })
        .await;
        self.end(connection, "LIST", self.limits.command, outcome)
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
        let Connection { session, idle } = self.begin()?;
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
            Ok(Ok(session)) => self.connection = Some(Connection { session, idle }),
            Ok(Err(error)) => return Err(self.lost(&error_text(&error))),
            Err(_) => return Err(late(self.limits.command)),
        }
        Ok(wake)
    }
}
