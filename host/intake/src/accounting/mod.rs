//! Bills, requests for invoices, and drafts that wait in Odoo, as tasks in `Needs_Action/accounting/`.
//!
//! - [`brought`]: which e-invoices some files bring, each once; [`pdf`]: a PDF read in a process of its own; [`printed`]: what its text says;
//! - [`rules`]: the section `## Accounting` of the handbook; [`decide`]: what of a mail is accounting;
//! - [`mod@file`]: what of a dropped file the skill reads;
//! - [`note`]: the block that a task's note has for the skill;
//! - [`odoo`]: drafts that wait in Odoo, as a source.
//!
//! Lives elsewhere: the mails and files themselves are `mail`'s and `folder`'s, which ask here; e-invoices are read by
//! `platinum-einvoice`, the invoice text is `platinum-invoice`'s; what becomes of a task is the skill's.

pub mod brought;
pub mod decide;
pub mod file;
pub mod note;
pub mod odoo;
pub mod pdf;
pub mod printed;
pub mod rules;
