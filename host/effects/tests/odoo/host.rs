//! [`Machine`]: the owner's machine, with a vault, a journal and the program that acts, over a proxy before Odoo.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use platinum_core::{
    Action, Currency, DraftId, Money, OdooPayment, OdooPost, Role, SystemClock, TaskId, Timestamp,
    layout,
};
use platinum_effects::{
    Effect, EffectError, Executor, NoFence,
    approvals::{ApprovalPolicy, Approvals, Outgoing, act},
    email::MailAccounts,
    odoo::{McpOdooServer, PostDocument, RecordPayment},
};
use platinum_journal::{Journal, Receipt};
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_testkit::{
    http_proxy::{Fate, HttpProxy},
    odoo::{OdooServer, OdooUser},
};
use platinum_vault::{
    Vault,
    note::{DraftNote, Note},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The tools of the program that acts.
const TOOLS: [&str; 6] = [
    "get_document",
    "preview_payment",
    "create_draft",
    "post_invoice",
    "record_payment",
    "find_payment",
];

/// The ids of what a document needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) sales: i64,
    pub(crate) partner: i64,
    pub(crate) other: i64,
}

pub(crate) struct Machine {
    pub(crate) odoo: Arc<OdooServer>,
    pub(crate) proxy: HttpProxy,
    pub(crate) ids: Ids,
    folder: TempDir,
    config: PathBuf,
    pub(crate) vault: Vault,
    session: Session,
    pub(crate) executor: Arc<Executor>,
}

/// A name that no other test has.
pub(crate) fn unique(what: &str) -> String {
    format!("{what}-{}", &DraftId::generate().to_string()[20..])
}

impl Machine {
    /// A machine before the Odoo of all tests, if there is one here.
    pub(crate) fn open(protocol: &str) -> Option<Self> {
        let is_present = OdooServer::present().unwrap();
        is_present.then(|| Self::before(OdooServer::shared().unwrap(), OdooUser::Owner, protocol))
    }

    pub(crate) fn before(odoo: Arc<OdooServer>, user: OdooUser, protocol: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vault")).unwrap();
        let vault = Vault::open(&folder.path().join("vault")).unwrap();
        let proxy = HttpProxy::start(&odoo.url()).unwrap();
        let config = odoo.configure_through(&proxy.url(), folder.path(), user, protocol);
        let config = config.unwrap();
        let partner = |name: &str| {
            let made = json!({"vals_list": [{"name": unique(name), "is_company": true}]});
            let made = odoo.call(OdooUser::Owner, "res.partner", "create", &made);
            made.unwrap()[0].as_i64().unwrap()
        };
        let ids = Ids {
            sales: journal(&odoo, "sale"),
            partner: partner("Ann"),
            other: partner("Eve"),
        };
        let session = session(&config);
        let executor = executor(folder.path(), &vault, &session);
        Self {
            odoo,
            proxy,
            ids,
            folder,
            config,
            vault,
            session,
            executor,
        }
    }

    /// The same machine after its processes ended, whatever they were at, and were started again.
    pub(crate) async fn restart(&mut self) {
        self.proxy.set(|_| Fate::LostBefore);
        self.session.close().await;
        self.proxy.drain().unwrap();
        self.proxy.set(|_| Fate::Passed);
        self.session = session(&self.config);
        self.executor = executor(self.folder.path(), &self.vault, &self.session);
    }

    /// The owner looked in Odoo, and says: again.
    pub(crate) fn say_again(&self, draft: DraftId) {
        let approvals = self.executor.approvals();
        let (journal, policy) = (approvals.journal(), approvals.policy());
        let again = act::send_again(&self.vault, journal, policy, draft, Timestamp::now());
        assert!(again.unwrap());
    }

    pub(crate) fn bank(&self) -> i64 {
        journal(&self.odoo, "bank")
    }

    pub(crate) fn purchases(&self) -> i64 {
        journal(&self.odoo, "purchase")
    }

    /// What the program answers to a call of a tool.
    pub(crate) async fn tool(&self, tool: &str, arguments: Value) -> Value {
        self.session.call(tool, arguments).await.unwrap()
    }

