//! The document that is asked for: journal, currency, taxes, days, lines, all of it explicit.
//!
//! Invariants: pure; no amount of the document is changed but where Odoo's tax is in the price and the document's is
//! not, or the other way round; each thing that the document does not say is a doubt.

use platinum_invoice::{Decimal, Invoice};
use platinum_sdk::odoo::draft::{NewDocument, NewLine};
use platinum_sdk::odoo::types::{Company, Journal, Partner, Tax};
use platinum_sdk::text::one_line;

use crate::question;
use crate::tax::{self, Books};

/// The most lines that are drafted.
const MAX_LINES: usize = 200;
/// The most digits of an amount after the point.
const MAX_SCALE: u32 = 9;
/// The digits of a price that was converted: what Odoo keeps of prices, if nobody changed it.
const PRICE_DIGITS: u32 = 2;

/// What a document is made of.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// What the document says.
    pub invoice: &'a Invoice,
    /// What it is called in the contract.
    pub kind: &'a str,
    /// Whether the company sells.
    pub is_sale: bool,
    /// In whose books.
    pub company: &'a Company,
    /// Whose.
    pub partner: &'a Partner,
    /// The company's journals.
    pub journals: &'a [Journal],
    /// The company's taxes.
    pub taxes: &'a [Tax],
    /// The day of today, `YYYY-MM-DD`.
    pub today: &'a str,
}

/// The document, and what the owner has to look at.
///
/// # Errors
/// A question to the owner.
pub fn build(parts: &Parts<'_>) -> Result<(NewDocument, Vec<String>), String> {
    let Parts {
        invoice,
        company,
        partner,
        ..
    } = *parts;
    match invoice.lines.len() {
        0 => return Err(question::no_lines()),
        count if count > MAX_LINES => return Err(question::too_many_lines(count, MAX_LINES)),
        _ => {}
    }
    let mut doubts = Vec::new();
    let currency = invoice.currency.clone().unwrap_or_else(|| {
        doubts.push(format!(
            "It names no currency; {}, that of {}, is taken.",
            company.currency,
            one_line(&company.name, 60)
        ));
        company.currency.clone()
    });
    let journal = journal(parts, &currency, &mut doubts)?;
    let date = invoice.date.clone().unwrap_or_else(|| {
        // An invoice that is asked for is of today.
        if !parts.is_sale {
            doubts.push(format!("It has no day; {}, today, is taken.", parts.today));
        }
        parts.today.to_owned()
    });
    let term = if parts.is_sale {
        &partner.customer_term
    } else {
        &partner.vendor_term
    };
    let (due, payment_term) = match (&invoice.due, term) {
        (Some(due), _) => (Some(due.clone()), None),
        (None, Some(term)) => (None, Some(term.id)),
        (None, None) => {
            doubts.push("It does not say when it is due, and the partner has no payment term in Odoo: it is due at once.".to_owned());
            (Some(date.clone()), None)
        }
    };
    let (lines, of_taxes) = lines(parts);
    doubts.extend(of_taxes);
    let document = NewDocument {
        kind: parts.kind.to_owned(),
        company: company.id,
        journal: journal.id,
        currency,
        partner: partner.id,
        date,
        due,
        payment_term,
        reference: invoice
            .number
            .as_deref()
            .map(|number| one_line(number, 128)),
        fiscal_position: partner.fiscal_position.as_ref().map(|position| position.id),
        lines,
    };
    Ok((document, doubts))
}

/// The journal for a side: the one of the currency, else the company's own.
fn journal<'a>(
    parts: &Parts<'a>,
    currency: &str,
    doubts: &mut Vec<String>,
) -> Result<&'a Journal, String> {
    let purpose = if parts.is_sale { "sale" } else { "purchase" };
    let own = parts.journals.iter().filter(|it| it.purpose == purpose);
    let fitting = own.filter(|it| it.currency.as_deref().is_none_or(|of| of == currency));
    let mut fitting: Vec<&Journal> = fitting.collect();
    fitting.sort_by_key(|it| (it.currency.is_none(), it.id));
    let Some((first, others)) = fitting.split_first() else {
        return Err(question::no_journal(&parts.company.name, parts.is_sale));
    };
    if others.iter().any(|it| it.currency == first.currency) {
        doubts.push(format!(
            "There are {} journals for it; {} ({}) is taken.",
            fitting.len(),
            one_line(&first.name, 60),
            one_line(&first.code, 20)
        ));
    }
    Ok(first)
}

