//! [`CloudApi`]: the Cloud API as a [`Channel`], with its files and its templates.
//!
//! Invariants: one message is one request, after that for its file if it has one; whatever is not certainly a refusal,
//! and comes after the message may have gone out, is [`Sent::Unknown`]; a list is bounded, and its next page is asked
//! for at the configured address, wherever the list says that it is.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use platinum_kit::client::http_client;
use platinum_text::one_line;
use platinum_whatsapp_store::WhatsappConfig;
use platinum_whatsapp_store::receiver;
use platinum_whatsapp_store::store::Chat;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::answer::{judge, not_done};
use super::call::{CallLimits, Called};
use crate::channel::{Channel, ChannelAccount, ChannelMessage, Content, Refusal, Sent};
use crate::file::OutgoingFile;
use crate::template::Templates;

/// The longest text that WhatsApp takes, in characters.
const MAX_TEXT: usize = 4096;
/// Templates of one page, and most pages: 250 is what Meta lets an account have that is not verified.
const PAGE: usize = 50;
const MAX_PAGES: usize = 5;
/// How long something at the webhook's address may take to answer.
const PROBE_TIME: Duration = Duration::from_secs(3);

const MEGABYTE: u64 = 1024 * 1024;
/// The files that WhatsApp takes: type, what it makes of it, the most bytes.
const FILES: [(&str, &str, u64); 10] = [
    ("image/jpeg", "image", 5 * MEGABYTE),
    ("image/png", "image", 5 * MEGABYTE),
    ("text/plain", "document", 100 * MEGABYTE),
    ("application/pdf", "document", 100 * MEGABYTE),
    ("application/msword", "document", 100 * MEGABYTE),
    ("application/vnd.ms-excel", "document", 100 * MEGABYTE),
    ("application/vnd.ms-powerpoint", "document", 100 * MEGABYTE),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "document",
        100 * MEGABYTE,
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "document",
        100 * MEGABYTE,
    ),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "document",
        100 * MEGABYTE,
    ),
];

/// The Cloud API for one number.
#[derive(Debug)]
pub struct CloudApi {
    client: reqwest::Client,
    pub(super) config: WhatsappConfig,
    pub(super) limits: CallLimits,
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

    /// Uploads a file: the id by which a message names it. Nobody sees it before.
    async fn upload(&self, file: &OutgoingFile) -> Result<String, Sent> {
        let fields = [
            ("messaging_product", "whatsapp"),
            ("type", file.media_type.as_str()),
        ];
        let (body, boundary) = file.form(&fields);
        let request = self
            .client
            .post(self.url("/media"))
            .header(
                CONTENT_TYPE,
                format!("multipart/form-data; boundary={boundary}"),
            )
            .body(body);
        let failed = |retry, words: &str, after| {
            let words = format!("`{}` was not uploaded: {words}", file.name);
            Err(not_done(retry, words, after))
        };
        match self.call(request).await {
            Called::NotStarted(words) | Called::Lost(words) => failed(true, &words, None),
            Called::Answer { status, body, .. } if status.is_success() => {
                let is_id = |id: &&str| {
                    (1..=100).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
                };
                match body["id"].as_str().filter(is_id) {
                    Some(id) => Ok(id.to_owned()),
                    None => failed(true, "WhatsApp named no file", None),
                }
            }
            Called::Answer {
                status,
                body,
                retry_after,
                ..
            } => match judge(status, &body, None) {
                Sent::NotDone { retry, words } => failed(retry, &words, retry_after.as_deref()),
                // Whatever became of the file, there is no message of it.
                Sent::Unknown(words) | Sent::Done(words) => failed(true, &words, None),
            },
        }
    }

    /// A page of the list of templates, and where the next one begins.
    async fn template_page(&self, url: &str) -> Result<(Value, Option<String>), String> {
        let body = match self.call(self.client.get(url)).await {
            Called::NotStarted(words) | Called::Lost(words) => return Err(words),
            Called::Answer { status, body, .. } if status.is_success() => body,
            Called::Answer { status, body, .. } => {
                return Err(in_words(judge(status, &body, None)));
            }
        };
        let is_cursor = |text: &&str| {
            let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
            (1..=500).contains(&text.len()) && text.bytes().all(is_sign)
        };
        let paging = &body["paging"];
        let after = paging["cursors"]["after"].as_str().filter(is_cursor);
        let after = after.filter(|_| paging["next"].is_string());
        let after = after.map(str::to_owned);
        Ok((body, after))
    }
}

