//! Rules about what a commit of a cloud agent does: to tasks and their claims, to what the owner
//! reads, and how much it brings.
//!
//! Lives elsewhere: who may write which path is `policy`'s; who asks these is `verifier`.

pub mod budget;
pub mod claim_rules;
pub mod device_rules;
mod draft_rules;
pub(crate) mod duplicates;
pub mod note_rules;
