//! What an answer of the Cloud API's means for a message that was to be sent.
//!
//! Lives elsewhere: its documented errors are in [`crate::error_codes`].
//! Invariants: pure; whatever is not certainly a refusal is [`Sent::Unknown`].

use platinum_text::one_line;
use reqwest::StatusCode;
use serde_json::Value;

use crate::channel::Sent;
use crate::error_codes::{self, Fate};

/// What an answer that is an error means for a message.
pub(super) fn judge(status: StatusCode, body: &Value, retry_after: Option<&str>) -> Sent {
    let error = &body["error"];
    let details = [&error["error_data"]["details"], &error["message"]];
    let details = details.iter().find_map(|text| text.as_str());
    let details = details.map(|text| one_line(text, 200));
    let Some(number) = error["code"].as_i64() else {
        return match status {
            StatusCode::TOO_MANY_REQUESTS => not_done(
                true,
                "WhatsApp takes no more at the moment".to_owned(),
                retry_after,
            ),
            status if status.is_client_error() => not_done(
                false,
                format!("WhatsApp answers {status}, without a reason"),
                None,
            ),
            status => Sent::Unknown(format!("WhatsApp answers {status}, without a reason")),
        };
    };
    let known = error_codes::find(number);
    let words = known.map_or("WhatsApp refused it", |known| known.words);
    let details = details.map_or_else(String::new, |details| format!(": {details}"));
    let words = format!("{words} (error {number}{details})");
    let fate = known.map(|known| known.fate);
    match fate {
        Some(Fate::Later) => not_done(true, words, retry_after),
        Some(Fate::Refused) => not_done(false, words, None),
        Some(Fate::Unknown) => Sent::Unknown(words),
        None if status == StatusCode::TOO_MANY_REQUESTS => not_done(true, words, retry_after),
        None if status.is_client_error() => not_done(false, words, None),
        None => Sent::Unknown(words),
    }
}

pub(super) fn not_done(retry: bool, words: String, retry_after: Option<&str>) -> Sent {
    let words = match retry_after {
        Some(after) => format!("{words}; it says to wait {after} s"),
        None => words,
    };
    Sent::NotDone { retry, words }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error(code: i64) -> Value {
        json!({"error": {"code": code, "message": "(#1) It\nfailed", "type": "OAuthException",
            "error_data": {"messaging_product": "whatsapp", "details": "the details"}, "fbtrace_id": "A"}})
    }

    #[test]
    fn every_documented_error_has_its_end_and_words() {
        for known in error_codes::ERROR_CODES {
            let status = match known.fate {
                Fate::Unknown => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::BAD_REQUEST,
            };
            let words = format!("{} (error {}: the details)", known.words, known.code);
            let expected = match known.fate {
                Fate::Later => Sent::NotDone { retry: true, words },
                Fate::Refused => Sent::NotDone {
                    retry: false,
                    words,
                },
                Fate::Unknown => Sent::Unknown(words),
            };
            assert_eq!(judge(status, &error(known.code), None), expected);
        }
    }

    /// What is on no list is judged by whose fault it was.
    #[test]
    fn error_on_no_list_is_judged_by_its_status() {
        let retry = |sent: &Sent| match sent {
            Sent::NotDone { retry, .. } => Some(*retry),
            _ => None,
        };
        for (status, body, expected) in [
            (400, error(999_999), Some(false)),
            (403, json!({}), Some(false)),
            (429, error(999_999), Some(true)),
            (429, json!({"error": "x"}), Some(true)),
            (500, error(999_999), None),
            (502, json!([]), None),
            (503, json!({"error": {"code": "131057"}}), None),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let sent = judge(status, &body, None);
            assert_eq!(retry(&sent), expected, "{status}: {sent:?}");
            assert_eq!(matches!(sent, Sent::Unknown(_)), expected.is_none());
        }
        let later = judge(StatusCode::BAD_REQUEST, &error(130_429), Some("30"));
        let Sent::NotDone { words, .. } = later else {
            panic!();
        };
        assert!(words.ends_with("; it says to wait 30 s"), "{words}");
    }
}
