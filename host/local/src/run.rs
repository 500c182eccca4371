//! `platinum run`: the composition root with effects.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use platinum_capabilities::{
    dashboard,
    tasks::Receipts,
    updates,
};
use platinum_core::{Role, TaskId};
use platinum_daemon::{Config, House, Pipeline, loops, on_signals, sync::Synchronizer};
use platinum_effects::{ApprovalsQueue, Doubts, EmailSend, Fence, McpMailSender};
use platinum_journal::Journal;
use platinum_vault::note::ReceiptRecord;
use platinum_watch::Watch;

use crate::act::Actor;

/// Runs the local daemon until it is told to stop.
pub(crate) async fn run(config: PathBuf) -> anyhow::Result<()> {
    let shutdown = on_signals().context("signals cannot be listened to")?;
    let house = House::open(Config::load(&config, Role::Local)?, Role::Local).await?;
    let journal = Arc::new(Journal::open(&house.config.vault.state.join("journal.db"))?);
    let receipts: Arc<dyn Receipts> = Arc::new(JournalReceipts(Arc::clone(&journal)));

    let mut interfaces = house.interfaces(&receipts);
    interfaces.push(updates::collect(&house.vault));
    interfaces.push(dashboard::interface(&house.vault));
    let fence: Arc<dyn Fence> = Arc::new(SyncFence(house.sync.clone()));
    interfaces.push(ApprovalsQueue::interface(&house.vault, &journal, &fence));
    if let Some(session) = &house.mail {
        let sender = Arc::new(McpMailSender::new(session.clone()));
        interfaces.push(EmailSend::interface(&house.vault, &journal, &fence, sender));
    }
    let skills = Arc::new(house.load_skills(interfaces)?);
    let doubts = Doubts::new(Arc::clone(&journal), house.mail.clone());
    tracing::info!(
        agent = %house.agent,
        skills = skills.names().collect::<Vec<_>>().join(", "),
        "The local half is up: it acts on what you approve, and on nothing else."
    );

    let (_watch, wake_ups) = Watch::start(&house.config.vault.path)?;
    let seconds = Duration::from_secs;
    let every = seconds(house.config.work.every_seconds);
    let pipeline = Arc::new(Pipeline::new(
        Arc::clone(&skills),
        house.sync.clone(),
        house.vault.clone(),
        &house.config.work.zones,
    ));
    let actor = Actor::new(&house, Arc::clone(&skills), doubts);
    let mut tasks = vec![
        tokio::spawn(actor.run(wake_ups.clone(), every, shutdown.clone())),
        tokio::spawn(loops::keep_working(pipeline, wake_ups.clone(), every, shutdown.clone())),
        tokio::spawn(loops::keep_in_sync(
            skills,
            wake_ups,
            seconds(house.config.sync.every_seconds),
            shutdown.clone(),
        )),
    ];
    tasks.extend(house.watch_mail(&shutdown));
    for task in tasks {
        task.await.context("a loop of the daemon died")?;
    }
    anyhow::ensure!(shutdown.is_stopping(), "a loop of the daemon ended by itself");
    Ok(())
}

/// The receipts of a task, from the journal.
struct JournalReceipts(Arc<Journal>);

impl Receipts for JournalReceipts {
    fn of_task(&self, task: TaskId) -> Result<Vec<ReceiptRecord>, String> {
        let receipts = self.0.receipts_of(task).map_err(|error| error.to_string())?;
        Ok(receipts
            .into_iter()
            .map(|receipt| ReceiptRecord {
                draft: receipt.draft,
                kind: receipt.kind,
                at: receipt.at,
                reference: receipt.reference,
                answer: receipt.answer,
            })
            .collect())
    }
}

/// An effect may happen only while its task is owned and open, as the remote has it now.
struct SyncFence(Synchronizer);

#[async_trait::async_trait]
impl Fence for SyncFence {
    async fn may_act(&self, task: TaskId) -> Result<(), String> {
        self.0.confirm_open(task).await.map_err(|error| error.to_string())
    }
}
