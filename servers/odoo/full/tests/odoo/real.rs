//! Everything against a real Odoo 19, over both of its protocols.

use std::sync::Arc;
use std::time::Instant;

use platinum_odoo::payment::PaymentArguments;
use platinum_odoo::post::PostArguments;
use platinum_odoo::{ActingService, Outcome};
use platinum_odoo_client::http::CallLimits;
use platinum_odoo_client::{Call, Config, Connection, Document};
use platinum_odoo_draft::OdooService;
use platinum_odoo_draft::data::DataArguments;
use platinum_odoo_draft::drafting::{DraftAnswer, DraftArguments, DraftOutcome};
use serde_json::{Value, json};

/// A real Odoo, over one protocol.
struct Real {
    raw: Connection,
    acting: ActingService,
}

/// The ids of what every database with accounting has.
struct Books {
    sales: i64,
    purchases: i64,
    bank: i64,
    general: i64,
    receivable: i64,
    expense: i64,
    /// A customer and vendor of this test's own.
    partner: i64,
}

fn config(protocol: &str) -> Option<Config> {
    config_of("admin", "PLATINUM_TEST_ODOO_KEY", protocol)
}

fn config_of(user: &str, key: &str, protocol: &str) -> Option<Config> {
    let variable = |name: &str| std::env::var(name).ok();
    let url = variable("PLATINUM_TEST_ODOO_URL")?;
    let database = variable("PLATINUM_TEST_ODOO_DATABASE")?;
    let text = format!(
        "[odoo]\nurl = '{url}'\ndatabase = '{database}'\nuser = '{user}'\nprotocol = '{protocol}'\n\
         key = {{ env = '{key}' }}\n"
    );
    Some(Config::parse(&text, std::path::Path::new("/")).unwrap())
}

impl Real {
    fn open(protocol: &str) -> Option<Self> {
        Some(Self::over(config(protocol)?))
    }

    fn over(config: Config) -> Self {
        Self {
            raw: Connection::new(config.clone(), CallLimits::default()),
            acting: ActingService::new(OdooService::open(config)),
        }
    }

    async fn create(&self, model: &'static str, values: Value) -> i64 {
        let call = Call::new(model, "create").with("vals_list", json!([values]));
        self.raw.call(&call).await.unwrap()[0].as_i64().unwrap()
    }

    async fn write(&self, model: &'static str, id: i64, values: Value) {
        let call = Call::new(model, "write").on(&[id]).with("vals", values);
        self.raw.call(&call).await.unwrap();
    }

    async fn find(&self, model: &'static str, domain: Value) -> i64 {
        let rows = self
            .raw
            .search_read(model, domain, &["id".to_owned()], "id asc", 1)
            .await
            .unwrap();
        rows.first().unwrap_or_else(|| panic!("no {model}"))["id"]
            .as_i64()
            .unwrap()
    }

    async fn books(&self) -> Books {
        let journal = |kind: &'static str| {
            self.find(
                "account.journal",
                json!([["type", "=", kind], ["company_id", "=", 1]]),
            )
        };
        let account =
            |kind: &'static str| self.find("account.account", json!([["account_type", "=", kind]]));
        Books {
            sales: journal("sale").await,
            purchases: journal("purchase").await,
            bank: journal("bank").await,
            general: journal("general").await,
            receivable: account("asset_receivable").await,
            expense: account("expense").await,
            partner: self
                .create(
                    "res.partner",
                    json!({"name": unique("Partner"), "is_company": true}),
                )
                .await,
        }
    }

    async fn tax(&self, use_of: &str, percent: f64, values: Value) -> i64 {
        let mut all = json!({"name": unique("Tax"), "amount": percent, "amount_type": "percent", "type_tax_use": use_of, "company_id": 1});
        for (name, value) in values.as_object().unwrap() {
            all[name] = value.clone();
        }
        self.create("account.tax", all).await
    }

    async fn draft(&self, arguments: &Value) -> DraftAnswer {
        let arguments: DraftArguments = serde_json::from_value(arguments.clone()).unwrap();
        self.acting.as_ref().create_draft(&arguments).await.unwrap()
    }

    async fn document(&self, id: i64) -> Document {
        self.acting.as_ref().read_document(id).await.unwrap()
    }
}

