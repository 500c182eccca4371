//! The host side of `email/search`, `email/draft` and `email/propose`.

use super::{EmailCtx, MailError, Query, SearchHit, correspondent::Correspondent, record};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        email::{
            draft, propose, search,
            types::{Error, Mail, Message},
        },
    },
    proposals::ProposeCtx,
    tasks::TaskError,
    text::{checked_line, cut},
};
use platinum_core::Timestamp;
use platinum_vault::note::TaskNote;

/// Most mails in one answer.
const MAX_FOUND: u32 = 50;
/// Most Message-IDs in one query.
const MAX_THREAD: usize = 50;
/// Longest text of a mail, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// Longest header, in bytes.
const MAX_HEADER_BYTES: usize = 1024;

impl From<MailError> for Error {
    fn from(error: MailError) -> Self {
        match error {
            MailError::Refused(what) => Error::Refused(what),
            MailError::Unavailable(what) => Error::Unavailable(what),
        }
    }
}

fn query(query: search::Query) -> Result<Query, String> {
    if !(1..=MAX_FOUND).contains(&query.limit) {
        return Err(format!("`limit` is {}; 1 to {MAX_FOUND}", query.limit));
    }
    if query.thread.len() > MAX_THREAD {
        return Err(format!(
            "`thread` has {} ids; {MAX_THREAD} is the most",
            query.thread.len()
        ));
    }
    Ok(Query {
        text: query
            .text
            .map(|text| checked_line("text", &text, 200))
            .transpose()?,
        sender: query
            .sender
            .map(|text| checked_line("sender", &text, 320))
            .transpose()?,
        thread: query
            .thread
            .iter()
            .map(|id| checked_line("thread", id, 998))
            .collect::<Result<_, _>>()?,
        limit: query.limit,
    })
}

impl EmailCtx {
    /// The task that the skill is run for.
    pub(super) async fn task(&self) -> Result<TaskNote, Error> {
        let refused = |what: &str| Error::Refused(what.to_owned());
        let id = self.task.ok_or_else(|| {
            refused("the mailbox is searched for a task, and this run is for none")
        })?;
        let task = self.store.get(id).await.map_err(|error| match error {
            TaskError::Unavailable(what) => Error::Unavailable(what),
            other => Error::Refused(other.to_string()),
        })?;
        if !self.zones.contains(&task.zone) {
            return Err(Error::Refused(TaskError::ZoneDenied(task.zone).to_string()));
        }
        Ok(task)
    }

    /// Until when mails count for a task, if that has an end.
    pub(super) fn until(&self, task: &TaskNote) -> Option<Timestamp> {
        task.received.filter(|_| self.mail.is_of_the_past())
    }

    /// With whom that task is, and until when mails count for it.
    async fn correspondent(&self) -> Result<(Correspondent, Option<Timestamp>), Error> {
        let task = self.task().await?;
        let until = self.until(&task);
        let correspondent = Correspondent::of(&task).ok_or_else(|| {
            Error::Refused(
                "the task names no address, and only mails of its correspondent are found"
                    .to_owned(),
            )
        })?;
        Ok((correspondent, until))
    }
}

impl search::Host for EmailCtx {
    async fn search(
        &mut self,
        asked: search::Query,
    ) -> wasmtime::Result<Result<Vec<Message>, Error>> {
        let asked = match query(asked) {
            Ok(asked) => asked,
            Err(what) => return Ok(Err(Error::Invalid(what))),
        };
        let (correspondent, until) = match self.correspondent().await {
            Ok(correspondent) => correspondent,
            Err(error) => return Ok(Err(error)),
        };
        let is_in_time = |mail: &SearchHit| {
            let Some(until) = until else { return true };
            let sent = mail.date.as_ref().and_then(|date| date.parse().ok());
            sent.is_some_and(|sent: Timestamp| sent <= until)
        };
        Ok(match self.mail.search(&asked).await {
            Ok(found) => Ok(found
                .into_iter()
                .filter(|mail| correspondent.took_part_in(mail) && is_in_time(mail))
                .take(asked.limit as usize)
                .map(|mail| Message {
                    message_id: cut(&mail.message_id, MAX_HEADER_BYTES),
                    sender: cut(&mail.sender, MAX_HEADER_BYTES),
                    to: mail
                        .to
                        .iter()
                        .take(50)
                        .map(|to| cut(to, MAX_HEADER_BYTES))
                        .collect(),
                    subject: cut(&mail.subject, MAX_HEADER_BYTES),
                    date: mail.date,
                    folder: cut(&mail.folder, MAX_HEADER_BYTES),
                    text: cut(&mail.text, MAX_TEXT_BYTES),
                })
                .collect()),
            Err(error) => Err(error.into()),
        })
    }
}

impl draft::Host for EmailCtx {
    async fn save(&mut self, mail: Mail) -> wasmtime::Result<Result<String, Error>> {
        let mail = match record::mail(mail) {
            Ok(mail) => mail,
            Err(what) => return Ok(Err(Error::Invalid(what))),
        };
        // One copy a task: a newer one takes its place, and it is removed once the task is over.
        let task = self.task.map(|task| task.to_string().to_lowercase());
        let saved = self.mail.save_draft(&mail, task.as_deref()).await;
        Ok(saved.map_err(Into::into))
    }
}

impl propose::Host for ProposeCtx {
    async fn propose(
        &mut self,
        proposal: Proposal,
        mail: Mail,
    ) -> wasmtime::Result<Result<String, ProposeError>> {
        let record = record::mail(mail);
        Ok(self.propose_action(proposal, record, Vec::new()).await)
    }
}
