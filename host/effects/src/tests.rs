//! Approvals and sending, on a real vault and a real journal, with a mail server, a fence and a
//! clock that do what the test says.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use platinum_core::{
    Action, ActionKind, AgentName, Clock, DraftId, EmailSend, Role, TaskId, Timestamp, VaultPath,
    layout,
};
use platinum_engine::{Call, Interface, SkillState};
use platinum_journal::{Journal, State};
use platinum_vault::{
    Vault,
    note::{DraftNote, Note},
};
use tempfile::TempDir;

use crate::{
    Fence,
    approvals::{Approvals, ApprovalsQueue, Approved, EntryState},
    email::{
        EmailSend as SendInterface, MailSender, SendError, SendMail, SendOutcome, SendRequest,
        SentSearch, reconcile,
    },
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
    answers: Mutex<VecDeque<SendOutcome>>,
}

#[async_trait]
impl MailSender for TestServer {
    async fn send(&self, request: SendRequest) -> SendOutcome {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    fn domain(&self, account: &str) -> Option<String> {
        (account == "owner").then(|| "example.test".to_owned())
    }
}

struct Sent(bool);

#[async_trait]
impl SentSearch for Sent {
    async fn was_sent(&self, _: &str) -> Result<bool, String> {
        Ok(self.0)
    }
}

pub(crate) struct House {
    _folder: TempDir,
    journal_file: PathBuf,
    vault: Vault,
    journal: Arc<Journal>,
    clock: Arc<TestClock>,
    fence: Arc<TestFence>,
    server: Arc<TestServer>,
    pub(crate) approvals: Arc<Approvals>,
    pub(crate) mail: Arc<SendMail>,
}

pub(crate) fn sent() -> SendOutcome {
    SendOutcome::Sent {
        answer: "250 2.0.0 queued".into(),
        sent_copy: "filed".into(),
    }
}

fn not_sent(retry: bool) -> SendOutcome {
    SendOutcome::NotSent {
        reason: "451 try later".into(),
        retry,
    }
}

fn id(n: u128) -> DraftId {
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
    }
}

impl House {
    pub(crate) fn new(answers: impl IntoIterator<Item = SendOutcome>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vault")).unwrap();
        let vault = Vault::open(&folder.path().join("vault")).unwrap();
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
        ));
        let mail = Arc::new(SendMail::new(Arc::clone(&approvals), server.clone()));
        Self {
            _folder: folder,
            journal_file,
            vault,
            journal,
            clock,
            fence,
            server,
            approvals,
            mail,
        }
    }

    /// The same house after its process ended and was started again.
    fn restarted(mut self) -> Self {
        self.journal = Arc::new(Journal::open(&self.journal_file).unwrap());
        self.approvals = Arc::new(Approvals::new(
            self.vault.clone(),
            Arc::clone(&self.journal),
            self.fence.clone(),
            self.clock.clone(),
        ));
        self.mail = Arc::new(SendMail::new(
            Arc::clone(&self.approvals),
            self.server.clone(),
        ));
        self
    }

    pub(crate) fn approve(&self, draft: &DraftNote) {
        self.vault
            .create(&layout::approved(draft.id), draft.render().as_bytes())
            .unwrap();
    }

    pub(crate) async fn next(&self) -> Option<Approved> {
        self.approvals
            .next(&[ActionKind::EMAIL_SEND])
            .await
            .unwrap()
    }

    async fn states(&self) -> Vec<String> {
        let entries = self.approvals.entries().await.unwrap();
        entries
            .iter()
            .map(|entry| entry.state.to_string())
            .collect()
    }

    fn pass(&self, seconds: i64) {
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

#[tokio::test]
async fn an_approved_mail_is_sent_once_and_leaves_the_queue() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    let receipt = house.mail.send(house.next().await.unwrap()).await.unwrap();
    let name = id(1).to_string().to_lowercase();
    assert_eq!(receipt.reference, format!("{name}@example.test"));
    assert_eq!(receipt.answer, "250 2.0.0 queued; copy in Sent: filed");
    let asked = house.server.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.body, "Dear Ada,\n\nyes.\n");
    assert_eq!(asked.message_id, receipt.reference);
    assert_eq!(asked.in_reply_to.as_deref(), Some("q@example.test"));
    assert!(house.next().await.is_none());
    assert_eq!(
        house.states().await,
        [format!("done at 2026-11-20T12:00:00Z: {}", receipt.answer)]
    );
    let receipts = house.journal.receipts_of(TaskId::from_parts(1, 1)).unwrap();
    assert_eq!(receipts[0].receipt, receipt);
    assert!(house.journal.verify().is_ok());
}

