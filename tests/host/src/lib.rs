//! The house tested from outside, on real servers.