    /// Writes a record as whoever works in Odoo.
    pub(crate) fn write(&self, model: &str, id: i64, values: &Value) {
        let arguments = json!({"ids": [id], "vals": values});
        self.odoo
            .call(OdooUser::Owner, model, "write", &arguments)
            .unwrap();
    }

    /// Calls a method of a document as whoever works in Odoo.
    pub(crate) fn act(&self, id: i64, method: &str) {
        let arguments = json!({ "ids": [id] });
        self.odoo
            .call(OdooUser::Owner, "account.move", method, &arguments)
            .unwrap();
    }

    /// Fields of a document.
    pub(crate) fn read(&self, id: i64, fields: &[&str]) -> Value {
        let arguments = json!({"ids": [id], "fields": fields});
        self.odoo
            .call(OdooUser::Owner, "account.move", "read", &arguments)
            .unwrap()[0]
            .take()
    }

    /// How many payments of a document's partner there are.
    pub(crate) fn payments(&self) -> u64 {
        let domain = json!({"domain": [["partner_id", "=", self.ids.partner]]});
        let count = self
            .odoo
            .call(OdooUser::Owner, "account.payment", "search_count", &domain);
        count.unwrap().as_u64().unwrap()
    }

    /// A draft invoice of 3 × 99.99 dollars; its id.
    pub(crate) async fn invoice(&self) -> i64 {
        let asked = json!({"operation": unique("op"), "kind": "customer_invoice", "company": 1, "journal": self.ids.sales,
            "currency": "USD", "partner": self.ids.partner, "date": "2026-11-20", "due_date": "2026-12-04",
            "lines": [{"name": "Work", "quantity": "3", "unit_price": "99.99", "taxes": []}]});
        let drafted = self.tool("create_draft", asked).await;
        drafted["document"]["id"].as_i64().unwrap()
    }

    /// Posted, as if it had been long ago.
    pub(crate) async fn posted_invoice(&self) -> i64 {
        let id = self.invoice().await;
        self.act(id, "action_post");
        id
    }

    /// The note of a document that waits for its owner.
    pub(crate) async fn propose_posting(&self, id: i64) -> DraftId {
        let read = self.tool("get_document", json!({ "id": id })).await;
        let document = &read["document"];
        self.propose(Action::new(&OdooPost {
            document: u64::try_from(id).unwrap(),
            total: dollars(document["total"].as_str().unwrap()),
            due: document["due_date"]
                .as_str()
                .map(|day| day.parse().unwrap()),
            shown: read["shown"].as_str().unwrap().to_owned(),
        }))
    }

    /// The note of a payment that waits for its owner.
    pub(crate) async fn propose_payment(&self, id: i64, amount: &str) -> DraftId {
        let asked = json!({"document": id, "amount": amount, "currency": "USD", "date": "2026-11-25",
            "journal": "BNK1"});
        let read = self.tool("preview_payment", asked).await;
        self.propose(Action::new(&OdooPayment {
            invoice: u64::try_from(id).unwrap(),
            amount: dollars(amount),
            date: "2026-11-25".parse().unwrap(),
            journal: "BNK1".to_owned(),
            shown: read["shown"].as_str().unwrap().to_owned(),
        }))
    }

    fn propose(&self, action: Action) -> DraftId {
        let now = Timestamp::now();
        let note = DraftNote {
            id: DraftId::generate(),
            created: now,
            by: "cloud/cloud-odoo-draft".to_owned(),
            task: TaskId::generate(),
            epoch: None,
            action,
            summary: "Something".to_owned(),
            reason: "A bill came".to_owned(),
            expires: now.checked_add(Duration::from_secs(86_400)).unwrap(),
            doubts: vec![],
        };
        let path = layout::pending(note.id);
        self.vault.create(&path, note.render().as_bytes()).unwrap();
        note.id
    }

