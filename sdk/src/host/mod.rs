//! The host as a skill sees it: one trait per interface, [`Host`] as the real one.
//!
//! A skill's `run` takes `&impl Trait` for what it uses; that list and `wit/world.wit` say the
//! same. Lives elsewhere: the interfaces that act in `acting.rs`, those of Odoo in `accounting.rs`, of mail in
//! `email.rs`, of social networks in `social.rs`, of WhatsApp in `whatsapp.rs`; [`TestHost`](crate::testing::TestHost), the other implementation.
//! Invariants: the methods of [`Host`] only call the import of the same name.

mod acting;

pub use acting::{Approval, Approvals, PostOdoo, PublishSocial, SendEmail, SendWhatsapp};

use crate::bindings::platinum::skill;
use crate::{dashboard, model, plans, sync, tasks, updates, vault};
use skill::types::Role;

/// The host that runs the component.
#[derive(Debug, Clone, Copy, Default)]
pub struct Host;

/// Declares the trait of an interface, and [`Host`]'s way to it.
macro_rules! interface {
    (
        $(#[$doc:meta])*
        $trait:ident = $package:ident::$interface:ident {
            $($(#[$about:meta])* fn $name:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)?;)*
        }
    ) => {
        $(#[$doc])*
        pub trait $trait {
            $($(#[$about])* fn $name(&self, $($argument: $type),*) $(-> $answer)?;)*
        }

        impl $trait for Host {
            $(fn $name(&self, $($argument: $type),*) $(-> $answer)? {
                $package::$interface::$name($($argument),*)
            })*
        }
    };
}

mod accounting;
mod email;
mod social;
mod whatsapp;

pub use accounting::{DraftOdoo, ProposeOdoo, ReadOdoo};
pub use email::{DraftEmail, People, ProposeEmail, SearchEmail};
pub use social::{DraftSocial, ProposeSocial};
pub use whatsapp::{ProposeWhatsapp, ReadWhatsapp};

interface! {
    /// `platinum:skill/context`: who and where the skill is.
    Context = skill::context {
        /// The body of the skill's own SKILL.md.
        fn instructions() -> String;
        /// The name of this agent.
        fn agent() -> String;
        /// The role of this agent.
        fn role() -> Role;
        /// The zones granted to this run.
        fn zones() -> Vec<String>;
        /// The time, RFC 3339 in UTC.
        fn now() -> String;
    }
}

interface! {
    /// `platinum:skill/log`: lines for the host's log.
    Log = skill::log {
        /// Writes one line.
        fn line(level: skill::log::Level, text: &str);
    }
}

interface! {
    /// `platinum:tasks/read`: tasks of the granted zones.
    ReadTasks = tasks::read {
        /// Tasks of a zone that have no owner, oldest first.
        fn waiting(zone: &str) -> Result<Vec<tasks::types::Summary>, tasks::types::Error>;
        /// One task, wherever it is.
        fn get(id: &str) -> Result<tasks::types::Task, tasks::types::Error>;
    }
}

interface! {
    /// `platinum:tasks/ownership`: who owns a task.
    Ownership = tasks::ownership {
        /// Who owns the task now.
        fn owner_of(id: &str) -> Result<tasks::ownership::Owner, tasks::types::Error>;
    }
}

interface! {
    /// `platinum:tasks/claim`: takes ownership.
    ClaimTasks = tasks::claim {
        /// Claims the task.
        fn claim(id: &str) -> Result<tasks::claim::ClaimOutcome, tasks::types::Error>;
    }
}

interface! {
    /// `platinum:tasks/finish`: ends ownership.
    FinishTasks = tasks::finish {
        /// Files the task as done.
        fn complete(id: &str, summary: &str) -> Result<(), tasks::types::Error>;
        /// Gives the task back.
        fn release(id: &str, reason: &str) -> Result<(), tasks::types::Error>;
        /// Files the task as failed.
        fn fail(id: &str, reason: &str) -> Result<(), tasks::types::Error>;
    }
}

interface! {
    /// `platinum:plans/write`: plans.
    WritePlans = plans::write {
        /// Writes the plan; answers its id.
        fn write(plan: &plans::write::Plan) -> Result<String, plans::write::Error>;
    }
}

interface! {
    /// `platinum:updates/publish`: status notes.
    PublishUpdates = updates::publish {
        /// Publishes one line; answers the update's id.
        fn publish(task: Option<&str>, headline: &str) -> Result<String, updates::types::Error>;
    }
}

interface! {
    /// `platinum:updates/collect`: takes updates for merging.
    CollectUpdates = updates::collect {
        /// The oldest updates that are not merged.
        fn take(limit: u32) -> Result<Vec<updates::types::Update>, updates::types::Error>;
        /// Removes updates that the dashboard holds.
        fn remove(ids: &[String]) -> Result<(), updates::types::Error>;
    }
}

interface! {
    /// `platinum:model/complete`: a language model.
    Model = model::complete {
        /// Completes.
        fn complete(request: &model::complete::Request) -> Result<model::complete::Completion, model::complete::Error>;
    }
}

interface! {
    /// `platinum:vault/context`: the owner's notes.
    Notes = vault::context {
        /// The granted notes in a folder.
        fn list(folder: &str) -> Result<Vec<String>, vault::context::Error>;
        /// The text of a granted note.
        fn read(path: &str) -> Result<String, vault::context::Error>;
    }
}

interface! {
    /// `platinum:sync/run`: the vault's way to its remote.
    Sync = sync::run {
        /// Pulls, then pushes.
        fn run() -> Result<sync::run::Report, sync::run::Error>;
    }
}

interface! {
    /// `platinum:dashboard/board`: `Dashboard.md`.
    Dashboard = dashboard::board {
        /// The page as it is.
        fn read() -> Result<dashboard::board::Page, dashboard::board::Error>;
        /// The numbers of this moment.
        fn count() -> Result<dashboard::board::Counts, dashboard::board::Error>;
        /// Replaces the page if it has this version.
        fn replace(text: &str, expected: &str) -> Result<String, dashboard::board::Error>;
    }
}
