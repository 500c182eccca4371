//! What the daemon notes down in the state folder for the commands that tell how things stand.
//!
//! Lives here: when the remote last answered ([`Contact`]) and how the last sync left the vault
//! ([`Standing`]); nothing is decided by either. And what the owner says to the daemon: that
//! deletions which it holds back are meant ([`accept_deletions`]).

mod accepted;
mod contact;
mod standing;

pub use accepted::accept_deletions;
pub(crate) use accepted::accepted;
pub use contact::Contact;
pub(crate) use contact::Noted;
pub use standing::{Held, Standing};
