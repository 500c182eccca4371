//! The skill `local-whatsapp`: drafts an answer to a conversation on WhatsApp.
//!
//! Lives here: the glue. Lives elsewhere: the order of things in [`mod@run`]; which messages are to be answered, and what
//! came before them, in [`conversation`]; the text of the answer in [`answer`]; what
//! is proposed once the window closed in [`closed_window`], the template of it in [`template`].

pub mod answer;
pub mod closed_window;
pub mod conversation;
pub mod run;
pub mod template;

platinum_sdk::skill! {
    world: "skills:local-whatsapp/local-whatsapp",
    imports: {
        "platinum:actions/types@0.1.0": ::platinum_sdk::actions::types,
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:vault/context@0.1.0": ::platinum_sdk::vault::context,
        "platinum:whatsapp/types@0.1.0": ::platinum_sdk::whatsapp::types,
        "platinum:whatsapp/read@0.1.0": ::platinum_sdk::whatsapp::read,
        "platinum:model/complete@0.1.0": ::platinum_sdk::model::complete,
        "platinum:whatsapp/propose@0.1.0": ::platinum_sdk::whatsapp::propose,
    },
    run: run::run,
}
