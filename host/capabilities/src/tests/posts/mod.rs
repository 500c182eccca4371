//! `social/draft` and `social/propose`, over a server that answers as it is told and keeps what it was asked.

mod drafting;
mod proposing;

use std::sync::Arc;

use platinum_mcp::CallError;
use serde_json::{Value, json};

use super::{Tasks, author, now, scripted::Scripted, task, vault};
use crate::{
    bindings::platinum::social::types::Post,
    social::{Networks, SocialCtx},
};

fn failing(text: &str) -> Arc<Scripted> {
    Scripted::failing(CallError::Tool(text.to_owned()))
}

impl Scripted {
    /// The context of a run for task 1.
    fn posting(self: &Arc<Self>, vault: &platinum_vault::Vault) -> SocialCtx {
        SocialCtx {
            networks: Networks::new(self.clone()),
            vault: vault.clone(),
            task: Some(task(1)),
        }
    }
}

fn post(text: &str) -> Post {
    Post {
        account: "me".into(),
        text: text.into(),
        language: None,
        reply_to: None,
        content_warning: None,
        link: None,
        media: vec![],
        thread: vec![],
    }
}

fn checked(faults: &[&str]) -> Value {
    json!({ "parts": [{ "text": "Hello", "count": 5, "max": 300, "bytes": 5 }], "faults": faults,
        "shown": "**me** on Bluesky\n\n> Hello\n\n5 of 300 characters\n",
        "answers": { "author": "Ann\n\u{202e}", "text": "Tea?\n", "address": "https://bsky.test/1" } })
}
