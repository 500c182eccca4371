//! Completion providers.
