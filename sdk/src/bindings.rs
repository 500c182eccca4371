//! What `wit-bindgen` makes of the folders of `wit/`, this crate's copy of the contract: every
//! interface that a skill can import, once, so that all skills share the same types.
//!
//! Lives elsewhere: the list of the interfaces is made by `build.rs` from the folders themselves; a
//! skill's own world, and with it the list of what the skill asks for, is
//! generated in the skill by [`skill!`](crate::skill).
//! Invariants: a skill's component imports only what the skill calls, never this whole list;
//! `xtask skills` compares each component with its `wit/world.wit`.
#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::allow_attributes_without_reason,
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    clippy::semicolon_if_nothing_returned,
    clippy::uninlined_format_args,
    reason = "generated code"
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
