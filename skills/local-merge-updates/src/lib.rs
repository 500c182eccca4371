//! The skill `local-merge-updates`: merges updates into `Dashboard.md`.
//!
//! Lives here: the glue. Lives elsewhere: the order of things in [`mod@run`], the page in
//! [`page`].

pub mod page;
pub mod run;

platinum_sdk::skill! {
    world: "skills:local-merge-updates/local-merge-updates",
    imports: {
        "platinum:updates/types@0.1.0": ::platinum_sdk::updates::types,
        "platinum:updates/collect@0.1.0": ::platinum_sdk::updates::collect,
        "platinum:dashboard/board@0.1.0": ::platinum_sdk::dashboard::board,
    },
    run: run::run,
}
