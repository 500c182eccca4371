//! Drafts that wait in an Odoo that answers as the test says become tasks, once each.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use platinum_core::ZoneId;
use platinum_intake::accounting::odoo::MAX_WAITING;
use platinum_testkit::scripted_http::{Reply, Request, ScriptedHttp};
use platinum_vault::note::{TaskNote, UpdateNote, check_drafted};
use serde_json::{Value, json};

use crate::accounting::notes_in;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-intake");

/// A draft as Odoo's JSON has it.
fn draft(id: i64, kind: &str, origin: &str) -> Value {
    json!({
        "id": id, "name": "/", "move_type": kind, "state": "draft", "partner_id": [7, "Muster <% x %> GmbH"],
        "company_id": [1, "Own"], "currency_id": [1, "EUR"], "invoice_date": "2026-11-30", "invoice_date_due": false,
        "ref": "R-17\n# x", "invoice_origin": if origin.is_empty() { json!(false) } else { json!(origin) },
        "amount_total": 119.5,
    })
}

/// An Odoo 19 on loopback with these drafts, and a vault beside it.
struct OdooFixture {
    dir: tempfile::TempDir,
    drafts: Arc<Mutex<Vec<Value>>>,
    server: ScriptedHttp,
}

impl OdooFixture {
    fn new(drafts: Vec<Value>) -> Self {
        let drafts = Arc::new(Mutex::new(drafts));
        let shown = Arc::clone(&drafts);
        let server = ScriptedHttp::start(move |asked| {
            Reply::ok(reply(&asked.path, &asked.json(), &shown.lock().unwrap()))
        })
        .unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("vault/Needs_Action")).unwrap();
        let key = dir.path().join("odoo.key");
        fs::write(&key, "key").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(
            dir.path().join("odoo.toml"),
            format!(
                "[odoo]\nurl = '{}'\ndatabase = 'd'\nkey = {{ file = 'odoo.key' }}\n",
                server.url()
            ),
        )
        .unwrap();
        Self {
            dir,
            drafts,
            server,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, more: &[&str]) -> Output {
        Command::new(PROGRAM)
            .args(["odoo", "--once", "--agent", "cloud", "--config"])
            .arg(self.path("odoo.toml"))
            .arg("--vault")
            .arg(self.path("vault"))
            .arg("--state")
            .arg(self.path("state"))
            .args(more)
            .output()
            .unwrap()
    }

    fn poll(&self) -> Vec<TaskNote> {
        let output = self.run(&[]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        notes_in(&self.path("vault/Needs_Action/accounting"))
    }

    /// As if the task had been finished.
    fn finish(&self, task: &TaskNote) {
        let done = self.path("vault/Done/2026/11");
        fs::create_dir_all(&done).unwrap();
        let name = format!("{}.md", task.id);
        let waiting = self.path("vault/Needs_Action/accounting").join(&name);
        fs::rename(waiting, done.join(&name)).unwrap();
    }

    /// What the owner was told.
    fn headlines(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("vault/Updates/cloud"))
            .into_iter()
            .flatten();
        let texts = entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        texts
            .map(|text| UpdateNote::parse(&text).unwrap().headline)
            .collect()
    }
}

