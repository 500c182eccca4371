//! Several agents on one remote, each with its own vault, repository and synchronizer; the remote
//! is a bare repository behind git's own daemon on loopback.
//!
//! `claims` is about who owns a task, `offline` about what is decided without the remote, `stuck`
//! about owners that are silent, `moved` about tasks that people move by hand, `clocks` about which
//! of two edits is later, `content` about files both sides change, `fresh` about how old a view of the
//! remote is, `leftovers` about what a kill or a refusal leaves in the repository, `keeping` about
//! what must not be lost on the way, `halfway` about moves that a kill cut in two, `own_push` about
//! pushes whose answer was lost, `intruders` about commits that may not be applied.
//! `floods` is about what is too much to look through, too many, or not even git's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic here is a failed test with a line number"
)]

mod claims;
mod clocks;
mod content;
mod floods;
mod fresh;
mod halfway;
mod intruders;
mod keeping;
mod late;
mod leftovers;
mod moved;
mod offline;
mod own_push;
mod side;
mod stuck;
