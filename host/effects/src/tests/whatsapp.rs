//! Chat messages, with a WhatsApp that does what the test says.

use platinum_core::WhatsappSend;

use super::*;
use crate::whatsapp::{
    KnownChat, KnownContact, MessageRequest, OwnMessage, SendMessage, SentMessage, WhatsappServer,
};

/// A WhatsApp: what it has, what it answers, and what it was asked.
struct TestChats {
    chat: Mutex<Result<KnownChat, AskError>>,
    own: Mutex<Vec<OwnMessage>>,
    found: Mutex<Result<SentMessage, AskError>>,
    answers: Mutex<VecDeque<Result<Outcome, NotDone>>>,
    sent: Mutex<Vec<MessageRequest>>,
    /// Why nothing can be sent as it is.
    fault: Mutex<Option<String>>,
    /// Whether the call that sends is never answered.
    is_silent: Mutex<bool>,
}

fn contact(number: Option<&str>, id: Option<&str>) -> KnownContact {
    KnownContact {
        number: number.map(str::to_owned),
        id: id.map(str::to_owned),
    }
}

fn open_chat() -> KnownChat {
    KnownChat {
        contact: contact(Some("16505551234"), Some("US.1")),
        refusal: None,
        takes_templates: true,
    }
}

fn away() -> AskError {
    AskError {
        reason: "the store of messages failed".to_owned(),
        is_final: false,
    }
}

impl TestChats {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            chat: Mutex::new(Ok(open_chat())),
            own: Mutex::default(),
            found: Mutex::new(Ok(SentMessage {
                is_done: false,
                answer: String::new(),
            })),
            answers: Mutex::default(),
            sent: Mutex::default(),
            fault: Mutex::default(),
            is_silent: Mutex::default(),
        })
    }

    fn answers(&self, answer: Result<Outcome, NotDone>) {
        self.answers.lock().unwrap().push_back(answer);
    }

    fn count(&self) -> usize {
        self.sent.lock().unwrap().len()
    }
}

#[async_trait]
impl WhatsappServer for TestChats {
    async fn chat(&self, _: &str) -> Result<KnownChat, AskError> {
        self.chat.lock().unwrap().clone()
    }

    async fn own_messages(&self, _: &str, _: u32) -> Result<Vec<OwnMessage>, AskError> {
        Ok(self.own.lock().unwrap().clone())
    }

    async fn fault(&self, _: &MessageRequest) -> Result<Option<String>, AskError> {
        Ok(self.fault.lock().unwrap().clone())
    }

    async fn send(&self, request: &MessageRequest) -> Result<Outcome, NotDone> {
        self.sent.lock().unwrap().push(request.clone());
        let is_silent = *self.is_silent.lock().unwrap();
        if is_silent {
            std::future::pending::<()>().await;
        }
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Ok(crate::done("sent to Sheena, +16505551234")))
    }

    async fn find(&self, _: &str) -> Result<SentMessage, AskError> {
        self.found.lock().unwrap().clone()
    }
}

fn message(n: u128) -> DraftNote {
    DraftNote {
        action: Action::new(&WhatsappSend {
            chat: "1650".to_owned(),
            contact_number: Some("16505551234".to_owned()),
            contact_id: Some("US.1".to_owned()),
            quoted_message: Some("wamid.A".to_owned()),
            text: "Yes, it does.".to_owned(),
            ..WhatsappSend::default()
        }),
        ..draft(n)
    }
}

/// A host with a WhatsApp.
type Chats = ActingHost<TestChats>;

impl Chats {
    fn new() -> Self {
        Self::of(Fixture::new([]), TestChats::new(), |server| {
            vec![Arc::new(SendMessage::new(server.clone()))]
        })
    }
}

