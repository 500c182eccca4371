//! Wasmtime as it comes: the same component, allocator and epochs, but no limits, no grants, no
//! time-out and no state beyond one string. It is what our own overhead is measured against.

use std::time::{Duration, Instant};

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, Linker},
};

use crate::{
    bindings::{
        Answers, BasePre, View,
        exports::platinum::skill::handler::Invocation,
        platinum::skill::{context, log},
    },
    measure::Contender,
};

/// The contender.
pub(crate) fn contender(component: &[u8]) -> anyhow::Result<Contender> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(
            PoolingAllocationConfig::default(),
        ));
    let engine = Engine::new(&config).map_err(plain)?;
    let mut linker = Linker::<String>::new(&engine);
    context::add_to_linker::<_, Answers>(&mut linker, view).map_err(plain)?;
    log::add_to_linker::<_, Answers>(&mut linker, view).map_err(plain)?;
    let component = Component::from_binary(&engine, component).map_err(plain)?;
    let pre = linker
        .instantiate_pre(&component)
        .and_then(BasePre::new)
        .map_err(plain)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    Ok(Contender {
        name: "bare wasmtime, fresh instance".to_owned(),
        batch: 500,
        calls: Box::new(move |calls| {
            runtime.block_on(async {
                for _ in 0..calls {
                    let mut store = Store::new(&engine, "bench".to_owned());
                    store.set_epoch_deadline(1_000_000);
                    let invocation = Invocation {
                        event: "schedule".to_owned(),
                        task: None,
                        message: None,
                    };
                    let base = pre.instantiate_async(&mut store).await.map_err(plain)?;
                    let outcome = base
                        .platinum_skill_handler()
                        .call_run(&mut store, &invocation)
                        .await
                        .map_err(plain)?;
                    anyhow::ensure!(outcome.is_ok(), "the guest failed");
                }
                Ok(())
            })
        }),
    })
}

/// How long the compiler takes for a component.
pub(crate) fn compile(component: &[u8]) -> anyhow::Result<Duration> {
    let engine = Engine::new(Config::new().epoch_interruption(true)).map_err(plain)?;
    let began = Instant::now();
    Component::from_binary(&engine, component).map_err(plain)?;
    Ok(began.elapsed())
}

#[expect(
    clippy::ptr_arg,
    reason = "the linker hands out its store's data as it is"
)]
fn view(state: &mut String) -> View<'_> {
    View(state)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
