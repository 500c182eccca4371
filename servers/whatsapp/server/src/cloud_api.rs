//! [`CloudApi`]: WhatsApp's official Cloud API over HTTPS.
//!
//! Invariants: one call is one request; no redirect and no proxy gets the token; an answer is bounded; whatever is not
//! certainly a refusal, and comes after the request may have gone out, is [`Sent::Unknown`].

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use platinum_kit::client::http_client;
use platinum_text::one_line;
use platinum_whatsapp_store::WhatsappConfig;
use platinum_whatsapp_store::store::Chat;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::channel::{Channel, ChannelAccount, ChannelMessage, Sent};
use crate::error_codes::{self, Fate};

/// The longest text that WhatsApp takes, in characters.
const MAX_TEXT: usize = 4096;
/// The largest answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// The header that says by which version a call was answered.
const VERSION_HEADER: &str = "facebook-api-version";

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long a whole call may take.
    pub call: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(60),
        }
    }
}

/// The Cloud API for one number.
#[derive(Debug)]
pub struct CloudApi {
    client: reqwest::Client,
    config: WhatsappConfig,
    limits: CallLimits,
}

/// What came of a request.
enum Called {
    /// A whole answer in JSON.
    Answer {
        status: StatusCode,
        body: Value,
        version: Option<String>,
        retry_after: Option<String>,
    },
    /// The request never went out.
    NotStarted(String),
    /// It did, and the answer is lost or none of WhatsApp's.
    Lost(String),
}

impl CloudApi {
    /// The API that a configuration names.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn new(config: WhatsappConfig, limits: CallLimits) -> reqwest::Result<Self> {
        Ok(Self {
            client: http_client(&config.base, limits.connect, limits.call)?,
            config,
            limits,
        })
    }

    fn url(&self, below: &str) -> String {
        let number = &self.config.phone_number_id;
        format!("{}/{number}{below}", self.config.base)
    }

    /// Sends a request with the token, which is fetched anew each time: it may have been renewed.
    async fn call(&self, request: RequestBuilder) -> Called {
        let token = match self.config.token.fetch().await {
            Ok(token) => token,
            Err(error) => return Called::NotStarted(format!("`token` of WhatsApp: {error}")),
        };
        let host = self.config.base.host_str().unwrap_or("WhatsApp");
        let answered = request.bearer_auth(token.expose()).send().await;
        let mut response = match answered {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => {
                return Called::NotStarted(format!("cannot reach {host}: {}", chain(&error)));
            }
            Err(error) if error.is_timeout() => {
                let seconds = self.limits.call.as_secs_f32();
                return Called::Lost(format!("{host} gave no answer within {seconds} s"));
            }
            Err(error) => {
                return Called::Lost(format!("the answer of {host} was lost: {}", chain(&error)));
            }
        };
        let status = response.status();
        if status.is_redirection() {
            return Called::NotStarted(format!(
                "{host} answers {status}, which is not followed; check `base` in the configuration"
            ));
        }
        let header = |response: &Response, name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(one_line(value, 40))
        };
        let version = header(&response, VERSION_HEADER);
        let retry_after = header(&response, "retry-after");
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(piece)) if bytes.len() + piece.len() > MAX_ANSWER => {
                    return Called::Lost(format!("the answer of {host} is too large"));
                }
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Err(error) => {
                    return Called::Lost(format!(
                        "the answer of {host} broke off: {}",
                        chain(&error)
                    ));
                }
            }
        }
        match serde_json::from_slice(&bytes) {
            Ok(body) => Called::Answer {
                status,
                body,
                version,
                retry_after,
            },
            Err(_) => Called::Lost(format!("{host} answers {status} and no JSON")),
        }
    }
}

