//! Verifying commits before anything of them is applied, and stopping what may not leave.
//!
//! Lives here: `verifier` checks one commit, by who signed it, `walk` a range of them, `history`
//! keeps what is known of that range; `claim_rules` and `duplicates` are rules about tasks, `device_rules` about phones,
//! [`note_rules`] about what a cloud agent puts before the owner, [`budget`] about how much; `revert` makes the commit that
//! takes violations out; what a device brought with
//! them is held for the owner (`held`). [`Gate`] keeps secrets from leaving, [`IncomingSecrets`] reports those that
//! came. [`Identity`] is this host's key and whom it trusts.
//! [`hook`] does the same on a server, before anything gets there.
//! Lives elsewhere: who may change what is `policy`'s; what a secret is, `secrets`'; signatures are
//! `repo`'s; fetching, pushing and notifying the owner is `sync`'s.
//! Invariants: the verified tip never moves over a violation that was not reverted; the local host
//! alone reverts, by a commit on the remote's tip like any other; history is never rewritten.

mod error;
pub mod gate;
mod held;
mod history;
pub mod hook;
pub mod identity;
mod incoming_secrets;
mod key_status;
pub mod revert;
mod rules;
#[cfg(test)]
mod tests;
mod verifier;
mod violation;
mod walk;

pub use error::VerifyError;
pub use gate::Gate;
pub use held::{HeldChange, moved_from};
pub use identity::{Identity, IdentityError};
pub use incoming_secrets::IncomingSecrets;
pub(crate) use rules::duplicates;
pub use rules::{budget, claim_rules, device_rules, note_rules};
pub use verifier::{Perspective, Report, Verifier};
pub use violation::{Recovery, Violation};
pub use walk::{Advance, BATCH};
