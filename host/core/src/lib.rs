//! What every floor speaks of, as types: ids, [`Role`], [`ZoneId`], [`Capability`], [`Action`],
//! [`VaultPath`], [`Clock`].
//!
//! Lives here: data, with its text forms and its checks.
//! Lives elsewhere: who may do what is in `policy`; notes as files are in `vault`.
//! Invariants: no I/O, no async, no configuration; a value that exists is valid.

mod actions;
mod backoff;
mod capability;
mod clock;
mod file_identity;
mod id;
pub mod layout;
mod money;
mod path;
mod role;
mod text_id;
mod zone;

pub use actions::{
    ACTIONS, Action, ActionError, ActionKind, ActionSpec, EmailSend, LinkCard, Media, MediaError,
    MediaRequest, OdooPayment, OdooPost, OwnAnswer, PART_LINE, PartLineError, Payment, PostRequest,
    SocialPublish, TypedAction, WhatsappSend, bill_operation, is_draft_operation, join_parts,
    split_parts, task_operation,
};
pub use backoff::Backoff;
pub use capability::{Capability, UnknownCapability};
pub use clock::{
    Clock, DayPart, FixedClock, SystemClock, TimeError, format_minute, format_time, parse_time,
    whole_second,
};
pub use file_identity::{FileIdentity, sha256_hex};
pub use id::{ClaimId, DraftId, IdError, PlanId, TaskId, UpdateId};
pub use jiff::Timestamp;
pub use money::{Currency, Money, MoneyError};
pub use path::{
    MAX_COMPONENT_BYTES, MAX_DEPTH, MAX_PATH_BYTES, PathError, VaultPath, safe_file_name,
};
pub use platinum_text as text;
pub use role::{AgentName, AgentNameError, Member, Role, UnknownRole};
pub use text_id::{MAX_TEXT_ID_BYTES, TextIdError};
pub use zone::ZoneId;
