//! The skill `cloud-draft-email`: reads a mail and what belongs to it, and proposes an answer.
//!
//! Lives here: the glue. Lives elsewhere: whether an answer is needed in [`triage`], [`notice`] and [`rules`], the order of
//! things in [`mod@run`], what the model is given in [`request`], the mail that is proposed in
//! [`reply`], a plan's steps in [`steps`];
//! a new mail that a note asks for in [`note`], the owner's own way to write in [`style`].

pub mod facts;
pub mod note;
pub mod notice;
pub mod reply;
pub mod request;
pub mod rules;
pub mod run;
pub mod steps;
pub mod style;
pub mod triage;

platinum_sdk::skill! {
    world: "skills:cloud-draft-email/cloud-draft-email",
    imports: {
        "platinum:actions/types@0.1.0": ::platinum_sdk::actions::types,
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:vault/context@0.1.0": ::platinum_sdk::vault::context,
        "platinum:email/types@0.1.0": ::platinum_sdk::email::types,
        "platinum:email/search@0.1.0": ::platinum_sdk::email::search,
        "platinum:email/people@0.1.0": ::platinum_sdk::email::people,
        "platinum:email/draft@0.1.0": ::platinum_sdk::email::draft,
        "platinum:model/complete@0.1.0": ::platinum_sdk::model::complete,
        "platinum:email/propose@0.1.0": ::platinum_sdk::email::propose,
        "platinum:plans/write@0.1.0": ::platinum_sdk::plans::write,
    },
    run: run::run,
}
