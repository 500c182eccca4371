//! Which of Odoo's taxes a line has: by the rate that the document says, in the partner's fiscal position.
//!
//! Invariants: pure; a rate that the document does not say is never invented for a bill; what is chosen otherwise than
//! by the document is a doubt.

use platinum_invoice::{Decimal, Invoice};
use platinum_sdk::odoo::types::Tax;
use platinum_sdk::text::one_line;

/// What a tax is chosen for.
#[derive(Debug, Clone, Copy)]
pub struct Books<'a> {
    /// The company's taxes.
    pub taxes: &'a [Tax],
    /// Whether it sells.
    pub is_sale: bool,
    /// The partner's fiscal position.
    pub position: Option<u64>,
    /// The tax that the company has on such lines if nothing is said.
    pub usual: Option<u64>,
}

/// Whether a line has a tax, and which rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many per cent.
    Known(Decimal),
    /// What the company usually has.
    Usual,
    /// None is said, and none is taken.
    Unknown,
}

/// The tax of a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice<'a> {
    /// The tax; none for a line without.
    pub tax: Option<&'a Tax>,
    /// What the owner has to look at.
    pub doubt: Option<String>,
}

/// The rates of an invoice's lines, and what the owner has to know of them.
#[must_use]
pub fn rates(invoice: &Invoice, books: &Books<'_>) -> (Vec<Rate>, Vec<String>) {
    let said = |rate: Option<Decimal>| rate.map_or(Rate::Unknown, Rate::Known);
    let rates: Vec<Rate> = invoice.lines.iter().map(|line| said(line.tax)).collect();
    let missing: Vec<usize> = (1..)
        .zip(&rates)
        .filter(|(_, rate)| **rate == Rate::Unknown)
        .map(|(at, _)| at)
        .collect();
    if missing.is_empty() {
        return (rates, Vec::new());
    }
    if missing.len() < rates.len() {
        let lines: Vec<String> = missing.iter().map(usize::to_string).collect();
        let doubt = format!(
            "Lines without a tax in the document, and so in the draft: {}.",
            lines.join(", ")
        );
        return (rates, vec![doubt]);
    }
    let (rate, doubt) = match (implied_rate(invoice, books), invoice.tax) {
        (Some(rate), _) if rate.is_zero() => (Rate::Known(rate), None),
        (Some(rate), _) => (
            Rate::Known(rate),
            Some(format!(
                "No line names its tax; {} % follows from the sums.",
                rate.normalize()
            )),
        ),
        (None, Some(_)) => (
            Rate::Unknown,
            Some(
                "No line names its tax, and the sums fit no single rate: the draft has none."
                    .to_owned(),
            ),
        ),
        (None, None) if books.is_sale => (
            Rate::Usual,
            Some(
                "No tax is named; the draft has the one that your sales usually have in Odoo."
                    .to_owned(),
            ),
        ),
        (None, None) => (
            Rate::Unknown,
            Some("No tax is named, and the draft has none.".to_owned()),
        ),
    };
    (vec![rate; rates.len()], doubt.into_iter().collect())
}

/// The one rate of the books that makes the document's net its tax.
fn implied_rate(invoice: &Invoice, books: &Books<'_>) -> Option<Decimal> {
    let tax = invoice.tax?;
    if tax.is_zero() {
        return Some(tax);
    }
    let net = invoice.net.or_else(|| invoice.total?.checked_sub(tax))?;
    // A cent for each line that was rounded.
    let room = Decimal::new(1, 2).checked_mul(Decimal::from(invoice.lines.len().max(1)))?;
    let of_side = books
        .taxes
        .iter()
        .filter(|it| it.is_of_sales == books.is_sale);
    let mut fitting: Vec<Decimal> = of_side
        .filter_map(rate_of)
        .filter(|rate| {
            let computed = net
                .checked_mul(*rate)
                .and_then(|it| it.checked_div(Decimal::ONE_HUNDRED));
            let off = computed.and_then(|it| it.checked_sub(tax));
            off.is_some_and(|off| off.abs() <= room)
        })
        .collect();
    fitting.sort_unstable();
    fitting.dedup();
    match fitting.as_slice() {
        [rate] => Some(*rate),
        _ => None,
    }
}

fn rate_of(tax: &Tax) -> Option<Decimal> {
    tax.rate.parse().ok()
}

