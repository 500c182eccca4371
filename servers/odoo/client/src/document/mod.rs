//! [`Document`]: an invoice, a bill, a credit note or a journal entry, with all that its posting would bring about.
//!
//! # Layout
//! - [`shape`]: what a document is, as tools take and answer it;
//! - [`read`]: reading it from Odoo; [`check`]: whether what it shows is what it books; [`compare`]: what differs
//!   between two; [`render`]: how a person sees it.
//!
//! Invariant: it holds nothing that changes by being looked at, so that two readings of an untouched document are equal.

pub mod check;
pub mod compare;
pub mod read;
pub mod render;
pub mod shape;
#[cfg(test)]
mod tests;

pub use render::{PartnerDetails, PlannedPayment};
pub use shape::{
    Consequences, Currency, Document, DocumentKind, Item, ItemRole, Line, Rounding, Tax,
};
