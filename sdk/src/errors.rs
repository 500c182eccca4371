//! Every interface's error as the skill's own, so that `?` works in a skill.
//!
//! Invariants: a text stays one line; what can be tried again stays `unavailable`.

use crate::actions::types::ProposeError;
use crate::text::one_line;
use crate::{
    Error, approvals, dashboard, email, model, odoo, plans, social, sync, tasks, updates, vault,
    whatsapp,
};

/// The longest text an error carries, in characters.
const MAX_CHARS: usize = 400;

fn line(text: &str) -> String {
    one_line(text, MAX_CHARS)
}

impl From<tasks::types::Error> for Error {
    fn from(error: tasks::types::Error) -> Self {
        use tasks::types::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the call about a task: {what}"))),
            E::NotFound => Self::Failed("no task has this id".into()),
            E::ZoneDenied(zone) => Self::Denied(format!("the task's zone {zone} is not granted")),
            E::NotOwner(owner) => {
                Self::Denied(line(&format!("the task belongs to agent '{owner}'")))
            }
            E::Broken(what) => Self::Failed(line(&format!("the task's note is broken: {what}"))),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<ProposeError> for Error {
    fn from(error: ProposeError) -> Self {
        use ProposeError as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the proposal was not taken: {what}"))),
            E::NotOwner => Self::Denied("the task does not belong to this agent".into()),
            E::Duplicate(id) => {
                Self::Failed(line(&format!("an equal proposal is already waiting: {id}")))
            }
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<plans::write::Error> for Error {
    fn from(error: plans::write::Error) -> Self {
        use plans::write::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the plan was not taken: {what}"))),
            E::NotOwner => Self::Denied("the task does not belong to this agent".into()),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<updates::types::Error> for Error {
    fn from(error: updates::types::Error) -> Self {
        use updates::types::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the update was not taken: {what}"))),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<model::complete::Error> for Error {
    fn from(error: model::complete::Error) -> Self {
        use model::complete::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the model's request: {what}"))),
            E::BudgetExhausted(until) => Self::Unavailable(line(&format!(
                "the model's budget of the day is used up until {until}"
            ))),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
            E::Refused(what) => Self::Failed(line(&format!("the model refused: {what}"))),
        }
    }
}

impl From<vault::context::Error> for Error {
    fn from(error: vault::context::Error) -> Self {
        use vault::context::Error as E;
        match error {
            E::NotFound => Self::Failed("there is no such note".into()),
            E::Denied => Self::Denied("the note is outside what is granted".into()),
            E::TooLarge(bytes) => Self::Failed(format!("the note is too large: {bytes} bytes")),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<email::types::Error> for Error {
    fn from(error: email::types::Error) -> Self {
        use email::types::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the mail server's call: {what}"))),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
            E::Refused(what) => Self::Denied(line(&format!("the mail server refused: {what}"))),
        }
    }
}

impl From<odoo::types::Error> for Error {
    fn from(error: odoo::types::Error) -> Self {
        use odoo::types::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the call to Odoo: {what}"))),
            E::NotFound => Self::Failed("Odoo has no such record".into()),
            E::Refused(what) => Self::Failed(line(&what)),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<social::types::Error> for Error {
    fn from(error: social::types::Error) -> Self {
        use social::types::Error as E;
        match error {
            E::Invalid(what) => Self::Failed(line(&format!("the post: {what}"))),
            E::Refused(what) => Self::Failed(line(&what)),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<whatsapp::types::Error> for Error {
    fn from(error: whatsapp::types::Error) -> Self {
        use whatsapp::types::Error as E;
        match error {
            E::NotFound => Self::Failed("WhatsApp has no such chat for this task".into()),
            E::Invalid(what) => Self::Failed(line(&format!("the call to WhatsApp: {what}"))),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<sync::run::Error> for Error {
    fn from(error: sync::run::Error) -> Self {
        use sync::run::Error as E;
        match error {
            E::Unavailable(what) => Self::Unavailable(line(&what)),
            E::Violation(what) => Self::Denied(line(&what)),
            E::Failed(what) => Self::Failed(line(&what)),
        }
    }
}

impl From<dashboard::board::Error> for Error {
    fn from(error: dashboard::board::Error) -> Self {
        use dashboard::board::Error as E;
        match error {
            E::Conflict => Self::Unavailable("Dashboard.md changed while it was merged".into()),
            E::TooLarge => Self::Failed("Dashboard.md would be larger than 256 KiB".into()),
            E::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}

impl From<approvals::queue::Error> for Error {
    fn from(error: approvals::queue::Error) -> Self {
        match error {
            approvals::queue::Error::Invalid(what) => Self::Failed(line(&what)),
            approvals::queue::Error::Unavailable(what) => Self::Unavailable(line(&what)),
        }
    }
}
