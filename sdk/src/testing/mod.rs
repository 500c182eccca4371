//! A host for tests, in memory, that implements every trait of [`host`](crate::host).
//!
//! What it answers is set in public fields; what a skill did is read from them afterwards.
//! Lives elsewhere: how each trait is answered is in `answers.rs`, by default in `defaults.rs`; what
//! Odoo has in `odoo.rs`, social networks in `social.rs`, WhatsApp in `whatsapp.rs`.
//! Invariants: not part of a component; nothing here touches the outside.

mod answers;
mod defaults;
mod odoo;
mod social;
mod whatsapp;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};

use crate::actions::types::{EffectError, Proposal, ProposeError, Receipt};
use crate::bindings::platinum::skill;
use crate::{dashboard, email, model, plans, sync, tasks, updates};

pub use odoo::TestOdoo;
pub use social::TestSocial;
pub use whatsapp::TestWhatsapp;

/// An approved action of a [`TestHost`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestApproval {
    /// Which effect takes it.
    pub kind: String,
    /// The draft's id.
    pub draft: String,
    /// The task's id.
    pub task: String,
    /// What will happen.
    pub summary: String,
}

/// A host in memory. `TestHost::default()` has no tasks and no mail, and refuses nothing.
#[derive(Debug)]
pub struct TestHost {
    /// What `instructions` answers.
    pub instructions: String,
    /// What `agent` answers.
    pub agent: String,
    /// What `role` answers.
    pub role: skill::types::Role,
    /// What `zones` answers.
    pub zones: Vec<String>,
    /// What `now` answers.
    pub now: String,
    /// The log so far.
    pub lines: RefCell<Vec<(skill::log::Level, String)>>,
    /// The tasks there are.
    pub tasks: Vec<tasks::types::Task>,
    /// What `owner-of` answers.
    pub owner: Result<tasks::ownership::Owner, tasks::types::Error>,
    /// What `claim` answers.
    pub claimed: Result<tasks::claim::ClaimOutcome, tasks::types::Error>,
    /// Ids given to `complete`, with the summaries.
    pub completed: RefCell<Vec<(String, String)>>,
    /// What `complete`, `release` and `fail` answer, if not success.
    pub finish_error: Option<tasks::types::Error>,
    /// Proposed mails.
    pub proposed: RefCell<Vec<(Proposal, email::types::Mail)>>,
    /// What `propose` answers, if not success.
    pub propose_error: Option<ProposeError>,
    /// Written plans.
    pub plans: RefCell<Vec<plans::write::Plan>>,
    /// Published updates: task and headline.
    pub published: RefCell<Vec<(Option<String>, String)>>,
    /// Updates that wait to be merged, oldest first.
    pub updates: RefCell<Vec<updates::types::Update>>,
    /// What `remove` answers, if not success.
    pub remove_error: Option<updates::types::Error>,
    /// What `complete` of the model answers.
    pub completion: Result<model::complete::Completion, model::complete::Error>,
    /// What the model was asked.
    pub requests: RefCell<Vec<model::complete::Request>>,
    /// Notes by path.
    pub notes: BTreeMap<String, String>,
    /// What every search answers.
    pub mails: Result<Vec<email::types::Message>, email::types::Error>,
    /// What was searched for.
    pub queries: RefCell<Vec<email::search::Query>>,
    /// What `find` answers, by name.
    pub people: BTreeMap<String, Vec<email::people::Person>>,
    /// Names by which the owner wrote to nobody.
    pub strangers: Vec<String>,
    /// What `find` answers, if not those.
    pub find_error: Option<email::types::Error>,
    /// What `style-for` answers.
    pub style: Result<email::people::Style, email::types::Error>,
    /// For whom a style was asked.
    pub styled: RefCell<Vec<Vec<String>>>,
    /// Mails saved in Drafts.
    pub saved: RefCell<Vec<email::types::Mail>>,
    /// What `save` answers, if not success.
    pub save_error: Option<email::types::Error>,
    /// What Odoo has and was asked for.
    pub odoo: TestOdoo,
    /// What social networks have and were asked for.
    pub social: TestSocial,
    /// What WhatsApp has and was asked for.
    pub whatsapp: TestWhatsapp,
    /// What `run` of sync answers.
    pub synced: Result<sync::run::Report, sync::run::Error>,
    /// The dashboard's text; its version is its number of replacements.
    pub page: RefCell<String>,
    /// How often the page was replaced.
    pub replaced: Cell<u32>,
    /// How many more calls of `replace` answer a conflict.
    pub conflicts: Cell<u32>,
    /// What `count` answers.
    pub counts: dashboard::board::Counts,
    /// What the owner approved, oldest first.
    pub approvals: RefCell<VecDeque<TestApproval>>,
    /// What was given back undone, with the reasons.
    pub refused: RefCell<Vec<(TestApproval, String)>>,
    /// What the next effects answer; a receipt when empty.
    pub answers: RefCell<VecDeque<Result<Receipt, EffectError>>>,
    /// What was handed to `send`.
    pub sent: RefCell<Vec<TestApproval>>,
    /// What was handed to `post`.
    pub posted: RefCell<Vec<TestApproval>>,
}

impl TestHost {
    /// Whether a line of the log has this text.
    #[must_use]
    pub fn logged(&self, text: &str) -> bool {
        self.lines
            .borrow()
            .iter()
            .any(|(_, line)| line.contains(text))
    }
}
