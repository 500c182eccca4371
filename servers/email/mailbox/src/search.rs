//! What a search means, the same for both backends: which folders, which mails, which order.

use crate::error::MailboxError;
use crate::mailbox::{MailPart, Query, SearchHit};
use crate::message::Parsed;

/// The longest text, and the most Message-IDs, that can be searched for.
const MAX_TEXT: usize = 300;
const MAX_THREAD: usize = 50;
/// The most words of a text.
const MAX_WORDS: usize = 20;
/// The most answers of one search.
pub const MAX_LIMIT: usize = 50;
/// The most of one that reads no more than the people.
pub const MAX_PEOPLE_LIMIT: usize = 500;

/// Refuses a query that no backend could ask.
pub(crate) fn check(query: &Query) -> Result<(), MailboxError> {
    let refuse = |why: &str| Err(MailboxError::Query(why.to_owned()));
    let most = match query.part {
        MailPart::People => MAX_PEOPLE_LIMIT,
        MailPart::Whole | MailPart::WithFiles | MailPart::Beginning => MAX_LIMIT,
    };
    if query.limit == 0 || query.limit > most {
        return refuse(&format!("limit must be from 1 to {most}"));
    }
    if query.thread.len() > MAX_THREAD {
        return refuse(&format!("more than {MAX_THREAD} Message-IDs in thread"));
    }
    if (query.sent_as.is_some() || query.is_sent) && query.folder.is_some() {
        return refuse("sent_as is a search of the sent mails; leave out the folder");
    }
    if query
        .text
        .as_deref()
        .is_some_and(|text| words(text).len() > MAX_WORDS)
    {
        return refuse(&format!("more than {MAX_WORDS} words in text"));
    }
    let given = [
        &query.text,
        &query.sender,
        &query.recipient,
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

/// The words of a text, each of which a mail must have somewhere: `offer "for May"` has two.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let phrase = rest
            .strip_prefix('"')
            .and_then(|inner| inner.split_once('"'));
        let (word, after) = match phrase {
            Some((phrase, after)) if !phrase.trim().is_empty() => (phrase.trim(), after),
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

/// Whether a mail is from this sender: a whole address is that address alone (`ann@x.co` is neither
/// `joann@x.co` nor `ann@x.com`), anything else a part of the name or the address.
pub(crate) fn is_from(sender: &str, mail: &Parsed) -> bool {
    let Some(from) = &mail.from else {
        return false;
    };
    let is_address = !sender.contains(char::is_whitespace)
        && sender.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.ends_with('.')
        });
    match is_address {
        true => from.address.to_lowercase() == sender.to_lowercase(),
        false => from
            .to_string()
            .to_lowercase()
            .contains(&sender.to_lowercase()),
    }
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
    if query
        .sender
        .as_deref()
        .is_some_and(|sender| !is_from(sender, mail))
    {
        return false;
    }
    let is_to = |text: &str| {
        mail.recipients()
            .any(|one| one.to_string().to_lowercase().contains(text))
    };
    if let Some(recipient) = &query.recipient
        && !is_to(&recipient.to_lowercase())
    {
        return false;
    }
    if let Some(text) = &query.text {
        let mut all = vec![mail.subject.to_lowercase(), mail.text.to_lowercase()];
        let people = mail.from.iter().chain(mail.recipients());
        all.extend(people.map(|one| one.to_string().to_lowercase()));
        let is_there = |word: &str| {
            let word = word.to_lowercase();
            all.iter().any(|text| text.contains(&word))
        };
        if !words(text).into_iter().all(is_there) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::parse;

    #[test]
    fn words_and_phrases_are_told_apart() {
        assert_eq!(words(" offer  for May "), ["offer", "for", "May"]);
        assert_eq!(words("\"for May\" offer"), ["for May", "offer"]);
        assert_eq!(words("say \"hi"), ["say", "\"hi"]);
        assert_eq!(words("\"\" x"), ["\"\"", "x"]);
        let refused = check(&Query {
            text: Some("a ".repeat(21)),
            limit: 1,
            ..Query::default()
        });
        assert_eq!(
            refused.unwrap_err().to_string(),
            "cannot search: more than 20 words in text"
        );
    }

    #[test]
    fn text_matches_by_words_wherever_they_stand() {
        let mail = parse(
            b"From: Ann <ann@x.test>\r\nTo: Bo <bo@y.test>\r\nSubject: The offer\r\n\r\nIt holds for May.\r\n",
        );
        let matches = |text: &str| {
            super::matches(
                &Query {
                    text: Some(text.into()),
                    ..Query::default()
                },
                &mail,
            )
        };
        for text in ["offer", "May offer", "ann bo@y OFFER", "\"for may\" the"] {
            assert!(matches(text), "{text}");
        }
        for text in ["offer June", "\"May for\"", "\"offer for\""] {
            assert!(!matches(text), "{text}");
        }
    }

    #[test]
    fn whole_address_is_that_address_alone() {
        let of = |from: &str| parse(format!("From: {from}\r\n\r\nx").as_bytes());
        let ann = of("Ann Example <Ann@x.co>");
        for sender in ["ann@x.co", "ANN@X.CO", "ann", "example", "@x.c", "nn@x"] {
            assert!(is_from(sender, &ann), "{sender}");
        }
        for sender in ["joann@x.co", "nn@x.co", "ann@x.c", "ann@x.com"] {
            assert!(!is_from(sender, &ann), "{sender}");
        }
        assert!(!is_from("ann@x.co", &of("joann@x.co")) && !is_from("ann@x.co", &of("ann@x.com")));
    }
}