/// The tax for a rate, and whether prices have it already.
#[must_use]
pub fn choose<'a>(books: &Books<'a>, rate: Rate, is_included: bool) -> Choice<'a> {
    let usual = books.taxes.iter().find(|it| Some(it.id) == books.usual);
    let rate = match rate {
        Rate::Unknown => return Choice::default(),
        Rate::Usual => match usual.and_then(rate_of) {
            Some(rate) => rate,
            None => return Choice::default(),
        },
        Rate::Known(rate) => rate,
    };
    let of_rate = books
        .taxes
        .iter()
        .filter(|it| it.is_of_sales == books.is_sale && rate_of(it) == Some(rate));
    let of_rate: Vec<&Tax> = of_rate.collect();
    let side = if books.is_sale { "sales" } else { "purchases" };
    let shown = rate.normalize();
    let (of_position, is_foreign) = in_position(&of_rate, books.position, usual);
    let fitting = with_prices(&of_position, is_included);
    let taken = match fitting.as_slice() {
        [] if rate.is_zero() => return Choice::default(),
        [] => {
            return Choice {
                tax: None,
                doubt: Some(format!(
                    "Odoo has no tax of {shown} % for {side}: the lines with it have none in the draft."
                )),
            };
        }
        [only] => *only,
        several => match usual.filter(|usual| several.iter().any(|it| it.id == usual.id)) {
            Some(usual) => usual,
            None => return ambiguous(several, rate),
        },
    };
    let doubt = is_foreign.then(|| {
        format!(
            "The partner's fiscal position has no tax of {shown} % for {side}; {} is taken.",
            one_line(&taken.name, 60)
        )
    });
    Choice {
        tax: Some(taken),
        doubt,
    }
}

/// The taxes of a fiscal position, or of none: those of the company's own country. Then whether they are another
/// position's, since there are no others.
fn in_position<'a>(
    taxes: &[&'a Tax],
    position: Option<u64>,
    usual: Option<&Tax>,
) -> (Vec<&'a Tax>, bool) {
    let at_home = usual
        .map(|usual| usual.positions.as_slice())
        .unwrap_or_default();
    let is_at_home = |it: &&&Tax| {
        it.positions.is_empty() || it.positions.iter().any(|own| at_home.contains(own))
    };
    let of_home: Vec<&Tax> = taxes.iter().filter(is_at_home).copied().collect();
    let Some(position) = position else {
        return match of_home.is_empty() {
            true => (taxes.to_vec(), false),
            false => (of_home, false),
        };
    };
    let own = taxes.iter().filter(|it| it.positions.contains(&position));
    let own: Vec<&Tax> = own.copied().collect();
    // A tax that names no position is of them all; before Odoo 19 none names one.
    let of_all = taxes.iter().filter(|it| it.positions.is_empty());
    let of_all: Vec<&Tax> = of_all.copied().collect();
    match (own.is_empty(), of_all.is_empty(), of_home.is_empty()) {
        (false, ..) => (own, false),
        (true, false, _) => (of_all, false),
        (true, true, false) => (of_home, true),
        (true, true, true) => (taxes.to_vec(), true),
    }
}

/// Those that prices include or not, as the document has it, if there are some.
fn with_prices<'a>(taxes: &[&'a Tax], is_included: bool) -> Vec<&'a Tax> {
    let same: Vec<&Tax> = taxes
        .iter()
        .filter(|it| it.is_included == is_included)
        .copied()
        .collect();
    match same.is_empty() {
        true => taxes.to_vec(),
        false => same,
    }
}

