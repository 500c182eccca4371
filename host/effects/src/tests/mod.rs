//! Approvals and sending, on a real vault and a real journal, with a mail server, a fence and a
//! clock that do what the test says.

mod above;
mod acting_host;
mod attempts;
mod messages;
mod odoo;
mod social;
mod whatsapp;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use platinum_core::{
    Action, ActionKind, AgentName, Clock, DraftId, EmailSend, OwnAnswer, Role, TaskId, Timestamp,
    VaultPath, ZoneId, layout, sha256_hex,
};
use platinum_engine::{Call, Interface, SkillState};
use platinum_journal::{
    Closing, Journal, Outcome, Receipt, State,
    approvals::{Approval, PendingFile},
};
use platinum_vault::{
    Vault,
    note::{DraftNote, Note, TaskNote, finish},
};
use tempfile::TempDir;

use acting_host::ActingHost;

use crate::{
    AskError, Effect, EffectError, Executor, Fence, NotDone, Reconciled,
    approvals::{ApprovalPolicy, Approvals, ApprovalsQueue, Approved, EntryState, Outgoing, act},
    email::{CloseRequest, MailAccounts, MailSender, SendMail, SendRequest, SentMatch},
    social::SocialAccounts,
};

const NOON: &str = "2026-11-20T12:00:00Z";

struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

#[derive(Default)]
struct TestFence(AtomicBool);

#[async_trait]
impl Fence for TestFence {
    async fn may_act(&self, _: TaskId, _: Option<u64>) -> Result<(), String> {
        if self.0.load(Ordering::SeqCst) {
            return Err("another agent took the task over".into());
        }
        Ok(())
    }
}

/// A mail server that keeps what it was asked to send and answers from a list; with nothing on
/// the list it never answers, as if the host died.
#[derive(Default)]
struct TestServer {
    asked: Mutex<Vec<SendRequest>>,
    answers: Mutex<VecDeque<Outcome>>,
    /// Whether the Sent folder has whatever is searched.
    has_sent: AtomicBool,
    /// What it was asked to prepare for.
    prepared: Mutex<Vec<SendRequest>>,
    refuses_to_prepare: AtomicBool,
    differs: AtomicBool,
    differs_at_sending: AtomicBool,
    cannot_be_asked: AtomicBool,
    /// What happens elsewhere while it is asked whether something was sent.
    while_it_is_asked: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// When the owner answered the mail themself.
    answered_at: Mutex<Option<Timestamp>>,
    cannot_find_answers: AtomicBool,
    cannot_close: AtomicBool,
    /// What it was told to be over.
    closed: Mutex<Vec<CloseRequest>>,
    /// What happens elsewhere while it prepares.
    while_it_prepares: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

#[async_trait]
impl MailSender for TestServer {
    async fn send(&self, request: SendRequest) -> Result<Outcome, NotDone> {
        self.asked.lock().unwrap().push(request);
        self.compare(&self.differs_at_sending)?;
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some(answer) => Ok(answer),
            None => std::future::pending().await,
        }
    }

    async fn prepare(&self, request: &SendRequest) -> Result<(), NotDone> {
        self.prepared.lock().unwrap().push(request.clone());
        let happens = self.while_it_prepares.lock().unwrap().take();
        if let Some(happens) = happens {
            happens();
        }
        self.compare(&self.differs)?;
        match self.refuses_to_prepare.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(NotDone::new("454 no login now", true)),
        }
    }

    async fn was_sent(&self, _: &str, account: Option<&str>) -> Result<Option<SentMatch>, String> {
        assert_eq!(account, Some("owner"));
        let happens = self.while_it_is_asked.lock().unwrap().take();
        if let Some(happens) = happens {
            happens();
        }
        if self.cannot_be_asked.load(Ordering::SeqCst) {
            return Err("the mailbox is away".into());
        }
        let has_sent = self.has_sent.load(Ordering::SeqCst);
        Ok(has_sent.then_some(SentMatch::ByMessageId("Sent".to_owned())))
    }

    async fn own_answer(
        &self,
        _: &str,
        message_id: &str,
        people: &[String],
    ) -> Result<OwnAnswer, String> {
        assert_eq!((message_id, people.len()), ("q@example.test", 1));
        if self.cannot_find_answers.load(Ordering::SeqCst) {
            return Err("the mailbox is away".into());
        }
        let at = *self.answered_at.lock().unwrap();
        Ok(OwnAnswer {
            answered: at.is_some(),
            at,
            folder: Some("Sent".to_owned()),
        })
    }

    async fn close(&self, request: &CloseRequest) -> Result<(), String> {
        if self.cannot_close.load(Ordering::SeqCst) {
            return Err("the mailbox is away".into());
        }
        self.closed.lock().unwrap().push(request.clone());
        Ok(())
    }
}

