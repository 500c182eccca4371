//! A [`Query`] as an IMAP search (RFC 3501). Its texts are checked by [`crate::search::check`] before: no control characters.

use crate::compose::DRAFT_HEADER;
use crate::mailbox::Query;

/// The most bytes of one command: servers may refuse longer ones (RFC 7162, 4 and RFC 2683, 3.2.1.5).
const COMMAND_BYTES: usize = 7 * 1024;

/// The searches whose answers together are those of the query, in a folder of so many mails. A text that is not
/// ASCII is a literal: its announcement ends a line, and it begins the next.
pub(super) fn to_imap(query: &Query, exists: u32) -> Vec<String> {
    let mut keys = Vec::new();
    if let Some(id) = &query.message_id {
        keys.push(format!("HEADER Message-ID {}", string(&format!("<{id}>"))));
    }
    if let Some(draft) = &query.sent_as {
        keys.push(format!(
            "OR HEADER Message-ID {} HEADER {DRAFT_HEADER} {}",
            string(&format!("<{draft}")),
            string(draft)
        ));
    }
    if let Some(draft) = &query.draft {
        keys.push(format!("HEADER {DRAFT_HEADER} {}", string(draft)));
    }
    if let Some(sender) = &query.sender {
        keys.push(format!("FROM {}", string(sender)));
    }
    if let Some(recipient) = &query.recipient {
        let recipient = string(recipient);
        keys.push(format!("OR TO {recipient} CC {recipient}"));
    }
    let words = query.text.as_deref().map(crate::search::words);
    keys.extend(
        words
            .iter()
            .flatten()
            .map(|word| format!("TEXT {}", string(word))),
    );
    let common = keys.join(" ");
    if query.thread.is_empty() {
        // The newest, by their place: the answer is as short in a folder of 100 000 mails as in one of 100.
        let newest = || match u32::try_from(query.limit) {
            Ok(limit) if exists > limit => format!("{}:{exists}", exists - limit + 1),
            _ => "ALL".to_owned(),
        };
        let keys = if common.is_empty() { newest() } else { common };
        return vec![with_charset(keys)];
    }
    let mut searches: Vec<String> = Vec::new();
    for id in &query.thread {
        let id = string(&format!("<{id}>"));
        let one = ["Message-ID", "In-Reply-To", "References"]
            .map(|header| format!("HEADER {header} {id}"));
        for key in one {
            match searches.last_mut() {
                Some(last) if last.len() + key.len() + common.len() < COMMAND_BYTES => {
                    *last = format!("OR {key} {last}");
                }
                _ => searches.push(key),
            }
        }
    }
    let whole = |search: String| match common.is_empty() {
        true => search,
        false => format!("{common} {search}"),
    };
    searches.into_iter().map(whole).map(with_charset).collect()
}

fn with_charset(keys: String) -> String {
    match keys.is_ascii() {
        true => keys,
        false => format!("CHARSET UTF-8 {keys}"),
    }
}

/// A text as IMAP writes it: in quotes, or as a literal.
fn string(text: &str) -> String {
    match text.is_ascii() {
        true => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        false => format!("{{{}}}\r\n{text}", text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(edit: impl FnOnce(&mut Query)) -> String {
        let mut query = Query::default();
        edit(&mut query);
        let searches = to_imap(&query, 0);
        let [search] = searches.as_slice() else {
            panic!("one search: {searches:?}")
        };
        search.clone()
    }

    #[test]
    fn imap_query_quotes_every_part() {
        assert_eq!(asked(|_| {}), "ALL");
        assert_eq!(
            asked(|q| q.message_id = Some("a@b".into())),
            "HEADER Message-ID \"<a@b>\""
        );
        assert_eq!(
            asked(|q| q.text = Some("x\" DELETED \\".into())),
            "TEXT \"x\\\"\" TEXT \"DELETED\" TEXT \"\\\\\""
        );
        assert_eq!(
            asked(|q| q.recipient = Some("Bob".into())),
            "OR TO \"Bob\" CC \"Bob\""
        );
        assert_eq!(
            asked(|q| q.sent_as = Some("d1".into())),
            "OR HEADER Message-ID \"<d1\" HEADER X-Platinum-Draft \"d1\""
        );
        assert_eq!(
            asked(|q| q.sender = Some("Jörg".into())),
            "CHARSET UTF-8 FROM {5}\r\nJörg"
        );
    }

    #[test]
    fn imap_query_of_nothing_asks_for_the_newest_alone() {
        let query = Query {
            limit: 10,
            ..Query::default()
        };
        assert_eq!(to_imap(&query, 100_000), ["99991:100000"]);
        assert_eq!(to_imap(&query, 10), ["ALL"]);
    }

    #[test]
    fn imap_query_lines_stay_under_8_kib() {
        let query = Query {
            thread: (0..50).map(|n| format!("{n:0>290}@x")).collect(),
            text: Some("ö".repeat(150)),
            ..Query::default()
        };
        let searches = to_imap(&query, 0);
        assert!(searches.len() > 1);
        for search in &searches {
            assert!(search.len() < 8 * 1024, "{}", search.len());
            assert!(
                search.starts_with("CHARSET UTF-8 TEXT {300}\r\nö"),
                "{search:.60}"
            );
        }
        for (id, header) in
            (0..50).flat_map(|n| ["Message-ID", "In-Reply-To", "References"].map(|h| (n, h)))
        {
            let key = format!("HEADER {header} \"<{id:0>290}@x>\"");
            assert_eq!(
                searches
                    .iter()
                    .filter(|search| search.contains(&key))
                    .count(),
                1
            );
        }
    }

    #[test]
    fn imap_query_thread_matches_three_headers() {
        let text = asked(|q| q.thread = vec!["a@b".into(), "c@d".into()]);
        assert_eq!(text.matches("OR ").count(), 5);
        assert!(text.ends_with("HEADER Message-ID \"<a@b>\""), "{text}");
    }
}
