//! A server with Mastodon's API as far as it is used, with faults, and the ways in which servers differ.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::fake::pds::Fault;
use crate::scripted::{Asked, Reply, Scripted, ok};

#[derive(Debug)]
pub(crate) struct State {
    /// What it says that it is.
    pub(crate) version: String,
    /// Whether it takes a second post of the same key for the first one.
    pub(crate) keeps_keys: bool,
    /// Whether it makes HTML of what looks like Markdown, and has no source.
    pub(crate) reads_markdown: bool,
    pub(crate) has_sources: bool,
    /// Whether it gives all posts at once with their sources, and lets tags through, as snac does.
    pub(crate) is_snac: bool,
    pub(crate) has_media_v2: bool,
    /// The oldest first.
    pub(crate) statuses: Vec<Value>,
    keys: BTreeMap<String, String>,
    /// Of the next posts.
    pub(crate) post_faults: VecDeque<Fault>,
    /// Of the next lists of own posts.
    pub(crate) list_faults: VecDeque<Fault>,
    /// Of the next uploads.
    pub(crate) media_faults: VecDeque<Fault>,
    /// So often a file is not prepared yet when it is asked for.
    pub(crate) media_delay: usize,
    pub(crate) media: usize,
    /// What the application of the token may do; none where it does not say.
    pub(crate) scopes: Option<Value>,
    /// What a post without a text is answered.
    pub(crate) nothing: Reply,
}

pub(crate) struct FakeMastodon {
    pub(crate) server: Scripted,
    pub(crate) state: Arc<Mutex<State>>,
}

impl FakeMastodon {
    /// Mastodon itself.
    pub(crate) async fn start() -> Self {
        let state = State {
            version: "4.3.1".to_owned(),
            keeps_keys: true,
            reads_markdown: false,
            has_sources: true,
            is_snac: false,
            has_media_v2: true,
            statuses: vec![],
            keys: BTreeMap::new(),
            post_faults: VecDeque::new(),
            list_faults: VecDeque::new(),
            media_faults: VecDeque::new(),
            media_delay: 0,
            media: 0,
            scopes: None,
            nothing: refused(422, "Validation failed: Text can't be blank"),
        };
        let state = Arc::new(Mutex::new(state));
        let script_state = Arc::clone(&state);
        let server = Scripted::start(move |asked| {
            let mut state = script_state.lock().unwrap();
            answer(&mut state, asked)
        })
        .unwrap();
        Self { server, state }
    }

    /// One that ignores keys, as snac does.
    pub(crate) async fn ignoring_keys() -> Self {
        let server = Self::start().await;
        {
            let mut state = server.state.lock().unwrap();
            state.version = "4.0.0 (not true; really snac/2.75)".to_owned();
            state.keeps_keys = false;
        }
        server
    }

    /// One that is snac in all of its ways.
    pub(crate) async fn snac() -> Self {
        let server = Self::ignoring_keys().await;
        server.state.lock().unwrap().is_snac = true;
        server
    }

    pub(crate) fn post_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().post_faults.extend(faults);
    }

    /// The texts of all posts, the oldest first.
    pub(crate) fn texts(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let texts = state.statuses.iter();
        texts
            .map(|status| status["source"].as_str().unwrap().to_owned())
            .collect()
    }

    /// A post of somebody, as if it had been written there.
    pub(crate) fn add(&self, author: &str, text: &str, at: &str) -> String {
        let mut state = self.state.lock().unwrap();
        let id = add(&mut state, author, text, "", None);
        state.statuses.last_mut().unwrap()["created_at"] = json!(at);
        id
    }
}

pub(crate) fn refused(status: u16, words: &str) -> Reply {
    Reply::Json(status, json!({ "error": words }))
}

fn add(
    state: &mut State,
    author: &str,
    text: &str,
    warning: &str,
    reply: Option<String>,
) -> String {
    let id = format!("{}", 100 + state.statuses.len());
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let mut content = format!("<p>{}</p>", escaped.replace('\n', "<br>"));
    if state.is_snac {
        content = text.replace('\n', "<br>");
    }
    if state.reads_markdown {
        content = content.replace("**", "");
    }
    state.statuses.push(json!({
        "id": id,
        "url": format!("https://m.example/@{author}/{id}"),
        "uri": format!("https://m.example/users/{author}/statuses/{id}"),
        "account": {"id": if author == "me" { "1" } else { "2" }, "acct": author},
        "content": content,
        "source": text,
        "spoiler_text": warning,
        "created_at": jiff::Timestamp::now().to_string(),
        "in_reply_to_id": reply,
    }));
    id
}