fn reply(path: &str, body: &Value, drafts: &[Value]) -> Value {
    let is_company = path.contains("res.company");
    if path.ends_with("fields_get") {
        let kind = |name: &str| match name {
            "partner_id" | "company_id" | "currency_id" => "many2one",
            "invoice_date" | "invoice_date_due" => "date",
            "amount_total" => "monetary",
            _ => "char",
        };
        let mut fields = draft(0, "entry", "").as_object().unwrap().clone();
        fields.remove("id");
        for (name, field) in &mut fields {
            *field = json!({"type": kind(name), "relation": "x"});
        }
        return Value::Object(fields);
    }
    if path.ends_with("search_read") {
        if is_company {
            return json!([{"id": 1, "name": "Own"}, {"id": 2, "name": "Other"}]);
        }
        let terms = body["domain"].as_array().cloned().unwrap_or_default();
        let value = |field: &str| {
            terms
                .iter()
                .find(|term| term[0] == field)
                .map(|term| term[2].clone())
        };
        let first = value("id").and_then(|id| id.as_i64()).unwrap_or(0);
        let company = value("company_id").and_then(|id| id.as_i64());
        let limit = usize::try_from(body["limit"].as_u64().unwrap_or(0)).unwrap();
        let fitting = drafts.iter().filter(|draft| {
            draft["id"].as_i64() >= Some(first)
                && company.is_none_or(|company| draft["company_id"][0] == company)
        });
        return fitting.take(limit).cloned().collect();
    }
    json!({"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})
}

#[test]
fn odoo_draft_becomes_one_task_whatever_changes() {
    let fixture = OdooFixture::new(vec![
        draft(42, "in_invoice", ""),
        draft(43, "out_invoice", "SO042"),
        draft(44, "in_invoice", "bill-0123456789abcdef0123456789abcdef"),
    ]);
    let tasks = fixture.poll();
    let mut documents: Vec<_> = tasks
        .iter()
        .map(|task| task.fact("odoo-document")[0].clone())
        .collect();
    documents.sort();
    assert_eq!(documents, ["42", "43"]);
    let bill = tasks
        .iter()
        .find(|task| task.fact("odoo-document") == ["42"])
        .unwrap();
    assert_eq!(bill.zone, ZoneId::ACCOUNTING);
    assert_eq!(
        bill.subject,
        "Draft in Odoo: vendor bill with Muster < % x %> GmbH, 119.5 EUR"
    );
    assert!(
        bill.body.contains("/web#id=42&model=account.move"),
        "{}",
        bill.body
    );
    assert!(bill.body.contains("Reference: R-17 # x\n"), "{}", bill.body);
    let path = platinum_core::layout::waiting(bill.zone, bill.id);
    check_drafted(&path, bill.render().as_bytes()).unwrap();

    // The document changes, the task is finished, the record is lost: none of that makes a second task.
    fixture.drafts.lock().unwrap()[0]["amount_total"] = json!(7);
    assert_eq!(fixture.poll().len(), 2);
    fixture.finish(bill);
    assert_eq!(fixture.poll().len(), 1);
    fs::remove_dir_all(fixture.path("state")).unwrap();
    assert_eq!(fixture.poll().len(), 1);
    let calls: Vec<String> = fixture.server.asked().iter().map(Request::line).collect();
    let reads = ["/web/version", "fields_get", "search_read", "context_get"];
    assert!(
        calls
            .iter()
            .all(|call| reads.iter().any(|read| call.ends_with(read))),
        "{calls:?}"
    );
}

#[test]
fn odoo_with_hundreds_of_drafts_is_capped_and_told() {
    let drafts = (1..=250).map(|id| draft(id, "in_invoice", "")).collect();
    let fixture = OdooFixture::new(drafts);
    let tasks = fixture.poll();
    assert_eq!(tasks.len(), MAX_WAITING);
    let headline = "220 more drafts wait in Odoo at 127.0.0.1. 30 tasks of such drafts wait already; the others follow \
                    when these are done.";
    assert_eq!(fixture.headlines(), [headline]);
    // Ten are dealt with: ten more come, the oldest first.
    for task in tasks.iter().take(10) {
        fixture.finish(task);
    }
    assert_eq!(fixture.poll().len(), MAX_WAITING);
}

#[test]
fn odoo_company_by_name_number_or_an_error_in_words() {
    let mut other = draft(5, "in_invoice", "");
    other["company_id"] = json!([2, "Other"]);
    for company in ["Own", "1"] {
        let fixture = OdooFixture::new(vec![draft(4, "in_invoice", ""), other.clone()]);
        assert!(fixture.run(&["--company", company]).status.success());
        let tasks = notes_in(&fixture.path("vault/Needs_Action/accounting"));
        assert_eq!(
            (tasks.len(), tasks[0].fact("odoo-document")[0].as_str()),
            (1, "4")
        );
    }
    let fixture = OdooFixture::new(vec![]);
    let output = fixture.run(&["--company", "Nobody"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected =
        "Odoo shows this user 0 companies `Nobody`; its companies are: Own (1), Other (2)";
    assert!(
        !output.status.success() && error.contains(expected),
        "{error}"
    );
}
