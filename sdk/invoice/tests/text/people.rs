//! Invoice texts as people write them, in English and German.

use platinum_invoice::{Decimal, Invoice, Kind, Line};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn line(name: &str, quantity: &str, price: &str, tax: Option<&str>, total: Option<&str>) -> Line {
    Line {
        name: name.to_owned(),
        quantity: decimal(quantity),
        unit_price: decimal(price),
        discount: Decimal::ZERO,
        tax: tax.map(decimal),
        total: total.map(decimal),
    }
}

fn parse(text: &str) -> Invoice {
    Invoice::parse(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn parse_request_in_a_mail_reads_what_is_between() {
    let invoice = parse(
        "Hi Bob,\n\nplease send this out: tomorrow.\n\nInvoice to: Example Ltd\nVAT: GB123456789\n\
         Email: books@example.test\nDate: 30 Nov 2026\nDue: Dec 14, 2026\nCurrency: GBP\n\n\
         | Item | Qty | Price | VAT |\n| --- | --- | --- | --- |\n| Consulting | 2.5 h | £120.00 | 20% |\n\
         | Travel \\| train | 1 | 80 | 20% |\n\nBest\nAnn: the one with the hat\n",
    );
    assert_eq!(invoice.buyer.name.as_deref(), Some("Example Ltd"));
    assert_eq!(invoice.buyer.vat.as_deref(), Some("GB123456789"));
    assert_eq!(invoice.buyer.email.as_deref(), Some("books@example.test"));
    assert!(invoice.seller.is_empty());
    assert_eq!(invoice.date.as_deref(), Some("2026-11-30"));
    assert_eq!(invoice.due.as_deref(), Some("2026-12-14"));
    assert_eq!(invoice.currency.as_deref(), Some("GBP"));
    assert_eq!(
        invoice.lines,
        [
            line("Consulting (h)", "2.5", "120", Some("20"), None),
            line("Travel | train", "1", "80", Some("20"), None),
        ]
    );
    assert_eq!(invoice.notes, Vec::<String>::new());
}

#[test]
fn parse_german_bill_reads_its_numbers_and_days() {
    let invoice = parse(
        "# Rechnung\n\n- **Rechnungsnummer:** 2026/117\n- **Rechnungsdatum:** 30. November 2026\n\
         - **Fällig am:** 14.12.2026\n- **Lieferant:** Muster GmbH\n- **USt-IdNr.:** DE 123 456 789\n\
         - **IBAN:** DE89 3704 0044 0532 0130 00\n- **Kunde:** Beispiel AG\n- **Land:** DE\n\n\
         | Pos. | Bezeichnung | Menge | Einzelpreis (EUR) | MwSt. % | Gesamt |\n|---|---|---:|---:|---:|---:|\n\
         | 1 | Schrauben | 1.000 | 1,234 | 19 | 1.234,00 € |\n| 2 | Bücher | 2 Stk | 10,00 | 7 | 20,00 |\n\
         | | **Netto** | | | | 1.254,00 |\n| | MwSt. 19 % | | | | 234,46 |\n| | MwSt. 7 % | | | | 1,40 |\n\
         | | **Gesamtbetrag** | | | | **1.489,86** |\n",
    );
    assert_eq!(invoice.number.as_deref(), Some("2026/117"));
    assert_eq!(invoice.date.as_deref(), Some("2026-11-30"));
    assert_eq!(invoice.due.as_deref(), Some("2026-12-14"));
    assert_eq!(invoice.seller.name.as_deref(), Some("Muster GmbH"));
    assert_eq!(invoice.seller.vat.as_deref(), Some("DE123456789"));
    assert_eq!(
        invoice.seller.iban.as_deref(),
        Some("DE89370400440532013000")
    );
    assert_eq!(invoice.buyer.name.as_deref(), Some("Beispiel AG"));
    assert_eq!(invoice.buyer.country.as_deref(), Some("DE"));
    assert_eq!(invoice.currency.as_deref(), Some("EUR"));
    assert_eq!(
        invoice.lines,
        [
            line("Schrauben", "1000", "1.234", Some("19"), Some("1234")),
            line("Bücher (Stk)", "2", "10", Some("7"), Some("20")),
        ]
    );
    assert_eq!(invoice.net, Some(decimal("1254")));
    assert_eq!(invoice.tax, Some(decimal("235.86")));
    assert_eq!(invoice.total, Some(decimal("1489.86")));
    assert_eq!(invoice.notes, Vec::<String>::new());
}

#[test]
fn parse_note_with_properties_and_no_table() {
    let invoice = parse(
        "---\ntags: work\nbuyer: \"Example Ltd\"\ninvoice_date: 2026-11-30\n---\nFor: Workshop\nHours: 3\n\
         Price: 100 EUR\nVAT: 19 %\n",
    );
    assert_eq!(invoice.buyer.name.as_deref(), Some("Example Ltd"));
    assert_eq!(
        invoice.lines,
        [line("Workshop", "3", "100", Some("19"), None)]
    );
    assert_eq!(invoice.notes, Vec::<String>::new());
}

#[test]
fn parse_table_of_keys_as_obsidian_has_it() {
    let invoice = parse(
        "| Feld | Wert |\n| --- | --- |\n| Gutschrift | G-5 |\n| Lieferant | Muster GmbH |\n| Brutto | 119,00 € |\n\
         | Farbe | rot |\n\n",
    );
    assert_eq!(invoice.kind, Kind::CreditNote);
    assert_eq!(invoice.number.as_deref(), Some("G-5"));
    assert_eq!(invoice.total, Some(decimal("119")));
    assert_eq!(invoice.notes, ["Line 6: `Farbe | rot` was not understood."]);
}

#[test]
fn parse_doubtful_value_is_a_note_and_none() {
    for (text, note) in [
        (
            "Total: 1.234",
            "Line 1: `1.234` may be 1234 or 1.234; write it with two or four decimals.",
        ),
        (
            "Date: 03/04/2026",
            "Line 1: `03/04/2026` may be two days; write it as 2026-11-30.",
        ),
        (
            "Due: 14 days",
            "Line 1: `14 days` is no day; write it as 2026-11-30.",
        ),
        ("Total: a lot", "Line 1: `a lot` is no number."),
        ("Total: 12 h", "Line 1: `12 h` is no amount of money."),
        (
            "Total: $ 12.50",
            "Line 1: `$` is the sign of several currencies; write `Currency: USD`.",
        ),
        (
            "Total: 12.50 EUR incl. VAT",
            "Line 1: behind `12.50 EUR` stands `incl. VAT`.",
        ),
        (
            "Currency: shells",
            "Line 1: `shells` is no currency; write its code, such as EUR.",
        ),
        (
            "Email: a@b.test",
            "Line 1: `a@b.test` may be the seller's or the buyer's; write `Seller …:` or `Buyer …:`.",
        ),
        (
            "Type: letter",
            "Line 1: `letter` is no type; write Invoice or Credit note.",
        ),
        (
            "Prices: fair",
            "Line 1: `fair` does not say whether prices are with tax or without tax.",
        ),
        (
            "Number: 1\nNumber: 2",
            "Line 2: it says `2` where `1` was said before; the first one is taken.",
        ),
        (
            "Total: 5 EUR\nNet: 5 USD",
            "Line 2: it says `USD` where `EUR` was said before; the first one is taken.",
        ),
        (
            "Number: 1\nColour: red\nTotal: 5",
            "Line 2 was not understood: Colour: red",
        ),
        (
            "| Item | Price | Colour |\n|--|--|--|\n| a | 5 | red |",
            "Line 1: the column `Colour` was not understood.",
        ),
        (
            "| Item | Price | VAT |\n|--|--|--|\n| a | 5 | 0.95 |",
            "Line 3: the tax `0.95` is no rate; write it as 19 %.",
        ),
        (
            "| Item | Qty | Total |\n|--|--|--|\n| a | 3 | 10.00 |",
            "Line 3: it is left out of the invoice: a | 3 | 10.00",
        ),
        (
            "Payment: 14 days net\nTotal: 5",
            "Line 1: `14 days net` is about a payment, and this is an invoice.",
        ),
    ] {
        assert_eq!(parse(text).notes, [note], "{text}");
    }
    assert_eq!(parse("Total: 1.234").total, None);
    assert_eq!(
        parse("Total: 1.234\nNet: 5,00").total,
        Some(decimal("1234"))
    );
    assert_eq!(
        parse("Total: 1.234\nNet: 5.00").total,
        Some(decimal("1.234"))
    );
}

#[test]
fn parse_prices_with_and_without_tax() {
    for (text, expected) in [
        ("Prices: with tax", true),
        ("Prices: incl. VAT", true),
        ("Preise: brutto", true),
        ("Preise: inkl. MwSt", true),
        ("Prices: without tax", false),
        ("Prices: excl. VAT", false),
        ("Preise: netto", false),
        ("Preise: exkl. MwSt", false),
    ] {
        assert_eq!(parse(text).prices_include_tax, expected, "{text}");
    }
}

#[test]
fn parse_other_text_is_refused() {
    for text in [
        "",
        "Hello Bob,\n\nhow are you?\n",
        "From: a@b.test\nTo: c@d.test\nSubject: x",
        "| a | b |\n|--|--|\n| 1 | 2 |",
    ] {
        assert_eq!(
            Invoice::parse(text).unwrap_err().to_string(),
            "nothing here is understood: write lines such as `Buyer: Example Ltd` and a table with the columns Item, \
             Quantity, Price and Tax"
        );
    }
    let long = "x".repeat(platinum_invoice::MAX_TEXT_BYTES + 1);
    assert_eq!(
        Invoice::parse(&long).unwrap_err().to_string(),
        "the text has 1048577 bytes, and 1048576 is the most that is read"
    );
}

/// What stands behind a number is told, and takes nothing from it.
#[test]
fn parse_amounts_with_words_behind_them() {
    for (text, expected, notes) in [
        (
            "Gesamtbetrag: 119,00 EUR (inkl. 19 % MwSt.)",
            "119",
            &["Line 1: behind `119,00 EUR` stands `(inkl. 19 % MwSt.)`."][..],
        ),
        (
            "Total: € 119.00 incl. 19% VAT",
            "119",
            &["Line 1: behind `€ 119.00` stands `incl. 19% VAT`."],
        ),
        (
            "Rechnungsbetrag: 1.190,00 € brutto inkl. 19 % USt",
            "1190",
            &["Line 1: behind `1.190,00 €` stands `brutto inkl. 19 % USt`."],
        ),
        ("Total: 119.00 EUR", "119", &[]),
    ] {
        let invoice = parse(text);
        assert_eq!(invoice.total, Some(decimal(expected)), "{text}");
        assert_eq!(invoice.notes, notes, "{text}");
    }
    let table = parse(
        "| Leistung | Menge | Preis | MwSt. | Gesamt |\n|---|---|---|---|---|\n\
         | Beratung | 2 Std. | 120,00 €/Std. | 0 % (Reverse Charge) | 240,00 € |\n",
    );
    assert_eq!(
        table.lines,
        [line("Beratung (Std.)", "2", "120", Some("0"), Some("240"))]
    );
    assert_eq!(table.currency.as_deref(), Some("EUR"));
    assert_eq!(
        table.notes,
        ["Line 3: behind `0 %` stands `(Reverse Charge)`."]
    );
}

/// The days until it is due are counted from its date, wherever that stands.
#[test]
fn parse_days_until_it_is_due() {
    let invoice = parse("Zahlungsziel: 14 Tage\nRechnungsdatum: 30.11.2026\nNetto: 5,00");
    assert_eq!(invoice.due.as_deref(), Some("2026-12-14"));
    assert_eq!(
        invoice.notes,
        ["Line 1: `14 Tage` was reckoned from its date: 2026-12-14."]
    );
    let said = parse("Due: 14 days\nDue date: 2026-12-01\nDate: 2026-11-30");
    assert_eq!(said.due.as_deref(), Some("2026-12-01"));
    assert_eq!(said.notes, Vec::<String>::new());
}

/// The labels of bills differ; what they mean does not.
#[test]
fn parse_labels_of_other_bills() {
    for (text, net, tax, total) in [
        (
            "Amount excl. VAT: 100.00\nVAT @ 20%: 20.00\nTotal incl. VAT: 120.00",
            Some("100"),
            Some("20"),
            Some("120"),
        ),
        (
            "Nettowert: 100,00\nzzgl. 19 % MwSt.: 19,00\nRechnungsendbetrag: 119,00",
            Some("100"),
            Some("19"),
            Some("119"),
        ),
        (
            "Subtotal (EUR): 100.00\nSales tax: 8.25\nGrand total: 108.25",
            Some("100"),
            Some("8.25"),
            Some("108.25"),
        ),
        (
            "Zwischensumme netto: 100,00\nMehrwertsteuer 7%: 7,00\nMehrwertsteuer 19%: 1,90\nSumme inkl. MwSt.: 108,90",
            Some("100"),
            Some("8.9"),
            Some("108.9"),
        ),
    ] {
        let invoice = parse(text);
        assert_eq!(
            [invoice.net, invoice.tax, invoice.total],
            [net, tax, total].map(|sum| sum.map(decimal)),
            "{text}"
        );
        assert_eq!(invoice.notes, Vec::<String>::new(), "{text}");
    }
    let heads = parse(
        "Invoice ref: R-5\nIssue date: 1 Dec 2026\nPayment due by: 31/12/2026\nIssued by: Acme Ltd\nInvoiced to: Me Ltd\nAmount to pay: 5.00",
    );
    assert_eq!(heads.number.as_deref(), Some("R-5"));
    assert_eq!(heads.date.as_deref(), Some("2026-12-01"));
    assert_eq!(heads.due.as_deref(), Some("2026-12-31"));
    assert_eq!(heads.seller.name.as_deref(), Some("Acme Ltd"));
    assert_eq!(heads.buyer.name.as_deref(), Some("Me Ltd"));
    assert_eq!(heads.payable, Some(decimal("5")));
}
