//! Tests of the pipeline: what counts as drafted, and what becomes of a task whose skill breaks.
//!
//! The components are those that `cargo xtask skills` builds.

use std::{fs, path::Path, time::Duration};

use platinum_capabilities::{
    skill,
    tasks::{self, NoReceipts, Receipts},
};
use platinum_core::{AgentName, Role};
use platinum_engine::{Engine, EngineOptions, Limits, SkillHost};
use platinum_protocol::TaskPlace;
use platinum_repo::{Signers, SigningKey};
use platinum_sync::{Drafts, SyncConfig};
use platinum_vault::note::UpdateNote;
use platinum_verify::Identity;

use super::*;
use crate::{
    pipeline::unfinished::is_drafted_by_note,
    skills::{Catalog, KnownZones},
};

/// A host of the owner's without a remote, with one drafting skill for a zone of its own:
/// elsewhere a claim without a remote stays tentative.
struct Fixture {
    folder: tempfile::TempDir,
    vault: Vault,
    sync: Synchronizer,
    skills: Arc<SkillSet>,
    pipeline: Arc<Pipeline>,
}

impl Fixture {
    /// The drafting skill is this component.
    fn new(drafter: &str) -> Self {
        Self::with("components/claim-task", drafter)
    }

    /// The skills that claim and draft are these components.
    fn with(claimer: &str, drafter: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = folder.path().join("skills");
        install(
            &installed,
            "check-claimed",
            "components/check-claimed",
            "task.waiting",
            "",
        );
        install(&installed, "claim-task", claimer, "task.claim", "");
        install(&installed, "drafter", drafter, "task.claimed", "whatsapp");
        fs::create_dir(folder.path().join("vault")).unwrap();
        let vault = Vault::open(&folder.path().join("vault")).unwrap();
        let agent: AgentName = "local".parse().unwrap();
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let sync = Synchronizer::new(SyncConfig {
            vault: vault.clone(),
            git_dir: folder.path().join("vault.git"),
            remote: None,
            agent: agent.clone(),
            role: Role::Local,
            identity: Identity::new(agent.clone(), Role::Local, key, Signers::default()),
            scanner: Arc::default(),
        })
        .unwrap();
        let store: Arc<dyn TaskStore> = Arc::new(Tasks(sync.clone()));
        let receipts: Arc<dyn Receipts> = Arc::new(NoReceipts);
        let mut interfaces = skill::interfaces();
        interfaces.extend(tasks::interfaces(&store, &receipts));
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let host = SkillHost::new(engine, Role::Local, agent.clone(), interfaces, None).unwrap();
        let updates = OwnerUpdates::new(vault.clone(), agent);
        let skills = Arc::new(SkillSet::load(
            host,
            &Catalog::read(&installed).unwrap(),
            &limits(),
            KnownZones::built_in(Role::Local),
            updates.clone(),
            |_| Vec::new(),
        ));
        let pipeline = Pipeline::new(
            Arc::clone(&skills),
            sync.clone(),
            vault.clone(),
            updates,
            &[ZoneId::WHATSAPP],
            folder.path(),
        );
        Self {
            folder,
            vault,
            sync,
            skills,
            pipeline: Arc::new(pipeline),
        }
    }

    fn add_task(&self, n: u128) -> TaskId {
        let note = TaskNote {
            id: TaskId::from_parts(5, n),
            zone: ZoneId::WHATSAPP,
            source: "maildir:owner".to_owned(),
            from: "Ada <ada@example.test>".to_owned(),
            subject: "Desks".to_owned(),
            received: None,
            created: SystemClock.now(),
            by: "local mail".to_owned(),
            facts: vec![],
            claim: None,
            body: "When do they come?\n".to_owned(),
        };
        let path = layout::waiting(note.zone, note.id);
        self.vault.create(&path, note.render().as_bytes()).unwrap();
        note.id
    }

    /// Passes of the pipeline, each as if the back-off were over.
    async fn work(&self, passes: usize) {
        for _ in 0..passes {
            self.pipeline.retries.end_pauses();
            self.pipeline.work().await;
        }
    }

    /// What the owner was notified of.
    fn headlines(&self) -> Vec<String> {
        let notes = self.vault.list("Updates/local").unwrap();
        notes
            .iter()
            .map(|entry| self.vault.read_text(&entry.path, 4096).unwrap())
            .map(|text| UpdateNote::parse(&text).unwrap().headline)
            .collect()
    }

