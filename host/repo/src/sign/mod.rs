//! Who made a commit: keys, the list of who is trusted, and the signatures of commits.
//!
//! Lives here: [`SigningKey`] and [`PublicKey`] (ed25519, as OpenSSH writes them), [`Signers`]
//! (git's file of allowed signers) and [`Signature`], what a commit's own signature proves.
//! Lives elsewhere: what a signer may do is `policy`'s; which commits are asked is the
//! synchronizer's.
//! Invariants: everything here is what git itself writes and reads, so that `git verify-commit`
//! with the same list answers the same; a key stands for one agent of one role; a line that is
//! not understood in full is refused.

mod key;
mod signature;
mod signers;

pub use key::{KeyError, PublicKey, SigningKey};
pub(crate) use signature::HEADER;
pub use signature::{Purpose, Signature, signer_of_text};
pub use signers::{Retired, Signer, Signers, SignersError, signer_mail};

/// What git signs commits for; a signature made for something else proves nothing here.
const NAMESPACE: &str = "git";
