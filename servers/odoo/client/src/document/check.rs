//! Whether a document shows what it books: everything that Odoo shows is recomputed from the lines, and from what is
//! booked; and what posting it would bring about besides. Pure.
//!
//! A person who looks at a draft sees its lines and totals; what counts after posting are its debits and credits. The
//! two can be made to differ by whoever may write the fields.

use super::{Document, DocumentKind, Item, ItemRole, Line, Rounding};
use crate::amount::Amount;

/// What does not fit together in a document, each in one line.
#[must_use]
pub fn inconsistencies(document: &Document) -> Vec<String> {
    let mut found = Vec::new();
    let balance = sum(&document.items, |item| item.debit - item.credit);
    if !balance.is_zero() {
        found.push(format!("its debits and credits differ by {balance}"));
    }
    for (at, item) in document.items.iter().enumerate() {
        if item.state != document.state {
            found.push(format!(
                "journal item {} counts as {} in reports, and the document is {}",
                at + 1,
                item.state,
                document.state
            ));
        }
        let (booked, amount) = (item.debit - item.credit, item.amount);
        if !booked.is_zero() && !amount.is_zero() && booked.is_negative() != amount.is_negative() {
            found.push(format!(
                "journal item {} books {booked}, and {amount} in its own currency",
                at + 1
            ));
        }
    }
    if document.kind.is_invoice() {
        check_lines(document, &mut found);
        check_totals(document, &mut found);
    }
    found
}

/// Why a draft is not posted as it is, whoever approves it: each the end of a sentence that begins with its title.
/// Nothing of what is no draft.
#[must_use]
pub fn obstacles(document: &Document) -> Vec<String> {
    if !document.is_draft() {
        return Vec::new();
    }
    let lies = inconsistencies(document).into_iter();
    lies.map(|what| format!("does not show what it books: {what}"))
        .chain(consequence(document))
        .collect()
}

/// What posting would bring about that an approval of the document does not cover.
#[must_use]
pub fn consequence(document: &Document) -> Option<String> {
    let consequences = &document.consequences;
    if consequences.will_be_sent {
        return Some(
            "waits to be sent as soon as it is posted; take that back in Odoo first".into(),
        );
    }
    if consequences.auto_post != "no" {
        let when = &consequences.auto_post;
        return Some(format!(
            "is set to be posted by itself ({when}); take that back in Odoo first"
        ));
    }
    if document.kind.is_invoice() && document.invoice_date.is_none() {
        return Some("has no date; Odoo would put today's on it".into());
    }
    if document.kind.is_invoice() && document.total.is_negative() {
        return Some(format!("has a total below zero: {}", document.total));
    }
    None
}

fn sum(items: &[Item], of: impl Fn(&Item) -> Amount) -> Amount {
    items.iter().map(of).sum()
}

/// An amount that is booked, with the sign that the document shows.
pub(super) fn shown(kind: DocumentKind, booked: Amount) -> Amount {
    match kind.books_lines_as_debits() {
        true => booked,
        false => Amount::ZERO - booked,
    }
}

fn check_totals(document: &Document, found: &mut Vec<String>) {
    let role = |role: ItemRole| {
        let items = document.items.iter().filter(move |item| item.role == role);
        items.map(|item| item.amount).sum::<Amount>()
    };
    let owed = Amount::ZERO - shown(document.kind, role(ItemRole::Counterpart));
    let taxes = shown(document.kind, role(ItemRole::Tax));
    let all = sum(&document.items, |item| match item.role {
        ItemRole::Counterpart => Amount::ZERO,
        _ => item.amount,
    });
    let booked = shown(document.kind, all);
    let total = document.total;
    let mut differs = |what: &str, shown: Amount, computed: Amount| {
        if shown != computed {
            found.push(format!("{what} is shown as {shown}, and is {computed}"));
        }
    };
    differs("the total by its lines and taxes", total, booked);
    differs("the total by what is owed", total, owed);
    differs(
        "the total by its sums",
        total,
        document.untaxed + document.tax,
    );
    let has_others = document
        .items
        .iter()
        .any(|item| item.role == ItemRole::Other);
    if !has_others {
        differs("the tax", document.tax, taxes);
    }
    if document.is_draft() {
        match document.payment_state.as_deref() {
            Some("not_paid") => differs("what is not paid yet", document.residual, total),
            Some(state) => found.push(format!("it is a draft and shown as {state}")),
            None => {}
        }
    }
}

fn check_lines(document: &Document, found: &mut Vec<String>) {
    let unit = Amount::unit(document.currency.digits);
    for (at, line) in document.lines.iter().enumerate() {
        let nth = at + 1;
        if line.kind != "product" {
            if !line.booked.is_zero() {
                found.push(format!("line {nth} is text, and books {}", line.booked));
            }
            continue;
        }
        let is_included = line.taxes.iter().any(|tax| tax.is_included);
        // The cents of a sum that is rounded as a whole are put to its lines.
        let tolerance = match document.rounding {
            Rounding::PerLine if !is_included => Amount::ZERO,
            _ => unit,
        };
        let booked = shown(document.kind, line.booked);
        if (booked - line.subtotal).abs() > tolerance {
            found.push(format!(
                "line {nth} shows {}, and books {booked}",
                line.subtotal
            ));
        }
        if let Some(price) = expected(document, line) {
            let is_right = match (is_included, line.taxes.iter().all(|tax| tax.is_included)) {
                (false, _) => (line.subtotal - price).abs() <= tolerance,
                (true, true) => (line.total - price).abs() <= tolerance,
                // Taxes in the price, and taxes on it.
                (true, false) => line.subtotal.abs() <= price.abs() + unit,
            };
            if !is_right {
                found.push(format!(
                    "line {nth} shows {}, and {} × {} is {price}",
                    if is_included {
                        line.total
                    } else {
                        line.subtotal
                    },
                    line.quantity,
                    line.unit_price
                ));
            }
        }
    }
}

/// What a line comes to by quantity, price and discount; none if its taxes are of a kind that changes that.
fn expected(document: &Document, line: &Line) -> Option<Amount> {
    let is_plain = |kind: &str| matches!(kind, "percent" | "fixed");
    if !line.taxes.iter().all(|tax| is_plain(&tax.kind)) {
        return None;
    }
    let price = line.quantity.times(line.unit_price)?;
    Some(
        price
            .less_percent(line.discount)?
            .round(document.currency.digits),
    )
}
