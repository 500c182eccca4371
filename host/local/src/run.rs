//! `platinum run`: the composition root with effects.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use platinum_api::MachineKeys;
use platinum_capabilities::{dashboard, tasks::Receipts, updates};
use platinum_core::{
    DraftId, Role, SystemClock, TaskId, Timestamp, VaultPath, ZoneId, layout, text::one_line,
};
use platinum_daemon::{Config, Host, HostError, Running, SkillSet, on_signals, skills::LockMemory};
use platinum_effects::{
    Effect, Executor, Fence,
    approvals::{Approvals, ApprovalsQueue},
    email::{McpMailFiles, McpMailSender, SendMail},
    odoo::{McpOdooServer, PostDocument, RecordPayment},
    social::{McpSocialServer, PublishPost},
    whatsapp::{McpWhatsappServer, SendMessage},
};
use platinum_journal::{AuditEvent, Intent, Journal, Receipt};
use platinum_mcp::{GateRefusal, McpError};
use platinum_protocol::{ClaimRecord, TaskPlace};
use platinum_sync::{JournalHead, Synchronizer};
use platinum_vault::note::ReceiptRecord;
use platinum_verify::Identity;

use crate::{
    attachments::AttachmentLoop,
    executor::{ApprovalLoop, JournalDrafts, note_drafts},
    machine::MachineGuard,
};

/// Runs the local daemon until it is asked to stop.
pub(crate) async fn run(file: &Path) -> anyhow::Result<()> {
    let shutdown = on_signals().context("signals cannot be listened to")?;
    let config = Config::load(file, Role::Local)?;
    let opened = Host::open(config.clone(), Role::Local).await;
    if let Err(HostError::Server(McpError::Gate(refusal))) = &opened
        && let Err(error) = note_refused_server(&config, refusal)
    {
        tracing::warn!("Cannot write into the log that a server was refused: {error:#}.");
    }
    let host = opened?;
    // The owner moves files between these: they have to be there.
    for folder in layout::FOLDERS {
        host.vault.make_folder(&VaultPath::new(folder)?)?;
    }
    let keys = MachineKeys::new(host.identity.clone());
    let journal = Arc::new(keys.open_journal(&host.config.vault.state)?);
    if let Some(why) = journal.distrust() {
        let text = format!("Nothing is sent: {why}. `platinum log verify` shows more.");
        tracing::error!("{text}");
        host.owner_updates().publish(None, &text).await;
    }
    let log = Arc::clone(&journal);
    host.on_session_end(move |server, reason| {
        if let Err(error) = note_refusal(&log, server, reason) {
            tracing::warn!("Cannot write into the log that a server was refused: {error:#}.");
        }
    });
    let seen = Arc::clone(&journal);
    let guard =
        MachineGuard::open(&host, Arc::clone(&journal), move || journal_head(&seen)).await?;
    let receipts: Arc<dyn Receipts> = Arc::new(JournalReceipts(Arc::clone(&journal)));

    host.vault
        .remember_drafts(Arc::new(JournalDrafts(Arc::clone(&journal))));

    let mut interfaces = host.interfaces(&receipts);
    interfaces.push(updates::collect(&host.vault));
    interfaces.push(dashboard::interface(&host.vault));
    let (file, agent) = (file.to_path_buf(), host.agent.clone());
    let installed_skills = move || {
        let config = Config::load(&file, Role::Local).ok()?;
        platinum_api::approval_policy(&config, &agent).skills
    };
    let approvals = Approvals::new(
        host.vault.clone(),
        Arc::clone(&journal),
        Arc::new(SyncFence {
            sync: host.sync.clone(),
            guard: guard.clone(),
            has_asked: AtomicBool::new(false),
            last_failure: tokio::sync::Mutex::new(None),
        }),
        Arc::new(SystemClock),
        platinum_api::approval_policy(&host.config, &host.agent),
    );
    let approvals = Arc::new(approvals.with_installed_skills(installed_skills));
    interfaces.push(Box::new(ApprovalsQueue::new(Arc::clone(&approvals))));
    let mut effects: Vec<Arc<dyn Effect>> = Vec::new();
    if let Some(session) = host.session("email") {
        let sender = Arc::new(McpMailSender::new(session.clone()));
        let accounts = approvals.policy().accounts.clone();
        effects.push(Arc::new(SendMail::new(sender, accounts)));
    }
    if let Some(session) = host.session(ZoneId::SOCIAL.as_str()) {
        let networks = Arc::new(McpSocialServer::new(session.clone()));
        effects.push(Arc::new(PublishPost::new(networks)));
    }
    if let Some(session) = host.session(ZoneId::ACCOUNTING.as_str()) {
        let odoo = Arc::new(McpOdooServer::new(session.clone()));
        effects.push(Arc::new(PostDocument::new(odoo.clone())));
        effects.push(Arc::new(RecordPayment::new(odoo)));
    }
    if let Some(session) = host.session(ZoneId::WHATSAPP.as_str()) {
        let whatsapp = Arc::new(McpWhatsappServer::new(session.clone()));
        effects.push(Arc::new(SendMessage::new(whatsapp)));
    }
    let executor = Arc::new(Executor::new(approvals, effects));
    interfaces.extend(platinum_effects::interfaces(&executor));
    let lock_memory = LockMemory::of(&host.config.vault.state);
    if let Err(error) = recall_lock(&journal, &lock_memory) {
        tracing::warn!("By which lock skills ran last is not known from the log: {error:#}.");
    }
    let skills = Arc::new(host.load_skills(interfaces)?);
    note_lock(&journal, &lock_memory)?;
    note_grants(&journal, &skills)?;
    tracing::info!(
        agent = %host.agent,
        skills = skills.names().collect::<Vec<_>>().join(", "),
        "The local half is up: it acts on what you approve, and on nothing else."
    );
    host.introduce();

    let actor = ApprovalLoop::new(&host, Arc::clone(&skills), executor, guard);
    let mut running = Running::start(&host, &skills, &shutdown)?;
    let every = Duration::from_secs(host.config.work.every_seconds);
    let drafts = note_drafts(
        host.vault.clone(),
        running.wake_ups(),
        every,
        shutdown.clone(),
    );
    running.add_loop(tokio::spawn(drafts));
    if let Some(session) = host.session("email") {
        let mail = Box::new(McpMailFiles::new(session.clone()));
        let attachments = AttachmentLoop::new(host.vault.clone(), host.sync.clone(), mail);
        let ended = attachments.run(running.wake_ups(), every, shutdown.clone());
        running.add_loop(tokio::spawn(ended));
    }
    running.add_loop(tokio::spawn(actor.run(running.wake_ups(), every, shutdown)));
    running.until_stopped().await
}

