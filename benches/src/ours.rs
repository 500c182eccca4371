//! Platinum's engine, with every limit on.

use std::time::{Duration, Instant};

use anyhow::Context;
use platinum_core::{Capability, Role, Timestamp};
use platinum_engine::{
    Call, Engine, EngineOptions, Interface, Invocation, Limits, Linker, SkillHost, SkillState,
};

use crate::{
    bindings::{
        Answers, View,
        platinum::skill::{context, log},
    },
    measure::Contender,
};

/// How long a skill takes to load.
pub(crate) struct Loads {
    /// With nothing in the cache.
    pub(crate) compiled: Duration,
    /// With the skill in it.
    pub(crate) cached: Duration,
}

struct Agent(String);

struct Fake(Capability);

fn view(state: &mut SkillState) -> View<'_> {
    View(&state.view::<Agent>().0.0)
}

impl Interface for Fake {
    fn capability(&self) -> Capability {
        self.0
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        match self.0 {
            Capability::SkillContext => context::add_to_linker::<_, Answers>(linker, view),
            _ => log::add_to_linker::<_, Answers>(linker, view),
        }
    }

    fn prepare(&self, state: &mut SkillState, call: &Call) {
        state.put(Agent(call.agent.to_string()));
    }
}

fn host(options: EngineOptions) -> anyhow::Result<SkillHost> {
    let interfaces: Vec<Box<dyn Interface>> = vec![
        Box::new(Fake(Capability::SkillContext)),
        Box::new(Fake(Capability::SkillLog)),
    ];
    let agent = "bench".parse()?;
    Ok(SkillHost::new(
        Engine::new(options)?,
        Role::Cloud,
        agent,
        interfaces,
        None,
    )?)
}

fn limits() -> Limits {
    Limits {
        memory_bytes: 64 << 20,
        table_elements: 20_000,
        instances: 50,
        memories: 4,
        tables: 10,
        handles: 1_000,
        cpu: Duration::from_secs(10),
        wall_clock: Duration::from_secs(60),
        host_calls: 10_000,
        boundary_bytes: 4 << 20,
        outcome_bytes: 4 << 10,
    }
}

/// The contender.
pub(crate) fn contender(component: &[u8]) -> anyhow::Result<Contender> {
    let host = host(EngineOptions::default())?;
    let skill = host.load("two-calls", component, "")?;
    let limits = limits();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok(Contender {
        name: "platinum, fresh instance, limits on".to_owned(),
        batch: 500,
        calls: Box::new(move |calls| {
            runtime.block_on(async {
                for _ in 0..calls {
                    let invocation = Invocation {
                        event: "schedule".to_owned(),
                        task: None,
                        message: None,
                    };
                    host.invoke(
                        &skill,
                        invocation,
                        Vec::new(),
                        Timestamp::UNIX_EPOCH,
                        &limits,
                    )
                    .await?;
                }
                Ok(())
            })
        }),
    })
}

/// How long a skill takes to load, compiled and from the cache.
pub(crate) fn loads(component: &[u8]) -> anyhow::Result<Loads> {
    let folder = std::env::temp_dir().join(format!("platinum-bench-{}", std::process::id()));
    let load = || -> anyhow::Result<(Duration, bool)> {
        let options = EngineOptions {
            cache_dir: Some(folder.clone()),
            ..EngineOptions::default()
        };
        let host = host(options)?;
        let start = Instant::now();
        let skill = host.load("two-calls", component, "")?;
        Ok((start.elapsed(), skill.came_from_cache()))
    };
    let (first, second) = (load(), load());
    std::fs::remove_dir_all(&folder).context("the benchmark's cache cannot be removed")?;
    let ((compiled, _), (cached, from_cache)) = (first?, second?);
    anyhow::ensure!(from_cache, "the second load did not come from the cache");
    Ok(Loads { compiled, cached })
}
