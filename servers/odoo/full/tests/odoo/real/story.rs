//! From the draft to the payment; two companies; agents at once.

use std::sync::Arc;
use std::time::Instant;

use platinum_odoo::Outcome;
use platinum_odoo::payment::PaymentArguments;
use platinum_odoo_client::Call;
use platinum_odoo_draft::drafting::{DraftArguments, DraftOutcome};
use serde_json::json;

use super::{Real, approved, invoice, unique};

/// From the draft to the payment, over both protocols.
#[tokio::test]
async fn invoice_is_drafted_posted_and_paid() {
    for protocol in ["auto", "json-rpc"] {
        let Some(odoo) = Real::open(protocol) else {
            return;
        };
        let books = odoo.books().await;
        let tax = odoo.tax("sale", 19.0, json!({})).await;
        let asked = invoice(
            &books,
            "customer_invoice",
            json!({"reference": "Order 7", "lines": [
            {"name": "Work\nin November", "quantity": "2.5", "unit_price": "80.10", "taxes": [tax], "discount": "10"},
            {"name": "Travel", "quantity": "1", "unit_price": "33.33", "taxes": [tax]}]}),
        );
        let began = Instant::now();
        let drafted = odoo.draft(&asked).await;
        eprintln!(
            "{protocol}: create_draft took {} ms",
            began.elapsed().as_millis()
        );
        assert_eq!(drafted.outcome, DraftOutcome::Created);
        let draft = drafted.document;
        // 180.23 + 33.33 = 213.56; a new company rounds the taxes of the whole document, 19 % of 213.555.
        assert_eq!(
            [draft.untaxed, draft.tax, draft.total].map(|sum| sum.to_string()),
            ["213.56", "40.58", "254.14"]
        );
        assert_eq!(
            (draft.state.as_str(), draft.number.as_deref()),
            ("draft", None)
        );
        let again = odoo.draft(&asked).await;
        assert_eq!(
            (again.outcome, &again.document, again.differences.len()),
            (DraftOutcome::Existing, &draft, 0)
        );

        let posted = odoo.acting.post(&approved(&draft)).await.unwrap();
        assert_eq!(posted.outcome, Outcome::Done, "{}", posted.answer);
        let number = posted.document.unwrap().number.unwrap();
        assert_eq!(
            posted.answer,
            format!("customer invoice {number} is posted")
        );
        let again = odoo.acting.post(&approved(&draft)).await.unwrap();
        assert_eq!(
            again.answer,
            format!("customer invoice {number} was posted before")
        );

        let pay = |amount: &str, operation: &str| -> PaymentArguments {
            serde_json::from_value(
                json!({"operation": operation, "document": draft.id, "partner": books.partner,
                "amount": amount, "currency": "USD", "date": "2026-11-25", "journal": books.bank}),
            )
            .unwrap()
        };
        let (first, second) = (unique("pay"), unique("pay"));
        let paid = odoo
            .acting
            .record_payment(&pay("200", &first))
            .await
            .unwrap();
        assert_eq!(paid.outcome, Outcome::Done, "{}", paid.answer);
        assert_eq!(paid.payment.unwrap().memo, format!("{number} {first}"));
        assert_eq!(paid.document.unwrap().residual.to_string(), "54.14");
        let again = odoo
            .acting
            .record_payment(&pay("200", &first))
            .await
            .unwrap();
        assert!(
            again.answer.ends_with(" was recorded before"),
            "{}",
            again.answer
        );
        let more = odoo
            .acting
            .record_payment(&pay("54.15", &second))
            .await
            .unwrap();
        assert_eq!(
            more.answer,
            format!(
                "only 54.14 USD of customer invoice {number} are open, and 54.15 were approved"
            )
        );
        let rest = odoo
            .acting
            .record_payment(&pay("54.14", &second))
            .await
            .unwrap();
        assert_eq!(
            rest.document.unwrap().payment_state.as_deref(),
            Some("paid"),
            "{}",
            rest.answer
        );
        let third = odoo
            .acting
            .record_payment(&pay("1", &unique("pay")))
            .await
            .unwrap();
        assert_eq!(third.outcome, Outcome::NotDone);
        assert!(
            third
                .answer
                .starts_with(&format!("nothing of customer invoice {number} is open")),
            "{}",
            third.answer
        );
    }
}