fn ambiguous<'a>(several: &[&'a Tax], rate: Decimal) -> Choice<'a> {
    let names: Vec<String> = several
        .iter()
        .take(4)
        .map(|it| one_line(&it.name, 40))
        .collect();
    let names = names.join(", ");
    let shown = rate.normalize();
    match several.first().filter(|_| !rate.is_zero()) {
        Some(first) => Choice {
            tax: Some(*first),
            doubt: Some(format!(
                "Odoo has several taxes of {shown} % ({names}); {} is taken.",
                one_line(&first.name, 60)
            )),
        },
        None => Choice {
            tax: None,
            doubt: Some(format!(
                "Odoo has several taxes of 0 % ({names}); the draft has none of them: choose one in Odoo."
            )),
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn tax(id: u64, rate: &str, is_of_sales: bool) -> Tax {
        Tax {
            id,
            name: format!("T{id}"),
            rate: rate.into(),
            is_of_sales,
            is_included: false,
            positions: Vec::new(),
        }
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn choose_table_of_rates_positions_and_prices() {
        let with = |tax: Tax, is_included: bool, positions: &[u64]| Tax {
            is_included,
            positions: positions.to_vec(),
            ..tax
        };
        let taxes = [
            with(tax(1, "19", false), false, &[7]),
            with(tax(2, "19.00", false), true, &[7]),
            with(tax(3, "7", false), false, &[]),
            with(tax(4, "0", false), false, &[8]),
            with(tax(5, "0", false), false, &[9]),
            with(tax(6, "19", true), false, &[7]),
            with(tax(7, "20", false), false, &[8]),
            with(tax(8, "20", false), false, &[8]),
            with(tax(9, "5", false), false, &[9]),
        ];
        // Rate, whether included, the partner's position: the tax, and whether there is a doubt.
        for (rate, is_included, position, expected, is_doubtful) in [
            ("19", false, None, Some(1), false),
            ("19.0", true, None, Some(2), false),
            ("7", false, None, Some(3), false),
            // There is none with it included: the price is converted.
            ("7", true, None, Some(3), false),
            ("7", false, Some(8), Some(3), false),
            ("19", false, Some(8), Some(1), true),
            ("0", false, Some(8), Some(4), false),
            ("0", false, Some(9), Some(5), false),
            // Abroad alone, and there are two: nothing is taken.
            ("0", false, None, None, true),
            ("20", false, Some(8), Some(7), true),
            ("5", false, None, Some(9), false),
            ("16", false, None, None, true),
        ] {
            let books = Books {
                taxes: &taxes,
                is_sale: false,
                position,
                usual: Some(1),
            };
            let chosen = choose(&books, Rate::Known(decimal(rate)), is_included);
            assert_eq!(
                chosen.tax.map(|it| it.id),
                expected,
                "{rate} {is_included} {position:?}"
            );
            assert_eq!(
                chosen.doubt.is_some(),
                is_doubtful,
                "{rate} {position:?}: {:?}",
                chosen.doubt
            );
        }
        let sales = Books {
            taxes: &taxes,
            is_sale: true,
            position: None,
            usual: Some(6),
        };
        assert_eq!(
            choose(&sales, Rate::Usual, false).tax.map(|it| it.id),
            Some(6)
        );
        assert_eq!(choose(&sales, Rate::Unknown, false), Choice::default());
        assert_eq!(
            choose(&sales, Rate::Known(decimal("7")), false)
                .doubt
                .as_deref(),
            Some("Odoo has no tax of 7 % for sales: the lines with it have none in the draft.")
        );
    }

    #[test]
    fn choose_zero_per_cent_needs_no_tax_of_odoo() {
        let books = Books {
            taxes: &[],
            is_sale: false,
            position: None,
            usual: None,
        };
        assert_eq!(
            choose(&books, Rate::Known(decimal("0")), false),
            Choice::default()
        );
    }

    #[test]
    fn rates_that_are_not_said_follow_from_the_sums_or_are_doubts() {
        let taxes = [tax(1, "19", false), tax(2, "7", false), tax(3, "19", true)];
        let table = "\n\n| Item | Quantity | Price | Tax |\n|---|---|---|---|\n";
        for (text, is_sale, expected, doubt) in [
            (
                format!("Seller: A{table}| a | 1 | 100 | 7 % |\n"),
                false,
                vec![Rate::Known(decimal("7"))],
                "",
            ),
            (
                format!("Seller: A{table}| a | 1 | 100 | 7 % |\n| b | 1 | 1 | |\n"),
                false,
                vec![Rate::Known(decimal("7")), Rate::Unknown],
                "Lines without a tax in the document, and so in the draft: 2.",
            ),
            (
                format!("Seller: A{table}| a | 1 | 100 | |\n\nNet: 100.00\nTax: 19.00\n"),
                false,
                vec![Rate::Known(decimal("19"))],
                "No line names its tax; 19 % follows from the sums.",
            ),
            (
                format!("Seller: A{table}| a | 1 | 100 | |\n\nTax: 7.00\nTotal: 107.00\n"),
                false,
                vec![Rate::Known(decimal("7"))],
                "No line names its tax; 7 % follows from the sums.",
            ),
            (
                format!("Seller: A{table}| a | 1 | 100 | |\n\nTax: 0.00\n"),
                false,
                vec![Rate::Known(decimal("0"))],
                "",
            ),
            (
                format!("Seller: A{table}| a | 1 | 100 | |\n\nNet: 100.00\nTax: 12.00\n"),
                false,
                vec![Rate::Unknown],
                "No line names its tax, and the sums fit no single rate: the draft has none.",
            ),
            (
                format!("Seller: A{table}| a | 1 | 100 | |\n"),
                false,
                vec![Rate::Unknown],
                "No tax is named, and the draft has none.",
            ),
            (
                format!("Buyer: A{table}| a | 1 | 100 | |\n"),
                true,
                vec![Rate::Usual],
                "No tax is named; the draft has the one that your sales usually have in Odoo.",
            ),
        ] {
            let books = Books {
                taxes: &taxes,
                is_sale,
                position: None,
                usual: None,
            };
            let (rates, doubts) = rates(&Invoice::parse(&text).unwrap(), &books);
            assert_eq!(
                (rates, doubts.join(" ")),
                (expected, doubt.to_owned()),
                "{text}"
            );
        }
    }
}
