//! What is asked of the server, and what of its answers is passed on.

use std::sync::Arc;

use platinum_mcp::CallError;
use serde_json::{Value, json};

use super::{Scripted, company, partner, rows, shown_document};
use crate::{
    bindings::platinum::odoo::{
        read::{DocumentQuery, Host as _, PartnerKey},
        types::Error,
    },
    odoo::CompanyKey,
};

#[tokio::test]
async fn companies_are_those_that_are_drafted_in() {
    let all = || rows(json!([company(1, "Me"), company(2, "You & Co")]));
    let server = Scripted::with([all()]);
    let found = server.context().companies().await.unwrap().unwrap();
    let [me, you] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (me.id, me.currency.as_str(), me.rounds_per_line),
        (1, "EUR", false)
    );
    assert_eq!((me.sale_tax, me.purchase_tax, you.id), (Some(4), None, 2));
    let by_name = CompanyKey::Name("you & co.".to_owned());
    let server = Scripted::with([all(), all()]);
    let mut context = server.of_company(Some(by_name));
    let found = context.companies().await.unwrap().unwrap();
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [2]);
    // Its id is known by now.
    let refused = context.journals(1).await.unwrap().unwrap_err();
    assert!(
        matches!(&refused, Error::Refused(why) if why.starts_with("company 1 is not the one that this host drafts in, which is 2")),
        "{refused:?}"
    );
    assert_eq!(server.asked().len(), 2);
    let unknown = Some(CompanyKey::Name("Nobody".to_owned()));
    let refused = Scripted::with([all()])
        .of_company(unknown)
        .companies()
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(&refused, Error::Refused(why) if why.ends_with("have that name: Me (1), You & Co (2)")),
        "{refused:?}"
    );
}

/// Odoo finds by a part of a text; what is answered is the same in full.
#[tokio::test]
async fn partners_are_compared_in_full() {
    let none = || rows(json!([]));
    let alike = rows(json!([
        partner(1, "Acme", Some("DE 12-3")),
        partner(2, "Acme Two", Some("AT123")),
        partner(3, "X", None)
    ]));
    let accounts = rows(json!([
        { "id": 1, "sanitized_acc_number": "DE11", "partner_id": { "id": 1, "name": "Acme" } },
        { "id": 2, "sanitized_acc_number": null, "partner_id": { "id": 1, "name": "Acme" } },
    ]));
    let server = Scripted::with([none(), alike.clone(), accounts]);
    let found = server
        .context()
        .partners(5, PartnerKey::Vat("de123".to_owned()))
        .await
        .unwrap()
        .unwrap();
    let [acme] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(
        (acme.id, acme.accounts.as_slice()),
        (1, &["DE11".to_owned()][..])
    );
    assert_eq!(acme.fiscal_position.as_ref().map(|it| it.id), Some(8));
    let asked = server.asked();
    assert_eq!(asked[0].1["company"], 5);
    assert_eq!(
        asked[0].1["filters"],
        json!([{ "field": "vat", "comparison": "any_of", "value": ["de123", "DE123"] }])
    );
    assert_eq!(
        asked[1].1["filters"],
        json!([{ "field": "vat", "comparison": "contains", "value": "123" }])
    );
    let server = Scripted::with([none(), alike]);
    let found = server
        .context()
        .partners(5, PartnerKey::Name("Acm".to_owned()))
        .await
        .unwrap()
        .unwrap();
    assert!(found.is_empty(), "{found:?}");
    let server = Scripted::default();
    let refused = Arc::new(server)
        .context()
        .partners(5, PartnerKey::Name(" - ".to_owned()))
        .await;
    assert!(matches!(refused.unwrap(), Err(Error::Invalid(_))));
}

#[tokio::test]
async fn partners_of_an_account_are_its_holders() {
    let holder = rows(
        json!([{ "id": 9, "sanitized_acc_number": "DE11", "partner_id": { "id": 1, "name": "Acme" } }]),
    );
    let server = Scripted::with([
        holder.clone(),
        rows(json!([partner(1, "Acme", None)])),
        holder,
    ]);
    let key = PartnerKey::Account("de 11".to_owned());
    let found = server.context().partners(5, key).await.unwrap().unwrap();
    assert_eq!((found.len(), found[0].accounts.len()), (1, 1));
    let filters =
        json!([{ "field": "sanitized_acc_number", "comparison": "equals", "value": "DE11" }]);
    assert_eq!(server.asked()[0].1["filters"], filters);
}

