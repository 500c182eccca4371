//! The skill `local-execute-approved`: does what the owner approved.
//!
//! Lives here: the glue. Lives elsewhere: the order of things in [`mod@run`].

pub mod run;

platinum_sdk::skill! {
    world: "skills:local-execute-approved/local-execute-approved",
    imports: {
        "platinum:actions/types@0.1.0": ::platinum_sdk::actions::types,
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/finish@0.1.0": ::platinum_sdk::tasks::finish,
        "platinum:approvals/queue@0.1.0": ::platinum_sdk::approvals::queue,
        "platinum:email/send@0.1.0": ::platinum_sdk::email::send,
        "platinum:odoo/post@0.1.0": ::platinum_sdk::odoo::post,
        "platinum:social/publish@0.1.0": ::platinum_sdk::social::publish,
        "platinum:whatsapp/send@0.1.0": ::platinum_sdk::whatsapp::send,
    },
    run: run::run,
}
