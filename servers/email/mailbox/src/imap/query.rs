//! A [`Query`] as an IMAP search (RFC 3501). Its texts are checked by [`crate::search::check`] before: no control characters.

use crate::compose::DRAFT_HEADER;
use crate::mailbox::Query;

/// The search keys, with their character set when they need one.
pub(super) fn to_imap(query: &Query) -> String {
    let mut keys = Vec::new();
    if let Some(id) = &query.message_id {
        keys.push(format!("HEADER Message-ID {}", quoted(&format!("<{id}>"))));
    }
    if let Some(draft) = &query.sent_as {
        keys.push(format!(
            "OR HEADER Message-ID {} HEADER {DRAFT_HEADER} {}",
            quoted(&format!("<{draft}")),
            quoted(draft)
        ));
    }
    if let Some(draft) = &query.draft {
        keys.push(format!("HEADER {DRAFT_HEADER} {}", quoted(draft)));
    }
    if let Some(sender) = &query.sender {
        keys.push(format!("FROM {}", quoted(sender)));
    }
    if let Some(text) = &query.text {
        keys.push(format!("TEXT {}", quoted(text)));
    }
    let in_thread = query.thread.iter().flat_map(|id| {
        let id = quoted(&format!("<{id}>"));
        ["Message-ID", "In-Reply-To", "References"].map(|header| format!("HEADER {header} {id}"))
    });
    keys.extend(in_thread.reduce(|all, one| format!("OR {one} {all}")));
    let keys = if keys.is_empty() {
        "ALL".to_owned()
    } else {
        keys.join(" ")
    };
    if keys.is_ascii() {
        keys
    } else {
        format!("CHARSET UTF-8 {keys}")
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(edit: impl FnOnce(&mut Query)) -> String {
        let mut query = Query::default();
        edit(&mut query);
        to_imap(&query)
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
            "TEXT \"x\\\" DELETED \\\\\""
        );
        assert_eq!(
            asked(|q| q.sent_as = Some("d1".into())),
            "OR HEADER Message-ID \"<d1\" HEADER X-Platinum-Draft \"d1\""
        );
        assert_eq!(
            asked(|q| q.sender = Some("Jörg".into())),
            "CHARSET UTF-8 FROM \"Jörg\""
        );
    }

    #[test]
    fn imap_query_thread_matches_three_headers() {
        let text = asked(|q| q.thread = vec!["a@b".into(), "c@d".into()]);
        assert_eq!(text.matches("OR ").count(), 5);
        assert!(text.ends_with("HEADER Message-ID \"<a@b>\""), "{text}");
    }
}
