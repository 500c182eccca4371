//! The interfaces that cannot act on the outside world.