fn answer(state: &mut State, asked: &Asked) -> Reply {
    let path = asked.path.as_str();
    let missing = || refused(404, "Record not found");
    match asked.line().as_str() {
        "GET /api/v2/instance" => ok(
            json!({"version": state.version, "source_url": "", "configuration": {
            "statuses": {"max_characters": 500, "max_media_attachments": 4, "characters_reserved_per_url": 23},
            "media_attachments": {"supported_mime_types": ["image/png", "image/jpeg"], "image_size_limit": 1000,
                "description_limit": 1500}}}),
        ),
        "GET /api/v1/accounts/verify_credentials" => {
            ok(json!({"id": "1", "username": "me", "acct": "me"}))
        }
        "GET /api/v1/accounts/lookup" => match asked.query("acct").unwrap().as_str() {
            "me" => ok(json!({"id": "1", "acct": "me"})),
            "ada" => ok(json!({"id": "2", "acct": "ada"})),
            _ => missing(),
        },
        "GET /api/v2/search" => {
            let wanted = asked.query("q").unwrap();
            let statuses: Vec<&Value> = state
                .statuses
                .iter()
                .filter(|status| status["url"] == wanted.as_str())
                .collect();
            let accounts = match wanted.as_str() {
                "bob@other.example" => vec![json!({"id": "9", "acct": "bob@other.example"})],
                _ => vec![],
            };
            ok(json!({"statuses": statuses, "accounts": accounts}))
        }
        "GET /api/v1/accounts/1/statuses" => {
            match state.list_faults.pop_front() {
                None | Some(Fault::None) => {}
                Some(Fault::Before(reply) | Fault::After(reply)) => return reply,
            }
            if state.is_snac {
                let own = state.statuses.iter().rev();
                let with_text = own.map(|status| {
                    let mut status = status.clone();
                    status["text"] = status["source"].clone();
                    status
                });
                return ok(with_text.collect());
            }
            let before: u64 = asked
                .query("max_id")
                .map_or(u64::MAX, |id| id.parse().unwrap());
            let limit: usize = asked.query("limit").unwrap().parse().unwrap();
            let own = state.statuses.iter().rev().filter(|status| {
                status["account"]["id"] == "1"
                    && status["id"].as_str().unwrap().parse::<u64>().unwrap() < before
            });
            ok(own.take(limit).cloned().collect())
        }
        "GET /api/v1/apps/verify_credentials" => match &state.scopes {
            Some(scopes) => ok(json!({"name": "app", "scopes": scopes})),
            None => ok(json!({"name": "app"})),
        },
        "POST /api/v1/statuses" => post(state, asked),
        "POST /api/v2/media" if !state.has_media_v2 => missing(),
        "POST /api/v1/media" | "POST /api/v2/media" => {
            match state.media_faults.pop_front() {
                None | Some(Fault::None) => {}
                Some(Fault::Before(reply) | Fault::After(reply)) => return reply,
            }
            state.media += 1;
            let id = format!("m{}", state.media);
            match state.media_delay {
                0 => ok(json!({"id": id, "url": "https://m.example/f"})),
                _ => Reply::Json(202, json!({"id": id, "url": null})),
            }
        }
        _ if path.starts_with("/api/v1/media/") => match state.media_delay {
            0 => ok(json!({"id": "m", "url": "https://m.example/f"})),
            _ => {
                state.media_delay -= 1;
                Reply::Json(206, json!({"id": "m"}))
            }
        },
        _ if path.ends_with("/source") => {
            let id = path.split('/').nth(4).unwrap();
            let found = state.statuses.iter().find(|status| status["id"] == id);
            match found.filter(|_| state.has_sources) {
                Some(status) => ok(json!({"id": id, "text": status["source"]})),
                None => missing(),
            }
        }
        _ if path.starts_with("/api/v1/statuses/") && asked.method == "GET" => {
            let id = path.rsplit('/').next().unwrap();
            let found = state.statuses.iter().find(|status| status["id"] == id);
            found.map_or_else(missing, |status| ok(status.clone()))
        }
        line => panic!("{line} is asked for, and is none of what is used"),
    }
}

fn post(state: &mut State, asked: &Asked) -> Reply {
    let Some(text) = asked.form("status") else {
        return state.nothing.clone();
    };
    let fault = state.post_faults.pop_front().unwrap_or(Fault::None);
    if let Fault::Before(reply) = fault {
        return reply;
    }
    let key = asked.header("idempotency-key").unwrap().to_owned();
    let known = state.keys.get(&key).filter(|_| state.keeps_keys).cloned();
    let id = known.unwrap_or_else(|| {
        let warning = asked.form("spoiler_text").unwrap_or_default();
        add(state, "me", &text, &warning, asked.form("in_reply_to_id"))
    });
    state.keys.insert(key, id.clone());
    let status = state
        .statuses
        .iter()
        .find(|status| status["id"] == id.as_str());
    match fault {
        Fault::After(reply) => reply,
        _ => ok(status.unwrap().clone()),
    }
}
