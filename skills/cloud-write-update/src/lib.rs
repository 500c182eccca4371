//! The skill `cloud-write-update`: tells the owner in one line what was done.
//!
//! Lives here: the glue. Lives elsewhere: the line in [`mod@run`].

pub mod run;

platinum_sdk::skill! {
    world: "skills:cloud-write-update/cloud-write-update",
    imports: {
        "platinum:updates/types@0.1.0": ::platinum_sdk::updates::types,
        "platinum:updates/publish@0.1.0": ::platinum_sdk::updates::publish,
    },
    run: run::run,
}
