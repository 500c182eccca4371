//! The skill `sync-vault`: brings the vault and its remote together.
//!
//! Lives here: the glue. Lives elsewhere: what is reported in [`mod@run`].

pub mod run;

platinum_sdk::skill! {
    world: "skills:sync-vault/sync-vault",
    imports: { "platinum:sync/run@0.1.0": ::platinum_sdk::sync::run },
    run: run::run,
}
