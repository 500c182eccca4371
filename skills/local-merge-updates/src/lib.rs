//! Skill local-merge-updates.
