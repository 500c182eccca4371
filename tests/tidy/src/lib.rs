//! The rules of this repository, as tests: `cargo test -p platinum-tidy`.
//!
//! Lives here: nothing but this text. The rules are in `tests/rules/`: `floors` (who may depend on
//! what), `acting` (no code that acts in a program of the cloud), `licences` (what `deny.toml`
//! allows), `words` (names of items and of tests), `files` (module docs, budgets, no path of a
//! developer's machine), `contract` (`wit/` against `policy`, and its frozen hashes).
