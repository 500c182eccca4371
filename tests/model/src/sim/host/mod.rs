//! A daemon: what it does, one step at a time.
//!
//! Lives here: `ops` is what it can be at and what a step is, `syncing` and `merging` content,
//! `claiming`, `ending` and `acting` tasks.
//! Lives elsewhere: what decides is the real protocol's; the disk, the remote and the clocks are
//! one floor up.
//! Invariant: between two steps anything can happen; what a crash leaves is on the disk of
//! [`super::world::Host`], never in an operation.

mod acting;
mod claiming;
mod ending;
mod merging;
mod ops;
mod syncing;

pub(in crate::sim) use ops::Op;