/// What WhatsApp makes of a file of this type, and the most bytes; none if it takes none.
fn file_kind(media_type: &str) -> Option<(&'static str, u64)> {
    let mut kinds = FILES.iter();
    let (_, kind, max) = kinds.find(|(of, ..)| *of == media_type)?;
    Some((kind, *max))
}

/// What an error says.
fn in_words(sent: Sent) -> String {
    match sent {
        Sent::NotDone { words, .. } | Sent::Unknown(words) | Sent::Done(words) => words,
    }
}

#[async_trait]
impl Channel for CloudApi {
    /// Free text only within 24 hours after the other side wrote, and never first; groups are only read.
    fn refusal(&self, chat: &Chat, now: Timestamp) -> Option<Refusal> {
        let refused = |lets_templates: bool, words: String| {
            Some(Refusal {
                words,
                lets_templates: lets_templates && self.has_templates(),
            })
        };
        if chat.is_group {
            let words = "it is a group, and groups are only read";
            return refused(false, words.to_owned());
        }
        if chat.contact.is_empty() {
            let words = "nobody knows any more who this chat is with";
            return refused(false, words.to_owned());
        }
        match chat.open_until() {
            None => refused(
                true,
                format!(
                    "{} has never written to you; WhatsApp takes only templates for that",
                    chat.title()
                ),
            ),
            Some(until) if now >= until => refused(
                true,
                format!(
                    "the window for an answer closed at {until:.0}, 24 hours after {} wrote last; WhatsApp takes only \
                     templates now, until they write again",
                    chat.title()
                ),
            ),
            Some(_) => None,
        }
    }

    fn max_text(&self) -> usize {
        MAX_TEXT
    }

    fn file_fault(&self, media_type: &str, size: u64) -> Option<String> {
        match file_kind(media_type) {
            None => Some(format!(
                "WhatsApp takes no files of the type {media_type}; it takes pictures as JPEG and PNG, and documents as \
                 PDF, plain text and those of Office"
            )),
            Some((kind, max)) if size > max => Some(format!(
                "has {size} bytes; WhatsApp takes {} MB as {kind}",
                max / MEGABYTE
            )),
            Some(_) if size == 0 => Some("is empty".to_owned()),
            Some(_) => None,
        }
    }

    fn has_templates(&self) -> bool {
        self.config.business_account_id.is_some()
    }

    async fn templates(&self, name: Option<&str>) -> Result<Templates, String> {
        let Some(account) = &self.config.business_account_id else {
            return Err(
                "templates are those of a WhatsApp Business account: write its id into `business_account_id` of the \
                 configuration"
                    .to_owned(),
            );
        };
        let mut first = format!(
            "{}/{account}/message_templates?fields=name,language,status,category,components&limit={PAGE}",
            self.config.base
        );
        if let Some(name) = name {
            first.push_str(&format!("&name={name}"));
        }
        let mut templates = Templates::default();
        let mut next = Some(first.clone());
        for _ in 0..MAX_PAGES {
            let Some(url) = next.take() else { break };
            let (page, after) = self.template_page(&url).await?;
            templates.add(&page);
            next = after.map(|after| format!("{first}&after={after}"));
        }
        templates.is_cut = next.is_some();
        Ok(templates)
    }

    async fn send(&self, message: &ChannelMessage) -> Sent {
        let (kind, content) = match &message.content {
            Content::Text(text) => ("text", json!({ "preview_url": false, "body": text })),
            Content::Template(template) => ("template", template.to_json()),
            Content::File(file, caption) => {
                let Some((kind, _)) = file_kind(&file.media_type) else {
                    let why = self.file_fault(&file.media_type, 1);
                    return not_done(false, why.unwrap_or_default(), None);
                };
                let mut content = match self.upload(file).await {
                    Ok(id) => json!({ "id": id }),
                    Err(sent) => return sent,
                };
                if kind == "document" {
                    content["filename"] = json!(file.name);
                }
                if !caption.is_empty() {
                    content["caption"] = json!(caption);
                }
                (kind, content)
            }
        };
        let mut body = json!({
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "type": kind,
            "biz_opaque_callback_data": message.reference,
        });
        body[kind] = content;
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
            return Err(in_words(judge(status, &body, None)));
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
        let connect = tokio::net::TcpStream::connect(self.config.listen);
        let connected = tokio::time::timeout(PROBE_TIME, connect).await;
        Ok(ChannelAccount {
            number: text("display_phone_number"),
            name: text("verified_name"),
            webhook: Some(format!("http://{}{}", self.config.listen, receiver::PATH)),
            is_receiving: matches!(connected, Ok(Ok(_))),
            problems,
        })
    }
}
