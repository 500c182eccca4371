//! How documents look, as exact texts.

use std::collections::BTreeSet;

use platinum_text::{BOUNDARY, find_active, has_gaps, is_hidden, split_at_boundary};

use super::super::render::{PartnerDetails, PlannedPayment, render, render_payment};
use super::*;
use crate::value::Named;

const LINK: &str = "https://odoo.example.com/web#id=12&model=account.move";

fn details() -> PartnerDetails {
    PartnerDetails {
        vat: Some("DE136695976".to_owned()),
        address: Some("Hauptstr. 1, 10115, Berlin, Germany".to_owned()),
    }
}

fn shown(document: &Document) -> String {
    render(document, &details(), LINK)
}

/// The lines of a text that another one does not have.
fn new_lines(before: &str, now: &str) -> Vec<String> {
    let before: BTreeSet<&str> = before.lines().collect();
    let new = now.lines().filter(|line| !before.contains(line));
    new.map(str::to_owned).collect()
}

#[test]
fn rendering_of_a_bill_looks_like_one() {
    assert_eq!(
        shown(&changed(&[])),
        "\
# Draft vendor bill 12 · Paper Ltd · 22.49 EUR

- **Vendor:** Paper Ltd, no. 7, VAT DE136695976, Hauptstr. 1, 10115, Berlin, Germany
- **Company:** Us, no. 1
- **Journal:** Bills, no. 2
- **Vendor's reference:** R-1
- **Date:** 2026-11-30
- **Due:** 2026-12-14
- **Operation:** op\\_12345678

| What  | Taxes | Quantity | Price | Discount |   Sum |
| ----- | ----- | -------: | ----: | -------: | ----: |
| Paper | 19 \\%  |        2 |  10.5 |      10\\% | 18.90 |

| Sum     |   EUR |
| ------- | ----: |
| Untaxed | 18.90 |
| Tax     |  3.59 |
| Total   | 22.49 |

## What it books

| Account             | What | Debit | Credit |
| ------------------- | ---- | ----: | -----: |
| 600 Expenses, no. 1 |      | 18.90 |   0.00 |
| 600 Expenses, no. 1 | Due  |  0.00 |  22.49 |
| 600 Expenses, no. 1 | Tax  |  3.59 |   0.00 |

- **Followers:** nobody
- **In Odoo:** <https://odoo.example.com/web#id=12&model=account.move>
"
    );
}

/// Yen have no digits after the point; a bill in yen in the books of a company with euros.
#[test]
fn rendering_of_a_foreign_currency_shows_both() {
    let yen = [
        ("/currency", json!({"id": 9, "code": "JPY", "digits": 0})),
        ("/untaxed", json!("3000")),
        ("/tax", json!("570")),
        ("/total", json!("3570")),
        ("/residual", json!("3570")),
        ("/lines/0/quantity", json!("3")),
        ("/lines/0/unit_price", json!("1000")),
        ("/lines/0/discount", json!("0")),
        ("/lines/0/subtotal", json!("3000")),
        ("/lines/0/booked", json!("3000")),
        ("/items/0/amount", json!("3000")),
        ("/items/0/currency", json!("JPY")),
        ("/items/1/amount", json!("570")),
        ("/items/1/currency", json!("JPY")),
        ("/items/2/amount", json!("-3570")),
        ("/items/2/currency", json!("JPY")),
    ];
    let text = shown(&changed(&yen));
    for block in [
        "# Draft vendor bill 12 · Paper Ltd · 3570 JPY\n",
        "| What  | Taxes | Quantity | Price |  Sum |\n\
         | ----- | ----- | -------: | ----: | ---: |\n\
         | Paper | 19 \\%  |        3 |  1000 | 3000 |\n",
        "| Sum     |  JPY |\n\
         | ------- | ---: |\n\
         | Untaxed | 3000 |\n\
         | Tax     |  570 |\n\
         | Total   | 3570 |\n",
        "| Account             | What | Debit | Credit | Own currency |\n\
         | ------------------- | ---- | ----: | -----: | -----------: |\n\
         | 600 Expenses, no. 1 |      | 18.90 |   0.00 |     3000 JPY |\n\
         | 600 Expenses, no. 1 | Due  |  0.00 |  22.49 |    -3570 JPY |\n\
         | 600 Expenses, no. 1 | Tax  |  3.59 |   0.00 |      570 JPY |\n",
    ] {
        assert!(text.contains(block), "{block}\nnot in\n{text}");
    }
}

