//! What holds of every invoice and of every text.

use platinum_invoice::{
    Decimal, Invoice, Kind, Line, MAX_LINES, MAX_NOTES, MAX_TEXT_BYTES, Party, PaymentNote,
};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zäß:|\\\\`*#_\\- \n.,0-9]{0,30}",
        "(Total|Netto|Seller VAT|Note|---|\\| a|1\\.234|19 %|\u{202E}|\u{200B}|: |:: |\n){0,6}",
    ]
}

fn option() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0_u32..10).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn day() -> impl Strategy<Value = Option<String>> {
    prop::option::of(
        (1900_u32..2200, 1_u32..13, 1_u32..29)
            .prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}")),
    )
}

fn party() -> impl Strategy<Value = Party> {
    (option(), option(), option(), option(), option()).prop_map(
        |(name, vat, iban, email, country)| Party {
            name,
            vat,
            iban,
            email,
            country,
        },
    )
}

fn line() -> impl Strategy<Value = Line> {
    let sums = (prop::option::of(decimal()), prop::option::of(decimal()));
    (text(), decimal(), decimal(), decimal(), sums).prop_map(
        |(name, quantity, unit_price, discount, (tax, total))| Line {
            name,
            quantity,
            unit_price,
            discount,
            tax,
            total,
        },
    )
}

fn invoice() -> impl Strategy<Value = Invoice> {
    let heads = (
        any::<bool>(),
        option(),
        day(),
        day(),
        prop::option::of("[A-Z]{3}"),
    );
    let sums = prop::collection::vec(prop::option::of(decimal()), 4);
    let lines = prop::collection::vec(line(), 0..6);
    let texts = || prop::collection::vec(text(), 0..5);
    let notes = (texts(), texts());
    (heads, party(), party(), lines, any::<bool>(), sums, notes).prop_map(
        |(
            (is_credit, number, date, due, currency),
            seller,
            buyer,
            lines,
            prices_include_tax,
            sums,
            (notes, details),
        )| {
            Invoice {
                kind: if is_credit {
                    Kind::CreditNote
                } else {
                    Kind::Invoice
                },
                number,
                date,
                due,
                currency,
                seller,
                buyer,
                lines,
                prices_include_tax,
                net: sums[0],
                tax: sums[1],
                total: sums[2],
                payable: sums[3],
                notes,
                details,
            }
        },
    )
}

proptest! {
    #[test]
    fn parse_rendered_invoice_is_the_same(invoice in invoice()) {
        let invoice = invoice.cleaned();
        let text = invoice.render();
        prop_assert_eq!(Invoice::parse(&text), Ok(invoice.clone()), "{}", text);
        prop_assert_eq!(invoice.clone().cleaned(), invoice);
    }

    #[test]
    fn parse_any_text_is_stable(text in any::<String>(), near in "(([A-Za-z]{1,6}|Total|Seller|Date|Tax|IBAN|---):? ?|\\||\n|1\\.234|5,00|19 %|-| ){0,60}") {
        for text in [text, near] {
            let Ok(invoice) = Invoice::parse(&text) else { continue };
            prop_assert_eq!(Invoice::parse(&invoice.render()), Ok(invoice));
        }
    }

    #[test]
    fn parse_rendered_payment_is_the_same(
        invoice in "[A-Z0-9][A-Z0-9/-]{0,12}", amount in decimal(), currency in prop::option::of("[A-Z]{3}"),
        journal in prop::option::of("[A-Z0-9]{1,5}"),
    ) {
        let payment = PaymentNote { invoice, amount, currency, date: "2026-11-30".to_owned(), journal };
        prop_assert_eq!(PaymentNote::parse(&payment.render()), Ok(payment));
    }
}

#[test]
fn parse_largest_invoice_is_the_same() {
    let long = "|".repeat(400);
    let many = || {
        let texts = (0..200).map(|at| format!("{at} {}", "ä".repeat(600)));
        texts.collect::<Vec<_>>()
    };
    let invoice = Invoice {
        lines: vec![
            Line {
                name: long,
                quantity: Decimal::MAX,
                unit_price: Decimal::MIN,
                discount: Decimal::MAX,
                tax: Some(Decimal::MAX),
                total: Some(Decimal::MIN),
            };
            MAX_LINES + 50
        ],
        notes: many(),
        details: many(),
        ..Invoice::default()
    }
    .cleaned();
    assert_eq!(
        (
            invoice.lines.len(),
            invoice.notes.len(),
            invoice.details.len()
        ),
        (MAX_LINES, MAX_NOTES, MAX_NOTES)
    );
    assert_eq!(
        invoice.notes.last().unwrap(),
        "There is more to look at than is listed here."
    );
    let text = invoice.render();
    assert!(text.len() <= MAX_TEXT_BYTES, "{}", text.len());
    assert_eq!(Invoice::parse(&text), Ok(invoice));
}

/// Long lines, many columns, many keys, deep quotes: each in bounded time and with bounded notes.
#[test]
fn parse_hostile_text_is_bounded() {
    let size = MAX_TEXT_BYTES / 4;
    for text in [
        "Seller: x\n".to_owned() + &"a: b\n".repeat(size / 8),
        "| Item | Price |\n|--|--|\n".to_owned() + &"|||||||||||\n".repeat(size / 16),
        "| Item | Price |\n|--|--|\n".to_owned() + &"| a | x |\n".repeat(size / 16),
        "| Item | Price |\n|--|--|\n".to_owned() + &"| a | 1 |\n".repeat(size / 16),
        "|".repeat(size - 8) + "\n|--|--|",
        "| Item | Price |\n|--|--|\n".repeat(size / 32),
        "Total: ".to_owned() + &"9".repeat(size / 2),
        "Seller: ".repeat(size / 16),
        "Number: 1\n".to_owned() + &"Number: 2\n".repeat(size / 16),
    ] {
        let started = std::time::Instant::now();
        if let Ok(invoice) = Invoice::parse(&text) {
            assert!(invoice.lines.len() <= MAX_LINES && invoice.notes.len() <= MAX_NOTES);
            assert_eq!(Invoice::parse(&invoice.render()), Ok(invoice));
        }
        let took = started.elapsed();
        println!("{took:?} for {}", &text[..20]);
        assert!(took.as_secs() < 20, "{took:?}");
    }
}