fn page(rows: impl IntoIterator<Item = Value>, has_more: bool) -> Value {
    json!({ "records": rows.into_iter().collect::<Vec<_>>(), "has_more": has_more })
}

fn account(id: u64, partner: u64, number: &str) -> Value {
    json!({ "id": id, "sanitized_acc_number": number, "partner_id": { "id": partner, "name": "Acme" } })
}

/// Whoever stands behind the hundred that the server answers at once is found all the same, with each of their accounts:
/// one that is not seen would make them somebody who poses as themselves.
#[tokio::test]
async fn partners_and_accounts_are_read_page_by_page() {
    let others = (1..=100).map(|id| partner(id, "Other", Some("AT 9123")));
    let server = Scripted::with([
        rows(json!([])),
        page(others, true),
        rows(json!([partner(101, "Acme", Some("DE 123"))])),
        page(
            (1..=100).map(|id| account(id, 101, &format!("DE{id}"))),
            true,
        ),
        rows(json!([account(101, 101, "DE 7 7")])),
    ]);
    let key = PartnerKey::Vat("DE123".to_owned());
    let found = server.context().partners(5, key).await.unwrap().unwrap();
    let [acme] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((acme.id, acme.accounts.len()), (101, 101));
    assert_eq!(acme.accounts.last().unwrap(), "DE77");
    let asked = server.asked();
    for (nth, filters) in [(2, 2), (4, 2)] {
        let after = json!({ "field": "id", "comparison": "at_least", "value": 101 });
        assert_eq!(asked[nth].1["filters"][filters - 1], after);
    }
}

/// A list that was cut would say that there is no more.
#[tokio::test]
async fn partners_too_many_to_compare_are_refused() {
    let pages = (0..30).map(|at| page([partner(at + 1, "Other", Some("AT9123"))], true));
    let server = Scripted::with([rows(json!([]))].into_iter().chain(pages));
    let key = PartnerKey::Vat("DE123".to_owned());
    let refused = server.context().partners(5, key).await.unwrap();
    let words = "there are more than 2000 such contacts in Odoo, and no more are looked at";
    assert!(
        matches!(&refused, Err(Error::Refused(why)) if why == words),
        "{refused:?}"
    );
    assert_eq!(server.asked().len(), 21);

    let namesakes = (1..=51).map(|id| partner(id, "Acme", None));
    let server = Scripted::with([page(namesakes, false)]);
    let key = PartnerKey::Name("Acme".to_owned());
    let refused = server.context().partners(5, key).await.unwrap();
    let words = "Odoo has 51 contacts that it may be, and at most 50 are told apart: write the VAT number or the account \
                 into the task, or merge them in Odoo";
    assert!(
        matches!(&refused, Err(Error::Refused(why)) if why == words),
        "{refused:?}"
    );

    let accounts = page((1..=100).map(|id| account(id, 1, &format!("DE{id}"))), true);
    let more = page(
        (101..=201).map(|id| account(id, 1, &format!("DE{id}"))),
        false,
    );
    let server = Scripted::with([rows(json!([partner(1, "Acme", None)])), accounts, more]);
    let key = PartnerKey::Name("Acme".to_owned());
    let refused = server.context().partners(5, key).await.unwrap();
    let words = "contact 1 has 201 bank accounts in Odoo, and at most 200 are compared";
    assert!(
        matches!(&refused, Err(Error::Refused(why)) if why == words),
        "{refused:?}"
    );
}

/// Odoo gives each contact of a company its VAT number.
#[tokio::test]
async fn partners_of_one_company_begin_with_it() {
    let contact = |id: u64| {
        let mut contact = partner(id, "Ada", Some("DE123"));
        contact["commercial_partner_id"] = json!({ "id": 60, "name": "Acme" });
        contact
    };
    let all = (1..=60).map(contact);
    let server = Scripted::with([page(all, false), rows(json!([]))]);
    let key = PartnerKey::Vat("DE123".to_owned());
    let found = server.context().partners(5, key).await.unwrap().unwrap();
    assert_eq!((found.len(), found[0].id, found[1].id), (50, 60, 1));
}

