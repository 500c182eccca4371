//! Everything against a real Odoo 19, over both of its protocols. Here: what the tests share.

mod drift;
mod kinds;
mod rights;
mod story;

use std::sync::Arc;

use platinum_odoo::ActingService;
use platinum_odoo::post::PostArguments;
use platinum_odoo_client::http::CallLimits;
use platinum_odoo_client::{Call, Config, Connection, Document};
use platinum_odoo_draft::OdooService;
use platinum_odoo_draft::drafting::{DraftAnswer, DraftArguments};
use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A real Odoo, over one protocol.
pub(crate) struct Real {
    raw: Connection,
    acting: ActingService,
    pub(crate) config: Config,
    /// Ends with the last that holds it.
    pub(crate) server: Arc<OdooServer>,
    /// Where its key is.
    _folder: TempDir,
}

/// The ids of what every database with accounting has.
pub(crate) struct Books {
    sales: i64,
    purchases: i64,
    bank: i64,
    general: i64,
    receivable: i64,
    expense: i64,
    /// A customer and vendor of this test's own.
    partner: i64,
}

impl Real {
    /// The owner's, if there is an Odoo here.
    fn open(protocol: &str) -> Option<Self> {
        let is_present = OdooServer::present().unwrap();
        let server = is_present.then(|| OdooServer::shared().unwrap());
        server.map(|server| Self::log_in(server, OdooUser::Owner, protocol))
    }

    /// The owner's of an Odoo that no other test asks: for what is set for a whole company.
    pub(crate) fn open_alone(protocol: &str) -> Option<Self> {
        let is_present = OdooServer::present().unwrap();
        let server = is_present.then(|| Arc::new(OdooServer::start().unwrap()));
        server.map(|server| Self::log_in(server, OdooUser::Owner, protocol))
    }

    /// A user of a server.
    pub(crate) fn log_in(server: Arc<OdooServer>, user: OdooUser, protocol: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let protocol = format!("protocol = '{protocol}'\n");
        let config = server.write_config(folder.path(), &server.url(), user, &protocol);
        let config = Config::load(&config.unwrap()).unwrap();
        Self {
            raw: Connection::new(config.clone(), CallLimits::default()),
            acting: ActingService::new(OdooService::open(config.clone())),
            config,
            server,
            _folder: folder,
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

    pub(crate) async fn books(&self) -> Books {
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

    pub(crate) async fn draft(&self, arguments: &Value) -> DraftAnswer {
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
pub(crate) fn invoice(books: &Books, kind: &str, change: Value) -> Value {
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
