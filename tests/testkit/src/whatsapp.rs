//! [`CloudApi`]: WhatsApp's Cloud API on loopback, as Meta documents it: messages that it takes or refuses, its answers
//! lost or broken, and the webhooks that it sends, signed or not. No server of that kind can be had.
//!
//! Invariants: it takes only what the documentation allows, with the token; everything that it was asked is kept, so that
//! a test can say that nothing was; a message that it took has left, whatever became of the answer.

use std::{
    collections::VecDeque,
    io::{BufReader, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use ring::hmac::{HMAC_SHA256, Key, sign as sign_bytes};
use serde_json::{Value, json};

/// The owner's number, as Meta names it.
pub const PHONE_NUMBER_ID: &str = "106540352242922";
/// The token that it takes.
pub const TOKEN: &str = "EAATestTokenOfTheCloudApi";
/// The secret by which it signs.
pub const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The word by which the webhook is set up.
pub const VERIFY_TOKEN: &str = "the-word-of-the-owner";
/// The version that it speaks.
const VERSION: &str = "v26.0";

/// What it does with the next message.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Takes it.
    Accept,
    /// Takes it, and the answer is lost.
    AcceptAndClose,
    /// Takes it, and answers a page instead of JSON.
    AcceptAndBreak,
    /// Closes the connection without having taken it.
    Close,
    /// Refuses it: the status, and the number of the error.
    Error(u16, i64),
    /// Answers this status and body.
    Body(u16, String),
    /// Sends the client elsewhere.
    Redirect(String),
}

/// How a webhook is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// As Meta signs.
    Right,
    /// By another secret.
    OtherSecret,
    /// The signature of another body.
    OtherBody,
    /// By the older header, which is not enough.
    Sha1Header,
    /// Not at all.
    None,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct CloudRequest {
    /// `POST /v26.0/…/messages`.
    pub line: String,
    /// Its body.
    pub body: Value,
}

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    requests: Vec<CloudRequest>,
    taken: Vec<(String, Value)>,
    answered_version: Option<String>,
    is_token_revoked: bool,
}

/// A running Cloud API. It ends with its value.
#[derive(Debug)]
pub struct CloudApi {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stopped: Arc<AtomicBool>,
    listening: Option<std::thread::JoinHandle<()>>,
}

impl CloudApi {
    /// Starts one that takes every message.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::default()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (serving, ended) = (Arc::clone(&state), Arc::clone(&stopped));
        let listening = std::thread::Builder::new()
            .name("cloud api".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let serving = Arc::clone(&serving);
                    std::thread::spawn(move || {
                        let _ = serve(stream, &serving);
                    });
                }
            })?;
        Ok(Self {
            address,
            state,
            stopped,
            listening: Some(listening),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its address with the version, as `base` in a configuration has it.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}/{VERSION}", self.address)
    }

    /// What it does with the messages to come, one after the other; then it takes them all.
    pub fn reply(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().replies.extend(replies);
    }

    /// From now on it answers by another version than it is asked for, as Meta does when one is over.
    pub fn set_version(&self, version: &str) {
        self.state().answered_version = Some(version.to_owned());
    }

    /// From now on it takes the token no more.
    pub fn revoke_token(&self) {
        self.state().is_token_revoked = true;
    }

    /// Every request until now.
    #[must_use]
    pub fn requests(&self) -> Vec<CloudRequest> {
        self.state().requests.clone()
    }

    /// The messages that left: the id of each, and what was asked for.
    #[must_use]
    pub fn taken(&self) -> Vec<(String, Value)> {
        self.state().taken.clone()
    }

    /// Writes `whatsapp.toml` and the files of its secrets into a folder, with the webhook at this port.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn configure(&self, folder: &std::path::Path, port: u16) -> anyhow::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let secrets = [
            ("whatsapp.token", TOKEN),
            ("whatsapp.app-secret", APP_SECRET),
            ("whatsapp.verify-token", VERIFY_TOKEN),
        ];
        for (name, secret) in secrets {
            let path = folder.join(name);
            std::fs::write(&path, format!("{secret}\n"))?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        }
        let text = format!(
            "[whatsapp]\nphone_number_id = \"{PHONE_NUMBER_ID}\"\ntoken = {{ file = \"whatsapp.token\" }}\n\
             app_secret = {{ file = \"whatsapp.app-secret\" }}\nverify_token = {{ file = \"whatsapp.verify-token\" }}\n\
             base = \"{}\"\nlisten = \"127.0.0.1:{port}\"\n",
            self.base()
        );
        Ok(std::fs::write(folder.join("whatsapp.toml"), text)?)
    }
}