/// By the whole name, then by all of its words, then by the longest of them: what has other signs in it.
#[tokio::test]
async fn partners_by_name_are_searched_ever_wider() {
    let none = || rows(json!([]));
    let alike = rows(json!([partner(1, "A.C.M.E. Handels-GmbH", None)]));
    let server = Scripted::with([none(), none(), alike, none()]);
    let key = PartnerKey::Name("ACME Handels GmbH".to_owned());
    let found = server.context().partners(5, key).await.unwrap().unwrap();
    assert_eq!(found.len(), 1);
    let contains = |text: &str| json!({ "field": "name", "comparison": "contains", "value": text });
    let asked = server.asked();
    assert_eq!(
        asked[1].1["filters"],
        json!(["ACME", "Handels", "GmbH"].map(contains))
    );
    assert_eq!(asked[2].1["filters"], json!([contains("Handels")]));
}

#[tokio::test]
async fn companies_too_many_to_tell_apart_are_refused() {
    let all = || page((1..=51).map(|id| company(id, &format!("C{id}"))), false);
    let server = Scripted::with([all()]);
    let refused = server.context().companies().await.unwrap();
    let words = "the user of the key may see 51 companies, and at most 50 are told apart: name the one that is drafted in \
                 as `zones.accounting.company`";
    assert!(
        matches!(&refused, Err(Error::Refused(why)) if why == words),
        "{refused:?}"
    );
    let server = Scripted::with([all(), all()]);
    let named = Some(CompanyKey::Name("C51".to_owned()));
    let found = server.of_company(named).companies().await.unwrap().unwrap();
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [51]);
}

#[tokio::test]
async fn taxes_are_read_page_by_page() {
    let tax = |id: u64, side: &str| {
        json!({ "id": id, "name": "T", "amount": "19.0", "type_tax_use": side, "price_include": id == 2,
            "fiscal_position_ids": [7] })
    };
    let first = json!({ "records": [tax(1, "sale"), tax(2, "purchase"), tax(3, "none")], "has_more": true });
    let server = Scripted::with([first, rows(json!([tax(4, "sale")]))]);
    let taxes = server.context().taxes(1).await.unwrap().unwrap();
    let read: Vec<_> = taxes
        .iter()
        .map(|it| (it.id, it.is_of_sales, it.is_included))
        .collect();
    assert_eq!(read, [(1, true, false), (2, false, true), (4, true, false)]);
    assert_eq!(taxes[0].positions, [7]);
    let after = json!({ "field": "id", "comparison": "at_least", "value": 4 });
    assert_eq!(server.asked()[1].1["filters"][1], after);
}

fn query() -> DocumentQuery {
    DocumentQuery {
        kinds: vec!["vendor-bill".into()],
        partners: vec![7],
        number: None,
        reference: Some("R-1".into()),
        date: None,
        total: None,
    }
}

fn document_row(id: u64, reference: &str) -> Value {
    json!({ "id": id, "move_type": "in_invoice", "state": "draft", "name": "/", "ref": reference,
        "company_id": { "id": 1, "name": "Me" }, "partner_id": { "id": 7, "name": "Acme" },
        "invoice_date": null, "amount_total": "119.0" })
}