impl TestServer {
    /// As a server that may compose another message than the one that was approved.
    fn compare(&self, differs: &AtomicBool) -> Result<(), NotDone> {
        match differs.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(NotDone::differs("it is another message", None)),
        }
    }
}

pub(crate) struct Fixture {
    _folder: TempDir,
    journal_file: PathBuf,
    pub(crate) vault: Vault,
    pub(crate) journal: Arc<Journal>,
    clock: Arc<TestClock>,
    fence: Arc<TestFence>,
    server: Arc<TestServer>,
    pub(crate) approvals: Arc<Approvals>,
    pub(crate) executor: Arc<Executor>,
}

pub(crate) fn sent() -> Outcome {
    crate::done("250 2.0.0 queued; copy in Sent: filed")
}

fn not_sent(retry: bool) -> Outcome {
    Outcome::NotSent {
        reason: "451 try later".into(),
        retry,
        differs: false,
    }
}

pub(crate) fn id(n: u128) -> DraftId {
    DraftId::from_parts(1, n)
}

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

pub(crate) fn draft(n: u128) -> DraftNote {
    DraftNote {
        id: id(n),
        created: NOON.parse().unwrap(),
        by: "cloud/cloud-draft-email".into(),
        task: TaskId::from_parts(1, n),
        epoch: None,
        action: Action::new(&EmailSend {
            from_account: "owner".into(),
            to: vec!["Ada <ada@example.test>".into()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Offer".into(),
            in_reply_to: Some("q@example.test".into()),
            references: vec!["q@example.test".into()],
            attachments: vec![],
            body: "Dear Ada,\n\nyes.\n".into(),
        }),
        summary: "Reply to Ada".into(),
        reason: "She asked".into(),
        expires: "2026-11-27T12:00:00Z".parse().unwrap(),
        doubts: vec![],
    }
}

/// The mail that a draft answers.
fn task(n: u128) -> TaskNote {
    TaskNote {
        id: TaskId::from_parts(1, n),
        zone: ZoneId::EMAIL,
        source: "imap:owner".into(),
        from: "Ada <ada@example.test>".into(),
        subject: "Offer".into(),
        received: None,
        created: NOON.parse().unwrap(),
        by: "intake".into(),
        facts: vec![],
        claim: None,
        body: "Yes?\n".into(),
    }
}

pub(crate) fn policy(hold_seconds: u64) -> ApprovalPolicy {
    ApprovalPolicy {
        hold: std::time::Duration::from_secs(hold_seconds),
        retry: std::time::Duration::from_secs(30),
        accepts_other_devices: false,
        machine: "local".to_owned(),
        skills: Some("s1".to_owned()),
        accounts: accounts("Owner <owner@example.test>"),
        social: SocialAccounts::none(),
        has_odoo: true,
    }
}

/// One account, `owner`, with this address.
fn accounts(address: &'static str) -> MailAccounts {
    let owner = move || Ok(Some([("owner".to_owned(), address.to_owned())].into()));
    MailAccounts::new(owner)
}

fn executor(approvals: &Arc<Approvals>, server: &Arc<TestServer>) -> Arc<Executor> {
    let accounts = approvals.policy().accounts.clone();
    let mail: Arc<dyn Effect> = Arc::new(SendMail::new(server.clone(), accounts));
    Arc::new(Executor::new(Arc::clone(approvals), [mail]))
}

impl Fixture {
    pub(crate) fn new(answers: impl IntoIterator<Item = Outcome>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vault")).unwrap();
        let vault = Vault::open(&folder.path().join("vault")).unwrap();
        for n in 0..10 {
            let task = task(n);
            let path = layout::waiting(task.zone, task.id);
            vault.create(&path, task.render().as_bytes()).unwrap();
        }
        let journal_file = folder.path().join("journal.sqlite");
        let journal = Arc::new(Journal::open(&journal_file).unwrap());
        let clock = Arc::new(TestClock(Mutex::new(NOON.parse().unwrap())));
        let fence = Arc::new(TestFence::default());
        let server = Arc::new(TestServer::default());
        server.answers.lock().unwrap().extend(answers);
        let approvals = Arc::new(Approvals::new(
            vault.clone(),
            Arc::clone(&journal),
            fence.clone(),
            clock.clone(),
            policy(0),
        ));
        let executor = executor(&approvals, &server);
        Self {
            _folder: folder,
            journal_file,
            vault,
            journal,
            clock,
            fence,
            server,
            approvals,
            executor,
        }
    }

    /// The same host after its process ended and was started again.
    fn restarted(self) -> Self {
        let policy = self.approvals.policy().clone();
        self.restarted_with(policy)
    }

    /// The same host after it was configured otherwise and started again.
    pub(crate) fn restarted_with(mut self, policy: ApprovalPolicy) -> Self {
        self.journal = Arc::new(Journal::open(&self.journal_file).unwrap());
        self.approvals = Arc::new(Approvals::new(
            self.vault.clone(),
            Arc::clone(&self.journal),
            self.fence.clone(),
            self.clock.clone(),
            policy,
        ));
        self.executor = executor(&self.approvals, &self.server);
        self
    }

    /// The same host while it runs these skills, and others are installed.
    pub(crate) fn running(mut self, skills: &str, installed: &'static str) -> Self {
        let policy = ApprovalPolicy {
            skills: Some(skills.to_owned()),
            ..policy(0)
        };
        let approvals = Approvals::new(
            self.vault.clone(),
            Arc::clone(&self.journal),
            self.fence.clone(),
            self.clock.clone(),
            policy,
        );
        let approvals = approvals.with_installed_skills(move || Some(installed.to_owned()));
        self.approvals = Arc::new(approvals);
        self.executor = executor(&self.approvals, &self.server);
        self
    }

    /// Puts a draft into `Approved/`, and records its approval if it can be one.
    pub(crate) fn approve(&self, draft: &DraftNote) {
        let path = layout::approved(draft.id);
        self.vault.create(&path, draft.render().as_bytes()).unwrap();
        self.confirm(draft.id);
    }

    /// Puts a draft of this text before the owner, as a sync does, and notes which file that is.
    pub(crate) fn wait(&self, draft: DraftId, text: &str) {
        let path = layout::pending(draft);
        self.vault.create(&path, text.as_bytes()).unwrap();
        let file = PendingFile {
            identity: self.vault.identity(&path).unwrap().unwrap(),
            sha256: sha256_hex(text),
            is_placed: true,
        };
        self.journal.note_pending(draft, &file).unwrap();
    }

    /// The owner moves what waits.
    pub(crate) fn move_to_approved(&self, draft: DraftId) {
        let (from, to) = (layout::pending(draft), layout::approved(draft));
        self.vault.rename(&from, &to).unwrap();
    }

    /// Approves what waits, by command.
    fn approve_waiting(&self, draft: DraftId) {
        let path = layout::pending(draft);
        let outgoing = Outgoing::read(&self.vault, &path).unwrap();
        self.approve_as_shown(&path, &outgoing).unwrap();
    }

    fn approve_as_shown(
        &self,
        path: &VaultPath,
        outgoing: &Outgoing,
    ) -> Result<Approval, act::ActError> {
        let shown = act::Shown {
            path,
            outgoing,
            findings: &[],
        };
        let policy = self.approvals.policy();
        act::approve(&self.vault, &self.journal, policy, &shown, self.now())
    }

    /// Records that what is in `Approved/` is approved.
    fn confirm(&self, draft: DraftId) {
        let path = layout::approved(draft);
        let Ok(outgoing) = Outgoing::read(&self.vault, &path) else {
            return;
        };
        match self.approve_as_shown(&path, &outgoing) {
            Ok(_) | Err(act::ActError::Done(..) | act::ActError::NeverLeaves { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn next(&self) -> Option<Approved> {
        self.approvals
            .next_due(&[ActionKind::EMAIL_SEND])
            .await
            .unwrap()
    }

    pub(crate) async fn send(&self, approved: Approved) -> Result<Receipt, EffectError> {
        self.executor
            .execute(approved, ActionKind::EMAIL_SEND)
            .await
    }

    /// Sends what is handed out next.
    pub(crate) async fn send_next(&self) -> Result<Receipt, EffectError> {
        self.send(self.next().await.unwrap()).await
    }

    pub(crate) async fn states(&self) -> Vec<String> {
        let entries = self.approvals.entries().await.unwrap();
        entries
            .iter()
            .map(|entry| entry.state.to_string())
            .collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.checked_add(jiff_seconds(seconds)).unwrap();
    }

    pub(crate) fn asked(&self) -> usize {
        self.server.asked.lock().unwrap().len()
    }
}

fn jiff_seconds(seconds: i64) -> std::time::Duration {
    std::time::Duration::from_secs(u64::try_from(seconds).unwrap())
}

/// What no effect here carries out waits, whatever a skill asks for.
#[tokio::test]
async fn next_hands_out_no_kind_without_an_effect() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(1));
    let kinds = [ActionKind::EMAIL_SEND];
    assert!(fixture.approvals.next_due(&kinds).await.unwrap().is_some());
    let none: [Arc<dyn Effect>; 0] = [];
    let executor = Executor::new(Arc::clone(&fixture.approvals), none);
    let next = executor.approvals().next_due(&kinds).await.unwrap();
    assert!(next.is_none());
}

#[tokio::test]
async fn approved_mail_is_sent_once_and_leaves_the_queue() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let receipt = fixture.send_next().await.unwrap();
    let name = id(1).to_string().to_lowercase();
    assert_eq!(receipt.reference, format!("{name}@example.test"));
    assert_eq!(receipt.answer, "250 2.0.0 queued; copy in Sent: filed");
    let asked = fixture.server.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.body, "Dear Ada,\n\nyes.\n");
    assert_eq!(asked.message_id, receipt.reference);
    assert_eq!(asked.in_reply_to.as_deref(), Some("q@example.test"));
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        [format!("done at 2026-11-20T12:00:00Z: {}", receipt.answer)]
    );
    let receipts = fixture
        .journal
        .receipts_of(TaskId::from_parts(1, 1))
        .unwrap();
    assert_eq!(receipts[0].receipt, receipt);
    assert!(fixture.journal.verify().is_ok());
}