/// Writes into the log that the server of a zone did not pass the gate, where the daemon does not start for that.
fn note_refused_server(config: &Config, refusal: &GateRefusal) -> anyhow::Result<()> {
    let agent = config.agent(Role::Local).map_err(anyhow::Error::msg)?;
    let identity = Identity::open(&config.vault.state, &agent, Role::Local)?;
    let journal = MachineKeys::new(identity).open_journal(&config.vault.state)?;
    note_refusal(&journal, &refusal.server, &refusal.to_string())
}

/// Writes into the log that a server was refused, if that is new.
fn note_refusal(journal: &Journal, server: &str, reason: &str) -> anyhow::Result<()> {
    let event = AuditEvent::Refused {
        subject: format!("server {server}"),
        reason: one_line(reason, 500),
    };
    // Nothing is added to a log that was changed: the owner was notified.
    if journal.distrust().is_none() {
        journal.note_change(&event, Timestamp::now())?;
    }
    Ok(())
}

/// The log knows, too, by which lock skills ran: if the file that says so is lost or put back, no older one counts.
fn recall_lock(journal: &Journal, memory: &LockMemory) -> anyhow::Result<()> {
    match journal.newest_lock()? {
        Some(written) => Ok(memory.raise(written)?),
        None => Ok(()),
    }
}

/// Writes into the log by which lock skills run, if that is new.
fn note_lock(journal: &Journal, memory: &LockMemory) -> anyhow::Result<()> {
    // A broken memory lets no lock count, and the reason is at each skill.
    let newest = memory.newest().ok().flatten();
    if let Some(written) = newest.filter(|_| journal.distrust().is_none()) {
        let event = AuditEvent::Locked {
            subject: "skills".to_owned(),
            written,
        };
        journal.note_change(&event, Timestamp::now())?;
    }
    Ok(())
}

/// Writes into the log what each skill holds from now on, and which was refused, if that is new.
fn note_grants(journal: &Journal, skills: &SkillSet) -> anyhow::Result<()> {
    // Nothing is added to it, and nothing acts: the owner was notified.
    if journal.distrust().is_some() {
        return Ok(());
    }
    let granted = skills
        .grants()
        .map(|(skill, component, interfaces)| AuditEvent::Granted {
            subject: skill.to_owned(),
            component: component.to_owned(),
            interfaces,
        });
    let refused = skills
        .refusals()
        .map(|(skill, reason)| AuditEvent::Refused {
            subject: format!("skill {skill}"),
            reason: one_line(reason, 500),
        });
    for event in granted.chain(refused) {
        journal.note_change(&event, Timestamp::now())?;
    }
    Ok(())
}

