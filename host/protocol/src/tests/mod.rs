//! Tables and properties of claims and merges.

mod claim;
mod merge;
