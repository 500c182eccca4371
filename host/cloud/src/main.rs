//! The cloud daemon: composition root without effects.

fn main() {}
