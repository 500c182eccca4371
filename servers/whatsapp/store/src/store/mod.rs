//! [`Store`]: messages, chats, deliveries and attempts to send, in SQLite, for several processes at a time.
//!
//! Lives here: opening and its bounds, in `database`; what a chat and a message are, in `chat`; what is brought, in
//! `incoming`; what is sent, in `outgoing`; what is read, in `reading`.
//! Invariants: each step is one transaction; an id of a message counts once, for longer than its message is kept; an
//! attempt to send is written before the network is used; the folder can be opened by its owner alone. There is no
//! queue: nothing in here is ever sent by itself.

mod chat;
mod database;
mod incoming;
mod outgoing;
mod reading;

pub use chat::{Chat, StoredMessage};
pub use database::{Store, StoreBounds, StoreError};
pub use incoming::Recorded;
pub use outgoing::{Attempt, AttemptState, Begun, NewAttempt};
pub use reading::{Arrival, Failure};
