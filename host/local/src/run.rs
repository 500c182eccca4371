//! `platinum run`: the composition root with effects.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use platinum_capabilities::{dashboard, tasks::Receipts, updates};
use platinum_core::{Role, SystemClock, TaskId, Timestamp, VaultPath, layout};
use platinum_daemon::{Config, House, Running, on_signals};
use platinum_effects::{
    Fence,
    approvals::{Approvals, ApprovalsQueue},
    email::{EmailSend, McpMailSender, McpSentSearch, SendMail, SentSearch},
};
use platinum_journal::Journal;
use platinum_protocol::{ClaimRecord, TaskPlace};
use platinum_sync::Synchronizer;
use platinum_vault::note::ReceiptRecord;

use crate::act::Actor;

/// Runs the local daemon until it is told to stop.
pub(crate) async fn run(config: &Path) -> anyhow::Result<()> {
    let shutdown = on_signals().context("signals cannot be listened to")?;
    let house = House::open(Config::load(config, Role::Local)?, Role::Local).await?;
    // The owner moves files between these: they have to be there.
    for folder in layout::FOLDERS {
        house.vault.make_folder(&VaultPath::new(folder)?)?;
    }
    let journal = Arc::new(Journal::open(&house.config.vault.state.join("journal.db"))?);
    let receipts: Arc<dyn Receipts> = Arc::new(JournalReceipts(Arc::clone(&journal)));

    let mut interfaces = house.interfaces(&receipts);
    interfaces.push(updates::collect(&house.vault));
    interfaces.push(dashboard::interface(&house.vault));
    let approvals = Arc::new(Approvals::new(
        house.vault.clone(),
        Arc::clone(&journal),
        Arc::new(SyncFence {
            sync: house.sync.clone(),
            in_vain: tokio::sync::Mutex::new(None),
        }),
        Arc::new(SystemClock),
    ));
    interfaces.push(Box::new(ApprovalsQueue::new(Arc::clone(&approvals))));
    let mut sent: Option<Box<dyn SentSearch>> = None;
    if let Some(session) = &house.mail {
        let sender = Arc::new(McpMailSender::new(
            session.clone(),
            domains(&house.config.mail.config),
        ));
        let mail = Arc::new(SendMail::new(Arc::clone(&approvals), sender));
        interfaces.push(Box::new(EmailSend::new(mail)));
        sent = Some(Box::new(McpSentSearch::new(session.clone())));
    }
    let skills = Arc::new(house.load_skills(interfaces)?);
    tracing::info!(
        agent = %house.agent,
        skills = skills.names().collect::<Vec<_>>().join(", "),
        "The local half is up: it acts on what you approve, and on nothing else."
    );
    house.introduce();

    let actor = Actor::new(&house, Arc::clone(&skills), approvals, sent);
    let mut running = Running::start(&house, &skills, &shutdown)?;
    let every = Duration::from_secs(house.config.work.every_seconds);
    running.add(tokio::spawn(actor.run(running.wake_ups(), every, shutdown)));
    running.until_stopped().await
}

/// The domain of each account's address, from the mail servers' configuration: it ends the
/// Message-IDs that are chosen here. What cannot be read is left out; the server has checked it.
fn domains(mail_config: &Path) -> BTreeMap<String, String> {
    let accounts = std::fs::read_to_string(mail_config)
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .and_then(|table| {
            table
                .get("account")
                .and_then(|accounts| accounts.as_table())
                .cloned()
        })
        .unwrap_or_default();
    accounts
        .iter()
        .filter_map(|(name, account)| {
            let address = account.get("address")?.as_str()?;
            let domain = address.rsplit('@').next()?.trim_end_matches(['>', ' ']);
            Some((name.clone(), domain.to_owned()))
        })
        .collect()
}

/// The receipts of a task, from the journal.
struct JournalReceipts(Arc<Journal>);

impl Receipts for JournalReceipts {
    fn of_task(&self, task: TaskId) -> Result<Vec<ReceiptRecord>, String> {
        receipts_of(&self.0, task)
    }
}

/// What the journal has of a task's effects, as a note says it.
pub(crate) fn receipts_of(journal: &Journal, task: TaskId) -> Result<Vec<ReceiptRecord>, String> {
    let receipts = journal
        .receipts_of(task)
        .map_err(|error| error.to_string())?;
    Ok(receipts
        .into_iter()
        .map(|found| ReceiptRecord {
            draft: found.draft,
            kind: found.kind,
            at: found.receipt.at,
            reference: found.receipt.reference,
            answer: found.receipt.answer,
        })
        .collect())
}

/// An effect may happen only while its task is owned, under the claim under which its draft was
/// made, as a fresh look at the remote has it.
struct SyncFence {
    sync: Synchronizer,
    /// When the remote was last asked for this in vain, and why: many approvals that wait for it
    /// must not wait for a time-out each.
    in_vain: tokio::sync::Mutex<Option<(Instant, String)>>,
}