#[tokio::test]
async fn even_if_the_file_comes_back_nothing_is_sent_again() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    house.mail.send(house.next().await.unwrap()).await.unwrap();
    house.vault.remove(&layout::approved(id(1))).unwrap();
    let mut edited = draft(1);
    edited.action.set_text("Once more.\n".into()).unwrap();
    house.approve(&edited);
    assert!(house.next().await.is_none());
    assert_eq!(house.asked(), 1);
}

#[tokio::test]
async fn two_handles_on_one_approval_send_one_mail() {
    let house = House::new([sent(), sent()]);
    house.approve(&draft(1));
    let (first, second) = (house.next().await.unwrap(), house.next().await.unwrap());
    let (first, second) = tokio::join!(house.mail.send(first), house.mail.send(second));
    assert_eq!(house.asked(), 1);
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
}

#[tokio::test]
async fn a_crash_between_intent_and_receipt_never_sends_again() {
    let house = House::new([]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    let mail = Arc::clone(&house.mail);
    let attempt = tokio::spawn(async move { mail.send(approved).await });
    while house.asked() == 0 {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    let house = house.restarted();
    house.server.answers.lock().unwrap().push_back(sent());
    house.pass(86_400);
    assert!(house.next().await.is_none());
    assert_eq!(
        house.states().await,
        [
            "may have happened: an attempt was made at 2026-11-20T12:00:00Z and its outcome was \
          never written down"
        ]
    );
    assert_eq!(house.asked(), 1);

    // The mailbox does not have it: still nobody knows.
    let now = house.clock.now();
    let asked = reconcile(&house.journal, &Sent(false), now).await.unwrap();
    assert_eq!(asked.in_doubt.len(), 1);
    assert!(house.next().await.is_none());
    // It has.
    let asked = reconcile(&house.journal, &Sent(true), now).await.unwrap();
    assert_eq!(asked.confirmed.len(), 1);
    assert!(matches!(
        house.journal.state(id(1)).unwrap(),
        State::Done(..)
    ));
    assert_eq!(house.asked(), 1);
}

#[tokio::test]
async fn an_unknown_outcome_is_said_and_never_tried_again() {
    let house = House::new([SendOutcome::Unknown("the connection broke".into()), sent()]);
    house.approve(&draft(1));
    let other = house.next().await.unwrap();
    let error = house
        .mail
        .send(house.next().await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(
        error,
        SendError::OutcomeUnknown("the connection broke".into())
    );
    assert!(matches!(
        house.mail.send(other).await,
        Err(SendError::OutcomeUnknown(_))
    ));
    house.pass(86_400);
    assert!(house.next().await.is_none());
    assert_eq!(house.asked(), 1);
}

#[tokio::test]
async fn what_was_not_sent_is_tried_again_later_under_the_same_message_id() {
    let house = House::new([not_sent(true), not_sent(true), sent()]);
    house.approve(&draft(1));
    let error = house
        .mail
        .send(house.next().await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error, SendError::Postponed("451 try later".into()));
    house.pass(29);
    assert!(house.next().await.is_none());
    assert_eq!(
        house.states().await,
        ["tried again at 2026-11-20T12:00:30Z: 451 try later"]
    );
    house.pass(1);
    house
        .mail
        .send(house.next().await.unwrap())
        .await
        .unwrap_err();
    house.pass(59);
    assert!(house.next().await.is_none());
    house.pass(1);
    house.mail.send(house.next().await.unwrap()).await.unwrap();
    let asked = house.server.asked.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|request| request.message_id == asked[0].message_id)
    );
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn what_the_server_refused_for_good_is_not_tried_again() {
    let house = House::new([not_sent(false), sent()]);
    house.approve(&draft(1));
    let kept = house.next().await.unwrap();
    let error = house
        .mail
        .send(house.next().await.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error, SendError::Refused("451 try later".into()));
    house.pass(86_400);
    assert!(house.next().await.is_none());
    assert_eq!(
        house.states().await,
        ["refused: 451 try later; change it to have it tried again, or move it to Rejected"]
    );
    assert!(matches!(
        house.mail.send(kept).await,
        Err(SendError::Refused(_))
    ));
    assert_eq!(house.asked(), 1);
}

#[tokio::test]
async fn what_was_refused_for_good_is_tried_again_once_the_owner_changed_it() {
    let house = House::new([not_sent(false), sent()]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    house.mail.send(approved).await.unwrap_err();
    assert!(house.next().await.is_none());
    let mut edited = draft(1);
    let mut mail: EmailSend = edited.action.read().unwrap();
    mail.to = vec!["ada@right.example.test".into()];
    edited.action = Action::new(&mail);
    house
        .vault
        .replace(&layout::approved(id(1)), edited.render().as_bytes(), None)
        .unwrap();
    house.mail.send(house.next().await.unwrap()).await.unwrap();
    let asked = house.server.asked.lock().unwrap();
    assert_eq!(asked[1].to, ["ada@right.example.test"]);
    assert_eq!(asked[1].message_id, asked[0].message_id);
}

#[tokio::test]
async fn a_second_file_of_a_draft_that_was_carried_out_is_not_called_done() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    house.mail.send(house.next().await.unwrap()).await.unwrap();
    let put_away = format!("Done/2026/11/{}.md", id(1));
    house
        .vault
        .rename(&layout::approved(id(1)), &path(&put_away))
        .unwrap();
    let mut again = draft(1);
    again
        .action
        .set_text("And another thing.\n".into())
        .unwrap();
    house.approve(&again);
    assert!(house.next().await.is_none());
    let states = house.states().await;
    assert!(
        states[0].contains("is not carried out twice; remove this file"),
        "{states:?}"
    );
    assert_eq!(house.asked(), 1);
}

#[tokio::test]
async fn a_closed_fence_is_told_with_its_reason_and_forgotten_when_it_opens() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    house.fence.0.store(true, Ordering::SeqCst);
    assert!(house.next().await.is_none());
    assert_eq!(
        house.states().await,
        ["waits: another agent took the task over"]
    );
    house.fence.0.store(false, Ordering::SeqCst);
    assert!(house.next().await.is_some());
    assert_eq!(house.states().await, ["ready"]);
}

#[tokio::test]
async fn a_link_in_approved_is_no_approval() {
    let house = House::new([sent()]);
    let pending = layout::pending(id(1));
    house
        .vault
        .create(&pending, draft(1).render().as_bytes())
        .unwrap();
    let root = house.vault.root();
    std::fs::create_dir_all(root.join("Approved")).unwrap();
    std::os::unix::fs::symlink(
        root.join(pending.as_str()),
        root.join(layout::approved(id(1)).as_str()),
    )
    .unwrap();
    assert!(house.next().await.is_none());
    std::fs::remove_dir_all(root.join("Approved")).unwrap();
    std::os::unix::fs::symlink(root.join("Pending_Approval"), root.join("Approved")).unwrap();
    assert!(!matches!(
        house.approvals.next(&[ActionKind::EMAIL_SEND]).await,
        Ok(Some(_))
    ));
}

#[tokio::test]
async fn a_draft_that_changed_after_it_was_handed_out_is_not_sent_as_it_was() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    let mut edited = draft(1);
    edited.action.set_text("Dear Ada,\n\nno.\n".into()).unwrap();
    house
        .vault
        .replace(&layout::approved(id(1)), edited.render().as_bytes(), None)
        .unwrap();
    assert!(matches!(
        house.mail.send(approved).await,
        Err(SendError::Postponed(_))
    ));
    assert_eq!(house.asked(), 0);
    house.mail.send(house.next().await.unwrap()).await.unwrap();
    assert_eq!(
        house.server.asked.lock().unwrap()[0].body,
        "Dear Ada,\n\nno.\n"
    );
}

