//! Offline work: what was decided while the remote was away is kept over restarts, and reconciled
//! with the remote's tip when it is back.
//!
//! A claim of a shared task without the remote is *tentative*: drafts may be made on it, and stay
//! on this machine (their epoch is [`UNCONFIRMED`]); effects are refused. In a zone that only the
//! owner's machine works in, a claim counts at once.
//!
//! Lives here: `intents` stores the intents, `local_zones` is about zones of the owner's machine
//! alone (`filing` about tasks filed there), `tentative` about the others; `reconcile` holds all of
//! them against the remote's tip, and `place` is where a task is meanwhile.
//! Invariants: an intent is on the disk before anything is done on it, and is forgotten only after
//! everything that follows from its end was done; what was made on a task that turned out to be
//! another agent's is preserved, never deleted, and the owner is notified on the dashboard.

pub(crate) mod filing;
mod intents;
pub(crate) mod local_zones;
pub(crate) mod place;
pub(crate) mod reconcile;
pub(crate) mod tentative;

pub(crate) use intents::IntentStore;

/// The epoch in a draft that was made on a claim which is not confirmed yet. Real ones start at 1.
pub(crate) const UNCONFIRMED: u64 = 0;
/// Why such a draft stays here.
pub(crate) const UNCONFIRMED_REASON: &str = "its task's claim is not confirmed";
