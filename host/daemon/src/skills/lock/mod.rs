//! What the owner added, and what of it is used.
//!
//! - `file`: [`SkillLock`], the skills that the owner added, each as it was then;
//! - `usage`: [`GrantUsage`], which grants a skill has ever called.

mod file;
mod usage;

pub use file::{LOCK_FILE, LockError, LockedSkill, SkillLock, Unlocked};
pub use usage::GrantUsage;