/// A reference is compared page by page, since Odoo cannot compare it so.
#[tokio::test]
async fn documents_by_reference_are_compared_page_by_page() {
    let page = |first: u64, reference: &str| json!({ "records": [document_row(first, reference), document_row(first - 1, "R-11")], "has_more": true });
    let last = rows(json!([document_row(5, "r/1")]));
    let server = Scripted::with([page(20, "R 1"), page(10, "other"), last]);
    let found = server.context().documents(query()).await.unwrap().unwrap();
    let read: Vec<_> = found
        .rows
        .iter()
        .map(|it| (it.id, it.kind.as_str(), it.number.is_none()))
        .collect();
    assert_eq!(read, [(20, "vendor-bill", true), (5, "vendor-bill", true)]);
    assert!(found.is_complete);
    let asked = server.asked();
    let filters = asked[0].1["filters"].as_array().unwrap();
    let fields: Vec<_> = filters
        .iter()
        .map(|it| it["field"].as_str().unwrap())
        .collect();
    assert_eq!(
        fields,
        ["move_type", "state", "commercial_partner_id", "ref"]
    );
    let before = json!({ "field": "id", "comparison": "at_most", "value": 18 });
    assert_eq!(asked[1].1["filters"][4], before);
    let endless = Scripted::with((0..30).map(|at| page(1000 - at * 2, "other")));
    let found = endless.context().documents(query()).await.unwrap().unwrap();
    assert!(found.rows.is_empty() && !found.is_complete);
    assert_eq!(endless.asked().len(), 20);
}

#[tokio::test]
async fn documents_of_a_query_without_bounds_are_refused() {
    type Spoil = fn(&mut DocumentQuery);
    let cases: [(&str, Spoil); 6] = [
        ("no key", |it| (it.partners, it.reference) = (vec![], None)),
        ("no kind", |it| it.kinds.clear()),
        ("unknown kind", |it| it.kinds[0] = "entry".into()),
        ("no day", |it| it.date = Some("2026-02-30".into())),
        ("no number", |it| it.total = Some("1,5".into())),
        ("too many partners", |it| it.partners = vec![1; 51]),
    ];
    for (what, spoil) in cases {
        let mut spoiled = query();
        spoil(&mut spoiled);
        let server = Arc::new(Scripted::default());
        let answer = server.context().documents(spoiled).await.unwrap();
        assert!(matches!(answer, Err(Error::Invalid(_))), "{what}");
        assert!(server.asked().is_empty(), "{what}");
    }
}

#[tokio::test]
async fn document_of_another_company_is_refused() {
    let server = Scripted::with([shown_document("draft")]);
    let read = server.context().get_document(42).await.unwrap().unwrap();
    assert_eq!(
        (
            read.kind.as_str(),
            read.total.as_str(),
            read.rounds_per_line
        ),
        ("vendor-bill", "119.00", false)
    );
    assert_eq!(read.partner.unwrap().name, "Acme");
    assert_eq!(read.lines[0].name, "Paper\nA4");
    let server = Scripted::with([shown_document("draft")]);
    let refused = server
        .of_company(Some(CompanyKey::Id(9)))
        .get_document(42)
        .await
        .unwrap();
    assert!(matches!(refused, Err(Error::Refused(_))));
    // Another document than the one that was asked for.
    let server = Scripted::with([shown_document("draft")]);
    let refused = server.context().get_document(41).await.unwrap();
    assert!(matches!(refused, Err(Error::Unavailable(_))));
}

/// An answer that is not as agreed is no answer, and a call whose fate is not known is tried again.
#[tokio::test]
async fn answers_that_are_not_as_agreed_are_unavailable() {
    let mut no_total = shown_document("draft");
    no_total["document"]["total"] = json!(119.0);
    for answer in [json!("x"), json!({}), no_total] {
        let read = Scripted::with([answer.clone()])
            .context()
            .get_document(42)
            .await
            .unwrap();
        assert!(
            matches!(&read, Err(Error::Unavailable(why)) if why.starts_with("its answer to `get_document` is not of the agreed form: ")),
            "{answer}: {read:?}"
        );
    }
    for error in [
        CallError::Lost("the server ended".to_owned()),
        CallError::NotStarted("x".to_owned()),
        CallError::Tool("cannot reach Odoo at erp.test: x".to_owned()),
    ] {
        let read = Scripted::failing(error.clone())
            .context()
            .get_document(42)
            .await
            .unwrap();
        assert!(matches!(read, Err(Error::Unavailable(_))), "{error}");
    }
    let read = Scripted::failing(CallError::Tool("there is no document 42".to_owned()))
        .context()
        .get_document(42)
        .await;
    assert!(matches!(read.unwrap(), Err(Error::Refused(_))));
}