#[tokio::test]
async fn file_that_comes_back_sends_nothing_again() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture.send_next().await.unwrap();
    fixture.vault.remove(&layout::approved(id(1))).unwrap();
    let mut edited = draft(1);
    edited.action.set_text("Once more.\n".into()).unwrap();
    fixture.approve(&edited);
    assert!(fixture.next().await.is_none());
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn two_handles_on_one_approval_send_one_mail() {
    let fixture = Fixture::new([sent(), sent()]);
    fixture.approve(&draft(1));
    let (first, second) = (fixture.next().await.unwrap(), fixture.next().await.unwrap());
    let (first, second) = tokio::join!(fixture.send(first), fixture.send(second));
    assert_eq!(fixture.asked(), 1);
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
}

#[tokio::test]
async fn second_file_of_a_done_draft_is_not_done() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture.send_next().await.unwrap();
    let put_away = format!("Done/2026/11/{}.md", id(1));
    fixture
        .vault
        .rename(&layout::approved(id(1)), &path(&put_away))
        .unwrap();
    let mut again = draft(1);
    again
        .action
        .set_text("And another thing.\n".into())
        .unwrap();
    fixture.approve(&again);
    assert!(fixture.next().await.is_none());
    let states = fixture.states().await;
    assert!(
        states[0].contains("is not carried out twice; remove this file"),
        "{states:?}"
    );
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn closed_fence_shows_its_reason_until_it_opens() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture.fence.0.store(true, Ordering::SeqCst);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        ["waits: another agent took the task over"]
    );
    fixture.fence.0.store(false, Ordering::SeqCst);
    assert!(fixture.next().await.is_some());
    assert_eq!(fixture.states().await, ["ready"]);
}

