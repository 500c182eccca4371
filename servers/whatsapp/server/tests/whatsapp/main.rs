//! The server for WhatsApp against an exact copy of the documented Cloud API: what is received, what is sent, and the
//! built program over stdio and HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a panic here is a failed test with a line number"
)]

mod files;
mod http;
mod receiving;
mod sending;
mod stdio;
mod templates;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use platinum_testkit::whatsapp::CloudApi;
use platinum_whatsapp::WhatsappService;
use platinum_whatsapp::cloud_api::{CallLimits, CloudApi as Channel};
use platinum_whatsapp::shapes::{ContactShape, SendAnswer, SendArguments};
use platinum_whatsapp_store::event::{Author, ChatEvent, ChatMessage};
use platinum_whatsapp_store::{ContactPair, Store, WhatsappConfig};

/// Who wrote.
pub(crate) const NUMBER: &str = "16505551234";
pub(crate) const USER: &str = "US.13491208655302741918";
/// A name of a message.
pub(crate) const REFERENCE: &str = "draft_01kb8q";

/// A service over a store of its own and a Cloud API.
pub(crate) struct Fixture {
    pub(crate) api: CloudApi,
    pub(crate) store: Store,
    pub(crate) config: WhatsappConfig,
    pub(crate) service: Arc<WhatsappService>,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::reporting(Duration::from_millis(10))
    }

    /// One that waits so long for WhatsApp's report of a message whose answer was lost.
    pub(crate) fn reporting(report_time: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = CloudApi::start().unwrap();
        api.configure(folder.path(), 0).unwrap();
        let config = WhatsappConfig::load(&folder.path().join("whatsapp.toml")).unwrap();
        let store = Store::open(&config.state).unwrap();
        let limits = CallLimits {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(20),
        };
        let channel = Arc::new(Channel::new(config.clone(), limits).unwrap());
        let service = WhatsappService::new(store.clone(), channel, report_time);
        Self {
            api,
            store,
            config,
            service: Arc::new(service),
            folder,
        }
    }

    /// Somebody wrote so long ago.
    pub(crate) fn wrote(&self, id: &str, contact: ContactPair, ago: Duration) {
        let now = Timestamp::now();
        let message = ChatMessage {
            id: id.to_owned(),
            contact,
            group: None,
            name: Some("Sheena".to_owned()),
            author: Author::Other,
            kind: "text".to_owned(),
            text: "Does it come in blue?".to_owned(),
            quoted: None,
            at: now.checked_sub(ago).unwrap(),
        };
        self.store
            .record(&[ChatEvent::Message(message)], now)
            .unwrap();
    }

    /// Somebody wrote a minute ago.
    pub(crate) fn wrote_now(&self) {
        self.wrote("wamid.IN", pair(NUMBER, USER), Duration::from_secs(60));
    }

    pub(crate) async fn send(&self, reference: &str) -> SendAnswer {
        self.service
            .send_message(&arguments(reference))
            .await
            .unwrap()
    }
}

pub(crate) fn pair(number: &str, user: &str) -> ContactPair {
    ContactPair::new(Some(number), Some(user))
}

pub(crate) fn arguments(reference: &str) -> SendArguments {
    SendArguments {
        reference: reference.to_owned(),
        chat: NUMBER.to_owned(),
        contact: ContactShape::from(pair(NUMBER, USER)),
        text: "Yes, it does.".to_owned(),
        template: None,
        file: None,
        quoted: Some("wamid.IN".to_owned()),
    }
}