#[tokio::test]
async fn approved_message_is_sent_once_to_whom_it_was_approved() {
    let chats = Chats::new();
    chats.fixture.approve(&message(1));
    let receipt = chats.next().await.unwrap();
    let reference = id(1).to_string().to_lowercase();
    assert_eq!(
        (&*receipt.reference, &*receipt.answer),
        (&*reference, "sent to Sheena, +16505551234")
    );
    let sent = chats.server.sent.lock().unwrap().clone();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].reference, reference);
    assert_eq!(sent[0].message, message(1).action.read().unwrap());
    assert!(chats.handed_out().await.is_none());
}

/// The number or the id moved between the approval and the sending: back to pending, as it is now, and nothing leaves.
#[tokio::test]
async fn changed_contact_goes_back_as_it_is_now() {
    for (now, words) in [
        (
            contact(Some("12195555358"), Some("US.1")),
            "+12195555358 (US.1)",
        ),
        (
            contact(Some("16505551234"), Some("US.2")),
            "+16505551234 (US.2)",
        ),
        (contact(None, Some("US.1")), "US.1"),
        (contact(Some("16505551234"), None), "+16505551234"),
        (contact(None, None), "nobody"),
    ] {
        let chats = Chats::new();
        chats.fixture.approve(&message(1));
        *chats.server.chat.lock().unwrap() = Ok(KnownChat {
            contact: now.clone(),
            ..open_chat()
        });
        chats.next().await.unwrap_err();
        let admitted = chats.fixture.approvals.admit().await.unwrap();
        assert_eq!(
            admitted.returned[0].reason,
            format!(
                "the contact of this chat is not the one you approved: it was +16505551234 (US.1) and is {words} now; look \
                 who it is, then approve it again"
            )
        );
        assert_eq!(chats.server.count(), 0);
        let waiting = chats.pending(1);
        let action: WhatsappSend = waiting.action.read().unwrap();
        assert_eq!(
            (action.contact_number, action.contact_id),
            (now.number.clone(), now.id.clone())
        );
        assert_eq!(waiting.action.text(), "Yes, it does.");
        // Approved again it goes to whom it names now; to nobody it goes never.
        chats.fixture.approve_waiting(id(1));
        let names_somebody = now.number.is_some() || now.id.is_some();
        assert_eq!(chats.next().await.is_ok(), names_somebody);
        assert_eq!(chats.server.count(), usize::from(names_somebody));
    }
}

/// A contact that changes between the last look and the sending.
#[tokio::test]
async fn contact_changed_at_the_last_moment_goes_back_too() {
    let chats = Chats::new();
    chats.fixture.approve(&message(1));
    let words = "the contact was +16505551234 (US.1) and is +1 now";
    chats.server.answers(Err(NotDone::differs(words, None)));
    chats.next().await.unwrap_err();
    let admitted = chats.fixture.approvals.admit().await.unwrap();
    assert_eq!(admitted.returned[0].reason, words);
}

/// A window that has closed, a group, a chat that is gone: refused in words, and WhatsApp is not asked to send.
#[tokio::test]
async fn what_must_not_be_sent_is_refused_before_it_leaves() {
    let closed =
        "the window for an answer closed at 2026-11-20T11:00:00Z, 24 hours after Sheena wrote last";
    let refused = |words: &str| KnownChat {
        refusal: Some(words.to_owned()),
        ..open_chat()
    };
    let gone = AskError {
        reason: "there is no chat `1650`".to_owned(),
        is_final: true,
    };
    for (chat, words) in [
        (Ok(refused(closed)), closed),
        (
            Ok(refused("it is a group, and groups are only read")),
            "it is a group, and groups are only read",
        ),
        (Err(gone), "there is no chat `1650`"),
    ] {
        let chats = Chats::new();
        chats.fixture.approve(&message(1));
        *chats.server.chat.lock().unwrap() = chat;
        let refused = chats.next().await.unwrap_err();
        assert!(
            matches!(&refused, EffectError::Refused(why) if why == words),
            "{refused:?}"
        );
        chats.fixture.pass(86_400);
        assert!(chats.handed_out().await.is_none());
        assert_eq!(chats.server.count(), 0);
    }
    let chats = Chats::new();
    chats.fixture.approve(&message(1));
    *chats.server.chat.lock().unwrap() = Err(away());
    assert!(matches!(chats.next().await, Err(EffectError::Postponed(_))));
}

