//! Payments that a note asks to record: proposed of a posted document of a real Odoo, or the reason in words; nothing is
//! recorded by proposing.

use platinum_core::OdooPayment;
use platinum_engine::Outcome;
use serde_json::{Value, json};

use super::{
    Office,
    cases::{Owner, bill, head, office},
};

/// A drafted bill of 115.00 dollars; its number in Odoo's database, and the vendor's own.
async fn drafted(office: &Office, owner: &Owner) -> (u64, String) {
    let (_, vendor) = owner.vendor(json!({}));
    let head = head(&vendor, &owner.company_name());
    let number = head[0].replace("Number: ", "");
    let text = bill(&head, &["| a | 1 | 100.00 | 15 % |"], "Total: 115.00");
    let (_, document) = office.drafted(&text).await;
    (document["document"]["id"].as_u64().unwrap(), number)
}

fn post(owner: &Owner, id: u64) -> String {
    owner.call("account.move", "action_post", &json!({ "ids": [id] }));
    let fields = json!({ "ids": [id], "fields": ["name"] });
    let rows: Value = owner.call("account.move", "read", &fields);
    rows[0]["name"].as_str().unwrap().to_owned()
}

/// The note of a person who saw a payment.
fn note(number: &str, amount: &str, rest: &str) -> String {
    format!("Payment: {number}\nAmount: {amount}\nDate: 2026-11-20\n{rest}")
}

/// By the vendor's number and by Odoo's, with a journal and with the only bank.
#[tokio::test]
async fn payment_of_a_posted_bill_is_proposed_as_odoo_shows_it() -> anyhow::Result<()> {
    let Some((office, owner, _vault)) = office().await? else {
        return Ok(());
    };
    let (id, of_vendor) = drafted(&office, &owner).await;
    let of_odoo = post(&owner, id);
    for (text, amount, doubts) in [
        (
            note(&of_vendor, "115.00 USD", "Journal: BNK1\n"),
            "115.00",
            vec![],
        ),
        (
            note(&of_odoo, "15.00 USD", ""),
            "15.00",
            vec!["115.00 USD are open, and the payment is 15.00.".to_owned()],
        ),
    ] {
        let outcome = office.run(&text).await;
        let Outcome::Drafted(draft) = outcome else {
            panic!("{outcome:?} of:\n{text}");
        };
        let draft = office.note(&draft);
        let payment: OdooPayment = draft.action.read()?;
        assert_eq!(
            (
                payment.invoice,
                payment.amount.to_string(),
                payment.journal.as_str()
            ),
            (id, format!("USD {amount}"), "BNK1")
        );
        assert_eq!(draft.doubts, doubts);
        let asked = json!({ "document": id, "amount": amount, "currency": "USD", "date": "2026-11-20",
            "journal": "BNK1" });
        let shown = office.session.call("preview_payment", asked).await?;
        assert_eq!(payment.shown, shown["shown"].as_str().unwrap());
        println!("{}", draft.render());
    }
    let memo = format!("select count(*) from account_payment where memo like '%{of_odoo}%'");
    assert_eq!(owner.0.sql(&memo)?, "0");
    Ok(())
}

#[tokio::test]
async fn payment_that_cannot_be_recorded_ends_in_words() -> anyhow::Result<()> {
    let Some((office, owner, vault)) = office().await? else {
        return Ok(());
    };
    let (id, number) = drafted(&office, &owner).await;
    let pending = vault.path().join("Pending_Approval");
    let proposed = || std::fs::read_dir(&pending).unwrap().count();
    let before = proposed();
    let words = office.dismissed(&note(&number, "115.00 USD", "")).await;
    let start =
        format!("vendor bill {number} is not posted yet, and only what is posted is paid: ");
    assert!(words.starts_with(&start), "{words}");
    let name = post(&owner, id);
    let again = "then move the task back to Needs_Action/accounting.";
    let refused =
        |why: String| format!("The payment is not proposed: {why}. Mend the task, {again}");
    for (text, expected) in [
        (
            note("NO/SUCH/1", "115.00 USD", ""),
            format!(
                "Odoo has no invoice and no bill with the number NO/SUCH/1: write the number as Odoo shows it, {again}"
            ),
        ),
        (
            note(&number, "200.00 USD", ""),
            refused(format!(
                "it cannot be paid so: only 115.00 USD of vendor bill {name} are open, and 200.00 were approved"
            )),
        ),
        (
            note(&number, "115.00 EUR", ""),
            refused(format!(
                "it cannot be paid so: vendor bill {name} is in USD, and EUR was approved"
            )),
        ),
    ] {
        assert_eq!(office.dismissed(&text).await, expected);
    }
    let words = office
        .dismissed(&note(&number, "115.00 USD", "Journal: TILL9\n"))
        .await;
    let start = "There is no bank or cash journal TILL9: write `Journal: …` with one of BNK1";
    assert!(words.starts_with(start), "{words}");

    // Paid in Odoo meanwhile.
    let context = json!({ "active_model": "account.move", "active_ids": [id] });
    let form = json!({ "vals_list": [{ "payment_date": "2026-11-20" }], "context": context });
    let form = owner.call("account.payment.register", "create", &form);
    let pay = json!({ "ids": form, "context": context });
    owner.call("account.payment.register", "action_create_payments", &pay);
    let words = office.dismissed(&note(&number, "115.00 USD", "")).await;
    let why = format!(
        "it cannot be paid so: nothing of vendor bill {name} is open: its state of payment is paid"
    );
    assert_eq!(words, refused(why));
    assert_eq!(proposed(), before);
    Ok(())
}
