//! Posts of others that mention the owner, as tasks in `Needs_Action/social/`.
//!
//! - [`notifications`]: what an account was notified of, read from its network;
//! - [`own`]: which posts are the owner's, also those that a bridge copied;
//! - [`rules`]: the section `## Social` of the handbook: which mentions are answered;
//! - [`note`]: the note of a mention, and the one that lists those that are left out;
//! - [`source`]: all of it as a source.
//!
//! Lives elsewhere: the networks are `platinum-social-client`'s; what becomes of a task is the skill's.

pub mod note;
pub mod notifications;
pub mod own;
pub mod rules;
pub mod source;
