//! Skill cloud-write-update.
