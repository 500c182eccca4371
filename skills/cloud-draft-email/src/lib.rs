//! The skill `cloud-draft-email`: reads a mail and what belongs to it, and proposes an answer.
//!
//! Lives here: the glue. Lives elsewhere: whether an answer is wanted in [`wanted`], the order of
//! things in [`drafting`], what the model is given in [`request`], the mail that is proposed in
//! [`reply`], its text made harmless to read in [`inert`], a plan's steps in [`steps`].

pub mod drafting;
pub mod facts;
pub mod inert;
pub mod reply;
pub mod request;
pub mod steps;
pub mod wanted;

platinum_sdk::skill! {
    world: "skills:cloud-draft-email/cloud-draft-email",
    imports: {
        "platinum:actions/types@0.1.0": ::platinum_sdk::actions::types,
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:vault/context@0.1.0": ::platinum_sdk::vault::context,
        "platinum:email/types@0.1.0": ::platinum_sdk::email::types,
        "platinum:email/search@0.1.0": ::platinum_sdk::email::search,
        "platinum:email/draft@0.1.0": ::platinum_sdk::email::draft,
        "platinum:model/complete@0.1.0": ::platinum_sdk::model::complete,
        "platinum:drafts/submit@0.1.0": ::platinum_sdk::drafts::submit,
    },
    run: drafting::run,
}
