//! Skill local-execute-approved.
