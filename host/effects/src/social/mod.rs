//! `social/publish`: publishes a post that the owner approved, at most once.
//!
//! Lives here: [`PublishPost`], the effect; what its owner approves of it besides its text (`message`);
//! [`SocialServer`], how a network is asked, and [`McpSocialServer`] over the full server for it.
//! Lives elsewhere: talking to a network, and that a post has the same key in every attempt, is that server's.
//! Invariants: what leaves is what `split_parts` makes of the approved body, with the pictures that were approved; a
//! post that its network would not take goes back to its owner with every fault; of a thread that was begun, nothing
//! is published twice.

mod accounts;
mod host;
mod message;
mod publish;
mod server;

use platinum_core::Capability;

pub use accounts::SocialAccounts;
pub(crate) use message::compose;
pub use publish::PublishPost;
pub use server::{
    CheckedPost, FoundParts, FoundPost, McpSocialServer, OwnPost, PublishRequest, SocialServer,
};

use crate::{
    bindings::platinum::social::publish as publish_bindings,
    interface::{EffectOffer, HasEffects, view_of},
};

/// `social/publish`.
pub(crate) const PUBLISH: EffectOffer = EffectOffer::new(Capability::SocialPublish, |linker| {
    publish_bindings::add_to_linker::<_, HasEffects>(
        linker,
        view_of::<{ Capability::SocialPublish as usize }>,
    )
});
