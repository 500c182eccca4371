//! Git objects, and the remote as a compare-and-swap register.