/// A name that no other test has.
fn unique(what: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_micros();
    format!("{what}-{now}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An invoice or bill of one line in dollars.
fn invoice(books: &Books, kind: &str, change: Value) -> Value {
    let journal = if kind.starts_with("vendor") {
        books.purchases
    } else {
        books.sales
    };
    let mut arguments = json!({"operation": unique("op"), "kind": kind, "company": 1, "journal": journal, "currency": "USD",
        "partner": books.partner, "date": "2026-11-20", "due_date": "2026-12-04",
        "lines": [{"name": "Work", "quantity": "3", "unit_price": "99.99", "taxes": []}]});
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    arguments
}

fn approved(document: &Document) -> PostArguments {
    // On its way through JSON, as it comes from the owner's machine.
    serde_json::from_value(json!({"approved": document})).unwrap()
}

/// From the draft to the payment, over both protocols.
#[tokio::test]
#[ignore = "needs a real Odoo"]
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
        // 180.23 + 33.33 = 213.56; taxes 34.24 + 6.33, of what is not rounded yet.
        assert_eq!(
            [draft.untaxed, draft.tax, draft.total].map(|sum| sum.to_string()),
            ["213.56", "40.57", "254.13"]
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
        assert_eq!(paid.document.unwrap().residual.to_string(), "54.13");
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
            .record_payment(&pay("54.14", &second))
            .await
            .unwrap();
        assert_eq!(
            more.answer,
            format!(
                "only 54.13 USD of customer invoice {number} are open, and 54.14 were approved"
            )
        );
        let rest = odoo
            .acting
            .record_payment(&pay("54.13", &second))
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

/// Taxes in the price, three at once, rounding of the sum, a currency without cents, a foreign partner.
#[tokio::test]
#[ignore = "needs a real Odoo"]
async fn drafts_of_every_kind_are_what_was_asked_for() {
    let Some(odoo) = Real::open("auto") else {
        return;
    };
    let books = odoo.books().await;
    let included = odoo
        .tax(
            "purchase",
            19.0,
            json!({"price_include_override": "tax_included"}),
        )
        .await;
    let on_top = odoo.tax("purchase", 7.0, json!({})).await;
    let base = odoo
        .tax(
            "purchase",
            5.5,
            json!({"include_base_amount": true, "sequence": 0}),
        )
        .await;
    let withheld = odoo.tax("purchase", -15.0, json!({})).await;
    let fixed = odoo
        .tax("purchase", 0.35, json!({"amount_type": "fixed"}))
        .await;
    let abroad = odoo
        .create(
            "account.fiscal.position",
            json!({"name": unique("Abroad"), "company_id": 1}),
        )
        .await;
    let yen = odoo
        .raw
        .search_read(
            "res.currency",
            json!([["name", "=", "JPY"], ["active", "in", [true, false]]]),
            &["id".to_owned()],
            "id asc",
            1,
        )
        .await
        .unwrap();
    odoo.write(
        "res.currency",
        yen[0]["id"].as_i64().unwrap(),
        json!({"active": true}),
    )
    .await;
    let term = odoo.find("account.payment.term", json!([])).await;
    let line = |quantity: &str, price: &str, taxes: Value| json!({"name": "Item", "quantity": quantity, "unit_price": price, "taxes": taxes});
    let prices = [("3", "99.99"), ("7", "0.33"), ("1", "1234.57")];
    let lines = |taxes: Value| -> Value {
        prices
            .iter()
            .map(|(quantity, price)| line(quantity, price, taxes.clone()))
            .collect()
    };
    let bill = |change: Value| invoice(&books, "vendor_bill", change);
    for (what, asked) in [
        ("included", bill(json!({"lines": lines(json!([included]))}))),
        (
            "three taxes",
            bill(json!({"lines": lines(json!([base, on_top, withheld]))})),
        ),
        (
            "fixed",
            bill(json!({"lines": lines(json!([fixed, on_top]))})),
        ),
        (
            "included and on top",
            bill(json!({"lines": lines(json!([included, on_top]))})),
        ),
        (
            "yen",
            bill(
                json!({"currency": "JPY", "lines": [line("3", "3333", json!([on_top])), line("1.5", "101", json!([on_top]))]}),
            ),
        ),
        (
            "abroad",
            bill(json!({"fiscal_position": abroad, "reference": unique("R")})),
        ),
        ("payment term", {
            let mut asked = bill(json!({"payment_term": term}));
            asked.as_object_mut().unwrap().remove("due_date");
            asked
        }),
        (
            "account",
            bill(
                json!({"lines": [{"name": "x", "quantity": "1", "unit_price": "5", "taxes": [], "account": books.expense}]}),
            ),
        ),
        (
            "vendor credit note",
            invoice(
                &books,
                "vendor_credit_note",
                json!({"lines": lines(json!([on_top]))}),
            ),
        ),
        (
            "customer credit note",
            invoice(&books, "customer_credit_note", json!({})),
        ),
        (
            "negative line",
            bill(
                json!({"lines": [line("2", "10", json!([on_top])), line("-1", "5", json!([on_top]))]}),
            ),
        ),
        (
            "four digits",
            bill(json!({"lines": [line("1000", "0.0123", json!([on_top]))]})),
        ),
    ] {
        for method in ["round_per_line", "round_globally"] {
            odoo.write(
                "res.company",
                1,
                json!({"tax_calculation_rounding_method": method}),
            )
            .await;
            let mut asked = asked.clone();
            asked["operation"] = json!(unique("op"));
            let asked: DraftArguments = serde_json::from_value(asked).unwrap();
            let drafted = odoo.acting.as_ref().create_draft(&asked).await;
            let drafted = drafted.unwrap_or_else(|error| panic!("{what}, {method}: {error}"));
            assert_eq!(drafted.differences, [""; 0], "{what}, {method}");
            let posted = odoo
                .acting
                .post(&approved(&drafted.document))
                .await
                .unwrap();
            assert_eq!(
                posted.outcome,
                Outcome::Done,
                "{what}, {method}: {}",
                posted.answer
            );
            assert!(
                posted.answer.ends_with(" is posted"),
                "{what}, {method}: {}",
                posted.answer
            );
        }
    }
    odoo.write(
        "res.company",
        1,
        json!({"tax_calculation_rounding_method": "round_per_line"}),
    )
    .await;
    let entry = json!({"operation": unique("op"), "kind": "journal_entry", "company": 1, "journal": books.general, "currency": "USD",
        "date": "2026-11-20", "reference": "Rent", "items": [
            {"name": "Rent", "account": books.expense, "debit": "0.10"},
            {"name": "Rent", "account": books.expense, "debit": "0.20"},
            {"name": "Owed", "account": books.receivable, "credit": "0.30", "partner": books.partner}]});
    let drafted = odoo.draft(&entry).await;
    assert_eq!(drafted.document.items.len(), 3);
    let posted = odoo
        .acting
        .post(&approved(&drafted.document))
        .await
        .unwrap();
    assert_eq!(posted.outcome, Outcome::Done, "{}", posted.answer);
}

/// What a draft may be made to say, or to bring about, between approval and posting, written past its form.
#[tokio::test]
#[ignore = "needs a real Odoo"]
async fn no_changed_draft_is_posted() {
    let Some(odoo) = Real::open("auto") else {
        return;
    };
    let books = odoo.books().await;
    let other = odoo
        .create("res.partner", json!({"name": unique("Other")}))
        .await;
    for (values, text) in [
        (json!({"partner_id": other}), "partner id was"),
        (json!({"ref": "x"}), "reference was nothing, and is x"),
        (
            json!({"invoice_date_due": "2027-01-01"}),
            "due_date was 2026-12-04, and is 2027-01-01",
        ),
        (
            json!({"auto_post": "at_date"}),
            "consequences auto_post was no, and is at_date",
        ),
        (
            json!({"sending_data": {"author_user_id": 2}}),
            "consequences will_be_sent was false, and is true",
        ),
        (
            json!({"amount_total": 1.0}),
            "total was 299.97, and is 1.00",
        ),
        (json!({"narration": "x"}), "narration was nothing, and is"),
        (
            json!({"message_partner_ids": [[4, other, 0]]}),
            "consequences followers",
        ),
    ] {
        let drafted = odoo
            .draft(&invoice(&books, "customer_invoice", json!({})))
            .await
            .document;
        odoo.write("account.move", drafted.id, values.clone()).await;
        let answer = odoo.acting.post(&approved(&drafted)).await.unwrap();
        assert_eq!(
            (answer.outcome, answer.differs),
            (Outcome::NotDone, true),
            "{values}: {}",
            answer.answer
        );
        assert!(answer.answer.contains(text), "{values}: {}", answer.answer);
        assert!(odoo.document(drafted.id).await.is_draft());
    }
    // The lines, past the document.
    for (values, text) in [
        (json!({"price_unit": 1.0}), "unit_price was 99.99, and is 1"),
        (
            json!({"name": "Other work"}),
            "name was Work, and is Other work",
        ),
        (
            json!({"price_subtotal": 1.0}),
            "subtotal was 299.97, and is 1.00",
        ),
    ] {
        let drafted = odoo
            .draft(&invoice(&books, "customer_invoice", json!({})))
            .await
            .document;
        let line = odoo
            .find(
                "account.move.line",
                json!([
                    ["move_id", "=", drafted.id],
                    ["display_type", "=", "product"]
                ]),
            )
            .await;
        odoo.write("account.move.line", line, values.clone()).await;
        let answer = odoo.acting.post(&approved(&drafted)).await.unwrap();
        assert!(
            answer.differs && answer.answer.contains(text),
            "{values}: {}",
            answer.answer
        );
    }
    // A total that lies is refused although it was approved.
    let drafted = odoo
        .draft(&invoice(&books, "customer_invoice", json!({})))
        .await
        .document;
    odoo.write("account.move", drafted.id, json!({"amount_total": 1.0}))
        .await;
    let lying = odoo.document(drafted.id).await;
    let answer = odoo.acting.post(&approved(&lying)).await.unwrap();
    assert!(answer.answer.contains("does not show what it books: the total by its lines and taxes is shown as 1.00, and is 299.97"), "{}", answer.answer);
}

/// Agents that ask at the same moment: each gets a draft of its operation, and one of them is posted.
#[tokio::test]
#[ignore = "needs a real Odoo"]
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
            agent
                .acting
                .as_ref()
                .create_draft(&asked)
                .await
                .unwrap()
                .document
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

/// Rows by typed filters, as the drafting skill asks for them.
#[tokio::test]
#[ignore = "needs a real Odoo"]
async fn data_is_read_by_typed_filters() {
    for protocol in ["auto", "json-rpc"] {
        let Some(odoo) = Real::open(protocol) else {
            return;
        };
        let partner = unique("50%_off\\");
        let id = odoo
            .create(
                "res.partner",
                json!({"name": partner, "vat": "DE136695976", "is_company": true}),
            )
            .await;
        let get = async |arguments: Value| {
            let arguments: DataArguments = serde_json::from_value(arguments).unwrap();
            odoo.acting.as_ref().get_data(&arguments).await
        };
        let found = get(json!({"model": "partner", "fields": ["name", "vat", "commercial_partner_id", "email", "is_company"],
            "filters": [{"field": "name", "comparison": "contains", "value": partner}]})).await.unwrap();
        assert_eq!(
            json!(found.records),
            json!([{"id": id, "name": partner, "vat": "DE136695976", "email": null, "is_company": true,
                "commercial_partner_id": {"id": id, "name": partner}}])
        );
        // Every model with all its fields.
        for model in [
            "partner",
            "bank_account",
            "company",
            "currency",
            "journal",
            "account",
            "tax",
            "fiscal_position",
            "payment_term",
            "product",
            "document",
            "document_line",
        ] {
            let found = get(json!({"model": model, "limit": 2, "descending": true})).await;
            let found = found.unwrap_or_else(|error| panic!("{model}: {error}"));
            assert!(
                found.records.iter().all(|record| record["id"].is_i64()),
                "{model}"
            );
        }
        let refused = get(json!({"model": "account", "fields": ["internal_type"]}))
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Odoo refused: this Odoo (19.0) shows this user no field internal_type of account.account"
        );
        let none = odoo
            .acting
            .as_ref()
            .read_document(999_999_999)
            .await
            .unwrap_err();
        assert!(
            none.to_string()
                .starts_with("there is no document 999999999"),
            "{none}"
        );
    }
}

#[tokio::test]
#[ignore = "needs a real Odoo"]
async fn refusals_of_a_real_odoo_are_short() {
    for protocol in ["auto", "json-rpc"] {
        let Some(odoo) = Real::open(protocol) else {
            return;
        };
        let books = odoo.books().await;
        for (change, text) in [
            (json!({"partner": 99_999_999}), "Odoo"),
            (json!({"journal": books.bank}), "Odoo refused: "),
            (
                json!({"currency": "XTS"}),
                "`currency` XTS is not active in this Odoo",
            ),
        ] {
            let asked: DraftArguments =
                serde_json::from_value(invoice(&books, "customer_invoice", change.clone()))
                    .unwrap();
            let refused = odoo
                .acting
                .as_ref()
                .create_draft(&asked)
                .await
                .unwrap_err()
                .to_string();
            eprintln!("{protocol} {change}: {refused}");
            assert!(
                refused.starts_with(text) && refused.len() < 500 && !refused.contains("Traceback"),
                "{refused}"
            );
            let left = odoo
                .acting
                .as_ref()
                .find_documents(&asked.operation, asked.kind)
                .await
                .unwrap();
            assert_eq!(left, []);
        }
    }
    let mut config = config("auto").unwrap();
    config.key = platinum_kit::Secret::Env("PATH".to_owned());
    let refused = Connection::new(config, CallLimits::default())
        .fields("account.move")
        .await
        .unwrap_err();
    assert!(
        refused.to_string().starts_with("Odoo refuses the login: "),
        "{refused}"
    );
}

/// The user of the addon: it drafts every kind, and what acts is refused with the reason.
#[tokio::test]
#[ignore = "needs a real Odoo with a user that can only draft"]
async fn drafter_drafts_and_cannot_act() {
    let Some(owner) = Real::open("auto") else {
        return;
    };
    let books = owner.books().await;
    for protocol in ["auto", "json-rpc"] {
        let config = config_of(
            "platinum-drafter",
            "PLATINUM_TEST_ODOO_DRAFTER_KEY",
            protocol,
        );
        let drafter = Real::over(config.unwrap());
        let tax = owner.tax("purchase", 19.0, json!({})).await;
        let lines =
            json!([{"name": "Paper", "quantity": "2", "unit_price": "10.50", "taxes": [tax]}]);
        for kind in [
            "customer_invoice",
            "customer_credit_note",
            "vendor_credit_note",
        ] {
            let drafted = drafter.draft(&invoice(&books, kind, json!({}))).await;
            assert_eq!(drafted.outcome, DraftOutcome::Created, "{kind}");
        }
        let entry = json!({"operation": unique("op"), "kind": "journal_entry", "company": 1, "journal": books.general,
            "currency": "USD", "date": "2026-11-20", "items": [
                {"name": "Rent", "account": books.expense, "debit": "1"},
                {"name": "Owed", "account": books.receivable, "credit": "1", "partner": books.partner}]});
        assert_eq!(drafter.draft(&entry).await.outcome, DraftOutcome::Created);
        let asked = invoice(
            &books,
            "vendor_bill",
            json!({"lines": lines, "reference": unique("R")}),
        );
        let draft = drafter.draft(&asked).await.document;
        let refused = drafter.acting.post(&approved(&draft)).await.unwrap();
        assert_eq!(
            (refused.outcome, refused.retry),
            (Outcome::NotDone, false),
            "{}",
            refused.answer
        );
        assert!(
            refused.answer.starts_with("the Odoo user lacks a right: "),
            "{}",
            refused.answer
        );
        assert!(owner.document(draft.id).await.is_draft());
        // The owner's server posts it, and what was asked for is found by the drafter after that.
        let seen = owner.document(draft.id).await;
        let posted = owner.acting.post(&approved(&seen)).await.unwrap();
        assert_eq!(posted.outcome, Outcome::Done, "{}", posted.answer);
        let again = drafter.draft(&asked).await;
        assert_eq!(
            (again.outcome, again.document.id, again.differences.len()),
            (DraftOutcome::Existing, draft.id, 0)
        );
        let pay: PaymentArguments = serde_json::from_value(json!({"operation": unique("pay"), "document": draft.id,
            "partner": books.partner, "amount": "1", "currency": "USD", "date": "2026-11-25", "journal": books.bank}))
        .unwrap();
        let refused = drafter.acting.record_payment(&pay).await.unwrap();
        assert_eq!(refused.outcome, Outcome::NotDone, "{}", refused.answer);
        assert!(
            refused.answer.starts_with("the Odoo user lacks a right: "),
            "{}",
            refused.answer
        );
        eprintln!("{protocol}: {}", refused.answer);
    }
}
