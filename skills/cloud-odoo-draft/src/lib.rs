//! The skill `cloud-odoo-draft`: reads a task of the zone accounting, drafts its document in Odoo, and proposes it.
//!
//! Lives here: the glue. Lives elsewhere: the order of things in [`mod@run`]; what the task says in [`reading`]; which
//! side and company it is in [`placement`], who in [`partner`], which taxes in [`tax`], the document in [`document`];
//! whether it is there already in [`duplicate`], whether the sums are the same in [`sums`]; a payment in [`payment`], a draft that
//! waits in Odoo in [`waiting`]; what its owner sees of it in [`proposal`];
//! every sentence that asks the owner for something in [`question`].

pub mod document;
pub mod duplicate;
pub mod partner;
pub mod payment;
pub mod placement;
pub mod proposal;
pub mod question;
pub mod reading;
pub mod run;
pub mod sums;
pub mod tax;
pub mod waiting;

platinum_sdk::skill! {
    world: "skills:cloud-odoo-draft/cloud-odoo-draft",
    imports: {
        "platinum:actions/types@0.1.0": ::platinum_sdk::actions::types,
        "platinum:tasks/types@0.1.0": ::platinum_sdk::tasks::types,
        "platinum:tasks/read@0.1.0": ::platinum_sdk::tasks::read,
        "platinum:odoo/types@0.1.0": ::platinum_sdk::odoo::types,
        "platinum:odoo/read@0.1.0": ::platinum_sdk::odoo::read,
        "platinum:odoo/draft@0.1.0": ::platinum_sdk::odoo::draft,
        "platinum:model/complete@0.1.0": ::platinum_sdk::model::complete,
        "platinum:odoo/propose@0.1.0": ::platinum_sdk::odoo::propose,
    },
    run: run::run,
}