/// What may have left is asked after, and sent again by nobody but its owner.
#[tokio::test]
async fn lost_answer_is_asked_after_and_never_repeated() {
    let chats = Chats::new();
    chats.fixture.approve(&message(1));
    chats.server.answers(Ok(Outcome::Unknown {
        reason: "the answer was lost".to_owned(),
    }));
    chats.next().await.unwrap_err();
    assert_eq!(
        chats.state().await,
        "may have happened: the answer was lost"
    );
    let doubts = chats.executor.reconcile().await.unwrap().in_doubt;
    assert_eq!(
        doubts[0].why,
        "WhatsApp has not reported the message: look into the chat on your phone."
    );
    *chats.server.found.lock().unwrap() = Err(away());
    let doubts = chats.executor.reconcile().await.unwrap().in_doubt;
    assert_eq!(doubts[0].why, "The other side could not be asked yet.");
    chats.fixture.pass(7 * 86_400);
    assert!(chats.handed_out().await.is_none());
    *chats.server.found.lock().unwrap() = Ok(SentMessage {
        is_done: true,
        answer: "WhatsApp has it since 2026-11-20T12:00:05Z".to_owned(),
    });
    assert_eq!(chats.executor.reconcile().await.unwrap().confirmed, 1);
    assert!(chats.state().await.contains("WhatsApp has it since"));
    assert_eq!(chats.server.count(), 1);
}

/// The host dies over the call, and starts again a week later: nothing is sent.
#[tokio::test]
async fn death_over_the_call_sends_nothing_again() {
    let chats = Chats::new();
    chats.fixture.approve(&message(1));
    *chats.server.is_silent.lock().unwrap() = true;
    let chats = chats.dies_when(|server| server.count() > 0).await;
    *chats.server.is_silent.lock().unwrap() = false;
    chats.fixture.pass(7 * 86_400);
    assert_eq!(chats.executor.reconcile().await.unwrap().in_doubt.len(), 1);
    assert!(chats.handed_out().await.is_none());
    assert_eq!(chats.server.count(), 1);
}

/// What WhatsApp has already, after a backup was restored say, is not sent again.
#[tokio::test]
async fn message_that_whatsapp_has_is_not_sent_again() {
    let chats = Chats::new();
    chats.fixture.approve(&message(1));
    *chats.server.found.lock().unwrap() = Ok(SentMessage {
        is_done: true,
        answer: "WhatsApp has it since 2026-11-20T11:00:00Z".to_owned(),
    });
    assert_eq!(
        chats.next().await.unwrap().answer,
        "WhatsApp has it since 2026-11-20T11:00:00Z"
    );
    assert_eq!(chats.server.count(), 0);
}

/// The owner was faster, with the phone.
#[tokio::test]
async fn message_that_the_owner_answered_is_not_sent() {
    let own = |is_from_app, kind: &str, seconds: i64| OwnMessage {
        is_from_app,
        kind: kind.to_owned(),
        at: NOON.parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(seconds),
    };
    for (messages, is_sent) in [
        (vec![own(true, "text", 60)], false),
        (vec![own(true, "text", -60)], true),
        (vec![own(true, "reaction", 60)], true),
        (vec![own(false, "text", 60)], true),
        (vec![], true),
    ] {
        let chats = Chats::new();
        chats.fixture.approve(&message(1));
        *chats.server.own.lock().unwrap() = messages;
        assert_eq!(chats.next().await.is_ok(), is_sent);
        assert_eq!(chats.server.count(), usize::from(is_sent));
        if !is_sent {
            let state = chats.state().await;
            let words = "you answered at 2026-11-20T12:01:00Z (WhatsApp)";
            assert!(state.contains(words), "{state}");
        }
    }
}

