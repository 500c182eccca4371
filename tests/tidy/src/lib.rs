//! The rules of the house, as tests: `cargo test -p platinum-tidy`.
//!
//! Lives here: nothing but this text. The rules are in `tests/rules/`: `floors` (who may depend on
//! what), `files` (module docs, budgets, no path of a developer's machine), `contract` (`wit/`
//! against `policy`, and its frozen hashes).
