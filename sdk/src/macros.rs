//! [`skill!`](crate::skill): the lines between a skill's `run` and the component's export.
//!
//! Lives elsewhere: the text of the macro is `skill_macro.rs.in`, in which `build.rs` puts where this
//! crate's `wit/` is on this machine: a skill can be in any folder. The imports' bindings are in
//! [`bindings`](crate::bindings), shared by all.
//! Invariants: the component-type section comes from the skill's own `wit/world.wit` alone.

include!(concat!(env!("OUT_DIR"), "/skill_macro.rs"));
