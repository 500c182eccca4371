//! What bills and requests become in a real Odoo, with its taxes, roundings, companies and currencies.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use platinum_core::OdooPost;
use platinum_engine::Outcome;
use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Office;

/// What its owner makes in Odoo.
pub(super) struct Owner(pub(super) Arc<OdooServer>);

impl Owner {
    pub(super) fn call(&self, model: &str, method: &str, arguments: &Value) -> Value {
        let answer = self.0.call(OdooUser::Owner, model, method, arguments);
        answer.unwrap_or_else(|refusal| panic!("{model} {method} {arguments}: {refusal}"))
    }

    fn create(&self, model: &str, values: Value) -> u64 {
        let made = self.call(model, "create", &json!({ "vals_list": [values] }));
        made[0].as_u64().unwrap()
    }

    fn write(&self, model: &str, id: u64, values: Value) {
        self.call(model, "write", &json!({ "ids": [id], "vals": values }));
    }

    fn find(&self, model: &str, domain: Value) -> u64 {
        let found = self.call(model, "search", &json!({ "domain": domain, "limit": 1 }));
        found[0].as_u64().unwrap_or_else(|| panic!("no {model}"))
    }

    pub(super) fn company_name(&self) -> String {
        let rows = self.call(
            "res.company",
            "read",
            &json!({ "ids": [1], "fields": ["name"] }),
        );
        rows[0]["name"].as_str().unwrap().to_owned()
    }

