//! From a task to a note on a real Odoo: the skill as its component, the host's interfaces, the server's program, and
//! a key that can only draft.
//!
//! Lives here: [`Office`], a cloud host's part of it. Lives elsewhere: the documents are in `cases`, payments of them in
//! `payments`, drafts that wait in Odoo in `waiting`.

mod cases;
mod payments;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use platinum_capabilities::{
    self as capabilities,
    tasks::{NoReceipts, Owner, Receipts, TaskError, TaskStore},
    zones::{PathBase, ZONES},
};
use platinum_core::{DraftId, Role, TaskId, Timestamp, ZoneId, layout};
use platinum_engine::{
    Engine, EngineOptions, Interface, Invocation, Limits, Outcome, Skill, SkillHost,
};
use platinum_llm::{Builtin, Model};
use platinum_mcp::Session;
use platinum_protocol::Claimed;
use platinum_testkit::{
    odoo::{OdooServer, OdooUser},
    program,
};
use platinum_vault::{
    Vault,
    note::{DraftNote, ReceiptRecord, TaskNote},
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A cloud host with the zone accounting, as far as a task needs it.
pub(crate) struct Office {
    pub(crate) session: Session,
    vault: Vault,
    tasks: Arc<OwnTasks>,
    host: SkillHost,
    skill: Skill,
    /// Where its configuration and its key are.
    _folder: TempDir,
}

impl Office {
    /// Opens one over a vault; with the key of the user who can only draft.
    pub(crate) async fn open(odoo: &OdooServer, vault: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        odoo.configure(folder.path(), OdooUser::Drafter, "auto")?;
        let base = PathBase {
            folder: folder.path().to_owned(),
            home: None,
        };
        let (_, configure) = ZONES.iter().find(|(id, _)| *id == "accounting").unwrap();
        let zone = configure("config = 'odoo.toml'".parse()?, &base).unwrap();
        let mut server = zone.server(Role::Cloud).unwrap();
        server.command = program("platinum-odoo-draft", "platinum-odoo-draft")?;
        let session = Session::spawn(server).await?;
        let vault = Vault::open(vault)?;
        let tasks = Arc::new(OwnTasks::default());
        let store: Arc<dyn TaskStore> = tasks.clone();
        let receipts: Arc<dyn Receipts> = Arc::new(NoReceipts);
        let model: Arc<dyn Model> = Arc::new(Builtin);
        let mut interfaces: Vec<Box<dyn Interface>> = capabilities::skill::interfaces();
        interfaces.extend(capabilities::tasks::interfaces(&store, &receipts));
        interfaces.push(capabilities::model::interface(&model));
        interfaces.extend(zone.interfaces(&session, &vault, &store));
        let engine = Engine::new(EngineOptions::default())?;
        let host = SkillHost::new(engine, Role::Cloud, "cloud".parse()?, interfaces, None)?;
        let component = component()?;
        let skill = host.load("cloud-odoo-draft", &component, "Write an invoice text.")?;
        Ok(Self {
            session,
            vault,
            tasks,
            host,
            skill,
            _folder: folder,
        })
    }

    /// What the skill makes of a task with this text.
    pub(crate) async fn run(&self, text: &str) -> Outcome {
        let task = self.tasks.add(text);
        self.run_task(task).await
    }

    /// What the skill makes of a task that intake made.
    pub(crate) async fn run_note(&self, note: TaskNote) -> Outcome {
        let task = self.tasks.take(note);
        self.run_task(task).await
    }

    /// What it makes of a task that is there.
    pub(crate) async fn run_task(&self, task: TaskId) -> Outcome {
        let invocation = Invocation {
            event: "task.claimed".to_owned(),
            task: Some(task),
            message: None,
        };
        let (zones, limits) = (vec![ZoneId::ACCOUNTING], limits());
        let outcome = self
            .host
            .invoke(&self.skill, invocation, zones, now(), &limits);
        outcome.await.unwrap()
    }

    /// The note of a task that ends in a draft, and the draft's document in Odoo.
    pub(crate) async fn drafted(&self, text: &str) -> (DraftNote, Value) {
        match self.run(text).await {
            Outcome::Drafted(id) => {
                let note = self.note(&id);
                let document = note.action.fields()["document"].as_u64().unwrap();
                (note, self.document(document).await)
            }
            other => panic!("{other:?} of:\n{text}"),
        }
    }

    /// The words with which a task ends.
    pub(crate) async fn dismissed(&self, text: &str) -> String {
        match self.run(text).await {
            Outcome::Dismissed(words) => words,
            other => panic!("{other:?} of:\n{text}"),
        }
    }

    pub(crate) fn note(&self, id: &str) -> DraftNote {
        let id: DraftId = id.parse().unwrap();
        let text = self.vault.read_text(&layout::pending(id), 1 << 20).unwrap();
        DraftNote::parse(&text).unwrap()
    }

    /// `get_document`.
    pub(crate) async fn document(&self, id: u64) -> Value {
        self.session
            .call("get_document", json!({ "id": id }))
            .await
            .unwrap()
    }
}

/// The skill, as the test command builds it.
fn component() -> anyhow::Result<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let path: PathBuf = root
        .unwrap()
        .join("target/skills/components/cloud-odoo-draft.wasm");
    fs::read(&path).map_err(|error| {
        anyhow::anyhow!(
            "{}: {error}; run `cargo xtask skills` first",
            path.display()
        )
    })
}

