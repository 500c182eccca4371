//! The work tree: what it has otherwise than the base, and how it is changed.
//!
//! Lives here: [`WorkTree`], which remembers what was seen and knows where to look, in `tree`; `look` reads,
//! `settle` waits out half-made states, `kept` puts what was found into the history, `seen` saves
//! reading, `guard` stands between a vault that went away and the remote, `sweep` tidies after killed writers, `bringing` after a take-in that was interrupted,
//! `apply` writes.
//! Lives elsewhere: which version is right is `protocol`'s; what this machine may change is
//! `policy`'s.
//!
//! Invariants: a look costs as much as was changed, not as much as there is: it goes to the paths
//! the watcher named, those that still differ, and those the base or the remote changed. At the
//! start, whenever events may have been lost, and without a watcher it goes everywhere; and a
//! hundredth of the folders a minute are looked at for no reason. A look that failed is made again
//! everywhere.

pub(in crate::sync) mod apply;
mod bringing;
mod guard;
mod kept;
mod look;
mod seen;
mod settle;
mod sweep;
mod tree;

pub(in crate::sync) use look::Edits;
pub(in crate::sync) use tree::WorkTree;
