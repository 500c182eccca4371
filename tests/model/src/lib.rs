//! Claims and sync, searched and simulated.
pub mod claims;
pub mod sim;