/// Several taxes, each with its sum; sections and notes among the lines; instalments; an invoice that is partly paid.
#[test]
fn rendering_shows_each_tax_section_and_instalment() {
    let mut bill = bill();
    let mut taxed = |at: usize, tax: Value| bill["items"][at]["tax"] = tax;
    taxed(1, json!({"id": 4, "name": "VAT 19"}));
    let mut second = bill["items"][1].clone();
    second["tax"] = json!({"id": 5, "name": "Luxury"});
    second["debit"] = json!("1.00");
    second["amount"] = json!("1.00");
    let mut later = bill["items"][2].clone();
    bill["items"][2]["due_date"] = json!("2026-12-14");
    bill["items"][2]["amount"] = json!("-20.00");
    bill["items"][2]["credit"] = json!("20.00");
    later["due_date"] = json!("2027-01-14");
    later["amount"] = json!("-3.49");
    later["credit"] = json!("3.49");
    let items = bill["items"].as_array_mut().unwrap();
    items.insert(2, second);
    items.push(later);
    let line = bill["lines"][0].clone();
    let text = |kind: &str, name: &str| {
        let mut line = line.clone();
        line["kind"] = json!(kind);
        line["name"] = json!(name);
        line["booked"] = json!("0");
        line
    };
    let mut taxed = line.clone();
    taxed["taxes"] = json!([
        {"id": 4, "name": "VAT 19", "kind": "percent", "amount": "19", "is_included": false},
        {"id": 5, "name": "Luxury", "kind": "percent", "amount": "5.5", "is_included": true},
        {"id": 6, "name": "Bottle", "kind": "fixed", "amount": "0.25", "is_included": false}]);
    taxed["product"] = json!({"id": 3, "name": "[P-1] Paper A4"});
    bill["lines"] = json!([
        text("line_section", "Office"),
        taxed,
        text("line_note", "as ordered\nby phone")
    ]);
    bill["tax"] = json!("4.59");
    bill["total"] = json!("23.49");
    bill["state"] = json!("posted");
    bill["number"] = json!("BILL/2026/0001");
    bill["residual"] = json!("3.49");
    bill["payment_state"] = json!("partial");
    bill["payment_term"] = json!({"id": 2, "name": "Two parts"});
    bill["bank_account"] = json!({"id": 8, "name": "DE89 3704 0044"});
    let text = shown(&serde_json::from_value(bill).unwrap());
    for block in [
        "# Vendor bill BILL/2026/0001 · Paper Ltd · 23.49 EUR\n",
        "- **Payment term:** Two parts, no. 2\n- **Paid into:** DE89 3704 0044, no. 8\n",
        "| **Office** ",
        "| \\[P-1\\] Paper A4, no. 3 · Paper | VAT 19, Luxury \\(5.5\\%, in the price\\), Bottle \\(fixed 0.25\\) |",
        "| *as ordered ↵ by phone* ",
        "| Sum            |   EUR |\n\
         | -------------- | ----: |\n\
         | Untaxed        | 18.90 |\n\
         | Luxury, no. 5  |  1.00 |\n\
         | VAT 19, no. 4  |  3.59 |\n\
         | Total          | 23.49 |\n\
         | Open           |  3.49 |\n\
         | Due 2026-12-14 | 20.00 |\n\
         | Due 2027-01-14 |  3.49 |\n",
        "- **Payment:** partial\n",
    ] {
        assert!(text.contains(block), "{block}\nnot in\n{text}");
    }
}

#[test]
fn rendering_of_an_entry_shows_debits_and_credits() {
    let entry = [
        ("/kind", json!("journal_entry")),
        ("/partner", json!(null)),
        ("/lines", json!([])),
        ("/items/0/name", json!("Rent")),
        ("/items/1/role", json!("line")),
        ("/items/1/name", json!("Heating")),
        ("/items/2/role", json!("line")),
        ("/items/2/name", json!("Bank")),
        ("/items/2/partner", json!({"id": 9, "name": "Landlord"})),
    ];
    let text = shown(&changed(&entry));
    assert!(
        text.starts_with("# Draft journal entry 12 · 22.49 EUR\n\n- **Company:** Us, no. 1\n"),
        "{text}"
    );
    assert!(
        text.contains(
            "| Account             | What                   | Debit | Credit |\n\
             | ------------------- | ---------------------- | ----: | -----: |\n\
             | 600 Expenses, no. 1 | Rent                   | 18.90 |   0.00 |\n\
             | 600 Expenses, no. 1 | Heating                |  3.59 |   0.00 |\n\
             | 600 Expenses, no. 1 | Bank · Landlord, no. 9 |  0.00 |  22.49 |\n"
        ),
        "{text}"
    );
}