#[tokio::test]
async fn link_in_approved_is_no_approval() {
    let fixture = Fixture::new([sent()]);
    let pending = layout::pending(id(1));
    fixture
        .vault
        .create(&pending, draft(1).render().as_bytes())
        .unwrap();
    let root = fixture.vault.root();
    std::fs::create_dir_all(root.join("Approved")).unwrap();
    std::os::unix::fs::symlink(
        root.join(pending.as_str()),
        root.join(layout::approved(id(1)).as_str()),
    )
    .unwrap();
    assert!(fixture.next().await.is_none());
    std::fs::remove_dir_all(root.join("Approved")).unwrap();
    std::os::unix::fs::symlink(root.join("Pending_Approval"), root.join("Approved")).unwrap();
    assert!(!matches!(
        fixture.approvals.next_due(&[ActionKind::EMAIL_SEND]).await,
        Ok(Some(_))
    ));
}

#[tokio::test]
async fn draft_changed_after_hand_out_is_not_sent_as_it_was() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    let mut edited = draft(1);
    edited.action.set_text("Dear Ada,\n\nno.\n".into()).unwrap();
    fixture
        .vault
        .replace(&layout::approved(id(1)), edited.render().as_bytes(), None)
        .unwrap();
    assert!(matches!(
        fixture.send(approved).await,
        Err(EffectError::Postponed(_))
    ));
    assert_eq!(fixture.asked(), 0);
    assert!(fixture.next().await.is_none());
    fixture.confirm(id(1));
    fixture.send_next().await.unwrap();
    assert_eq!(
        fixture.server.asked.lock().unwrap()[0].body,
        "Dear Ada,\n\nno.\n"
    );
}

