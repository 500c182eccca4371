//! What a bill becomes in a real Odoo.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use platinum_core::OdooPost;
use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Office;

/// What its owner makes in Odoo.
struct Owner(Arc<OdooServer>);

impl Owner {
    fn call(&self, model: &str, method: &str, arguments: &Value) -> Value {
        let answer = self.0.call(OdooUser::Owner, model, method, arguments);
        answer.unwrap_or_else(|refusal| panic!("{model} {method} {arguments}: {refusal}"))
    }

    fn create(&self, model: &str, values: Value) -> u64 {
        let made = self.call(model, "create", &json!({ "vals_list": [values] }));
        made[0].as_u64().unwrap()
    }

    fn company_name(&self) -> String {
        let rows = self.call(
            "res.company",
            "read",
            &json!({ "ids": [1], "fields": ["name"] }),
        );
        rows[0]["name"].as_str().unwrap().to_owned()
    }

    /// A vendor of this test's own, with a VAT number and an account of its own: name, VAT number, account.
    fn vendor(&self, values: Value) -> (u64, [String; 3]) {
        let number = unique();
        let fields = [
            format!("Vendor {number}"),
            format!("XX{number}"),
            format!("ACC{number}"),
        ];
        let [name, vat, account] = &fields;
        let mut all = json!({ "name": name, "is_company": true, "vat": vat });
        for (key, value) in values.as_object().unwrap() {
            all[key] = value.clone();
        }
        let id = self.create("res.partner", all);
        self.create(
            "res.partner.bank",
            json!({ "partner_id": id, "acc_number": account }),
        );
        (id, fields)
    }
}

fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(100_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An office on the Odoo that these tests share; `None` where there is none.
async fn office() -> anyhow::Result<Option<(Office, Owner, TempDir)>> {
    if !OdooServer::present()? {
        return Ok(None);
    }
    let odoo = OdooServer::shared()?;
    let vault = tempfile::tempdir()?;
    let office = Office::open(&odoo, vault.path()).await?;
    Ok(Some((office, Owner(odoo), vault)))
}

/// The text of a bill: its head as `Key: value` lines, lines as rows, sums.
fn bill(head: &[String], lines: &[&str], sums: &str) -> String {
    let head = head.join("\n");
    let table = "| Item | Quantity | Price | Tax |\n|---|---|---|---|";
    format!("{head}\n\n{table}\n{}\n\n{sums}", lines.join("\n"))
}

/// The head of a bill in dollars from a vendor.
fn head(vendor: &[String; 3], company: &str) -> Vec<String> {
    let [name, vat, account] = vendor;
    vec![
        format!("Number: R-{}", unique()),
        "Date: 2026-11-01".to_owned(),
        "Due: 2026-12-01".to_owned(),
        "Currency: USD".to_owned(),
        format!("Seller: {name}"),
        format!("Seller VAT: {vat}"),
        format!("Seller IBAN: {account}"),
        format!("Buyer: {company}"),
    ]
}

/// What is the document's own, and not of its parties: the made-up accounts of these tests are no IBANs.
fn without_iban(doubts: &[String]) -> Vec<&str> {
    let all = doubts.iter().map(String::as_str);
    all.filter(|doubt| !doubt.contains("is no IBAN")).collect()
}

fn sums(document: &Value) -> [&str; 3] {
    ["untaxed", "tax", "total"].map(|sum| document["document"][sum].as_str().unwrap())
}

/// A bill is one draft in Odoo and one note, whose text is the document as Odoo has it.
#[tokio::test]
async fn bill_becomes_one_draft_and_one_note() -> anyhow::Result<()> {
    let Some((office, owner, vault)) = office().await? else {
        return Ok(());
    };
    let (partner, vendor) = owner.vendor(json!({}));
    let company = owner.company_name();
    let text = bill(
        &head(&vendor, &company),
        &["| Paper, A4 | 10 | 10.00 | 15 % |"],
        "Net: 100.00\nTax: 15.00\nTotal: 115.00",
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(without_iban(&note.doubts), Vec::<&str>::new());
    let post: OdooPost = note.action.read()?;
    assert_eq!(
        (
            post.total.to_string().as_str(),
            post.due.unwrap().to_string().as_str()
        ),
        ("USD 115.00", "2026-12-01")
    );
    assert_eq!(post.shown, document["shown"].as_str().unwrap());
    for shown in [vendor[0].as_str(), "Paper, A4", "115.00"] {
        assert!(post.shown.contains(shown), "{shown}: {}", post.shown);
    }
    let saved = &document["document"];
    assert_eq!(
        (saved["state"].as_str(), saved["partner"]["id"].as_u64()),
        (Some("draft"), Some(partner))
    );
    assert_eq!(sums(&document), ["100.00", "15.00", "115.00"]);
    // The same bill in another task: the words say where it is, and nothing is made.
    let words = office.dismissed(&text).await;
    assert!(
        words.starts_with("It is drafted in Odoo already (vendor bill R-"),
        "{words}"
    );
    let drafts = owner.0.sql(&format!(
        "SELECT count(*) FROM account_move WHERE partner_id = {partner}"
    ))?;
    assert_eq!(drafts.trim(), "1");
    assert_eq!(
        std::fs::read_dir(vault.path().join("Pending_Approval"))?.count(),
        1
    );
    // Once it is posted, it is a duplicate all the same.
    owner.call(
        "account.move",
        "action_post",
        &json!({ "ids": [saved["id"]] }),
    );
    let words = office.dismissed(&text).await;
    assert!(words.starts_with("This is in Odoo already"), "{words}");
    Ok(())
}
