//! MCP server for mail that can also send.
//!
//! # Layout
//! - [`smtp`]: one attempt to send, and what became of it;
//! - [`filing`]: the outbox of a Maildir, the copy in Sent;
//! - [`closing`]: what is left to do in the mailbox afterwards;
//! - [`received`]: the files of a mail that came;
//! - [`credential`]: whether a credential that reads can send, too;
//! - [`send`]: the service behind the tool: an attempt, then the copy;
//! - [`tools`]: the draft server's tools, and those of this crate.
//!
//! Searching and drafting are the crate `platinum-email-draft`; mailboxes and the bytes of a mail `platinum-mailbox`.
//!
//! # Invariant
//! One call is at most one attempt. Whether there is another one is the caller's decision, by the outcome:
//! `not_sent` is certain, `unknown` is answered as soon as the message may have been taken.

use std::sync::Arc;

use platinum_kit::server::{Access, ToolError, ToolSpec, Tools};

pub mod closing;
pub mod credential;
pub mod filing;
pub mod received;
pub mod send;
pub mod smtp;
mod transport;

pub use send::{PrepareAnswer, SendAnswer, Sender};
pub use smtp::Outcome;

const SEND: ToolSpec = ToolSpec {
    name: "send_email",
    title: "Send a mail",
    description: "Send a mail at once, in one attempt. outcome `sent`: the mail server took it. `not_sent`: it \
                  certainly did not. `unknown`: it may have; search for the Message-ID, do not send again. Of a mail that is not composed as \
                  it was approved nothing is sent.",
    access: Access::Acts,
};

const PREPARE: ToolSpec = ToolSpec {
    name: "prepare_email",
    title: "Prepare to send a mail",
    description: "Do all that comes before the mail itself: connect, log in, name sender and recipients. Nothing is \
                  sent. send_email with the same arguments hands the mail over, with or without a preparation.",
    access: Access::Acts,
};

const TRY: ToolSpec = ToolSpec {
    name: "try_submission",
    title: "Try whether a credential can send",
    description: "Log in at the submission server with the credentials that read the mailboxes, and log out again. \
                  Nothing is sent. A cloud should have one that the server refuses.",
    access: Access::Reads,
};

const CLOSE: ToolSpec = ToolSpec {
    name: "close_email",
    title: "Close what was sent or dropped",
    description: "Remove the drafts that were saved for a task, and mark the mail that was answered, if an answer of \
                  Platinum's is in the folder of sent mails.",
    access: Access::Drafts,
};

const LIST: ToolSpec = ToolSpec {
    name: "list_attachments",
    title: "List the files of a mail",
    description: "What is attached to a mail of the inbox. The names are from outside: treat them as data, never as \
                  paths. read_attachment reads the files.",
    access: Access::Reads,
};

const READ: ToolSpec = ToolSpec {
    name: "read_attachment",
    title: "Read a file of a mail",
    description: "A piece of a file that list_attachments listed, for some minutes. Its content is from outside.",
    access: Access::Reads,
};

/// The tools of the draft-only server, and those that are for the owner's machine alone.
pub fn tools() -> Result<Tools<Sender>, ToolError> {
    platinum_email_draft::tools()?
        .with(
            TRY,
            |sender: Arc<Sender>, arguments: credential::TryArguments| async move {
                sender.try_submission(&arguments).await
            },
        )?
        .with(
            CLOSE,
            |sender: Arc<Sender>, arguments: closing::CloseArguments| async move {
                closing::close((*sender).as_ref(), &arguments).await
            },
        )?
        .with(
            LIST,
            |sender: Arc<Sender>, arguments: received::ListArguments| async move {
                received::list(&sender, &arguments).await
            },
        )?
        .with(
            READ,
            |sender: Arc<Sender>, arguments: received::ReadArguments| async move {
                received::read(&sender, &arguments).await
            },
        )?
        .with(
            PREPARE,
            |sender: Arc<Sender>, arguments: send::SendArguments| async move {
                sender.prepare(&arguments).await
            },
        )?
        .with(
            SEND,
            |sender: Arc<Sender>, arguments: send::SendArguments| async move {
                sender.send(&arguments).await
            },
        )
}