impl Drop for CloudApi {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        // Nothing answers there afterwards.
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// One request, one answer.
fn serve(mut stream: TcpStream, state: &Mutex<State>) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let (head, body) = read_message(&mut BufReader::new(stream.try_clone()?))?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let answer = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.push(CloudRequest {
            line: line.clone(),
            body: body.clone(),
        });
        answer(&mut state, &line, &head, &body)
    };
    if let Some(answer) = answer {
        stream.write_all(answer.as_bytes())?;
    }
    stream.shutdown(Shutdown::Both)?;
    Ok(())
}

/// The head of an HTTP message, and its body.
fn read_message(reader: &mut impl std::io::BufRead) -> anyhow::Result<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let before = head.len();
        reader.read_line(&mut head)?;
        if head[before..].trim().is_empty() {
            break;
        }
    }
    let length = header(&head, "content-length").and_then(|text| text.parse().ok());
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None if head.starts_with("HTTP/") => {
            reader.read_to_end(&mut body)?;
        }
        None => {}
    }
    Ok((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What is answered; nothing if the connection is closed.
fn answer(state: &mut State, line: &str, head: &str, body: &Value) -> Option<String> {
    let version = state
        .answered_version
        .clone()
        .unwrap_or_else(|| VERSION.to_owned());
    let respond = |status: u16, body: &str| {
        Some(format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nfacebook-api-version: {version}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ))
    };
    let refuse = |status: u16, code: i64| respond(status, &error(code).to_string());
    let has_token = header(head, "authorization") == Some(&format!("Bearer {TOKEN}"));
    if !has_token || state.is_token_revoked {
        return refuse(401, 190);
    }
    let number = format!("/{VERSION}/{PHONE_NUMBER_ID}");
    if line.starts_with(&format!("GET {number}?fields=")) {
        let account = json!({"id": PHONE_NUMBER_ID, "display_phone_number": "+1 555-078-3881",
            "verified_name": "The Owner", "quality_rating": "GREEN"});
        return respond(200, &account.to_string());
    }
    if !line.starts_with(&format!("POST {number}/messages ")) {
        return refuse(400, 33);
    }
    if !is_documented(body) {
        return refuse(400, 100);
    }
    let id = format!("wamid.OUT{}=", state.taken.len());
    let taken = json!({"messaging_product": "whatsapp",
        "contacts": [{"input": body["to"], "wa_id": body["to"]}], "messages": [{"id": id}]});
    let reply = state.replies.pop_front().unwrap_or(Reply::Accept);
    let leaves = matches!(
        reply,
        Reply::Accept | Reply::AcceptAndClose | Reply::AcceptAndBreak
    );
    if leaves {
        state.taken.push((id, body.clone()));
    }
    match reply {
        Reply::Accept => respond(200, &taken.to_string()),
        Reply::AcceptAndClose | Reply::Close => None,
        Reply::AcceptAndBreak => respond(500, "<html>Sorry, something went wrong.</html>"),
        Reply::Error(status, code) => refuse(status, code),
        Reply::Body(status, body) => respond(status, &body),
        Reply::Redirect(to) => Some(format!(
            "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )),
    }
}

/// Whether a body is a text message as the documentation has it, and no more.
fn is_documented(body: &Value) -> bool {
    let Some(fields) = body.as_object() else {
        return false;
    };
    let known = [
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "text",
        "context",
        "biz_opaque_callback_data",
    ];
    let text = body["text"]["body"].as_str().unwrap_or_default();
    let reference = body["biz_opaque_callback_data"].as_str();
    let has_one_recipient = body["to"].is_string() || body["recipient"].is_string();
    fields.keys().all(|key| known.contains(&key.as_str()))
        && body["messaging_product"] == "whatsapp"
        && body["type"] == "text"
        && has_one_recipient
        && !text.is_empty()
        && text.chars().count() <= 4096
        && reference.is_none_or(|text| text.len() <= 512)
}

fn error(code: i64) -> Value {
    json!({"error": {"message": format!("(#{code}) An error of the Cloud API"), "type": "OAuthException",
        "code": code, "error_data": {"messaging_product": "whatsapp", "details": "as Meta documents it"},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam"}})
}

/// Sends a webhook, as Meta does; answers the status.
///
/// # Errors
/// If nothing listens there.
pub fn send_webhook(address: SocketAddr, payload: &Value, signing: Signing) -> anyhow::Result<u16> {
    let body = payload.to_string();
    let sign = |secret: &str, body: &str| -> String {
        let key = Key::new(HMAC_SHA256, secret.as_bytes());
        let digest = sign_bytes(&key, body.as_bytes());
        let bytes = digest.as_ref().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    };
    let signature = match signing {
        Signing::Right => format!(
            "X-Hub-Signature-256: sha256={}\r\n",
            sign(APP_SECRET, &body)
        ),
        Signing::OtherSecret => {
            format!("X-Hub-Signature-256: sha256={}\r\n", sign("another", &body))
        }
        Signing::OtherBody => {
            let signature = sign(APP_SECRET, &format!("{body} "));
            format!("X-Hub-Signature-256: sha256={signature}\r\n")
        }
        Signing::Sha1Header => {
            "X-Hub-Signature: sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9\r\n".to_owned()
        }
        Signing::None => String::new(),
    };
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: tunnel.example\r\nContent-Type: application/json\r\n{signature}\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    request(address, &format!("{head}{body}")).map(|(status, _)| status)
}

/// Sends an HTTP request as it is; answers the status and the body.
///
/// # Errors
/// If nothing listens there, or what answers is no HTTP.
pub fn request(address: SocketAddr, text: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    // The server may close before it has read all of a body that it refuses.
    let _ = stream.write_all(text.as_bytes());
    let (head, body) = read_message(&mut BufReader::new(stream))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((
        status.context("no status in the answer")?,
        String::from_utf8_lossy(&body).into_owned(),
    ))
}

/// A webhook with these parts of a change: `messages`, `statuses`, `contacts`, `message_echoes`.
#[must_use]
pub fn webhook(mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] =
        json!({"display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID});
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}]})
}

/// A webhook with a text that somebody wrote at this time, in seconds.
#[must_use]
pub fn text_webhook(id: &str, number: &str, user: &str, text: &str, at: i64) -> Value {
    webhook(json!({
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": number, "user_id": user}],
        "messages": [{"from": number, "from_user_id": user, "id": id, "timestamp": at.to_string(), "type": "text",
            "text": {"body": text}}],
    }))
}

/// A webhook that says how far a message got.
#[must_use]
pub fn status_webhook(id: &str, reference: &str, status: &str, at: i64) -> Value {
    let mut one = json!({"id": id, "status": status, "timestamp": at.to_string(), "recipient_id": "16505551234",
        "biz_opaque_callback_data": reference});
    if status == "failed" {
        one["errors"] = json!([{"code": 131026, "title": "Message undeliverable",
            "error_data": {"details": "Message Undeliverable."}}]);
    }
    webhook(json!({ "statuses": [one] }))
}