/// A look at the remote this recent counts as fresh: one approval is asked for twice.
const FRESH_SECONDS: i64 = 2;
/// How long the remote is not asked again after it did not answer.
const IN_VAIN: Duration = Duration::from_secs(5);

#[async_trait::async_trait]
impl Fence for SyncFence {
    async fn may_act(&self, task: TaskId, epoch: Option<u64>) -> Result<(), String> {
        let told = |error: platinum_sync::SyncError| error.to_string();
        // Nobody else can have a task of a zone that is this machine's alone.
        let alone = self.sync.is_local_only_claim(task).await.map_err(told)?;
        if !alone {
            self.look().await?;
            if self.sync.is_in_doubt(task).await.map_err(told)? {
                return Err(
                    "whether the remote took this machine's last change of its task is not known"
                        .to_owned(),
                );
            }
        }
        match self.sync.place(task).await.map_err(told)? {
            TaskPlace::Owned(record) => of_this_epoch(epoch, &record, alone),
            TaskPlace::Waiting => Err("nobody owns its task".to_owned()),
            TaskPlace::Finished => Err("its task is finished already".to_owned()),
            TaskPlace::Absent => Err("its task is not in the vault".to_owned()),
        }
    }
}

/// Whether a draft was made under the claim by which its task is owned now. Whose claim it is does
/// not matter: the owner approved the draft. A task that was moved by hand has no epoch. A draft
/// that says none may be older than any claim: where others claim too, the owner has to say that it
/// answers the task as it is now. When it was made does not help, as that is what it says itself.
fn of_this_epoch(epoch: Option<u64>, now: &ClaimRecord, alone: bool) -> Result<(), String> {
    match epoch {
        None if alone || now.epoch == 0 => Ok(()),
        None => Err(format!(
            "its draft does not say under which claim of the task it was made, and claim {} by {} is the one that holds now; if it answers the task as it is, write `epoch: {}` into it, else reject it",
            now.epoch, now.agent, now.epoch
        )),
        Some(0) => Err("its draft was made offline, on a claim that is not confirmed".to_owned()),
        Some(then) if then == now.epoch || now.epoch == 0 => Ok(()),
        Some(then) => Err(format!(
            "its draft was made under claim {then} of the task, and claim {} by {} is the one that holds now; reject it and approve the newer draft",
            now.epoch, now.agent
        )),
    }
}

impl SyncFence {
    /// A look at the remote, unless there was one just now.
    async fn look(&self) -> Result<(), String> {
        let told = |error: platinum_sync::SyncError| error.to_string();
        let status = self.sync.status().await.map_err(told)?;
        let is_fresh = status.last_error.is_none()
            && status
                .last_contact
                .is_some_and(|at| (Timestamp::now() - at).get_seconds().abs() <= FRESH_SECONDS);
        if !is_fresh {
            let mut in_vain = self.in_vain.lock().await;
            if let Some((at, why)) = &*in_vain
                && at.elapsed() < IN_VAIN
            {
                return Err(why.clone());
            }
            if let Err(error) = self.sync.sync().await {
                let why = told(error);
                *in_vain = Some((Instant::now(), why.clone()));
                return Err(why);
            }
            *in_vain = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::ClaimId;

    use super::*;

    fn held(epoch: u64) -> ClaimRecord {
        ClaimRecord {
            id: ClaimId::from_parts(0, 1),
            agent: "cloud-2".parse().unwrap(),
            epoch,
            at: Timestamp::UNIX_EPOCH,
            base: String::new(),
            beat: 3,
        }
    }

    #[test]
    fn a_draft_counts_under_the_claim_that_it_was_made_under_and_no_other() {
        for alone in [false, true] {
            assert_eq!(of_this_epoch(Some(4), &held(4), alone), Ok(()));
            assert_eq!(of_this_epoch(Some(4), &held(0), alone), Ok(()));
            for stale in [1, 3, 5] {
                assert_eq!(
                    of_this_epoch(Some(stale), &held(4), alone).unwrap_err(),
                    format!(
                        "its draft was made under claim {stale} of the task, and claim 4 by cloud-2 is the one that holds now; reject it and approve the newer draft"
                    )
                );
            }
        }
    }

    #[test]
    fn a_draft_that_says_no_claim_counts_only_where_nobody_else_claims() {
        // Drafts of people say nothing of claims, and tasks of people have none.
        assert_eq!(of_this_epoch(None, &held(4), true), Ok(()));
        assert_eq!(of_this_epoch(None, &held(0), false), Ok(()));
        assert_eq!(
            of_this_epoch(None, &held(4), false).unwrap_err(),
            "its draft does not say under which claim of the task it was made, and claim 4 by cloud-2 is the one that holds now; if it answers the task as it is, write `epoch: 4` into it, else reject it"
        );
    }

    #[test]
    fn a_draft_on_a_claim_that_nobody_confirmed_does_nothing() {
        for epoch in [0, 1, 7] {
            assert_eq!(
                of_this_epoch(Some(0), &held(epoch), false).unwrap_err(),
                "its draft was made offline, on a claim that is not confirmed"
            );
        }
    }
}