/// A bill in dollars in the books of a second company, which has euros.
#[tokio::test]
async fn bill_of_a_second_company_is_posted_and_paid() {
    let Some(odoo) = Real::open("auto") else {
        return;
    };
    let partner = odoo.books().await.partner;
    let euro = odoo.server.activate_currency("EUR").unwrap();
    let company = odoo
        .create(
            "res.company",
            json!({"name": unique("Second"), "currency_id": euro}),
        )
        .await;
    let chart = Call::new("account.chart.template", "try_loading")
        .with("template_code", "generic_coa")
        .with("company", company)
        .with("install_demo", false);
    odoo.raw.call(&chart).await.unwrap();
    let journal = async |kind: &str| {
        odoo.find(
            "account.journal",
            json!([["type", "=", kind], ["company_id", "=", company]]),
        )
        .await
    };
    let (purchases, bank) = (journal("purchase").await, journal("bank").await);
    let asked = json!({"operation": unique("op"), "kind": "vendor_bill", "company": company, "journal": purchases, "currency": "USD",
        "partner": partner, "date": "2026-11-20", "due_date": "2026-12-04", "reference": unique("R"),
        "lines": [{"name": "Work", "quantity": "3", "unit_price": "99.99", "taxes": []}]});
    // A journal of the first company is not taken for it.
    let mut wrong = asked.clone();
    wrong["journal"] = json!(odoo.books().await.purchases);
    wrong["operation"] = json!(unique("op"));
    let wrong: DraftArguments = serde_json::from_value(wrong).unwrap();
    let refused = odoo
        .acting
        .as_ref()
        .create_draft(&wrong)
        .await
        .unwrap_err()
        .to_string();
    eprintln!("{refused}");
    assert!(refused.len() < 600, "{refused}");
    let draft = odoo.draft(&asked).await.document;
    assert_eq!(
        (draft.company.id, draft.currency.code.as_str()),
        (company, "USD")
    );
    let posted = odoo.acting.post(&approved(&draft)).await.unwrap();
    assert_eq!(posted.outcome, Outcome::Done, "{}", posted.answer);
    let pay: PaymentArguments = serde_json::from_value(
        json!({"operation": unique("pay"), "document": draft.id, "partner": partner,
        "amount": "299.97", "currency": "USD", "date": "2026-11-25", "journal": bank}),
    )
    .unwrap();
    let paid = odoo.acting.record_payment(&pay).await.unwrap();
    assert_eq!(paid.outcome, Outcome::Done, "{}", paid.answer);
    assert_eq!(
        paid.document.unwrap().payment_state.as_deref(),
        Some("paid")
    );
}

/// Agents that ask at the same moment: each gets a draft of its operation, and one of them is posted.
#[tokio::test]
async fn agents_at_once_have_one_document_posted() {
    let Some(odoo) = Real::open("auto") else {
        return;
    };
    let books = odoo.books().await;
    let asked: DraftArguments = serde_json::from_value(invoice(
        &books,
        "vendor_bill",
        json!({"reference": unique("R")}),
    ))
    .unwrap();
    let asked = Arc::new(asked);
    let agents = (0..4).map(|_| {
        let (agent, asked) = (Real::open("auto").unwrap(), Arc::clone(&asked));
        tokio::spawn(async move {
            let drafted = agent.acting.as_ref().create_draft(&asked).await;
            // The file of its key goes with it.
            drop(agent);
            drafted.unwrap().document
        })
    });
    let mut documents = vec![];
    for agent in agents.collect::<Vec<_>>() {
        documents.push(agent.await.unwrap());
    }
    let mut posted = 0;
    for document in &documents {
        let answer = odoo.acting.post(&approved(document)).await.unwrap();
        posted +=
            usize::from(answer.outcome == Outcome::Done && answer.answer.ends_with("is posted"));
    }
    let all = odoo
        .acting
        .as_ref()
        .find_documents(&asked.operation, asked.kind)
        .await
        .unwrap();
    assert_eq!(posted, 1, "{all:?}");
    eprintln!("{} agents saved {} drafts", documents.len(), all.len());
}