    /// A vendor of this test's own, with a VAT number and an account of its own: name, VAT number, account.
    pub(super) fn vendor(&self, values: Value) -> (u64, [String; 3]) {
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

    fn tax(&self, percent: f64, values: Value) -> u64 {
        let mut all = json!({ "name": format!("Tax {}", unique()), "amount": percent, "amount_type": "percent",
            "type_tax_use": "purchase", "company_id": 1 });
        for (key, value) in values.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.create("account.tax", all)
    }
}

fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(100_000);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An office on the Odoo that these tests share; `None` where there is none.
pub(super) async fn office() -> anyhow::Result<Option<(Office, Owner, TempDir)>> {
    if !OdooServer::present()? {
        return Ok(None);
    }
    let odoo = OdooServer::shared()?;
    let vault = tempfile::tempdir()?;
    let office = Office::open(&odoo, vault.path()).await?;
    Ok(Some((office, Owner(odoo), vault)))
}

/// The text of a bill: its head as `Key: value` lines, lines as rows, sums.
pub(super) fn bill(head: &[String], lines: &[&str], sums: &str) -> String {
    let head = head.join("\n");
    let table = "| Item | Quantity | Price | Tax |\n|---|---|---|---|";
    format!("{head}\n\n{table}\n{}\n\n{sums}", lines.join("\n"))
}

/// The head of a bill in dollars from a vendor.
pub(super) fn head(vendor: &[String; 3], company: &str) -> Vec<String> {
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

/// A bill of which only the sums were read is drafted with one line of them, which is said first.
#[tokio::test]
async fn bill_without_lines_is_drafted_with_its_sum() -> anyhow::Result<()> {
    let Some((office, owner, _vault)) = office().await? else {
        return Ok(());
    };
    let (_, vendor) = owner.vendor(json!({}));
    let company = owner.company_name();
    let text = format!(
        "{}\n\nNet: 100.00\nTax: 15.00\nTotal: 115.00\n",
        head(&vendor, &company).join("\n")
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(
        without_iban(&note.doubts),
        ["Its lines were not read: one line of the net sum stands for all of them."]
    );
    assert_eq!(sums(&document), ["100.00", "15.00", "115.00"]);
    Ok(())
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

#[tokio::test]
async fn request_becomes_a_customer_invoice() -> anyhow::Result<()> {
    let Some((office, owner, _vault)) = office().await? else {
        return Ok(());
    };
    let (_, [name, ..]) = owner.vendor(json!({}));
    let text = format!(
        "Please send an invoice.\n\nBuyer: {name}\n\n| Item | Quantity | Price |\n|---|---|---|\n| Work | 3 | 99.99 |\n"
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(document["document"]["kind"], "customer_invoice");
    assert_eq!(sums(&document), ["299.97", "45.00", "344.97"]);
    let doubts = note.doubts.join(" ");
    assert!(
        doubts.contains("No tax is named; the draft has the one that your sales usually have"),
        "{doubts}"
    );
    Ok(())
}

/// Nobody is made, and nobody is taken for somebody else.
#[tokio::test]
async fn bill_of_a_look_alike_ends_in_a_question() -> anyhow::Result<()> {
    let Some((office, owner, vault)) = office().await? else {
        return Ok(());
    };
    let (_, [name, ..]) = owner.vendor(json!({}));
    let alike = format!("SELECT count(*) FROM res_partner WHERE name = '{name}'");
    let count = || owner.0.sql(&alike);
    let before = count()?;
    let stranger = [
        name,
        format!("YY{}", unique()),
        format!("OTHER{}", unique()),
    ];
    let text = bill(
        &head(&stranger, &owner.company_name()),
        &["| a | 1 | 1.00 | 15 % |"],
        "Total: 1.15",
    );
    let words = office.dismissed(&text).await;
    assert!(
        words.starts_with("Unknown vendor: ") && words.contains("has another VAT number"),
        "{words}"
    );
    assert_eq!(count()?, before);
    assert!(!vault.path().join("Pending_Approval").exists());
    let words = office
        .dismissed("Hello, please find our bill attached.")
        .await;
    assert!(
        words.starts_with("No invoice could be read from this: "),
        "{words}"
    );
    Ok(())
}

/// A foreign vendor: its fiscal position decides between taxes of one rate.
#[tokio::test]
async fn bill_of_a_foreign_vendor_has_the_tax_of_its_position() -> anyhow::Result<()> {
    let Some((office, owner, _vault)) = office().await? else {
        return Ok(());
    };
    let position = |name: &str| {
        owner.create(
            "account.fiscal.position",
            json!({ "name": format!("{name} {}", unique()), "company_id": 1 }),
        )
    };
    let (abroad, elsewhere) = (position("Abroad"), position("Elsewhere"));
    let reverse = owner.tax(0.0, json!({ "fiscal_position_ids": [[6, 0, [abroad]]] }));
    owner.tax(0.0, json!({ "fiscal_position_ids": [[6, 0, [elsewhere]]] }));
    owner.tax(
        21.0,
        json!({ "fiscal_position_ids": [[6, 0, [elsewhere]]] }),
    );
    let (_, vendor) = owner.vendor(json!({ "property_account_position_id": abroad }));
    let text = bill(
        &head(&vendor, &owner.company_name()),
        &["| Work | 2 | 50.00 | 0 % |"],
        "Net: 100.00\nTax: 0.00\nTotal: 100.00",
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(without_iban(&note.doubts), Vec::<&str>::new());
    assert_eq!(document["document"]["fiscal_position"]["id"], abroad);
    assert_eq!(document["document"]["lines"][0]["taxes"][0]["id"], reverse);
    // A rate that its position does not have is taken from home, and said.
    let text = bill(
        &head(&vendor, &owner.company_name()),
        &["| Work | 1 | 100.00 | 21 % |"],
        "Total: 121.00",
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(sums(&document)[2], "121.00");
    assert!(
        note.doubts
            .iter()
            .any(|it| it.starts_with("The partner's fiscal position has no tax of 21 %")),
        "{:?}",
        note.doubts
    );
    Ok(())
}

#[tokio::test]
async fn bill_with_prices_that_include_tax_is_not_a_cent_off() -> anyhow::Result<()> {
    let Some((office, owner, _vault)) = office().await? else {
        return Ok(());
    };
    owner.tax(19.0, json!({ "price_include_override": "tax_included" }));
    let (_, vendor) = owner.vendor(json!({}));
    let mut lines = head(&vendor, &owner.company_name());
    lines.push("Prices: with tax".to_owned());
    let text = bill(&lines, &["| Book | 3 | 33.33 | 19 % |"], "Total: 99.99");
    let (note, document) = office.drafted(&text).await;
    assert_eq!(without_iban(&note.doubts), Vec::<&str>::new());
    assert_eq!(sums(&document), ["84.03", "15.96", "99.99"]);
    Ok(())
}

#[tokio::test]
async fn bill_of_three_taxes_has_each_on_its_line() -> anyhow::Result<()> {
    let Some((office, owner, _vault)) = office().await? else {
        return Ok(());
    };
    let (seven, five) = (owner.tax(7.0, json!({})), owner.tax(5.5, json!({})));
    let (_, vendor) = owner.vendor(json!({}));
    let text = bill(
        &head(&vendor, &owner.company_name()),
        &[
            "| a | 1 | 100.00 | 15 % |",
            "| b | 2 | 10.05 | 7 % |",
            "| c | 1 | 0.33 | 5.5 % |",
        ],
        "Net: 120.43\nTax: 16.43\nTotal: 136.86",
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(without_iban(&note.doubts), Vec::<&str>::new());
    let lines = document["document"]["lines"].as_array().unwrap();
    let taxes: Vec<_> = lines
        .iter()
        .map(|line| line["taxes"][0]["id"].as_u64().unwrap())
        .collect();
    assert_eq!(taxes[1..], [seven, five]);
    assert_eq!(sums(&document), ["120.43", "16.43", "136.86"]);
    // A rate that Odoo does not have: the draft is there, and says so first.
    let text = bill(
        &head(&vendor, &owner.company_name()),
        &["| a | 1 | 100.00 | 16 % |"],
        "Total: 116.00",
    );
    let (note, _) = office.drafted(&text).await;
    assert!(
        note.doubts[0].starts_with("The document says a total of 116.00 USD, and Odoo, "),
        "{:?}",
        note.doubts
    );
    assert!(
        note.doubts[0].ends_with("computes 100.00 (-16.00)."),
        "{:?}",
        note.doubts
    );
    Ok(())
}

/// Both ways to round, in one test: they are a setting of the company. And yen, which have no cents.
#[tokio::test]
async fn bill_is_compared_in_the_companys_rounding() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let odoo = Arc::new(OdooServer::start()?);
    let vault = tempfile::tempdir()?;
    let (office, owner) = (Office::open(&odoo, vault.path()).await?, Owner(odoo));
    let (_, vendor) = owner.vendor(json!({}));
    let company = owner.company_name();
    let lines = [
        "| a | 1 | 10.03 | 15 % |",
        "| b | 1 | 10.03 | 15 % |",
        "| c | 1 | 10.03 | 15 % |",
    ];
    // Three times 1.5045: 1.50 each, or 4.5135 in all.
    let global = "Net: 30.09\nTax: 4.51\nTotal: 34.60";
    for (method, sum, words) in [
        ("round_globally", "34.60", None),
        (
            "round_per_line",
            "34.59",
            Some("rounds the tax of each line, computes 34.59 (-0.01)"),
        ),
    ] {
        owner.write(
            "res.company",
            1,
            json!({ "tax_calculation_rounding_method": method }),
        );
        let (note, document) = office
            .drafted(&bill(&head(&vendor, &company), &lines, global))
            .await;
        assert_eq!(sums(&document)[2], sum, "{method}");
        let doubts = without_iban(&note.doubts);
        match words {
            None => assert_eq!(doubts, Vec::<&str>::new(), "{method}"),
            Some(words) => assert!(doubts[0].contains(words), "{method}: {doubts:?}"),
        }
        // Nothing was mended by a line.
        assert_eq!(document["document"]["lines"].as_array().unwrap().len(), 3);
    }
    owner.0.activate_currency("JPY")?;
    let mut lines = head(&vendor, &company);
    lines[3] = "Currency: JPY".to_owned();
    let text = bill(
        &lines,
        &["| a | 3 | 333 | 15 % |"],
        "Net: 999\nTax: 150\nTotal: 1149",
    );
    let (note, document) = office.drafted(&text).await;
    assert_eq!(without_iban(&note.doubts), Vec::<&str>::new());
    assert_eq!(sums(&document)[2], "1149");
    assert_eq!(
        note.action.read::<OdooPost>()?.total.to_string(),
        "JPY 1149"
    );
    Ok(())
}

#[tokio::test]
async fn bill_to_a_second_company_is_in_its_books() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let odoo = Arc::new(OdooServer::start()?);
    let owner = Owner(Arc::clone(&odoo));
    let euro = odoo.activate_currency("EUR")?;
    let second = owner.create(
        "res.company",
        json!({ "name": "Second AG", "currency_id": euro, "vat": "CHE123" }),
    );
    let chart = json!({ "template_code": "generic_coa", "company": second, "install_demo": false });
    owner.call("account.chart.template", "try_loading", &chart);
    let drafter = owner.find("res.users", json!([["login", "=", "platinum-drafter"]]));
    owner.write(
        "res.users",
        drafter,
        json!({ "company_ids": [[4, second]] }),
    );
    let vault = tempfile::tempdir()?;
    let office = Office::open(&odoo, vault.path()).await?;
    let (_, vendor) = owner.vendor(json!({}));
    let mut lines = head(&vendor, "Second");
    lines[3] = "Currency: EUR".to_owned();
    lines.push("Buyer VAT: CHE-123".to_owned());
    let rows = ["| a | 1 | 100.00 | 15 % |"];
    let (note, document) = office.drafted(&bill(&lines, &rows, "Total: 115.00")).await;
    let saved = &document["document"];
    assert_eq!(
        (
            saved["company"]["id"].as_u64(),
            saved["currency"]["code"].as_str()
        ),
        (Some(second), Some("EUR"))
    );
    let doubts = without_iban(&note.doubts);
    assert!(doubts.is_empty(), "{doubts:?}");
    assert_eq!(sums(&document)[2], "115.00");
    // Of two companies, none is chosen.
    lines.truncate(7);
    lines[0] = format!("Number: R-{}", unique());
    let words = office
        .dismissed(&bill(&lines, &rows, "Total: 115.00"))
        .await;
    assert!(
        words.starts_with("It does not say which of your companies it is for ("),
        "{words}"
    );
    Ok(())
}

/// Two agents have the same bill at the same moment: one draft, one note.
#[tokio::test]
async fn bill_that_two_agents_have_at_once_is_one_draft() -> anyhow::Result<()> {
    let Some((first, owner, vault)) = office().await? else {
        return Ok(());
    };
    let second = Office::open(&owner.0, vault.path()).await?;
    let company = owner.company_name();
    for _ in 0..5 {
        let (partner, vendor) = owner.vendor(json!({}));
        let text = bill(
            &head(&vendor, &company),
            &["| a | 1 | 100.00 | 15 % |"],
            "Total: 115.00",
        );
        let outcomes = tokio::join!(first.run(&text), second.run(&text));
        let counted = format!("SELECT count(*) FROM account_move WHERE partner_id = {partner}");
        assert_eq!(owner.0.sql(&counted)?.trim(), "1", "{outcomes:?}");
        for outcome in [&outcomes.0, &outcomes.1] {
            let is_done = matches!(outcome, Outcome::Drafted(_) | Outcome::Dismissed(_));
            assert!(is_done, "{outcome:?}");
        }
        let is_drafted = |outcome: &Outcome| matches!(outcome, Outcome::Drafted(_));
        assert!(
            is_drafted(&outcomes.0) || is_drafted(&outcomes.1),
            "{outcomes:?}"
        );
    }
    Ok(())
}