/// The process ends between the last reading and the call, and between the answer and its record.
#[test]
fn crash_at_a_fail_point_of_whatsapp_sends_once() {
    for (point, sent) in [("whatsapp-chat-read", 0), ("whatsapp-answered", 1)] {
        let chats = Chats::new();
        chats.fixture.approve(&message(1));
        let chats = chats.dies_at_point(point);
        assert_eq!(chats.server.count(), sent, "{point}");
        // WhatsApp reports what it has.
        *chats.server.found.lock().unwrap() = Ok(SentMessage {
            is_done: sent == 1,
            answer: "WhatsApp has it".to_owned(),
        });
        chats.comes_to_its_end(sent == 1);
        assert_eq!(chats.server.count(), 1, "{point}");
    }
}

const CLOSED: &str =
    "the window for an answer closed at 2026-11-20T11:00:00Z, 24 hours after Sheena wrote last";

fn closed_chat(takes_templates: bool) -> KnownChat {
    KnownChat {
        refusal: Some(CLOSED.to_owned()),
        takes_templates,
        ..open_chat()
    }
}

fn with(n: u128, change: impl FnOnce(&mut WhatsappSend)) -> DraftNote {
    let mut action: WhatsappSend = message(n).action.read().unwrap();
    change(&mut action);
    DraftNote {
        action: Action::new(&action),
        ..message(n)
    }
}

/// A template goes where a text does not any more; not where WhatsApp takes none.
#[tokio::test]
async fn template_is_sent_after_the_window() {
    let template = with(1, |action| {
        action.template = Some("order_ready".to_owned());
        action.template_language = Some("en_US".to_owned());
    });
    for takes_templates in [true, false] {
        let chats = Chats::new();
        chats.fixture.approve(&template);
        *chats.server.chat.lock().unwrap() = Ok(closed_chat(takes_templates));
        let done = chats.next().await;
        assert_eq!(done.is_ok(), takes_templates, "{done:?}");
        let sent = chats.server.sent.lock().unwrap().clone();
        assert_eq!(sent.len(), usize::from(takes_templates));
        assert!(
            sent.iter().all(|one| {
                one.message == template.action.read().unwrap() && one.file.is_none()
            })
        );
    }
}

/// What WhatsApp's server finds in it before it leaves goes back to its owner.
#[tokio::test]
async fn template_or_file_with_a_fault_goes_back() {
    let template = with(1, |action| action.template = Some("order_ready".to_owned()));
    let chats = Chats::new();
    chats.fixture.approve(&template);
    *chats.server.fault.lock().unwrap() = Some("only what stands in the gaps".to_owned());
    chats.next().await.unwrap_err();
    let admitted = chats.fixture.approvals.admit().await.unwrap();
    assert_eq!(
        admitted.returned[0].reason,
        "only what stands in the gaps; change it, then approve it again"
    );
    assert_eq!(chats.server.count(), 0);
    // A text is not asked about.
    chats.fixture.approve(&message(2));
    assert!(chats.next().await.is_ok());
}

/// The bytes that were approved leave, or none: a file that is another one since goes back.
#[tokio::test]
async fn file_leaves_as_it_was_approved_or_not_at_all() {
    let path: VaultPath = "Inbox/offer.pdf".parse().unwrap();
    let draft = with(1, |action| {
        action.file = Some("Inbox/offer.pdf".parse().unwrap());
        action.text = String::new();
    });
    for is_changed in [false, true] {
        let chats = Chats::new();
        chats.fixture.vault.create(&path, b"offer").unwrap();
        chats.fixture.approve(&draft);
        if is_changed {
            chats.fixture.vault.replace(&path, b"other", None).unwrap();
            let admitted = chats.fixture.approvals.admit().await.unwrap();
            assert_eq!(admitted.returned.len(), 1);
            assert!(chats.handed_out().await.is_none());
            assert_eq!(chats.server.count(), 0);
            continue;
        }
        chats.next().await.unwrap();
        let sent = chats.server.sent.lock().unwrap().clone();
        let file = sent[0].file.as_ref().unwrap();
        assert_eq!((&file.path, file.bytes.as_slice()), (&path, &b"offer"[..]));
    }
}
