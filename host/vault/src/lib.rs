//! The only crate that opens vault files.
