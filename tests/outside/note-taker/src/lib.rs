//! The skill `note-taker`: writes a plan for a claimed task of the zone `notes`.
//!
//! It is no part of the workspace: it proves that a skill can be written with the sdk alone.

pub mod run;

platinum_sdk::skill! {
    world: "skills:note-taker/note-taker",
    imports: {
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:plans/write@0.1.0": ::platinum_sdk::plans::write,
    },
    run: run::run,
}