    /// The owner reads what waits, and says yes.
    pub(crate) fn approve(&self, draft: DraftId) {
        let path = layout::pending(draft);
        let outgoing = Outgoing::read(&self.vault, &path).unwrap();
        let shown = act::Shown {
            path: &path,
            outgoing: &outgoing,
            findings: &[],
        };
        let approvals = self.executor.approvals();
        let (journal, policy) = (approvals.journal(), approvals.policy());
        act::approve(&self.vault, journal, policy, &shown, Timestamp::now()).unwrap();
    }

    /// Carries out what is approved, as the daemon does.
    pub(crate) async fn carry_out(&self) -> Result<Receipt, EffectError> {
        let approved = self.next().await.unwrap();
        let kind = approved.draft().action.kind();
        self.executor.execute(approved, kind).await
    }

    pub(crate) async fn next(&self) -> Option<platinum_effects::approvals::Approved> {
        use platinum_core::ActionKind;
        let kinds = [ActionKind::ODOO_POST, ActionKind::ODOO_PAYMENT];
        self.executor.approvals().next_due(&kinds).await.unwrap()
    }

    /// What is in `Approved/`, in words.
    pub(crate) async fn states(&self) -> String {
        let entries = self.executor.approvals().entries().await.unwrap();
        let states: Vec<String> = entries
            .iter()
            .map(|entry| entry.state.to_string())
            .collect();
        states.join(" | ")
    }

    /// Lets what is no approval go back; why it does.
    pub(crate) async fn returned(&self) -> Vec<String> {
        let admitted = self.executor.approvals().admit().await.unwrap();
        admitted
            .returned
            .into_iter()
            .map(|returned| returned.reason)
            .collect()
    }

    /// A draft that waits.
    pub(crate) fn waiting(&self, draft: DraftId) -> DraftNote {
        let text = self
            .vault
            .read_text(&layout::pending(draft), 300_000)
            .unwrap();
        assert!(Note::parse(&text).is_ok());
        DraftNote::parse(&text).unwrap()
    }
}

/// The id of a journal.
fn journal(odoo: &OdooServer, kind: &str) -> i64 {
    let asked = json!({"domain": [["type", "=", kind], ["company_id", "=", 1]], "fields": ["id"], "limit": 1});
    let found = odoo.call(OdooUser::Owner, "account.journal", "search_read", &asked);
    found.unwrap()[0]["id"].as_i64().unwrap()
}

pub(crate) fn dollars(text: &str) -> Money {
    let currency: Currency = "USD".parse().unwrap();
    let (whole, cents) = text.split_once('.').unwrap();
    Money {
        minor: format!("{whole}{cents}").parse().unwrap(),
        currency,
    }
}

pub(crate) fn session(config: &Path) -> Session {
    Session::lazy(ServerSpec {
        name: "odoo".to_owned(),
        command: platinum_testkit::program("platinum-odoo", "platinum-odoo").unwrap(),
        args: vec!["--config".to_owned(), config.display().to_string()],
        env: [].into(),
        call_timeout: Duration::from_secs(240),
        gate: Gate::new(Role::Local, &TOOLS, &["get_data", "prove_rights"]),
    })
}

fn executor(folder: &Path, vault: &Vault, session: &Session) -> Arc<Executor> {
    let journal = Journal::open(&folder.join("journal.db")).unwrap();
    let approvals = Approvals::new(
        vault.clone(),
        Arc::new(journal),
        Arc::new(NoFence),
        Arc::new(SystemClock),
        ApprovalPolicy {
            hold: Duration::ZERO,
            retry: Duration::ZERO,
            accepts_other_devices: false,
            machine: "local".to_owned(),
            skills: None,
            accounts: MailAccounts::none(),
            social: platinum_effects::social::SocialAccounts::none(),
            has_odoo: true,
        },
    );
    let odoo = Arc::new(McpOdooServer::new(session.clone()));
    let effects: [Arc<dyn Effect>; 2] = [
        Arc::new(PostDocument::new(odoo.clone())),
        Arc::new(RecordPayment::new(odoo)),
    ];
    Arc::new(Executor::new(Arc::new(approvals), effects))
}
