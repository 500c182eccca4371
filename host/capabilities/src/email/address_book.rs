//! The host side of `email/people`.
//!
//! Invariants: a name is looked up for the owner's own note alone, so that no mail can find out whom
//! the owner knows; how the owner writes is shown for those whom the task is with, and for a note for
//! anybody: what comes of it goes to them.

use platinum_vault::note::TaskNote;

use super::{EmailCtx, correspondent::Correspondent, zone::ACCOUNT};
use crate::{
    bindings::platinum::email::{
        people::{Host, Matches, Person, Style},
        types::Error,
    },
    text::{checked_line, cut},
};

/// Most people in one answer.
const MAX_PEOPLE: usize = 10;
/// Longest name or line, in bytes.
const MAX_LINE_BYTES: usize = 1024;
/// Longest signature, in bytes.
const MAX_SIGNATURE_BYTES: usize = 2 * 1024;
/// Most recipients of one question.
const MAX_RECIPIENTS: usize = 50;
/// Most texts, and the longest, in bytes.
const MAX_TEXTS: usize = 3;
const MAX_TEXT_BYTES: usize = 2 * 1024;
/// Most lines about what was read.
const MAX_SOURCES: usize = 8;

/// Whether a task is a file that the owner dropped.
fn is_note(task: &TaskNote) -> bool {
    task.source.starts_with("file:")
}

/// The account that a task belongs to: the fact, or what follows the colon in `imap:me`.
pub(super) fn account_of(task: &TaskNote) -> Option<&str> {
    let of_source = task.source.split_once(':').filter(|_| !is_note(task));
    let named = task.fact(ACCOUNT).first().map(String::as_str);
    let account = named.or(of_source.map(|(_, account)| account));
    account.map(str::trim).filter(|account| !account.is_empty())
}

fn account(task: &TaskNote) -> Result<&str, Error> {
    account_of(task)
        .ok_or_else(|| Error::Refused("the task does not say which account it belongs to".into()))
}

impl Host for EmailCtx {
    async fn find(&mut self, name: String) -> wasmtime::Result<Result<Matches, Error>> {
        Ok(self.find_people(&name).await)
    }

    async fn style_for(
        &mut self,
        recipients: Vec<String>,
    ) -> wasmtime::Result<Result<Style, Error>> {
        Ok(self.style(&recipients).await)
    }
}

impl EmailCtx {
    async fn find_people(&self, name: &str) -> Result<Matches, Error> {
        let name = checked_line("name", name, 100).map_err(Error::Invalid)?;
        let task = self.task().await?;
        if !is_note(&task) {
            return Err(Error::Refused(
                "people are looked up for the owner's own notes, and this task is a mail".into(),
            ));
        }
        let found = self.mail.find_people(account(&task)?, &name).await?;
        let people = found.people.into_iter().take(MAX_PEOPLE);
        let people = people.map(|person| Person {
            name: cut(&person.name, MAX_LINE_BYTES),
            address: cut(&person.address, MAX_LINE_BYTES),
        });
        Ok(Matches {
            people: people.collect(),
            clear: found.clear,
        })
    }

    async fn style(&self, recipients: &[String]) -> Result<Style, Error> {
        if recipients.len() > MAX_RECIPIENTS {
            let what = format!("`recipients` has {}; {MAX_RECIPIENTS}", recipients.len());
            return Err(Error::Invalid(format!("{what} is the most")));
        }
        let mut recipients = recipients
            .iter()
            .map(|one| checked_line("recipients", one, 320))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::Invalid)?;
        let task = self.task().await?;
        if !is_note(&task) {
            let with = Correspondent::of(&task);
            let is_with = |one: &String| with.as_ref().is_some_and(|with| with.includes(one));
            if let Some(other) = recipients.iter().find(|one| !is_with(one)) {
                return Err(Error::Refused(format!("the task is not with {other}")));
            }
            // Those that the skill leaves out get the answer, too.
            if let (Some(first), Some(with)) = (recipients.first().cloned(), with) {
                recipients = with.beginning_with(&first);
            }
        }
        let until = self.until(&task);
        let style = self.mail.style(account(&task)?, &recipients, until);
        let style = style.await?;
        let line = |text: String| cut(&text, MAX_LINE_BYTES);
        let texts = style.texts.iter().take(MAX_TEXTS);
        Ok(Style {
            signature: style.signature.map(|text| cut(&text, MAX_SIGNATURE_BYTES)),
            greeting: style.greeting.map(line),
            closing: style.closing.map(line),
            texts: texts.map(|text| cut(text, MAX_TEXT_BYTES)).collect(),
            sources: style
                .sources
                .into_iter()
                .take(MAX_SOURCES)
                .map(line)
                .collect(),
        })
    }
}
