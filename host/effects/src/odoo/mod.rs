//! `odoo/post`: posts a document, and records a payment, that the owner approved, at most once.
//!
//! Lives here: [`PostDocument`] and [`RecordPayment`], the effects; [`OdooServer`], how Odoo is asked, and
//! [`McpOdooServer`] over the full server for it; what differs between what was approved and what Odoo has, in words
//! (`difference`).
//! Lives elsewhere: talking to Odoo, and rendering what it has, is that server's.
//! Invariants: what is posted or paid was rendered anew immediately before, and is what the owner approved, to the
//! letter; what is not goes back to them as it is now.

mod difference;
mod host;
mod payment;
mod post;
mod server;

use platinum_core::Capability;

pub use payment::RecordPayment;
pub use post::PostDocument;
pub use server::{
    FoundPayment, KnownPayment, McpOdooServer, OdooDocument, OdooServer, PaymentPreview,
    PaymentRequest, Record,
};

use crate::{
    bindings::platinum::odoo::post as post_bindings,
    interface::{EffectOffer, HasEffects, view_of},
};

/// `odoo/post`.
pub(crate) const POST: EffectOffer = EffectOffer::new(Capability::OdooPost, |linker| {
    post_bindings::add_to_linker::<_, HasEffects>(
        linker,
        view_of::<{ Capability::OdooPost as usize }>,
    )
});
