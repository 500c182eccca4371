//! Documents and payments in Odoo, as the owner's commands show them.

use platinum_core::{Money, OdooPost};

use super::*;

const BILL: &str = "# Draft vendor bill 12 · Smith &amp; Sons · 22.49 EUR\n\n\
    - **Vendor:** Smith &amp; Sons, no. 7, VAT DE136695976\n\
    - **Due:** 2026-12-14\n\n\
    | What      | Taxes | Quantity | Price |   Sum |\n\
    | --------- | ----- | -------: | ----: | ----: |\n\
    | Paper \\| A4 | 19\\%   |        2 | 10.50 | 18.90 |\n\n\
    | Sum     |   EUR |\n\
    | ------- | ----: |\n\
    | Untaxed | 18.90 |\n\
    | 19\\%     |  3.59 |\n\
    | Total   | 22.49 |\n\n\
    - **In Odoo:** <https://odoo.example.com/web#id=12>\n";

fn bill() -> DraftNote {
    DraftNote {
        action: Action::new(&OdooPost {
            document: 12,
            total: Money {
                minor: 2249,
                currency: "EUR".parse().unwrap(),
            },
            due: Some("2026-12-14".parse().unwrap()),
            shown: BILL.to_owned(),
        }),
        summary: "Post a bill of nobody over EUR 1.00".to_owned(),
        doubts: vec!["The bill says EUR 22.50\u{202e}, its lines come to EUR 22.49".to_owned()],
        ..draft(9, "")
    }
}

/// With its table, its sums and its link, the doubts on top, and nobody's words for whose it is.
#[tokio::test]
async fn approvals_shows_a_document_as_an_invoice() {
    let home = Home::ready().await;
    home.pending(&bill());
    let shown = home.does(&["approvals"]).await;
    println!("{shown}");
    let expected = "  look first: The bill says EUR 22.50\\u{202e}, its lines come to EUR 22.49\n\
        \x20 summary   Draft vendor bill 12 · Smith & Sons · 22.49 EUR\n\
        \x20 why       She asks when they come\n\
        \x20 document  12\n\
        \x20 total     EUR 22.49\n\
        \x20 due       2026-12-14\n\n\
        \x20 │ # Draft vendor bill 12 · Smith & Sons · 22.49 EUR\n\
        \x20 │\n\
        \x20 │ - Vendor: Smith & Sons, no. 7, VAT DE136695976\n\
        \x20 │ - Due: 2026-12-14\n\
        \x20 │\n\
        \x20 │ | What      | Taxes | Quantity | Price |   Sum |\n\
        \x20 │ | --------- | ----- | -------: | ----: | ----: |\n\
        \x20 │ | Paper | A4 | 19%   |        2 | 10.50 | 18.90 |\n\
        \x20 │\n\
        \x20 │ | Sum     |   EUR |\n\
        \x20 │ | ------- | ----: |\n\
        \x20 │ | Untaxed | 18.90 |\n\
        \x20 │ | 19%     |  3.59 |\n\
        \x20 │ | Total   | 22.49 |\n\
        \x20 │\n\
        \x20 │ - In Odoo: <https://odoo.example.com/web#id=12>\n";
    assert!(shown.contains(expected), "{shown}");
    assert!(!shown.contains("nobody over EUR 1.00"), "{shown}");
}

/// Nothing here could look whether it still is what is in Odoo.
#[tokio::test]
async fn approve_without_an_odoo_is_refused_in_words() {
    let home = Home::ready().await;
    let bytes = home.pending(&bill());
    let error = home.fails(&["approve", &id_end(&bill())]).await;
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(
        error.message,
        "not approved: Odoo is not set up on this machine: it needs `[zones.accounting]` in the configuration"
    );
    let pending = format!("Pending_Approval/{}.md", bill().id);
    assert_eq!(home.read(&pending), bytes);
}
