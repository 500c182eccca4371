//! Skill cloud-draft-email.
