//! Claims and merges as pure state machines.
