//! A personal data server of Bluesky as far as it is used, with faults.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::scripted::{Asked, Reply, Scripted, ok};

/// Whose server it is.
pub(crate) const DID: &str = "did:plc:me";

/// A fault of one call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// None: it is answered as it should be.
    None,
    /// It answers this and does nothing.
    Before(Reply),
    /// It does what was asked, and answers this.
    After(Reply),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    /// By their keys; of all accounts.
    pub(crate) records: BTreeMap<String, Value>,
    /// Of the next calls to write a record.
    pub(crate) put_faults: VecDeque<Fault>,
    /// Of the next questions for a record.
    pub(crate) get_faults: VecDeque<Fault>,
    /// Of the next uploads.
    pub(crate) blob_faults: VecDeque<Fault>,
    /// So many access tokens were made.
    pub(crate) tokens: usize,
    /// The access tokens up to this one have expired.
    pub(crate) expired: usize,
    /// Whether refresh tokens have expired.
    pub(crate) refresh_expired: bool,
    /// After so many requests it redirects one to this address.
    pub(crate) redirect: Option<(usize, String)>,
    /// Whether the app password is wrong.
    pub(crate) is_locked: bool,
}

pub(crate) struct FakePds {
    pub(crate) server: Scripted,
    pub(crate) state: Arc<Mutex<State>>,
}

/// The hash of a record.
pub(crate) fn cid(key: &str) -> String {
    format!("bafy{key}")
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    Reply::Json(status, json!({"error": code, "message": message}))
}

impl FakePds {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let script_state = Arc::clone(&state);
        let server = Scripted::start(move |asked| {
            let mut state = script_state.lock().unwrap();
            answer(&mut state, asked)
        })
        .unwrap();
        Self { server, state }
    }

    pub(crate) fn put_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().put_faults.extend(faults);
    }

    pub(crate) fn get_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().get_faults.extend(faults);
    }

    /// The texts of all records, in the order of their keys.
    pub(crate) fn texts(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let texts = state.records.values();
        texts
            .map(|record| record["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn answer(state: &mut State, asked: &Asked) -> Reply {
    if let Some((left, to)) = &mut state.redirect {
        if *left == 0 {
            let to = to.clone();
            state.redirect = None;
            return Reply::Redirect(to);
        }
        *left -= 1;
    }
    let bearer = asked.header("authorization").unwrap_or_default().to_owned();
    match asked.line().as_str() {
        "GET /xrpc/com.atproto.identity.resolveHandle" => {
            match asked.query("handle").unwrap().as_str() {
                "me.test" => ok(json!({ "did": DID })),
                "ada.test" => ok(json!({ "did": "did:plc:ada" })),
                _ => refused(400, "InvalidRequest", "Unable to resolve handle"),
            }
        }
        "GET /xrpc/com.atproto.repo.describeRepo" => ok(json!({ "handle": "ada.test" })),
        "GET /xrpc/com.atproto.repo.getRecord" => {
            let key = asked.query("rkey").unwrap();
            let did = asked.query("repo").unwrap();
            let found = move |state: &State| match state.records.get(&key) {
                Some(value) => ok(json!({
                    "uri": format!("at://{did}/app.bsky.feed.post/{key}"),
                    "cid": cid(&key),
                    "value": value,
                })),
                None => refused(400, "RecordNotFound", "Could not locate record"),
            };
            match state.get_faults.pop_front() {
                None | Some(Fault::None) => found(state),
                Some(Fault::Before(reply) | Fault::After(reply)) => reply,
            }
        }
        "GET /xrpc/com.atproto.repo.listRecords" => {
            let records: Vec<Value> = state
                .records
                .iter()
                .rev()
                .map(|(key, value)| {
                    let uri = format!("at://{DID}/app.bsky.feed.post/{key}");
                    json!({"uri": uri, "cid": cid(key), "value": value})
                })
                .collect();
            ok(json!({ "records": records }))
        }
        "POST /xrpc/com.atproto.server.createSession" => {
            if state.is_locked {
                return refused(
                    401,
                    "AuthenticationRequired",
                    "Invalid identifier or password",
                );
            }
            session(state)
        }
        "POST /xrpc/com.atproto.server.refreshSession" => {
            assert!(bearer.starts_with("Bearer refresh-"), "{bearer}");
            if state.refresh_expired {
                return refused(400, "ExpiredToken", "Token has been revoked");
            }
            session(state)
        }
        "POST /xrpc/com.atproto.repo.uploadBlob" => {
            match state.blob_faults.pop_front() {
                None | Some(Fault::None) => {}
                Some(Fault::Before(reply) | Fault::After(reply)) => return reply,
            }
            ok(
                json!({"blob": {"$type": "blob", "ref": {"$link": format!("bafkrei{}", asked.body.len())},
                "mimeType": asked.header("content-type"), "size": asked.body.len()}}),
            )
        }
        "POST /xrpc/com.atproto.repo.putRecord" => {
            let number: usize = bearer
                .strip_prefix("Bearer access-")
                .unwrap()
                .parse()
                .unwrap();
            if number <= state.expired {
                return refused(400, "ExpiredToken", "Token has expired");
            }
            let fault = state.put_faults.pop_front().unwrap_or(Fault::None);
            if let Fault::Before(reply) = fault {
                return reply;
            }
            let body = asked.json();
            assert_eq!(body["repo"], DID);
            assert!(
                body.as_object().unwrap().contains_key("swapRecord")
                    && body["swapRecord"].is_null()
            );
            let key = body["rkey"].as_str().unwrap().to_owned();
            let reply = match state.records.get(&key) {
                Some(_) => refused(400, "InvalidSwap", "Record was at bafyx"),
                None => {
                    state.records.insert(key.clone(), body["record"].clone());
                    ok(
                        json!({"uri": format!("at://{DID}/app.bsky.feed.post/{key}"), "cid": cid(&key)}),
                    )
                }
            };
            match fault {
                Fault::After(reply) => reply,
                _ => reply,
            }
        }
        line => panic!("{line} is asked for, and is none of what is used"),
    }
}

fn session(state: &mut State) -> Reply {
    state.tokens += 1;
    let number = state.tokens;
    ok(
        json!({"did": DID, "handle": "me.test", "accessJwt": format!("access-{number}"),
        "refreshJwt": format!("refresh-{number}")}),
    )
}
