//! The interfaces that act: linked by local alone.
