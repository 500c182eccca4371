//! What a search means, the same for both backends: which folders, which mails, which order.

use crate::error::MailboxError;
use crate::mailbox::{Query, SearchHit};
use crate::message::Parsed;

/// The longest text, and the most Message-IDs, that can be searched for.
const MAX_TEXT: usize = 300;
const MAX_THREAD: usize = 50;
/// The most answers of one search.
pub const MAX_LIMIT: usize = 50;

/// Refuses a query that no backend could ask.
pub(crate) fn check(query: &Query) -> Result<(), MailboxError> {
    let refuse = |why: &str| Err(MailboxError::Query(why.to_owned()));
    if query.limit == 0 || query.limit > MAX_LIMIT {
        return refuse(&format!("limit must be from 1 to {MAX_LIMIT}"));
    }
    if query.thread.len() > MAX_THREAD {
        return refuse(&format!("more than {MAX_THREAD} Message-IDs in thread"));
    }
    if (query.sent_as.is_some() || query.is_sent) && query.folder.is_some() {
        return refuse("sent_as is a search of the sent mails; leave out the folder");
    }
    let given = [
        &query.text,
        &query.sender,
        &query.message_id,
        &query.sent_as,
        &query.draft,
        &query.folder,
    ];
    for text in given.into_iter().flatten().chain(&query.thread) {
        if text.len() > MAX_TEXT {
            return refuse(&format!("a text is longer than {MAX_TEXT} bytes"));
        }
        if text.trim().is_empty() {
            return refuse("an empty text; leave it out");
        }
        if text.chars().any(char::is_control) {
            return refuse("a text with a line end or another control character in it");
        }
    }
    Ok(())
}

/// The folders to search when none is named.
pub(crate) fn folders(query: &Query, sent: &str, drafts: &str) -> Vec<String> {
    if let Some(folder) = &query.folder {
        return vec![folder.clone()];
    }
    if query.sent_as.is_some() || query.is_sent {
        return vec![sent.to_owned()];
    }
    let mut folders = vec!["INBOX".to_owned(), sent.to_owned()];
    if query.message_id.is_some() {
        folders.push(drafts.to_owned());
    }
    folders
}

/// Whether a mail is what the query asks for.
pub(crate) fn matches(query: &Query, mail: &Parsed) -> bool {
    let holds = |text: &str, part: &str| text.to_lowercase().contains(part);
    let from = mail
        .from
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    if let Some(id) = &query.message_id
        && mail.message_id.as_deref() != Some(id)
    {
        return false;
    }
    if query.draft.is_some() && mail.draft != query.draft {
        return false;
    }
    if let Some(draft) = &query.sent_as {
        let begins = |id: &str| id.starts_with(draft.as_str());
        if mail.draft.as_ref() != Some(draft) && !mail.message_id.as_deref().is_some_and(begins) {
            return false;
        }
    }
    if !query.thread.is_empty() {
        let mut ids = mail
            .message_id
            .iter()
            .chain(&mail.in_reply_to)
            .chain(&mail.references);
        if !ids.any(|id| query.thread.contains(id)) {
            return false;
        }
    }
    if let Some(sender) = &query.sender
        && !holds(&from, &sender.to_lowercase())
    {
        return false;
    }
    if let Some(text) = &query.text {
        let text = text.to_lowercase();
        let people = mail
            .to
            .listed
            .iter()
            .chain(&mail.cc.listed)
            .any(|one| holds(&one.to_string(), &text));
        if !(people
            || holds(&mail.subject, &text)
            || holds(&from, &text)
            || holds(&mail.text, &text))
        {
            return false;
        }
    }
    true
}

/// Newest first, and no more than the limit.
pub(crate) fn newest_first(found: &mut Vec<SearchHit>, limit: usize) {
    found.sort_by(|a, b| {
        b.mail
            .internal_date
            .cmp(&a.mail.internal_date)
            .then_with(|| b.mail.key.cmp(&a.mail.key))
    });
    found.truncate(limit);
}
