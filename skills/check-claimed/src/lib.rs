//! The skill `check-claimed`: says whether a task is free before it is claimed.
//!
//! Lives here: the glue. Lives elsewhere: the decision in [`mod@run`].

pub mod run;

platinum_sdk::skill! {
    world: "skills:check-claimed/check-claimed",
    imports: {
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:tasks/ownership@0.1.0": ::platinum_sdk::tasks::ownership,
    },
    run: run::run,
}
