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

use platinum_core::{Capability, Money};

pub use payment::RecordPayment;
pub use post::PostDocument;
pub use server::{
    FoundPayment, KnownPayment, McpOdooServer, OdooDocument, OdooError, OdooServer, PaymentPreview,
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

/// An amount as decimal text, without its currency: `12.05`.
fn decimal(money: Money) -> String {
    let text = money.to_string();
    let amount = text.split_once(' ').map(|(_, amount)| amount.to_owned());
    amount.unwrap_or(text)
}

/// Decimal text in the minor units of a currency with so many decimals; none if it has more.
fn minor_units(text: &str, decimals: u32) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let decimals = usize::try_from(decimals).ok()?;
    let (kept, rest) = part.split_at_checked(decimals.min(part.len()))?;
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    format!("{whole}{kept:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_is_the_same_as_text_and_in_minor_units() {
        for (minor, code, text) in [
            (2249, "EUR", "22.49"),
            (-5, "EUR", "-0.05"),
            (300, "JPY", "300"),
            (1, "KWD", "0.001"),
        ] {
            let currency = code.parse().unwrap();
            assert_eq!(decimal(Money { minor, currency }), text);
            assert_eq!(minor_units(text, currency.decimals()), Some(minor));
        }
        for (text, decimals, minor) in [
            ("22.4", 2, Some(2240)),
            ("22", 2, Some(2200)),
            ("300.00", 0, Some(300)),
            ("300.10", 0, None),
            ("22.495", 2, None),
            ("x", 2, None),
            ("1.é", 1, None),
            ("99999999999999999999", 0, None),
        ] {
            assert_eq!(minor_units(text, decimals), minor, "{text}");
        }
    }
}
