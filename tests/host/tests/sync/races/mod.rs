//! Several agents on one remote, each with its own vault, repository and synchronizer; the remote
//! is a bare repository behind git's own daemon on loopback.
//!
//! `claims` is about who owns a task, `offline` about what is decided without the remote, `expired_lease`
//! about owners that are silent, `moved` about tasks that people move by hand, `clocks` about which
//! of two edits is later, `content` about files both sides change, `fresh` about how old a view of the
//! remote is, `interrupted` about kills, refusals and lost answers, `keeping` about what must not be
//! lost on the way, `intruders` about commits that may not be applied, `published` about secrets that the
//! remote has already.
//! `floods` is about what is too much to look through, too many, or not even git's.

mod claims;
mod clocks;
mod content;
mod expired_lease;
mod floods;
mod fresh;
mod interrupted;
pub(crate) mod intruders;
mod keeping;
mod moved;
mod offline;
mod published;
pub(crate) mod replica;
