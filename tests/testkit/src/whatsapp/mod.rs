//! [`CloudApi`]: WhatsApp's Cloud API on loopback, as Meta documents it: messages that it takes or refuses, files that it
//! is given, the templates of an account, its answers lost or broken, and the webhooks that it sends, signed or not. No
//! server of that kind can be had.
//!
//! Lives here: the server; what it takes in `documented`; its webhooks in `webhook`.
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

use serde_json::{Value, json};

mod documented;
mod webhook;

pub use webhook::{request, send_webhook, status_webhook, text_webhook, webhook};

/// The owner's number, as Meta names it.
pub const PHONE_NUMBER_ID: &str = "106540352242922";
/// The owner's account, as Meta names it.
pub const BUSINESS_ACCOUNT_ID: &str = "102290129340398";
/// The token that it takes.
pub const TOKEN: &str = "EAATestTokenOfTheCloudApi";
/// The secret by which it signs.
pub const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The word by which the webhook is set up.
pub const VERIFY_TOKEN: &str = "the-word-of-the-owner";
/// The version that it speaks.
const VERSION: &str = "v26.0";

/// What it does with the next message, or the next file.
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
    /// Its body; null if it is no JSON.
    pub body: Value,
}

/// A file that it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedFile {
    /// The id that it gave it.
    pub id: String,
    /// The type that it was said to have.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    replies: VecDeque<Reply>,
    requests: Vec<CloudRequest>,
    taken: Vec<(String, Value)>,
    upload_replies: VecDeque<Reply>,
    uploaded: Vec<UploadedFile>,
    templates: Vec<Value>,
    next_page: Option<String>,
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

    /// What it does with the files to come; then it takes them all.
    pub fn reply_to_uploads(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().upload_replies.extend(replies);
    }

    /// The files that it was given.
    #[must_use]
    pub fn uploaded(&self) -> Vec<UploadedFile> {
        self.state().uploaded.clone()
    }

    /// From now on the account has these templates, as Meta lists them.
    pub fn set_templates(&self, templates: impl IntoIterator<Item = Value>) {
        self.state().templates = templates.into_iter().collect();
    }

    /// From now on it says that the next page of a list is at this address.
    pub fn set_next_page(&self, address: &str) {
        self.state().next_page = Some(address.to_owned());
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
            "[whatsapp]\nphone_number_id = \"{PHONE_NUMBER_ID}\"\nbusiness_account_id = \"{BUSINESS_ACCOUNT_ID}\"\ntoken = {{ file = \"whatsapp.token\" }}\n\
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
    let (head, bytes) = read_message(&mut BufReader::new(stream.try_clone()?))?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let answer = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.requests.push(CloudRequest {
            line: line.clone(),
            body: body.clone(),
        });
        answer(&mut state, &line, &head, &body, &bytes)
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
fn answer(state: &mut State, line: &str, head: &str, body: &Value, bytes: &[u8]) -> Option<String> {
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
    let listing = format!("GET /{VERSION}/{BUSINESS_ACCOUNT_ID}/message_templates?");
    if let Some(query) = line.strip_prefix(&listing) {
        let query = query.split(' ').next().unwrap_or_default();
        return match documented::template_page(&state.templates, query, state.next_page.as_deref())
        {
            Some(page) => respond(200, &page.to_string()),
            None => refuse(400, 100),
        };
    }
    let is_upload = line.starts_with(&format!("POST {number}/media "));
    let (replies, id) = match is_upload {
        true => (
            &mut state.upload_replies,
            format!("10372{:011}", state.uploaded.len()),
        ),
        false => (
            &mut state.replies,
            format!("wamid.OUT{}=", state.taken.len()),
        ),
    };
    let taken;
    if is_upload {
        let Some((media_type, bytes)) = documented::file_of_form(head, bytes) else {
            return refuse(400, 100);
        };
        if !documented::takes_file(&media_type, bytes.len()) {
            return refuse(400, 131_053);
        }
        taken = json!({ "id": id });
        let reply = replies.pop_front().unwrap_or(Reply::Accept);
        if reply.takes() {
            state.uploaded.push(UploadedFile {
                id,
                media_type,
                bytes,
            });
        }
        return reply.answer(&taken, &respond);
    }
    if !line.starts_with(&format!("POST {number}/messages ")) {
        return refuse(400, 33);
    }
    if let Err(code) = documented::check_message(body, &state.templates, &state.uploaded) {
        return refuse(if code == 132_001 { 404 } else { 400 }, code);
    }
    taken = json!({"messaging_product": "whatsapp",
        "contacts": [{"input": body["to"], "wa_id": body["to"]}], "messages": [{"id": id}]});
    let reply = replies.pop_front().unwrap_or(Reply::Accept);
    if reply.takes() {
        state.taken.push((id, body.clone()));
    }
    reply.answer(&taken, &respond)
}

impl Reply {
    /// Whether what it answers had been taken before.
    fn takes(&self) -> bool {
        matches!(
            self,
            Self::Accept | Self::AcceptAndClose | Self::AcceptAndBreak
        )
    }

    fn answer(
        self,
        taken: &Value,
        respond: &dyn Fn(u16, &str) -> Option<String>,
    ) -> Option<String> {
        match self {
            Self::Accept => respond(200, &taken.to_string()),
            Self::AcceptAndClose | Self::Close => None,
            Self::AcceptAndBreak => respond(500, "<html>Sorry, something went wrong.</html>"),
            Self::Error(status, code) => respond(status, &error(code).to_string()),
            Self::Body(status, body) => respond(status, &body),
            Self::Redirect(to) => Some(format!(
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )),
        }
    }
}

fn error(code: i64) -> Value {
    json!({"error": {"message": format!("(#{code}) An error of the Cloud API"), "type": "OAuthException",
        "code": code, "error_data": {"messaging_product": "whatsapp", "details": "as Meta documents it"},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam"}})
}