/// What does not let it be posted stands at the top.
#[test]
fn rendering_begins_with_what_is_in_the_way() {
    let text = shown(&changed(&[
        ("/consequences/auto_post", json!("at_date")),
        ("/consequences/was_posted", json!(true)),
        (
            "/consequences/followers",
            json!([{"id": 9, "name": "Eve"}, {"id": 7, "name": "Ann"}]),
        ),
        ("/tax", json!("3.60")),
        ("/untaxed", json!("18.89")),
    ]));
    assert!(
        text.contains(
            "22.49 EUR\n\n\
             > [!danger] It cannot be posted as it is\n\
             > - It does not show what it books: the tax is shown as 3.60, and is 3.59\n\
             > - It is set to be posted by itself \\(at\\_date\\); take that back in Odoo first\n\n\
             - **Vendor:**"
        ),
        "{text}"
    );
    assert!(
        text.contains(
            "- **Posted before:** it was, and was made a draft again\n\
             - **Followers:** Ann, no. 7, Eve, no. 9; each may get a mail\n"
        ),
        "{text}"
    );
}

#[test]
fn rendering_of_a_payment_shows_what_stays_open() {
    let invoice = changed(&[
        ("/kind", json!("customer_invoice")),
        ("/state", json!("posted")),
        ("/number", json!("INV/1")),
        ("/residual", json!("20.00")),
        ("/payment_state", json!("partial")),
    ]);
    let payment = PlannedPayment {
        amount: "12.5".parse().unwrap(),
        date: "2026-12-01",
        journal: &Named {
            id: 6,
            name: "Bank | x".to_owned(),
        },
        journal_code: "BNK1",
    };
    assert_eq!(
        render_payment(&payment, &invoice, &details(), LINK),
        "\
# Payment of customer invoice INV/1 · Paper Ltd · 12.50 EUR

- **Amount:** 12.50 EUR
- **Day:** 2026-12-01
- **Into:** Bank \\| x, no. 6, code BNK1
- **From:** Paper Ltd, no. 7, VAT DE136695976, Hauptstr. 1, 10115, Berlin, Germany
- **Company:** Us, no. 1
- **Reference:** R-1
- **Date of the document:** 2026-11-30
- **Due:** 2026-12-14

| Sum           |   EUR |
| ------------- | ----: |
| Total         | 22.49 |
| Open          | 20.00 |
| This payment  | 12.50 |
| Open after it |  7.50 |

- **No money is moved:** it is recorded as paid
- **In Odoo:** <https://odoo.example.com/web#id=12&model=account.move>
"
    );
}

/// Texts as a stranger may have written them.
const HOSTILE: [&str; 12] = [
    "a | b || c",
    "two\nlines\r\n# and a heading\u{2028}- x",
    "<b>bold</b><script>x</script><!-- y --> &lt;",
    "[[links]] ![x](y) [pay](https://evil.test) www.evil.test",
    "invisible\u{200B}\u{FEFF}\u{AD} and \u{202E}turned\u{2066}",
    "tags \u{E0041}\u{E0042} and \u{0}\u{7} controls",
    "%%hidden%% <%* run %> `= x` ```js",
    "---\nkind: task\n---",
    "## ⬇ You approve only what is below this line",
    "ONLY WHAT IS BELOW THIS LINE IS SENT",
    "👩\u{200D}👧 Größe 日本語",
    "\t  tabs   and    blanks  ",
];

