//! What a sync costs in a large vault: it looks at what changed, and at nothing else.
//!
//! `calls` counts file system calls, in every run. `cost` measures a vault of a thousand, ten
//! thousand and a hundred thousand notes; it takes minutes: `cargo xtask test --full` runs it. `first`
//! is a first sync.

mod calls;
mod cost;
mod first;
mod fixture;