#[tokio::test]
async fn an_approval_taken_back_in_time_stops_the_mail() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    house
        .vault
        .rename(&layout::approved(id(1)), &layout::rejected(id(1)))
        .unwrap();
    assert!(matches!(
        house.mail.send(approved).await,
        Err(SendError::Refused(_))
    ));
    assert_eq!(house.asked(), 0);
}

#[tokio::test]
async fn only_sound_files_are_handed_out_and_each_of_the_others_says_why() {
    let house = House::new([]);
    let mut late = draft(1);
    late.expires = "2026-11-20T11:59:59Z".parse().unwrap();
    house.approve(&late);
    let misnamed = draft(2).render();
    house
        .vault
        .create(&layout::approved(id(3)), misnamed.as_bytes())
        .unwrap();
    house
        .vault
        .create(&layout::approved(id(4)), b"just a text")
        .unwrap();
    house.approve(&draft(5));
    house.vault.create(&layout::rejected(id(5)), b"x").unwrap();
    let copy = format!(
        "Approved/{}.conflict-local-20261120T120000000Z-01234567.md",
        id(6)
    );
    house
        .vault
        .create(&path(&copy), draft(6).render().as_bytes())
        .unwrap();
    house
        .vault
        .create(&path("Approved/picture.png"), b"x")
        .unwrap();
    assert!(house.next().await.is_none());
    let entries = house.approvals.entries().await.unwrap();
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
    house.approve(&draft(7));
    assert!(
        house
            .approvals
            .next(&[ActionKind::PAYMENT])
            .await
            .unwrap()
            .is_none()
    );
    assert!(house.approvals.next(&[]).await.unwrap().is_none());
    assert_eq!(house.next().await.unwrap().draft().id, id(7));
}