/// The end of the log as commits carry it.
fn journal_head(journal: &Journal) -> Option<JournalHead> {
    match journal.head() {
        Ok((entries, hash)) => Some(JournalHead { entries, hash }),
        Err(error) => {
            tracing::warn!("Cannot read the end of the journal: {error}.");
            None
        }
    }
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
    let records = receipts.into_iter();
    Ok(records
        .map(|found| record_of(found.intent, found.receipt))
        .collect())
}

/// An effect and its receipt, as a note says them.
pub(crate) fn record_of(intent: Intent, receipt: Receipt) -> ReceiptRecord {
    ReceiptRecord {
        draft: intent.draft,
        kind: intent.kind,
        at: receipt.at,
        reference: receipt.reference,
        answer: receipt.answer,
        sha256: intent.sha256().to_owned(),
        recipients: intent.recipients,
        came_back: None,
    }
}

/// An effect may happen only while its task is owned, under the claim under which its draft was
/// made, as a fresh look at the remote has it.
struct SyncFence {
    sync: Synchronizer,
    /// Whether this is the one machine that its key stands for.
    guard: MachineGuard,
    /// Whether the remote has answered since this daemon started.
    has_asked: AtomicBool,
    /// When the remote was last asked for this and did not answer, and why: many approvals that wait for it
    /// must not wait for a time-out each.
    last_failure: tokio::sync::Mutex<Option<(Instant, String)>>,
}

/// An answer of the remote this recent counts as fresh: one approval is asked for twice.
const FRESH_SECONDS: i64 = 2;
/// How long the remote is not asked again after it did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(5);

#[async_trait::async_trait]
impl Fence for SyncFence {
    async fn may_act(&self, task: TaskId, epoch: Option<u64>) -> Result<(), String> {
        let text = |error: platinum_sync::SyncError| error.to_string();
        // No other host can have a task of a zone that is this machine's alone. But the remote knows
        // whether this machine was copied or restored, so it is asked once in the life of a daemon.
        let alone = self.sync.is_local_only_claim(task).await.map_err(text)?;
        if !alone || !self.has_asked.load(Ordering::Relaxed) {
            self.refresh().await?;
            self.has_asked.store(true, Ordering::Relaxed);
        }
        if !alone && self.sync.is_in_doubt(task).await.map_err(text)? {
            return Err(
                "whether the remote took this machine's last change of its task is not known"
                    .to_owned(),
            );
        }
        // After the remote was asked: what it has of another machine is known now.
        self.guard.check().await?;
        match self.sync.place(task).await.map_err(text)? {
            TaskPlace::Owned(record) => check_epoch(epoch, &record, alone),
            TaskPlace::Waiting => Err(
                "its task has no owner; it waits until an agent claims it, or reject the draft"
                    .to_owned(),
            ),
            TaskPlace::Finished => Err(TASK_FINISHED.to_owned()),
            TaskPlace::Absent => Err(
                "its task is not in the vault; bring its note back, or reject the draft".to_owned(),
            ),
        }
    }

    async fn claim_effect(&self, task: TaskId, draft: DraftId) -> Result<Option<String>, String> {
        let text = |error: platinum_sync::SyncError| error.to_string();
        let alone = self.sync.is_local_only_claim(task).await.map_err(text)?;
        if !alone {
            let claimed = self.sync.claim_effect(draft).await;
            // What a copy did that was faster is better said than that it was.
            self.guard.check().await?;
            claimed.map_err(text)?;
        }
        let begun = self.sync.own_elsewhere().intents;
        if let Some(machine) = begun.get(&draft.to_string()) {
            return Ok(Some(format!(
                "a copy of this machine ({machine}) began to carry it out"
            )));
        }
        // There, the remote is not told what is carried out.
        match alone && self.guard.is_from_before_recovery(draft).await? {
            true => Ok(Some(
                "it was approved before this machine was recovered, and may have left by then"
                    .to_owned(),
            )),
            false => Ok(None),
        }
    }
}

/// Why a draft of a task that is over is not carried out.
pub(crate) const TASK_FINISHED: &str =
    "its task is finished already, and nothing more is sent for it";

/// Why a draft that was made offline waits.
const UNCONFIRMED: &str = "its draft was made offline, on a claim that is not confirmed; it leaves once a sync confirms the claim, or reject it";

