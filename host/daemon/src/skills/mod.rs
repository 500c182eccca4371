//! The installed skills: what their manifests say, which of them this host admits, and which is run
//! for which event.
//!
//! Lives here: [`Manifest`] (a `SKILL.md`), [`Catalog`] (the installed folders), [`SkillLock`] (what
//! the owner added), [`Dispatch`] (event
//! and zone to skill), [`FolderGrants`] (what single skills may open), [`Survey`] (what becomes of each folder on a host, with the reasons) and
//! [`SkillSet`] (the skills of a running daemon).
//! Lives elsewhere: admitting a component and running it is `engine`'s; what raises an event is in
//! [`Pipeline`](crate::Pipeline), [`loops`](crate::loops) and `local`'s loop that acts.
//! Invariants: no skill is named in code; a bad folder stops nothing else.

mod catalog;
mod dispatch;
mod event;
mod faults;
mod folders;
mod limits;
mod lock;
mod manifest;
mod schedule;
mod set;
mod survey;

pub use catalog::{
    Catalog, CatalogEntry, CatalogError, INSTALLED_WASM, InstalledSkill, MAX_COMPONENT_BYTES,
    SkillDefect,
};
pub use dispatch::{AbsentDrafter, Dispatch, Excluded, Exclusion, Occasion, Subscription};
pub use event::{Event, EventError, SourceName};
pub use folders::FolderGrants;
pub use limits::{LimitsError, RequestedLimits};
pub use lock::{GrantUsage, LOCK_FILE, LockError, LockMemory, LockedSkill, SkillLock, Unlocked};
pub use manifest::{Manifest, ManifestError};
pub use schedule::{Schedule, ScheduleError};
pub use set::{Request, RunError, SkillSet};
pub use survey::{Admission, KnownZones, RowState, SkillRow, Survey};
