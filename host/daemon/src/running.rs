//! [`Running`]: the loops of a host, from their start to their end.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use platinum_watch::{DirtyPaths, WakeUps, Watch};
use tokio::task::JoinHandle;

use crate::{Host, Pipeline, Shutdown, SkillSet, loops, pipeline::ZonesWork};

/// The loops that both roles run, and what wakes them.
pub struct Running {
    // Held: without it nothing wakes.
    _watch: Watch,
    wake_ups: WakeUps,
    tasks: Vec<JoinHandle<()>>,
    shutdown: Shutdown,
}

impl Running {
    /// Starts working, syncing and the sources of the zones.
    ///
    /// # Errors
    /// If the vault cannot be watched.
    pub fn start(host: &Host, skills: &Arc<SkillSet>, shutdown: &Shutdown) -> anyhow::Result<Self> {
        let dirty = DirtyPaths::new();
        let (watch, wake_ups) = Watch::gather(&host.config.vault.path, &dirty)?;
        host.sync.watched_by(dirty);
        let stop = shutdown.clone();
        host.sync.stop_on(Box::new(move || {
            let mut stop = stop.clone();
            Box::pin(async move { stop.stopped().await })
        }));
        let pipeline = Pipeline::new(
            Arc::clone(skills),
            host.sync.clone(),
            host.vault.clone(),
            host.owner_updates(),
            &host.config.work_zones(),
            &host.config.vault.state,
        );
        let pipeline = pipeline.with_owners_work(Arc::new(ZonesWork::of(host)));
        let pipeline = Arc::new(pipeline);
        let mut tasks = vec![
            tokio::spawn(loops::run_pipeline(
                pipeline,
                wake_ups.clone(),
                Duration::from_secs(host.config.work.every_seconds),
                shutdown.clone(),
            )),
            tokio::spawn(loops::run_sync(
                Arc::clone(skills),
                host.sync.clone(),
                host.role,
                wake_ups.clone(),
                Duration::from_secs(host.config.sync.every_seconds),
                shutdown.clone(),
            )),
            tokio::spawn(loops::run_schedules(Arc::clone(skills), shutdown.clone())),
            tokio::spawn(loops::run_maintenance(host.sync.clone(), shutdown.clone())),
        ];
        tasks.extend(host.run_sources(skills, shutdown));
        Ok(Self {
            _watch: watch,
            wake_ups,
            tasks,
            shutdown: shutdown.clone(),
        })
    }

    /// Wake-ups for a further loop.
    pub fn wake_ups(&self) -> WakeUps {
        self.wake_ups.clone()
    }

    /// Adds a loop of one half alone.
    pub fn add_loop(&mut self, task: JoinHandle<()>) {
        self.tasks.push(task);
    }

    /// Waits until every loop has ended. One that ends before that is a defect, and stops
    /// the host.
    ///
    /// # Errors
    /// If a loop died or ended by itself.
    pub async fn until_stopped(self) -> anyhow::Result<()> {
        // The first that ends is reported, not the first that was started.
        let mut running = tokio::task::JoinSet::new();
        for task in self.tasks {
            running.spawn(task);
        }
        while let Some(ended) = running.join_next().await {
            ended
                .and_then(|ended| ended)
                .context("a loop of the daemon died")?;
            anyhow::ensure!(
                self.shutdown.is_stopping(),
                "a loop of the daemon ended by itself"
            );
        }
        Ok(())
    }
}
