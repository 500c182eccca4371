//! The skill `cloud-draft-social`: from a task of the zone social one post for each account, proposed to the owner.
//!
//! Lives here: the glue. Lives elsewhere: the order of things in [`mod@run`]; what a note asks for in [`note`], what a
//! mention is in [`mention`]; the text of a post for one account in [`compose`], what a model is given for it in
//! [`request`], what it must not bring in [`strange`], how a text is made to fit without one in [`fit`].

pub mod compose;
pub mod fit;
pub mod mention;
pub mod note;
pub mod request;
pub mod run;
pub mod strange;
#[cfg(test)]
mod tests;

platinum_sdk::skill! {
    world: "skills:cloud-draft-social/cloud-draft-social",
    imports: {
        "platinum:actions/types@0.1.0": ::platinum_sdk::actions::types,
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:vault/context@0.1.0": ::platinum_sdk::vault::context,
        "platinum:social/types@0.1.0": ::platinum_sdk::social::types,
        "platinum:social/draft@0.1.0": ::platinum_sdk::social::draft,
        "platinum:model/complete@0.1.0": ::platinum_sdk::model::complete,
        "platinum:social/propose@0.1.0": ::platinum_sdk::social::propose,
    },
    run: run::run,
}
