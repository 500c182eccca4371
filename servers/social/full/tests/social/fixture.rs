//! Accounts over scripted servers, posts and drafts of the tests.

use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use platinum_social::ActingService;
use platinum_social::publisher::Pace;
use platinum_social::publishing::{CreateArguments, PublishAnswer, PublishArguments};
use platinum_social_client::{Config, Post};
use platinum_social_draft::SocialService;
use tempfile::TempDir;

use crate::scripted::LIMITS;

/// What must be in no answer and no log.
pub(crate) const SECRET: &str = "secret-of-the-test-abcd1234";
/// When a draft was approved.
pub(crate) const AT: &str = "2026-05-01T12:00:00Z";

/// Attempts that do not wait.
pub(crate) const PACE: Pace = Pace {
    attempts: 3,
    pause: Duration::from_millis(1),
    media_polls: 5,
};

/// A configuration in a folder of its own.
pub(crate) struct Fixture {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) config: Config,
}

/// A service, and the folder that its secret is in.
pub(crate) struct Open<S> {
    service: S,
    _folder: Arc<TempDir>,
}

impl<S> Open<S> {
    pub(crate) fn new(service: S, folder: &Arc<TempDir>) -> Self {
        Self {
            service,
            _folder: Arc::clone(folder),
        }
    }
}

impl<S> Deref for Open<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.service
    }
}

impl Fixture {
    /// With this text, and a file `secret` beside it.
    pub(crate) fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
        let config = Config::parse(text, folder.path()).unwrap();
        Self {
            folder: Arc::new(folder),
            config,
        }
    }

    /// An account `sky` of Bluesky.
    pub(crate) fn bluesky(url: &str) -> Self {
        Self::new(&format!(
            "[accounts.sky]\nnetwork = 'bluesky'\nserver = '{url}'\nhandle = 'me.test'\npassword = {{ file = 'secret' }}\n"
        ))
    }

    /// An account `fedi` of Mastodon.
    pub(crate) fn mastodon(url: &str) -> Self {
        Self::new(&format!(
            "[accounts.fedi]\nnetwork = 'mastodon'\nserver = '{url}'\ntoken = {{ file = 'secret' }}\n"
        ))
    }

    pub(crate) fn acting(&self) -> Open<ActingService> {
        let service = ActingService::with_limits(&self.config, LIMITS, PACE).unwrap();
        Open::new(service, &self.folder)
    }

    pub(crate) fn drafting(&self) -> Open<SocialService> {
        let service = SocialService::with_limits(&self.config, LIMITS).unwrap();
        Open::new(service, &self.folder)
    }

    /// A service that takes no token that can post.
    pub(crate) fn drafter_only(&self) -> Open<SocialService> {
        let service = SocialService::with_limits(&self.config, LIMITS).unwrap();
        Open::new(service.drafter_only(), &self.folder)
    }
}

/// A post, or a thread.
pub(crate) fn post(account: &str, parts: &[&str]) -> Post {
    Post {
        account: account.to_owned(),
        parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        ..Post::default()
    }
}

/// The id of a draft that was made just now.
pub(crate) fn draft_id() -> String {
    format!("draft_{}", ulid::Ulid::new())
}

pub(crate) async fn publish(social: &ActingService, reference: &str, post: &Post) -> PublishAnswer {
    let arguments = PublishArguments {
        reference: reference.to_owned(),
        at: AT.to_owned(),
        post: post.clone(),
    };
    let answer = social.publish_post(&arguments).await.unwrap();
    assert!(!format!("{answer:?}").contains(SECRET), "{answer:?}");
    answer
}

pub(crate) fn creation(operation: &str, post: &Post) -> CreateArguments {
    CreateArguments {
        operation: operation.to_owned(),
        at: AT.to_owned(),
        post: post.clone(),
    }
}
