//! `email/send`: sends a mail that the owner approved, at most once.
//!
//! Lives here: [`SendMail`], the effect; [`MailSender`], how a mail leaves and how to ask after one,
//! and [`McpMailSender`] over the full mail server.
//! Lives elsewhere: SMTP and the Sent folder are the mail server's.

mod host;
mod send;
mod sender;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::{Call, Interface, Linker, SkillState};
use wasmtime::component::{HasData, ResourceTable};

pub use send::SendMail;
pub use sender::{MailFile, MailSender, McpMailSender, SendRequest};

use crate::{Executor, bindings::platinum::email::send as bindings};

/// `email/send` for the engine.
pub struct EmailSend(Option<Arc<Executor>>);

impl EmailSend {
    /// The interface over what carries approved actions out.
    pub fn new(executor: Arc<Executor>) -> Self {
        Self(Some(executor))
    }

    /// The interface for components that are checked and never run.
    pub(crate) const fn link_only() -> Self {
        Self(None)
    }
}

/// Who carries it out, and the skill that asks.
struct SendCtx(Arc<Executor>, String);

struct SendView<'a> {
    executor: &'a Arc<Executor>,
    skill: &'a str,
    table: &'a mut ResourceTable,
}

struct Sending;

impl HasData for Sending {
    type Data<'a> = SendView<'a>;
}

impl Interface for EmailSend {
    fn capability(&self) -> Capability {
        Capability::EmailSend
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        bindings::add_to_linker::<_, Sending>(linker, |state| {
            state.mark_used(Capability::EmailSend);
            let (SendCtx(executor, skill), table) = state.view::<SendCtx>();
            SendView {
                executor,
                skill,
                table,
            }
        })
    }

    fn prepare(&self, state: &mut SkillState, call: &Call) {
        if let Some(mail) = &self.0 {
            state.put(SendCtx(Arc::clone(mail), call.skill.clone()));
        }
    }
}