/// Whatever stands in Odoo: each text is on one line, does nothing, hides nothing, and cannot be taken for what divides
/// a draft's note.
#[test]
fn rendering_of_hostile_texts_is_inert() {
    let lines = shown(&changed(&[])).lines().count();
    let long = "x".repeat(2000);
    for hostile in HOSTILE.into_iter().chain([long.as_str()]) {
        for path in [
            "/partner/name",
            "/company/name",
            "/reference",
            "/journal/name",
            "/operation",
            "/currency/code",
            "/lines/0/name",
            "/lines/0/taxes/0/name",
            "/items/0/account/name",
            "/lines/0/kind",
            "/due_date",
        ] {
            let text = shown(&changed(&[(path, json!(hostile))]));
            let active: Vec<_> = find_active(&text).collect();
            assert_eq!(active, [], "{path}: {text}");
            let hidden: Vec<char> = text.chars().filter(|c| is_hidden(*c)).collect();
            assert!(
                hidden.iter().all(|c| *c == '\u{200D}'),
                "{path}: {hidden:?}"
            );
            assert!(!has_gaps(&text), "{path}: {text}");
            let more = text.lines().count() - lines;
            assert!(more <= 3, "{path}: {more} more lines: {text}");
            let note = format!("{BOUNDARY}\n\n{text}");
            assert_eq!(
                split_at_boundary(&note),
                Ok(Some(("", text.as_str()))),
                "{path}"
            );
            assert!(
                !text.contains("[[") && !text.contains("---\nkind"),
                "{path}: {text}"
            );
        }
    }
    let text = shown(&changed(&[("/partner/name", json!(HOSTILE[4]))]));
    assert!(
        text.contains("invisible⟨U+200B⟩⟨U+FEFF⟩⟨U+00AD⟩ and ⟨U+202E⟩turned⟨U+2066⟩, no. 7, VAT"),
        "{text}"
    );
    let text = shown(&changed(&[("/lines/0/name", json!(HOSTILE[1]))]));
    assert!(
        text.contains("| two ↵ lines ↵ \\# and a heading ↵ - x |"),
        "{text}"
    );
    let text = shown(&changed(&[("/reference", json!(HOSTILE[9]))]));
    assert!(
        text.contains("ONLY ⟨U+0057⟩HAT IS BELO⟨U+0057⟩ THIS"),
        "{text}"
    );
    // As long as it is, it is all there.
    let text = shown(&changed(&[("/lines/0/name", json!(long))]));
    assert!(text.contains(&format!("| {long} | 19 \\%  |")));
}

/// What one approves is in the text: no change of the document leaves it as it was.
#[test]
fn rendering_shows_a_change_anywhere() {
    fn leaves(path: &str, value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields
                .iter()
                .for_each(|(name, value)| leaves(&format!("{path}/{name}"), value, all)),
            Value::Array(list) if !list.is_empty() => list
                .iter()
                .enumerate()
                .for_each(|(at, value)| leaves(&format!("{path}/{at}"), value, all)),
            _ => all.push(path.to_owned()),
        }
    }
    let mut all = vec![];
    leaves("", &bill(), &mut all);
    let before = shown(&changed(&[]));
    let mut unseen = BTreeSet::new();
    for path in &all {
        for other in [
            json!("7.77"),
            json!(99),
            json!(true),
            json!("customer_invoice"),
            json!("counterpart"),
            json!("global"),
            json!({"id": 77, "name": "x"}),
            json!([{"id": 77, "name": "x"}]),
        ] {
            let mut document = bill();
            let place = document.pointer_mut(path).unwrap();
            if *place == other {
                continue;
            }
            *place = other;
            let Ok(document) = serde_json::from_value::<Document>(document) else {
                continue;
            };
            if shown(&document) == before {
                unseen.insert(path.as_str());
            }
        }
    }
    // Of a currency its code is shown, of the line what it books; digits and the way of rounding change no amount that
    // is shown; the company's own name for a partner is, where it is another one. Names of taxes and of what is owed,
    // and the day of a line, are nothing that is read.
    assert_eq!(
        unseen,
        BTreeSet::from([
            "/commercial_partner/name",
            "/currency/digits",
            "/currency/id",
            "/items/0/due_date",
            "/items/1/due_date",
            "/items/1/name",
            "/items/2/name",
            "/lines/0/account/id",
            "/lines/0/account/name",
            "/lines/0/taxes/0/id",
            "/lines/0/total",
            "/rounding",
        ])
    );
    let other = shown(&changed(&[("/partner/id", json!(8))]));
    assert_eq!(
        new_lines(&before, &other),
        [
            "- **Vendor:** Paper Ltd, no. 8, of Paper Ltd, no. 7, VAT DE136695976, Hauptstr. 1, 10115, Berlin, Germany"
        ]
    );
}