#[tokio::test]
async fn only_sound_files_are_handed_out() {
    let fixture = Fixture::new([]);
    let mut late = draft(1);
    late.expires = "2026-11-20T11:59:59Z".parse().unwrap();
    fixture.approve(&late);
    let misnamed = draft(2).render();
    fixture
        .vault
        .create(&layout::approved(id(3)), misnamed.as_bytes())
        .unwrap();
    fixture
        .vault
        .create(&layout::approved(id(4)), b"just a text")
        .unwrap();
    fixture.approve(&draft(5));
    fixture
        .vault
        .create(&layout::rejected(id(5)), b"x")
        .unwrap();
    let copy = format!(
        "Approved/{}.conflict-local-20261120T120000000Z-01234567.md",
        id(6)
    );
    fixture
        .vault
        .create(&path(&copy), draft(6).render().as_bytes())
        .unwrap();
    fixture
        .vault
        .create(&path("Approved/picture.png"), b"x")
        .unwrap();
    assert!(fixture.next().await.is_none());
    let entries = fixture.approvals.entries().await.unwrap();
    assert_eq!(entries.len(), 5);
    assert!(
        matches!(entries[0].state, EntryState::Expired(_)),
        "{:?}",
        entries[0].state
    );
    for entry in &entries[1..] {
        assert!(
            matches!(entry.state, EntryState::Broken(_)),
            "{:?}",
            entry.state
        );
    }
    // A sound one among them is still found, and only by those who asked for its kind.
    fixture.approve(&draft(7));
    assert!(
        fixture
            .approvals
            .next_due(&[ActionKind::PAYMENT])
            .await
            .unwrap()
            .is_none()
    );
    assert!(fixture.approvals.next_due(&[]).await.unwrap().is_none());
    assert_eq!(fixture.next().await.unwrap().draft().id, id(7));
}

#[tokio::test]
async fn host_that_lost_the_task_does_not_act() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    fixture.fence.0.store(true, Ordering::SeqCst);
    let error = fixture.send(approved).await.unwrap_err();
    assert!(
        matches!(&error, EffectError::Postponed(reason) if reason == "another agent took the task over"),
        "{error:?}"
    );
    assert!(fixture.next().await.is_none());
    fixture.fence.0.store(false, Ordering::SeqCst);
    assert!(fixture.send_next().await.is_ok());
}