/// What an answer that is an error means for a message.
fn judge(status: StatusCode, body: &Value, retry_after: Option<&str>) -> Sent {
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

fn not_done(retry: bool, words: String, retry_after: Option<&str>) -> Sent {
    let words = match retry_after {
        Some(after) => format!("{words}; it says to wait {after} s"),
        None => words,
    };
    Sent::NotDone { retry, words }
}

/// An error and its causes, without the address.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(next) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&next.to_string());
        cause = next.source();
    }
    match text.is_empty() {
        true => "the connection failed".to_owned(),
        false => one_line(&text, 200),
    }
}

#[async_trait]
impl Channel for CloudApi {
    /// Free text only within 24 hours after the other side wrote, and never first; groups are only read.
    fn refusal(&self, chat: &Chat, now: Timestamp) -> Option<String> {
        if chat.is_group {
            return Some("it is a group, and groups are only read".to_owned());
        }
        if chat.contact.is_empty() {
            return Some("nobody knows any more who this chat is with".to_owned());
        }
        match chat.open_until() {
            None => Some(format!(
                "{} has never written to you; WhatsApp takes only templates for that, which Platinum does not send",
                chat.title()
            )),
            Some(until) if now >= until => Some(format!(
                "the window for an answer closed at {until:.0}, 24 hours after {} wrote last; WhatsApp takes only \
                 templates now, until they write again",
                chat.title()
            )),
            Some(_) => None,
        }
    }

    fn max_text(&self) -> usize {
        MAX_TEXT
    }

    async fn send(&self, message: &ChannelMessage) -> Sent {
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": "text",
            "text": { "preview_url": false, "body": message.text },
            "biz_opaque_callback_data": message.reference,
        });
        // Where both are known, WhatsApp goes by the number.
        match (&message.contact.number, &message.contact.id) {
            (Some(number), _) => body["to"] = json!(number),
            (None, Some(id)) => body["recipient"] = json!(id),
            (None, None) => return not_done(false, "it names nobody".to_owned(), None),
        }
        if let Some(quoted) = &message.quoted {
            body["context"] = json!({ "message_id": quoted });
        }
        let request = self.client.post(self.url("/messages")).json(&body);
        match self.call(request).await {
            Called::NotStarted(words) => not_done(true, words, None),
            Called::Lost(words) => Sent::Unknown(words),
            Called::Answer { status, body, .. } if status.is_success() => {
                match body["messages"][0]["id"].as_str() {
                    Some(id) if !id.is_empty() && id.len() <= 512 => Sent::Done(id.to_owned()),
                    _ => Sent::Unknown("WhatsApp took it and named no message".to_owned()),
                }
            }
            Called::Answer {
                status,
                body,
                retry_after,
                ..
            } => judge(status, &body, retry_after.as_deref()),
        }
    }

    async fn account(&self) -> Result<ChannelAccount, String> {
        let fields = "?fields=display_phone_number,verified_name,quality_rating";
        let request = self.client.get(self.url(fields));
        let (status, body, version) = match self.call(request).await {
            Called::NotStarted(words) | Called::Lost(words) => return Err(words),
            Called::Answer {
                status,
                body,
                version,
                ..
            } => (status, body, version),
        };
        if !status.is_success() {
            return Err(match judge(status, &body, None) {
                Sent::NotDone { words, .. } | Sent::Unknown(words) => words,
                Sent::Done(id) => id,
            });
        }
        let text = |key: &str| one_line(body[key].as_str().unwrap_or_default(), 100);
        let asked = self.config.api_version();
        let mut problems = Vec::new();
        // Meta answers a version that is over by the oldest that is left.
        if let Some(version) = version.filter(|version| version != asked) {
            problems.push(format!(
                "the API version {asked} is too old: WhatsApp answers by {version}; write a newer one into `base`"
            ));
        }
        if body["quality_rating"] == "RED" {
            problems
                .push("WhatsApp rates your number RED: many people block or report it".to_owned());
        }
        Ok(ChannelAccount {
            number: text("display_phone_number"),
            name: text("verified_name"),
            problems,
        })
    }
}

#[cfg(test)]
mod tests {
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