/// Whether a draft was made under the claim by which its task is owned now. Whose claim it is does
/// not matter: the owner approved the draft. A task that was moved by hand has no epoch. A draft
/// that says none may be older than any claim: where others claim too, the owner has to say that it
/// answers the task as it is now. When it was made does not help, as that is what it says itself.
fn check_epoch(epoch: Option<u64>, now: &ClaimRecord, alone: bool) -> Result<(), String> {
    match epoch {
        None if alone || now.epoch == 0 => Ok(()),
        None => Err(format!(
            "its draft does not say under which claim of the task it was made, and claim {} by {} is the one that holds now; if it answers the task as it is, write `epoch: {}` into it, else reject it",
            now.epoch, now.agent, now.epoch
        )),
        Some(0) => Err(UNCONFIRMED.to_owned()),
        Some(then) if then == now.epoch || now.epoch == 0 => Ok(()),
        Some(then) => Err(format!(
            "its draft was made under claim {then} of the task, and claim {} by {} is the one that holds now; reject it and approve the newer draft",
            now.epoch, now.agent
        )),
    }
}

impl SyncFence {
    /// Asks the remote, unless there was one just now.
    async fn refresh(&self) -> Result<(), String> {
        let text = |error: platinum_sync::SyncError| error.to_string();
        let status = self.sync.status().await.map_err(text)?;
        let is_fresh = status.last_error.is_none()
            && status
                .last_contact
                .is_some_and(|at| (Timestamp::now() - at).get_seconds().abs() <= FRESH_SECONDS);
        if !is_fresh {
            let mut last_failure = self.last_failure.lock().await;
            if let Some((at, why)) = &*last_failure
                && at.elapsed() < RETRY_AFTER
            {
                return Err(why.clone());
            }
            if let Err(error) = self.sync.sync().await {
                let why = text(error);
                *last_failure = Some((Instant::now(), why.clone()));
                return Err(why);
            }
            *last_failure = None;
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
            heartbeats: 3,
        }
    }

    #[test]
    fn log_remembers_the_lock_that_the_state_folder_forgot() {
        let state = tempfile::tempdir().unwrap();
        let journal = Journal::open(&state.path().join("journal.db")).unwrap();
        let memory = LockMemory::of(state.path());
        recall_lock(&journal, &memory).unwrap();
        assert_eq!(memory.newest().unwrap(), None);
        let [first, second] = [10, 20].map(|at| Timestamp::from_second(at).unwrap());
        for written in [first, second] {
            memory.raise(written).unwrap();
            note_lock(&journal, &memory).unwrap();
            note_lock(&journal, &memory).unwrap();
        }
        assert_eq!(journal.newest(9).unwrap().len(), 2);
        std::fs::remove_file(state.path().join("skills-lock-seen")).unwrap();
        memory.raise(first).unwrap();
        recall_lock(&journal, &memory).unwrap();
        assert_eq!(memory.newest().unwrap(), Some(second));
    }

    #[test]
    fn check_epoch_takes_a_draft_of_the_same_claim_alone() {
        for alone in [false, true] {
            assert_eq!(check_epoch(Some(4), &held(4), alone), Ok(()));
            assert_eq!(check_epoch(Some(4), &held(0), alone), Ok(()));
            for stale in [1, 3, 5] {
                assert_eq!(
                    check_epoch(Some(stale), &held(4), alone).unwrap_err(),
                    format!(
                        "its draft was made under claim {stale} of the task, and claim 4 by cloud-2 is the one that holds now; reject it and approve the newer draft"
                    )
                );
            }
        }
    }

    #[test]
    fn check_epoch_refuses_no_epoch_where_others_claim() {
        // Drafts of people say nothing of claims, and tasks of people have none.
        assert_eq!(check_epoch(None, &held(4), true), Ok(()));
        assert_eq!(check_epoch(None, &held(0), false), Ok(()));
        assert_eq!(
            check_epoch(None, &held(4), false).unwrap_err(),
            "its draft does not say under which claim of the task it was made, and claim 4 by cloud-2 is the one that holds now; if it answers the task as it is, write `epoch: 4` into it, else reject it"
        );
    }

    #[test]
    fn check_epoch_refuses_an_unconfirmed_claim() {
        for epoch in [0, 1, 7] {
            assert_eq!(
                check_epoch(Some(0), &held(epoch), false).unwrap_err(),
                "its draft was made offline, on a claim that is not confirmed; it leaves once a sync confirms the claim, or reject it"
            );
        }
    }
}