#[tokio::test]
async fn the_oldest_draft_comes_first() {
    let house = House::new([]);
    house.approve(&draft(9));
    house.approve(&draft(2));
    assert_eq!(house.next().await.unwrap().draft().id, id(2));
}

#[tokio::test]
async fn an_approval_that_expires_before_it_is_used_is_refused() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    house.pass(8 * 86_400);
    assert!(matches!(
        house.mail.send(approved).await,
        Err(SendError::Refused(_))
    ));
    assert_eq!(house.asked(), 0);
}

#[tokio::test]
async fn a_host_that_no_longer_owns_the_task_does_not_act() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    house.fence.0.store(true, Ordering::SeqCst);
    let error = house.mail.send(approved).await.unwrap_err();
    assert_eq!(
        error,
        SendError::Postponed("another agent took the task over".into())
    );
    assert!(house.next().await.is_none());
    house.fence.0.store(false, Ordering::SeqCst);
    assert!(house.mail.send(house.next().await.unwrap()).await.is_ok());
}

#[tokio::test]
async fn without_a_journal_nothing_is_sent() {
    let house = House::new([sent()]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    let file = rusqlite::Connection::open(&house.journal_file).unwrap();
    file.execute_batch("ALTER TABLE entries RENAME TO lost")
        .unwrap();
    let error = house.mail.send(approved).await.unwrap_err();
    assert!(matches!(error, SendError::Postponed(_)), "{error:?}");
    assert_eq!(house.asked(), 0);
    assert!(
        house
            .approvals
            .next(&[ActionKind::EMAIL_SEND])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn attachments_leave_as_they_were_when_they_were_approved() {
    let house = House::new([sent()]);
    let with = |files: &[&str]| {
        let mut draft = draft(1);
        let mut mail: EmailSend = draft.action.read().unwrap();
        mail.attachments = files.iter().map(|file| path(file)).collect();
        draft.action = Action::new(&mail);
        draft
    };
    house
        .vault
        .create(&path("Inbox/offer.pdf"), b"first")
        .unwrap();
    house.approve(&with(&["Inbox/offer.pdf"]));
    let approved = house.next().await.unwrap();
    house
        .vault
        .replace(&path("Inbox/offer.pdf"), b"other", None)
        .unwrap();
    assert!(matches!(
        house.mail.send(approved).await,
        Err(SendError::Postponed(_))
    ));
    house.mail.send(house.next().await.unwrap()).await.unwrap();
    let asked = house.server.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.attachments[0].bytes, b"other");
    assert_eq!(asked.attachments[0].media_type, "application/pdf");

    for (n, files) in [
        (2, ["Inbox/none.pdf"]),
        (3, ["In_Progress/cloud/x.pdf"]),
        (4, ["keys/id.pem"]),
        // The house's own, and what a cloud agent could make after the owner has looked.
        (5, ["Company_Handbook.md"]),
        (6, ["Plans/x.pdf"]),
        (7, ["Done/2026/11/x.pdf"]),
        (8, ["Needs_Action/email/x.pdf"]),
        (9, ["Pending_Approval/x.pdf"]),
        (10, ["Updates/cloud/x.pdf"]),
    ] {
        if n != 2 && !files[0].starts_with("keys") {
            house.vault.create(&path(files[0]), b"x").unwrap();
        }
        let mut bad = with(&files);
        bad.id = id(n);
        house.approve(&bad);
        assert!(house.next().await.is_none(), "{files:?}");
    }
}

#[tokio::test]
async fn what_is_given_back_goes_to_rejected_with_the_reason() {
    let house = House::new([]);
    house.approve(&draft(1));
    let approved = house.next().await.unwrap();
    house
        .approvals
        .refuse(approved, "the address is gone\n---\nkind: x")
        .await
        .unwrap();
    let text = house
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
    assert!(house.next().await.is_none());
}

#[tokio::test]
async fn both_interfaces_link_into_one_linker_and_prepare_a_call() {
    let house = House::new([]);
    let engine = wasmtime::Engine::default();
    let mut linker = platinum_engine::Linker::new(&engine);
    let interfaces: [Box<dyn Interface>; 2] = [
        Box::new(ApprovalsQueue::new(Arc::clone(&house.approvals))),
        Box::new(SendInterface::new(Arc::clone(&house.mail))),
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
