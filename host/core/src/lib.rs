//! Platinum's vocabulary as types: ids, [`Role`], [`Zone`], [`Capability`], [`Action`],
//! [`VaultPath`], [`Clock`].
//!
//! Lives here: data that every floor speaks of, with its text forms and its checks.
//! Lives elsewhere: who may do what is in `policy`; notes as files are in `vault`.
//! Invariants: no I/O, no async, no configuration; a value that exists is valid.

mod action;
mod backoff;
mod capability;
mod clock;
mod id;
pub mod layout;
mod money;
mod path;
mod role;
mod zone;

pub use action::{
    Action, ActionKind, EmailSend, Media, OdooPayment, OdooPost, Payment, SocialPublish,
    WhatsappSend,
};
pub use backoff::Backoff;
pub use capability::{Capability, UnknownCapability};
pub use clock::{Clock, FixedClock, SystemClock};
pub use id::{ClaimId, DraftId, IdError, PlanId, TaskId, UpdateId};
pub use jiff::Timestamp;
pub use money::{Currency, Money, MoneyError};
pub use path::{MAX_COMPONENT_BYTES, MAX_PATH_BYTES, PathError, VaultPath};
pub use platinum_text as text;
pub use role::{AgentName, AgentNameError, Role, UnknownRole};
pub use zone::{UnknownZone, Zone};
