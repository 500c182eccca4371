//! The local daemon and the owner's commands: composition root with effects.

fn main() {}
