//! Who may what: role x capability, role x path, role x zone. Constant tables and pure functions.
//!
//! Lives here: the ceiling of a role ([`ceiling`], [`decide`]), who may change which path
//! ([`check`]), which folders a skill may be granted ([`check_folder`]), which paths are synced at
//! all ([`is_synced`]) and which of those the owner lets leave ([`SyncChoice`]), and the built-in zones ([`zone`]).
//! Lives elsewhere: linking what is granted is in `engine`; asking [`check`] about a commit or a
//! write is the business of the synchronizer and of `capabilities`; what a note says is `vault`'s.
//! To add a capability: 1. its file under `wit/`; 2. its line in `core`; 3. its roles in
//! `roles.rs`; 4. its row in `wit/README.md`. The tidy test fails until the four agree.
//! Invariants: no I/O; configuration can only narrow a ceiling, never raise it; a path that no
//! rule mentions is refused to the cloud.

mod choice;
mod devices;
mod folders;
mod grants;
mod paths;
mod roles;
mod synced;
#[cfg(test)]
mod tests;
mod zones;

pub use choice::{CHOOSABLE_FOLDERS, ChoiceError, SyncChoice};
pub use folders::{FolderAccess, FolderRefusal, UnknownAccess, check_folder};
pub use grants::{Grants, Refusal, decide};
pub use paths::{Change, Rule, Violation, check};
pub use roles::{allows, ceiling};
pub use synced::{
    ATTACHMENT_TYPES, MAX_ATTACHMENT_BYTES, MAX_FILE_BYTES, MAX_LFS_POINTER_BYTES, could_be_synced,
    is_attachable, is_lfs_pointer, is_synced,
};
pub use zones::{
    BUILT_IN_ZONES, ForeignAction, Locality, ZoneSpec, check_action, has_draft_for_each_account,
    is_local_only, local_only_zones, zone,
};
