//! The skill `claim-task`: takes a task for this agent.
//!
//! Lives here: the glue. Lives elsewhere: what an answer means in [`mod@run`].

pub mod run;

platinum_sdk::skill! {
    world: "skills:claim-task/claim-task",
    imports: {
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:tasks/claim@0.1.0": ::platinum_sdk::tasks::claim,
    },
    run: run::run,
}
