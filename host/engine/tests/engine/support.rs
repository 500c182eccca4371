//! A host of fakes: the fewest interfaces the guests need, and a ledger of what was asked of them.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use platinum_core::{Capability, Role, Timestamp};
use platinum_engine::{
    Call, Engine, EngineOptions, HasData, Interface, Invocation, InvokeError, Limits, Linker,
    Outcome, Resource, ResourceTable, Skill, SkillHost, SkillState,
};

mod bindings {
    wasmtime::component::bindgen!({
        inline: "
            package tests:engine;
            world imports {
                import platinum:skill/context@0.1.0;
                import platinum:skill/log@0.1.0;
                import platinum:approvals/queue@0.1.0;
                import platinum:email/send@0.1.0;
                import platinum:sync/run@0.1.0;
            }
        ",
        path: [
            "../../wit/skill",
            "../../wit/actions",
            "../../wit/approvals",
            "../../wit/email",
            "../../wit/sync",
        ],
        imports: { default: async | trappable },
        with: { "platinum:approvals/queue.approved-action": super::Approved },
    });
}

use bindings::platinum::{
    actions::types::{EffectError, Receipt},
    approvals::queue,
    email::send,
    skill::{context, log, types},
    sync::run,
};

/// What the owner approved, as the fake queue mints it.
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Approved(u32);

/// What the fakes were asked, over all calls of a test.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    pub(crate) sent: Arc<Mutex<Vec<u32>>>,
    pub(crate) approvals: Arc<Mutex<Vec<u32>>>,
    /// How long `sync/run` takes; none: it never returns.
    pub(crate) sync_takes: Option<Duration>,
    /// How many resources were left in the table after the last send.
    pub(crate) left_in_table: Arc<Mutex<Option<bool>>>,
}

/// One fake interface.
pub(crate) struct Fake(pub(crate) Capability, pub(crate) Ledger);

struct Fakes;

impl HasData for Fakes {
    type Data<'a> = View<'a>;
}

struct View<'a> {
    ledger: &'a mut Ledger,
    table: &'a mut ResourceTable,
}

fn view<const CAPABILITY: usize>(state: &mut SkillState) -> View<'_> {
    state.mark_used(FAKES[CAPABILITY]);
    let (ledger, table) = state.view::<Ledger>();
    View { ledger, table }
}

impl Interface for Fake {
    fn capability(&self) -> Capability {
        self.0
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        match self.0 {
            Capability::SkillContext => context::add_to_linker::<_, Fakes>(linker, view::<0>),
            Capability::SkillLog => log::add_to_linker::<_, Fakes>(linker, view::<1>),
            Capability::ApprovalsQueue => queue::add_to_linker::<_, Fakes>(linker, view::<2>),
            Capability::EmailSend => send::add_to_linker::<_, Fakes>(linker, view::<3>),
            Capability::SyncRun => run::add_to_linker::<_, Fakes>(linker, view::<4>),
            other => panic!("there is no fake of {other}"),
        }
    }

    fn prepare(&self, state: &mut SkillState, _call: &Call) {
        state.put(self.1.clone());
    }
}

impl context::Host for View<'_> {
    async fn instructions(&mut self) -> wasmtime::Result<String> {
        Ok(String::new())
    }
    async fn agent(&mut self) -> wasmtime::Result<String> {
        Ok("tester".to_owned())
    }
    async fn role(&mut self) -> wasmtime::Result<types::Role> {
        Ok(types::Role::Cloud)
    }
    async fn zones(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn now(&mut self) -> wasmtime::Result<String> {
        Ok("1970-01-01T00:00:00Z".to_owned())
    }
}

impl log::Host for View<'_> {
    async fn line(&mut self, _level: log::Level, text: String) -> wasmtime::Result<()> {
        self.ledger.lines.lock().unwrap().push(text);
        Ok(())
    }
}

impl queue::Host for View<'_> {
    async fn next(
        &mut self,
        _kinds: Vec<String>,
    ) -> wasmtime::Result<Result<Option<Resource<Approved>>, queue::Error>> {
        let next = self.ledger.approvals.lock().unwrap().pop();
        Ok(Ok(next
            .map(|number| self.table.push(Approved(number)))
            .transpose()?))
    }
    async fn refuse(
        &mut self,
        approved: Resource<Approved>,
        _reason: String,
    ) -> wasmtime::Result<Result<(), queue::Error>> {
        self.table.delete(approved)?;
        Ok(Ok(()))
    }
}