    async fn is_owned(&self, task: TaskId) -> bool {
        matches!(self.sync.place(task).await, Ok(TaskPlace::Owned(_)))
    }
}

fn install(installed: &Path, name: &str, component: &str, event: &str, zones: &str) {
    let folder = installed.join(name);
    fs::create_dir_all(&folder).unwrap();
    let zones = match zones {
        "" => String::new(),
        zones => format!("  platinum.zones: {zones}\n"),
    };
    let manifest = format!(
        "---\nname: {name}\ndescription: A test.\nmetadata:\n  platinum.on: {event}\n{zones}---\nx\n"
    );
    fs::write(folder.join("SKILL.md"), manifest).unwrap();
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/skills")
        .join(format!("{component}.wasm"));
    let bytes = fs::read(&built).unwrap_or_else(|error| {
        panic!(
            "run cargo xtask skills first: cannot read {}: {error}",
            built.display()
        )
    });
    fs::write(folder.join("skill.wasm"), bytes).unwrap();
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 16 << 20,
        cpu: Duration::from_secs(5),
        wall_clock: Duration::from_secs(60),
        host_calls: 10_000,
        table_elements: 20_000,
        instances: 20,
        memories: 8,
        tables: 16,
        handles: 1_000,
        boundary_bytes: 4 << 20,
        outcome_bytes: 4096,
    }
}

/// A skill that traps, goes over a limit or gives an answer of no use says nothing of its task:
/// the task stays open, however often it is tried, and the owner is notified once.
#[tokio::test(flavor = "multi_thread")]
async fn pipeline_task_of_a_broken_skill_waits() {
    for (guest, reason) in [
        ("guests/traps", "trapped"),
        ("guests/hogs-memory", "ran out of memory"),
        (
            "components/claim-task",
            "which is no answer to task.claimed",
        ),
    ] {
        let fixture = Fixture::new(guest);
        let first = fixture.add_task(1);
        fixture.work(6).await;
        assert!(fixture.is_owned(first).await, "{guest}");
        let headlines = fixture.headlines();
        assert_eq!(headlines.len(), 1, "{guest}: {headlines:?}");
        assert!(
            headlines[0].starts_with("The skill drafter is broken and its work waits")
                && headlines[0].contains(reason),
            "{guest}: {headlines:?}"
        );
        // It is not called for this task any more.
        let request = Request::of_task(&Event::TaskClaimed, first, ZoneId::WHATSAPP);
        let drafter = "drafter".parse().unwrap();
        let error = fixture.skills.run(&drafter, &request).await.unwrap_err();
        assert!(matches!(error, RunError::Broken { .. }), "{guest}: {error}");
        // Another task is tried, waits as well, and the owner knows already.
        let second = fixture.add_task(2);
        fixture.work(4).await;
        assert!(fixture.is_owned(second).await, "{guest}");
        assert_eq!(fixture.headlines().len(), 1, "{guest}");
    }
}

/// What the skill itself answers keeps its meaning: three times, and the task is filed as failed.
#[tokio::test(flavor = "multi_thread")]
async fn pipeline_task_is_failed_by_its_skills_answer() {
    let fixture = Fixture::new("guests/answers-failed");
    let task = fixture.add_task(1);
    fixture.work(2).await;
    assert!(fixture.is_owned(task).await);
    assert!(fixture.headlines().is_empty());
    fixture.work(1).await;
    let place = fixture.sync.place(task).await.unwrap();
    assert!(matches!(place, TaskPlace::Finished), "{place:?}");
    assert_eq!(
        fixture.headlines(),
        ["Could not draft an answer: skill drafter failed: no answer is good enough"]
    );
}

/// A skill that did its work without a draft has its task finished, and the owner knows.
#[tokio::test(flavor = "multi_thread")]
async fn pipeline_task_that_is_done_is_finished() {
    let fixture = Fixture::new("guests/minimal");
    let task = fixture.add_task(1);
    fixture.work(1).await;
    let place = fixture.sync.place(task).await.unwrap();
    assert!(matches!(place, TaskPlace::Finished), "{place:?}");
    assert_eq!(fixture.headlines(), ["Done with “Desks”: minimal"]);
}

