//! The outside turned into tasks, one process per source.
