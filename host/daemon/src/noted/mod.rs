//! What the daemon notes down in the state folder for the commands that tell how things stand.
//!
//! Lives here: when the remote last answered ([`Contact`]) and how the last sync left the vault
//! ([`Standing`]). Invariant: nothing is decided by either.

mod contact;
mod standing;

pub use contact::Contact;
pub(crate) use contact::Noted;
pub use standing::{Held, Standing};
