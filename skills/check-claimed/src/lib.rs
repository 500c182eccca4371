//! Skill check-claimed.
