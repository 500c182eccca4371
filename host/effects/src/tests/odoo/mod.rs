//! Posting and payments, with an Odoo that does what the test says.

mod attempts;
mod returns;

use platinum_core::{Money, OdooPayment, OdooPost};
use serde_json::{Value, json};

use super::*;
use crate::odoo::{
    FoundPayment, OdooDocument, OdooServer, PaymentPreview, PaymentRequest, PostDocument,
    RecordPayment,
};

const BILL: &str = "# Draft vendor bill 12 · Ann · 22.49 EUR\n\n- **Vendor:** Ann, no. 7\n\
                    - **Due:** 2026-12-14\n\n| Sum   |   EUR |\n| ----- | ----: |\n| Total | 22.49 |\n";
const PAYMENT: &str =
    "# Payment of vendor bill BILL/1 · Ann · 22.49 EUR\n\n- **Amount:** 22.49 EUR\n";

/// What happens in Odoo.
type Happening = Box<dyn FnOnce(&TestOdoo) + Send>;

/// An Odoo: what it has, what it answers to what acts, and what it was asked.
struct TestOdoo {
    document: Mutex<Result<OdooDocument, AskError>>,
    preview: Mutex<Result<PaymentPreview, AskError>>,
    payment: Mutex<Result<FoundPayment, AskError>>,
    answers: Mutex<VecDeque<Result<Outcome, NotDone>>>,
    /// What happens in Odoo when it is asked to act, whatever it answers.
    while_it_acts: Mutex<Option<Happening>>,
    asked: Mutex<Vec<String>>,
    /// The call that is never answered: which, and the how manieth of them.
    silent: Mutex<Option<(String, usize)>>,
}

fn bill() -> OdooDocument {
    OdooDocument {
        document: json!({"id": 12, "kind": "vendor_bill", "state": "draft", "number": null, "total": "22.49",
            "residual": "22.49", "currency": {"code": "EUR"}, "due_date": "2026-12-14"}),
        shown: BILL.to_owned(),
        obstacles: vec![],
    }
}

fn preview() -> PaymentPreview {
    serde_json::from_value(
        json!({"shown": PAYMENT, "partner": {"id": 7, "name": "Ann"},
        "journal": {"id": 6, "name": "Bank"}}),
    )
    .unwrap()
}

fn no_payment() -> FoundPayment {
    FoundPayment {
        payment: None,
        others: vec![],
    }
}

fn a_payment() -> FoundPayment {
    serde_json::from_value(
        json!({"payment": {"id": 5, "number": "PBNK1/5", "amount": "22.49",
        "date": "2026-12-01"}, "others": []}),
    )
    .unwrap()
}

fn away() -> AskError {
    AskError {
        reason: "cannot reach Odoo at 127.0.0.1".to_owned(),
        is_final: false,
    }
}

impl TestOdoo {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            document: Mutex::new(Ok(bill())),
            preview: Mutex::new(Ok(preview())),
            payment: Mutex::new(Ok(no_payment())),
            answers: Mutex::default(),
            while_it_acts: Mutex::default(),
            asked: Mutex::default(),
            silent: Mutex::default(),
        })
    }

    /// Writes fields into the document.
    fn set(&self, fields: &Value) {
        let mut document = self.document.lock().unwrap();
        let document = document.as_mut().unwrap();
        for (name, value) in fields.as_object().unwrap() {
            document.document[name] = value.clone();
        }
    }

    fn post_it(&self) {
        self.set(&json!({"state": "posted", "number": "BILL/1"}));
    }

    fn answers(&self, answer: Result<Outcome, NotDone>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    fn count(&self, call: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.starts_with(call)).count()
    }

    async fn note(&self, call: String) {
        self.asked.lock().unwrap().push(call.clone());
        let silent = self.silent.lock().unwrap().clone();
        let is_silent =
            silent.is_some_and(|(of, nth)| call.starts_with(&of) && self.count(&of) == nth);
        if is_silent {
            std::future::pending::<()>().await;
        }
    }

    async fn act(&self, call: String) -> Result<Outcome, NotDone> {
        let happens = self.while_it_acts.lock().unwrap().take();
        if let Some(happens) = happens {
            happens(self);
        }
        self.note(call).await;
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Ok(crate::done("it is so")))
    }
}

#[async_trait]
impl OdooServer for TestOdoo {
    async fn document(&self, id: u64) -> Result<OdooDocument, AskError> {
        self.note(format!("document {id}")).await;
        self.document.lock().unwrap().clone()
    }

    async fn post(&self, document: &OdooDocument) -> Result<Outcome, NotDone> {
        // Whatever was approved: what is handed over is what was just read.
        assert_eq!(document.document["id"], 12);
        self.act(format!("post {}", document.text("total"))).await
    }

    async fn preview_payment(&self, payment: &OdooPayment) -> Result<PaymentPreview, AskError> {
        self.note(format!("preview {}", payment.journal)).await;
        self.preview.lock().unwrap().clone()
    }

    async fn record_payment(&self, request: &PaymentRequest) -> Result<Outcome, NotDone> {
        assert_eq!(
            (request.partner, request.journal, request.payment.invoice),
            (7, 6, 12)
        );
        self.act(format!("pay {}", request.operation)).await
    }

    async fn find_payment(&self, operation: &str) -> Result<FoundPayment, AskError> {
        self.note(format!("find {operation}")).await;
        self.payment.lock().unwrap().clone()
    }
}

fn euros(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".parse().unwrap(),
    }
}

fn posting(n: u128) -> DraftNote {
    DraftNote {
        action: Action::new(&OdooPost {
            document: 12,
            total: euros(2249),
            due: Some("2026-12-14".parse().unwrap()),
            shown: BILL.to_owned(),
        }),
        ..draft(n)
    }
}

fn payment(n: u128) -> DraftNote {
    DraftNote {
        action: Action::new(&OdooPayment {
            invoice: 12,
            amount: euros(2249),
            date: "2026-12-01".parse().unwrap(),
            journal: "BNK1".to_owned(),
            shown: PAYMENT.to_owned(),
        }),
        ..draft(n)
    }
}

/// A host with an Odoo.
type Books = ActingHost<TestOdoo>;

impl Books {
    fn new() -> Self {
        Self::of(Fixture::new([]), TestOdoo::new(), |odoo| {
            vec![
                Arc::new(PostDocument::new(odoo.clone())),
                Arc::new(RecordPayment::new(odoo.clone())),
            ]
        })
    }

    /// Begins what is next, and ends with the process while it waits for this call.
    async fn dies_at(self, call: &str, nth: usize) -> Self {
        *self.server.silent.lock().unwrap() = Some((call.to_owned(), nth));
        let died = self.dies_when(|odoo| odoo.count(call) >= nth).await;
        *died.server.silent.lock().unwrap() = None;
        died
    }
}