/// The day on which the tests run.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T18:00:00Z".parse().unwrap()
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 64 << 20,
        table_elements: 20_000,
        instances: 50,
        memories: 4,
        tables: 10,
        handles: 1_000,
        cpu: Duration::from_secs(20),
        wall_clock: Duration::from_secs(120),
        host_calls: 10_000,
        boundary_bytes: 4 << 20,
        outcome_bytes: 4 << 10,
    }
}

/// Tasks of the zone accounting that all belong to this host.
#[derive(Default)]
struct OwnTasks(Mutex<BTreeMap<TaskId, TaskNote>>);

impl OwnTasks {
    fn add(&self, text: &str) -> TaskId {
        let note = TaskNote {
            id: TaskId::generate(),
            zone: ZoneId::ACCOUNTING,
            source: "file:Inbox/bill.md".to_owned(),
            from: "owner".to_owned(),
            subject: "A bill".to_owned(),
            received: None,
            created: now(),
            by: "cloud/test".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: format!("# A bill\n\n```text\n{text}\n```\n"),
        };
        self.take(note)
    }

    fn take(&self, note: TaskNote) -> TaskId {
        let id = note.id;
        self.0.lock().unwrap().insert(id, note);
        id
    }
}

#[async_trait]
impl TaskStore for OwnTasks {
    async fn waiting(&self, _: ZoneId) -> Result<Vec<TaskNote>, TaskError> {
        Ok(Vec::new())
    }

    async fn get(&self, id: TaskId) -> Result<TaskNote, TaskError> {
        let notes = self.0.lock().unwrap();
        notes.get(&id).cloned().ok_or(TaskError::NotFound)
    }

    async fn owner_of(&self, id: TaskId) -> Result<Owner, TaskError> {
        self.get(id).await.map(|_| Owner::ThisAgent)
    }

    async fn drafting_epoch(&self, id: TaskId) -> Result<Option<u64>, TaskError> {
        self.get(id).await.map(|_| Some(1))
    }

    async fn claim(&self, _: TaskId) -> Result<Claimed, TaskError> {
        Err(TaskError::NotFound)
    }

    async fn complete(&self, _: TaskId, _: &str, _: Vec<ReceiptRecord>) -> Result<(), TaskError> {
        Err(TaskError::NotFound)
    }

    async fn release(&self, _: TaskId, _: &str) -> Result<(), TaskError> {
        Err(TaskError::NotFound)
    }

    async fn fail(&self, _: TaskId, _: &str) -> Result<(), TaskError> {
        Err(TaskError::NotFound)
    }
}