fn lines(parts: &Parts<'_>) -> (Vec<NewLine>, Vec<String>) {
    let Parts {
        invoice, company, ..
    } = *parts;
    let books = Books {
        taxes: parts.taxes,
        is_sale: parts.is_sale,
        position: parts
            .partner
            .fiscal_position
            .as_ref()
            .map(|position| position.id),
        usual: if parts.is_sale {
            company.sale_tax
        } else {
            company.purchase_tax
        },
    };
    let (rates, mut doubts) = tax::rates(invoice, &books);
    let mut add = |doubt: String| {
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    };
    let mut lines = Vec::new();
    for (at, (line, rate)) in invoice.lines.iter().zip(rates).enumerate() {
        let choice = tax::choose(&books, rate, invoice.prices_include_tax);
        choice.doubt.into_iter().for_each(&mut add);
        let mut price = line.unit_price;
        if let Some(tax) = choice.tax
            && tax.is_included != invoice.prices_include_tax
            && let Some(converted) = converted(price, tax)
        {
            if converted != price {
                add(format!(
                    "The prices were converted, since {} is {} in Odoo.",
                    one_line(&tax.name, 60),
                    if tax.is_included {
                        "included in prices"
                    } else {
                        "added to prices"
                    }
                ));
            }
            price = converted;
        }
        let name = match line.name.trim() {
            "" => format!("Line {}", at + 1),
            name => name.to_owned(),
        };
        lines.push(NewLine {
            name,
            quantity: text(line.quantity),
            unit_price: text(price),
            discount: text(line.discount),
            taxes: choice.tax.map(|tax| tax.id).into_iter().collect(),
        });
    }
    (lines, doubts)
}

/// A price with the tax, of one without it, or the other way round.
fn converted(price: Decimal, tax: &Tax) -> Option<Decimal> {
    let rate: Decimal = tax.rate.parse().ok()?;
    let factor = Decimal::ONE.checked_add(rate.checked_div(Decimal::ONE_HUNDRED)?)?;
    let converted = match tax.is_included {
        true => price.checked_mul(factor)?,
        false => price.checked_div(factor)?,
    };
    Some(converted.round_dp(PRICE_DIGITS))
}

/// A number as the contract has it.
fn text(number: Decimal) -> String {
    number.round_dp(MAX_SCALE).normalize().to_string()
}

#[cfg(test)]
mod tests {
    use platinum_sdk::odoo::types::Named;

    use super::*;
    use crate::partner::tests::partner;
    use crate::tax::tests::tax;

    fn company() -> Company {
        Company {
            id: 1,
            name: "Me Ltd".into(),
            vat: None,
            currency: "EUR".into(),
            rounds_per_line: true,
            sale_tax: Some(3),
            purchase_tax: Some(1),
        }
    }

    fn journal(id: u64, purpose: &str, currency: Option<&str>) -> Journal {
        Journal {
            id,
            name: format!("Journal {id}"),
            code: format!("J{id}"),
            purpose: purpose.into(),
            currency: currency.map(Into::into),
        }
    }

    fn named(id: u64) -> Option<Named> {
        Some(Named {
            id,
            name: String::new(),
        })
    }

    fn built(
        text: &str,
        is_sale: bool,
        partner: &Partner,
        journals: &[Journal],
        taxes: &[Tax],
    ) -> Result<(NewDocument, Vec<String>), String> {
        build(&Parts {
            invoice: &Invoice::parse(text).unwrap(),
            kind: if is_sale {
                "customer-invoice"
            } else {
                "vendor-bill"
            },
            is_sale,
            company: &company(),
            partner,
            journals,
            taxes,
            today: "2026-11-20",
        })
    }

    const BILL: &str = "Number: R-1\nDate: 2026-11-01\nDue: 2026-11-15\nCurrency: EUR\nSeller: Acme\n\n\
        | Item | Quantity | Price | Discount | Tax |\n|---|---|---|---|---|\n| Paper | 3 | 0.3333 | 10 % | 19 % |\n";

    fn journals() -> Vec<Journal> {
        vec![
            journal(1, "sale", None),
            journal(2, "purchase", None),
            journal(3, "bank", None),
        ]
    }

