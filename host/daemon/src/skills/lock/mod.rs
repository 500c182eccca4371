//! What the owner added, and what of it is used.
//!
//! - `file`: [`SkillLock`], the skills that the owner added, each as it was then;
//! - `memory`: [`LockMemory`], which lock this machine used last, so that none before it counts;
//! - `usage`: [`GrantUsage`], which grants a skill has ever called.

mod file;
mod memory;
mod usage;

pub use file::{LOCK_FILE, LockError, LockedSkill, SkillLock, Unlocked};
pub use memory::LockMemory;
pub use usage::GrantUsage;
