//! The servers against real ones: Bluesky's PDS, snac and mastodon-mock. Here: what the tests share.

mod bluesky;
mod fediverse;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platinum_social::ActingService;
use platinum_social::publisher::Pace;
use platinum_social_client::http::CallLimits;
use platinum_social_client::{Config, Media};
use platinum_social_draft::SocialService;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

use crate::fixture::Open;

/// What stands in every one of these posts.
const PAIRS: [(&str, &str); 6] = [
    ("combining", "e\u{301}"),
    ("han", "漢"),
    ("arabic", "ش"),
    ("flag", "🇩🇪"),
    ("skin", "👍🏽"),
    ("keycap", "1\u{fe0f}\u{20e3}"),
];

/// The smallest picture that a server takes for one: a pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

/// A configuration with one account.
struct Settings {
    config: Config,
    folder: Arc<TempDir>,
}

impl Settings {
    /// With the section that this makes, given the folder.
    fn new(section: impl FnOnce(&std::path::Path) -> anyhow::Result<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = section(folder.path()).unwrap();
        let config = Config::parse(&text, folder.path()).unwrap();
        Self {
            config,
            folder: Arc::new(folder),
        }
    }

    fn acting(&self) -> Open<ActingService> {
        let pace = Pace {
            pause: Duration::from_millis(50),
            ..Pace::default()
        };
        let service =
            ActingService::with_limits(&self.config, CallLimits::default(), pace).unwrap();
        Open::new(service, &self.folder)
    }

    fn drafting(&self) -> Open<SocialService> {
        Open::new(SocialService::open(&self.config).unwrap(), &self.folder)
    }

    fn drafter_only(&self) -> Open<SocialService> {
        let service = SocialService::open(&self.config).unwrap();
        Open::new(service.drafter_only(), &self.folder)
    }
}

fn picture() -> Media {
    let bytes = STANDARD.decode(PIXEL).unwrap();
    Media {
        name: "pixel.png".into(),
        kind: None,
        size: bytes.len() as u64,
        alt: "one pixel: größer".into(),
        sha256: hex::encode(Sha256::digest(&bytes)),
        data: Some(PIXEL.to_owned()),
    }
}
