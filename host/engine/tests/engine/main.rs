//! The engine against components that were built for it, most of them hostile: `tests/guests`.
//!
//! Each guest stands in the table of [`linking`], which fails when one is forgotten.

mod cache;
mod calls;
mod limits;
mod linking;
mod support;