impl queue::HostApprovedAction for View<'_> {
    async fn kind(&mut self, _this: Resource<Approved>) -> wasmtime::Result<String> {
        Ok("email-send".to_owned())
    }
    async fn draft(&mut self, _this: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(String::new())
    }
    async fn task(&mut self, _this: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(String::new())
    }
    async fn summary(&mut self, _this: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(String::new())
    }
    async fn drop(&mut self, this: Resource<Approved>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl send::Host for View<'_> {
    async fn send(
        &mut self,
        approved: Resource<Approved>,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        let Approved(number) = self.table.delete(approved)?;
        *self.ledger.left_in_table.lock().unwrap() = Some(!self.table.is_empty());
        self.ledger.sent.lock().unwrap().push(number);
        Ok(Ok(Receipt {
            at: String::new(),
            reference: number.to_string(),
            answer: String::new(),
        }))
    }
}

impl run::Host for View<'_> {
    async fn run(&mut self) -> wasmtime::Result<Result<run::Report, run::Error>> {
        match self.ledger.sync_takes {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
        Ok(Ok(run::Report {
            pulled: 0,
            pushed: 0,
            conflicts: 0,
            tip: "tip".to_owned(),
        }))
    }
}

/// Every interface there is a fake of.
pub(crate) const FAKES: [Capability; 5] = [
    Capability::SkillContext,
    Capability::SkillLog,
    Capability::ApprovalsQueue,
    Capability::EmailSend,
    Capability::SyncRun,
];

pub(crate) fn fakes(of: &[Capability], ledger: &Ledger) -> Vec<Box<dyn Interface>> {
    let fake = |&of: &Capability| Box::new(Fake(of, ledger.clone())) as Box<dyn Interface>;
    of.iter().map(fake).collect()
}

pub(crate) fn engine() -> Engine {
    Engine::new(EngineOptions::default()).unwrap()
}

/// A host of a role that offers every fake.
pub(crate) fn host(role: Role, ledger: &Ledger) -> SkillHost {
    host_on(engine(), role, ledger)
}

pub(crate) fn host_on(engine: Engine, role: Role, ledger: &Ledger) -> SkillHost {
    SkillHost::new(
        engine,
        role,
        "tester".parse().unwrap(),
        fakes(&FAKES, ledger),
        None,
    )
    .unwrap()
}

/// A guest as `cargo xtask skills` builds it.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/skills/guests")
        .join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "run cargo xtask skills first: {} cannot be read: {error}",
            path.display()
        )
    })
}

pub(crate) fn load(host: &SkillHost, name: &str) -> Skill {
    host.load(name, &component(name), "").unwrap()
}

/// Enough for every guest that means well.
pub(crate) fn limits() -> Limits {
    Limits {
        memory_bytes: 64 << 20,
        table_elements: 20_000,
        instances: 10,
        memories: 4,
        tables: 10,
        handles: 100,
        cpu: Duration::from_secs(20),
        wall_clock: Duration::from_secs(60),
        host_calls: 10_000,
        boundary_bytes: 1 << 20,
        outcome_bytes: 4 << 10,
    }
}

pub(crate) async fn run(
    host: &SkillHost,
    skill: &Skill,
    limits: &Limits,
) -> Result<Outcome, InvokeError> {
    run_with(host, skill, "", limits).await
}

pub(crate) async fn run_with(
    host: &SkillHost,
    skill: &Skill,
    message: &str,
    limits: &Limits,
) -> Result<Outcome, InvokeError> {
    run_event(host, skill, "schedule:60s", message, limits).await
}

pub(crate) async fn run_event(
    host: &SkillHost,
    skill: &Skill,
    event: &str,
    message: &str,
    limits: &Limits,
) -> Result<Outcome, InvokeError> {
    let invocation = Invocation {
        event: event.to_owned(),
        task: None,
        message: Some(message.to_owned()),
    };
    host.invoke(skill, invocation, Vec::new(), Timestamp::UNIX_EPOCH, limits)
        .await
}