#[tokio::test]
async fn without_a_journal_nothing_is_sent() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    let file = rusqlite::Connection::open(&fixture.journal_file).unwrap();
    file.execute_batch("ALTER TABLE entries RENAME TO lost")
        .unwrap();
    let error = fixture.send(approved).await.unwrap_err();
    assert!(matches!(error, EffectError::Postponed(_)), "{error:?}");
    assert_eq!(fixture.asked(), 0);
    assert!(
        fixture
            .approvals
            .next_due(&[ActionKind::EMAIL_SEND])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn attachments_leave_as_approved() {
    let fixture = Fixture::new([sent()]);
    let with = |files: &[&str]| {
        let mut draft = draft(1);
        let mut mail: EmailSend = draft.action.read().unwrap();
        mail.attachments = files.iter().map(|file| path(file)).collect();
        draft.action = Action::new(&mail);
        draft
    };
    fixture
        .vault
        .create(&path("Inbox/offer.pdf"), b"first")
        .unwrap();
    fixture.approve(&with(&["Inbox/offer.pdf"]));
    let approved = fixture.next().await.unwrap();
    fixture
        .vault
        .replace(&path("Inbox/offer.pdf"), b"other", None)
        .unwrap();
    assert!(matches!(
        fixture.send(approved).await,
        Err(EffectError::Postponed(_))
    ));
    assert!(fixture.next().await.is_none());
    fixture.confirm(id(1));
    fixture.send_next().await.unwrap();
    let asked = fixture.server.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.attachments[0].bytes, b"other");
    assert_eq!(asked.attachments[0].media_type, "application/pdf");

    for (n, files) in [
        (2, ["Inbox/none.pdf"]),
        (3, ["In_Progress/cloud/x.pdf"]),
        (4, ["keys/id.pem"]),
        // Platinum's own notes, and what a cloud agent could make after the owner has looked.
        (5, ["Company_Handbook.md"]),
        (6, ["Plans/x.pdf"]),
        (7, ["Done/2026/11/x.pdf"]),
        (8, ["Needs_Action/email/x.pdf"]),
        (9, ["Pending_Approval/x.pdf"]),
        (10, ["Updates/cloud/x.pdf"]),
    ] {
        if n != 2 && !files[0].starts_with("keys") {
            fixture.vault.create(&path(files[0]), b"x").unwrap();
        }
        let mut bad = with(&files);
        bad.id = id(n);
        fixture.approve(&bad);
        assert!(fixture.next().await.is_none(), "{files:?}");
    }
}

#[tokio::test]
async fn refuse_moves_to_rejected_with_the_reason() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    fixture
        .approvals
        .refuse(approved, "the address is gone\n---\nkind: x")
        .await
        .unwrap();
    let text = fixture
        .vault
        .read_text(&layout::rejected(id(1)), 10_000)
        .unwrap();
    let note = Note::parse(&text).unwrap();
    assert_eq!(
        note.get_text("refused"),
        Some("the address is gone --- kind: x")
    );
    assert_eq!(note.get_text("reason"), Some("She asked"));
    assert_eq!(DraftNote::parse(&text).unwrap().action, draft(1).action);
    assert!(fixture.next().await.is_none());
}

#[tokio::test]
async fn interfaces_link_into_one_linker() {
    let fixture = Fixture::new([]);
    let engine = wasmtime::Engine::default();
    let mut linker = platinum_engine::Linker::new(&engine);
    let interfaces: [Box<dyn Interface>; 2] = [
        Box::new(ApprovalsQueue::new(Arc::clone(&fixture.approvals))),
        crate::email::SEND.with(&fixture.executor),
    ];
    let mut state = SkillState::detached();
    let call = Call {
        skill: "local-execute-approved".into(),
        instructions: "".into(),
        agent: "local".parse::<AgentName>().unwrap(),
        role: Role::Local,
        zones: vec![],
        now: NOON.parse().unwrap(),
        task: None,
    };
    for interface in interfaces {
        assert!(!platinum_policy::allows(
            Role::Cloud,
            interface.capability()
        ));
        interface.link(&mut linker).unwrap();
        interface.prepare(&mut state, &call);
    }
}
