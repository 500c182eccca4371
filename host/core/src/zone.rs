//! [`ZoneId`]: names a domain of work.
//!
//! Lives elsewhere: which zones are built in, and which belong to the owner's machine alone, is a
//! table in `policy`.

use crate::text_id::text_id;

text_id! {
    /// The name of a domain of work, as folders, notes and configuration have it. Any well-formed
    /// id names a zone.
    ZoneId, "zone id";
    /// Mail.
    EMAIL = "email",
    /// Posts on social networks.
    SOCIAL = "social",
    /// Invoices and entries in Odoo.
    ACCOUNTING = "accounting",
    /// Chat messages.
    WHATSAPP = "whatsapp",
    /// Payments.
    PAYMENTS = "payments",
    /// Decisions of the owner.
    APPROVALS = "approvals",
}