/// What is withheld from the remote, for one, is not asked for again and again; a note that was mended is, at once.
#[tokio::test(flavor = "multi_thread")]
async fn pipeline_task_that_cannot_be_claimed_waits() {
    // It answers that there is nothing to claim.
    let fixture = Fixture::with("guests/echo", "guests/minimal");
    let task = fixture.add_task(1);
    let claims = || fixture.pipeline.retries.claims(task);
    fixture.work(9).await;
    assert_eq!(claims(), 9);
    // Not in the minutes after that.
    for _ in 0..3 {
        fixture.pipeline.work().await;
    }
    assert_eq!(claims(), 9);
    let path = layout::waiting(ZoneId::WHATSAPP, task);
    let note = fixture.vault.read_text(&path, MAX_TASK_BYTES).unwrap();
    let mended = note.replace("When do they come?", "When?");
    let mended = fixture
        .vault
        .replace(&path, mended.as_bytes(), Some(note.as_bytes()));
    mended.unwrap();
    fixture.pipeline.work().await;
    assert_eq!(claims(), 1);
    fixture.vault.remove(&path).unwrap();
    fixture.pipeline.work().await;
    assert_eq!(claims(), 0);
}

/// Whoever dropped several files sees all of them in hand before a model has answered the first.
#[tokio::test(flavor = "multi_thread")]
async fn pipeline_claims_some_before_it_drafts() {
    let fixture = Fixture::new("guests/loops-forever");
    let tasks = [1, 2, 3].map(|n| fixture.add_task(n));
    let pipeline = Arc::clone(&fixture.pipeline);
    let pass = tokio::spawn(async move { pipeline.work().await });
    let all_owned = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while fixture.sync.owned().await.unwrap().len() < tasks.len() {
            looks.tick().await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), all_owned).await;
    assert!(waited.is_ok(), "the tasks are not claimed");
    // The first draft has not ended yet, not even in vain.
    assert!(fixture.pipeline.retries.is_empty());
    pass.abort();
}

/// The zones that are claimed are the configured ones that a skill drafts in.
#[test]
fn pipeline_zones_are_those_with_a_drafter() {
    let fixture = Fixture::new("guests/minimal");
    let pipeline = Pipeline::new(
        Arc::clone(&fixture.skills),
        fixture.sync.clone(),
        fixture.vault.clone(),
        OwnerUpdates::new(fixture.vault.clone(), "local".parse().unwrap()),
        &[ZoneId::SOCIAL, ZoneId::WHATSAPP],
        fixture.folder.path(),
    );
    assert_eq!(pipeline.zones(), [ZoneId::WHATSAPP]);
}

/// A draft of an earlier claim does not count for the one that holds now.
#[test]
fn is_drafted_by_note_earlier_claim_does_not_count() {
    let (task, other) = (TaskId::from_parts(1, 2), TaskId::from_parts(1, 3));
    let made = |epochs: &[Option<u64>]| {
        let of_task = epochs.iter().map(|made| (task, *made));
        let drafts: Drafts = of_task
            .chain([(other, Some(2)), (TaskId::from_parts(1, 1), None)])
            .collect();
        drafts.epochs(task).collect::<Vec<_>>()
    };
    for (epochs, noted, expected) in [
        (&[][..], Some(2), Some(false)),
        (&[Some(1), Some(2)], Some(2), Some(true)),
        (&[None], Some(2), Some(true)),
        // Made on a claim that is being confirmed.
        (&[Some(0)], Some(2), Some(true)),
        (&[Some(0)], None, Some(true)),
        // The repository says whose the task is.
        (&[Some(1)], Some(2), None),
        (&[Some(1), Some(u64::MAX)], None, None),
    ] {
        assert_eq!(
            is_drafted_by_note(&made(epochs), noted),
            expected,
            "{epochs:?}, {noted:?}"
        );
    }
}

/// However many tasks wait for it.
#[tokio::test]
async fn limit_of_drafts_is_reported_once_a_day() {
    let fixture = Fixture::new("guests/minimal");
    let failed = |why: String| {
        RunError::Invoke(InvokeError::Skill {
            skill: "drafter".to_owned(),
            error: SkillError::Unavailable(why),
        })
    };
    fixture
        .pipeline
        .report_limit(&failed("no route".to_owned()))
        .await;
    for of_today in [200, 201] {
        let error = failed(format!(
            "{of_today} drafts of today wait for the owner, {LIMIT_REACHED}"
        ));
        fixture.pipeline.report_limit(&error).await;
    }
    let updates = fixture.vault.walk_in(layout::UPDATES).unwrap();
    assert_eq!(updates.len(), 1);
    let text = fixture.vault.read_text(&updates[0].path, 1 << 16).unwrap();
    assert!(
        text.contains("Not drafted yet: 200 drafts of today wait"),
        "{text}"
    );
}
