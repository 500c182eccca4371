//! Files that are not finished: `write` makes one beside its place and puts it there whole, `leftover` is one whose
//! writer was killed.

pub(crate) mod leftover;
mod write;

pub(crate) use write::{Temp, holds, identity_of, move_to_free, remove_if};
