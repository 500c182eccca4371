//! `email/send`: sends a mail that the owner approved, at most once.
//!
//! Lives here: [`SendMail`], which does it; [`MailSender`], how it leaves, and [`McpMailSender`]
//! over the full mail server; [`reconcile`], which asks after attempts in doubt.
//! Lives elsewhere: SMTP and the Sent folder are the mail server's.

mod host;
mod reconcile;
mod send;
mod sender;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::{Call, Interface, Linker, SkillState};
use wasmtime::component::{HasData, ResourceTable};

pub use reconcile::{InDoubt, McpSentSearch, Reconciled, SentSearch, reconcile};
pub use send::{SendError, SendMail};
pub use sender::{MailFile, MailSender, McpMailSender, SendOutcome, SendRequest};

use crate::bindings::platinum::email::send as bindings;

/// `email/send` for the engine.
pub struct EmailSend(Option<Arc<SendMail>>);

impl EmailSend {
    /// The interface over this way to send.
    pub fn new(mail: Arc<SendMail>) -> Self {
        Self(Some(mail))
    }

    /// The interface for components that are checked and never run.
    pub(crate) const fn link_only() -> Self {
        Self(None)
    }
}

struct SendCtx(Arc<SendMail>);

struct SendView<'a> {
    mail: &'a Arc<SendMail>,
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
            let (SendCtx(mail), table) = state.view::<SendCtx>();
            SendView { mail, table }
        })
    }

    fn prepare(&self, state: &mut SkillState, _: &Call) {
        if let Some(mail) = &self.0 {
            state.put(SendCtx(Arc::clone(mail)));
        }
    }
}
