//! MCP server for Odoo that can also post and record payments.
//!
//! # Layout
//! - [`acting`]: the service behind the tools, and what an attempt comes to;
//! - [`post`]: posting exactly the document that was approved; [`payment`]: recording one payment for one document, and finding it;
//! - [`mod@tools`]: the draft server's tools, `post_invoice` and `record_payment`.
//!
//! Reading and drafting are the crate `platinum-odoo-draft`; talking to Odoo `platinum-odoo-client`.
//!
//! # Invariants
//! - One call is at most one attempt, after Odoo was asked whether it has been done. Whether there is another one is
//!   the caller's decision, by the outcome: `not_done` is certain, `unknown` is answered as soon as it may have been.
//! - Nothing is posted or paid that is not what was approved, field by field, read immediately before.

use std::sync::Arc;

use platinum_kit::server::{Access, ToolError, ToolSpec, Tools};

pub mod acting;
pub mod payment;
pub mod post;

pub use acting::{ActingService, Outcome};

const POST: ToolSpec = ToolSpec {
    name: "post_invoice",
    title: "Post a document",
    description: "Post the draft of an invoice, a bill, a credit note or a journal entry, if it still is what was \
                  approved: give the document as get_document answered it. outcome `done`: it is posted. `not_done`: it \
                  certainly is not, and the answer says why. `unknown`: it may be; the same call finds out. After an error \
                  nothing was tried, and what an earlier call did is not known.",
    access: Access::Acts,
};

const PAYMENT: ToolSpec = ToolSpec {
    name: "record_payment",
    title: "Record a payment",
    description: "Record that a posted invoice, bill or credit note was paid: amount, day and journal. No money is \
                  moved. The same operation records one payment. outcome `done`, `not_done` or `unknown`; after \
                  `unknown` the same call looks for the payment first. After an error nothing was tried, and what an earlier \
                  call did is not known.",
    access: Access::Acts,
};

const FIND: ToolSpec = ToolSpec {
    name: "find_payment",
    title: "Find a payment",
    description: "The payment that record_payment recorded for an operation, if there is one, and the document as it is \
                  now. Changes nothing.",
    access: Access::Reads,
};

/// The tools of the draft-only server, those that act, and what finds out what they did.
///
/// # Errors
/// If there is no schema of what a tool takes.
pub fn tools() -> Result<Tools<ActingService>, ToolError> {
    platinum_odoo_draft::tools()?
        .with(
            POST,
            |odoo: Arc<ActingService>, arguments: post::PostArguments| async move {
                odoo.post(&arguments).await
            },
        )?
        .with(
            PAYMENT,
            |odoo: Arc<ActingService>, arguments: payment::PaymentArguments| async move {
                odoo.record_payment(&arguments).await
            },
        )?
        .with(
            FIND,
            |odoo: Arc<ActingService>, arguments: payment::FindArguments| async move {
                odoo.find_payment(&arguments).await
            },
        )
}
