//! How the vault stands to its remote. What is read, and the words for it, is in `state`;
//! `held` has what other devices pushed.

mod held;
mod state;

pub use held::HeldList;
pub(crate) use state::tentative_check;
pub use state::{RemoteContact, RemoteState, SyncState, TipInfo, WithheldFiles, short_oid};
