//! Skill claim-task.
