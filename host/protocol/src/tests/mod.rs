//! Tables and properties of claims, leases, syncs, merges, clocks and reconciliation.

mod claim;
mod contest;
mod hlc;
mod lease;
mod merge;
mod names;
mod reconcile;
mod sync;
