//! Skill sync-vault.