    #[test]
    fn build_says_everything_that_the_document_says() {
        let taxes = [tax(1, "19", false), tax(3, "19", true)];
        let (document, doubts) = built(
            BILL,
            false,
            &partner(5, "Acme", None, &[]),
            &journals(),
            &taxes,
        )
        .unwrap();
        let expected = NewDocument {
            kind: "vendor-bill".into(),
            company: 1,
            journal: 2,
            currency: "EUR".into(),
            partner: 5,
            date: "2026-11-01".into(),
            due: Some("2026-11-15".into()),
            payment_term: None,
            reference: Some("R-1".into()),
            fiscal_position: None,
            lines: vec![NewLine {
                name: "Paper".into(),
                quantity: "3".into(),
                unit_price: "0.3333".into(),
                discount: "10".into(),
                taxes: vec![1],
            }],
        };
        assert_eq!((document, doubts), (expected, vec![]));
    }

    /// What is missing is taken from Odoo where Odoo has it, and said.
    #[test]
    fn build_takes_what_is_missing_from_odoo_with_a_doubt() {
        let short = "Seller: Acme\n\n| Item | Quantity | Price |\n|---|---|---|\n| | 1 | 10 |\n";
        let mut vendor = partner(5, "Acme", None, &[]);
        let (document, doubts) = built(short, false, &vendor, &journals(), &[]).unwrap();
        assert_eq!(
            (document.date.as_str(), document.due.as_deref()),
            ("2026-11-20", Some("2026-11-20"))
        );
        assert_eq!(
            (document.currency.as_str(), document.lines[0].name.as_str()),
            ("EUR", "Line 1")
        );
        assert_eq!(
            doubts,
            [
                "It names no currency; EUR, that of Me Ltd, is taken.",
                "It has no day; 2026-11-20, today, is taken.",
                "It does not say when it is due, and the partner has no payment term in Odoo: it is due at once.",
                "No tax is named, and the draft has none.",
            ]
        );
        vendor.vendor_term = named(9);
        vendor.fiscal_position = named(8);
        let (document, doubts) = built(short, false, &vendor, &journals(), &[]).unwrap();
        assert_eq!(
            (
                document.due,
                document.payment_term,
                document.fiscal_position
            ),
            (None, Some(9), Some(8))
        );
        assert_eq!(doubts.len(), 3);
        let sale = short.replace("Seller", "Buyer");
        let (document, doubts) =
            built(&sale, true, &vendor, &journals(), &[tax(3, "19", true)]).unwrap();
        assert_eq!(
            (document.journal, document.lines[0].taxes.as_slice()),
            (1, &[3][..])
        );
        assert!(
            !doubts.iter().any(|doubt| doubt.contains("no day")),
            "{doubts:?}"
        );
    }

    #[test]
    fn build_converts_prices_where_odoo_has_them_otherwise() {
        let vendor = partner(5, "Acme", None, &[]);
        let included = Tax {
            is_included: true,
            ..tax(1, "19", false)
        };
        for (prices, tax, price, is_converted) in [
            ("without tax", tax(1, "19", false), "100", false),
            ("with tax", included.clone(), "100", false),
            ("with tax", tax(1, "19", false), "84.03", true),
            ("without tax", included, "119", true),
        ] {
            let text = format!(
                "Date: 2026-11-01\nDue: 2026-11-15\nCurrency: EUR\nSeller: Acme\nPrices: {prices}\n\n\
                | Item | Quantity | Price | Tax |\n|---|---|---|---|\n| a | 1 | 100 | 19 % |\n"
            );
            let (document, doubts) = built(&text, false, &vendor, &journals(), &[tax]).unwrap();
            assert_eq!(document.lines[0].unit_price, price, "{prices}");
            assert_eq!(doubts.len(), usize::from(is_converted), "{doubts:?}");
        }
    }

    #[test]
    fn build_takes_the_journal_of_the_side_and_the_currency() {
        let vendor = partner(5, "Acme", None, &[]);
        let taxes = [tax(1, "19", false)];
        let of = |journals: &[Journal], text: &str| {
            built(text, false, &vendor, journals, &taxes)
                .map(|(document, doubts)| (document.journal, doubts.len()))
        };
        let dollars = BILL.replace("EUR", "USD");
        let mixed = [
            journal(1, "purchase", None),
            journal(2, "purchase", Some("USD")),
            journal(4, "purchase", Some("CHF")),
        ];
        assert_eq!(of(&mixed, BILL), Ok((1, 0)));
        assert_eq!(of(&mixed, &dollars), Ok((2, 0)));
        let two = [journal(6, "purchase", None), journal(5, "purchase", None)];
        assert_eq!(of(&two, BILL), Ok((5, 1)));
        assert_eq!(
            of(&[journal(1, "sale", None)], BILL),
            Err(question::no_journal("Me Ltd", false))
        );
        let none = "Seller: Acme\nTotal: 119.00\n";
        assert_eq!(of(&two, none), Err(question::no_lines()));
    }
}
