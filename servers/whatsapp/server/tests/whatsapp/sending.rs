//! What is sent, what is not, and what is known of it afterwards.

use std::time::Duration;

use jiff::Timestamp;
use platinum_testkit::whatsapp::Reply;
use platinum_whatsapp::error_codes::{ERROR_CODES, Fate};
use platinum_whatsapp::shapes::{
    ChatArguments, ContactShape, FindArguments, MessagesArguments, Outcome, SendAnswer,
};
use platinum_whatsapp_store::event::{ChatEvent, ContactChange, Delivery, Progress};
use serde_json::json;

use super::{Fixture, NUMBER, REFERENCE, USER, arguments, pair};

/// WhatsApp's report of a message.
fn report(fixture: &Fixture, reference: &str, progress: Progress) {
    let now = Timestamp::now();
    let delivery = Delivery {
        message: "wamid.OUT0=".to_owned(),
        reference: Some(reference.to_owned()),
        progress,
        at: now,
        code: Some(131_026),
        words: Some("Message Undeliverable. (error 131026)".to_owned()),
    };
    fixture
        .store
        .record(&[ChatEvent::Delivery(delivery)], now)
        .unwrap();
}

async fn found(fixture: &Fixture) -> Option<Outcome> {
    let asked = FindArguments {
        reference: REFERENCE.to_owned(),
    };
    fixture.service.find_message(&asked).await.unwrap().outcome
}

#[tokio::test]
async fn message_leaves_once_as_the_documentation_has_it() {
    let fixture = Fixture::new();
    fixture.wrote_now();
    let sent = fixture.send(REFERENCE).await;
    assert_eq!(
        sent,
        SendAnswer::done(
            "sent to Sheena, +16505551234".to_owned(),
            Some("wamid.OUT0=".to_owned())
        )
    );
    let taken = fixture.api.taken();
    assert_eq!(
        taken[0].1,
        json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": NUMBER, "type": "text",
            "text": {"preview_url": false, "body": "Yes, it does."}, "context": {"message_id": "wamid.IN"},
            "biz_opaque_callback_data": REFERENCE})
    );
    // The same again, and another attempt at the same: it has left.
    for reference in [REFERENCE, "draft_01kb8q.2"] {
        let again = fixture.send(reference).await;
        assert_eq!(again.outcome, Outcome::Done);
        assert!(
            again.answer.starts_with("WhatsApp has it since "),
            "{again:?}"
        );
    }
    assert_eq!(
        (fixture.api.taken().len(), fixture.api.requests().len()),
        (1, 1)
    );
    let asked = MessagesArguments {
        chat: NUMBER.to_owned(),
        limit: None,
    };
    let chat = fixture.service.get_messages(&asked).await.unwrap().messages;
    assert_eq!(chat.len(), 2);
    assert!(chat[0].is_own && !chat[0].is_from_app && chat[0].text == "Yes, it does.");
}

/// Two that call at once.
#[tokio::test(flavor = "multi_thread")]
async fn message_asked_for_16_times_at_once_leaves_once() {
    let fixture = Fixture::new();
    fixture.wrote_now();
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let service = fixture.service.clone();
            tokio::spawn(async move { service.send_message(&arguments(REFERENCE)).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().outcome, Outcome::Done);
    }
    assert_eq!(fixture.api.taken().len(), 1);
}

/// Everything that is refused before the network is: the Cloud API is not asked at all.
#[tokio::test]
async fn what_must_not_leave_does_not_reach_the_network() {
    let day = Duration::from_secs(24 * 3600);
    let fixture = Fixture::new();
    let none = fixture.send(REFERENCE).await;
    assert_eq!(none.answer, "there is no chat `16505551234`");
    fixture.wrote("wamid.IN", pair(NUMBER, USER), day);
    let closed = fixture.send(REFERENCE).await;
    assert!(
        closed
            .answer
            .starts_with("the window for an answer closed at "),
        "{closed:?}"
    );
    assert!(fixture.api.requests().is_empty());
    // Looking at the chat only lists the templates.
    let asked = ChatArguments {
        chat: NUMBER.to_owned(),
    };
    let chat = fixture.service.get_chat(&asked).await.unwrap();
    let words = format!("{}; none is approved", closed.answer);
    assert_eq!(chat.refusal, Some(words));
    assert!(chat.takes_templates);
    assert!(!closed.retry && !closed.differs && closed.outcome == Outcome::NotDone);
    fixture.wrote("wamid.IN2", pair(NUMBER, "US.2"), Duration::from_secs(60));
    let differs = fixture.send(REFERENCE).await;
    assert!(differs.differs && !differs.retry, "{differs:?}");
    assert_eq!(
        differs.answer,
        format!("the contact was +{NUMBER} ({USER}) and is +{NUMBER} (US.2) now")
    );
    let requests = fixture.api.requests();
    assert!(
        requests
            .iter()
            .all(|request| request.line.starts_with("GET ")),
        "{requests:?}"
    );
    assert_eq!(found(&fixture).await, None);
    // They write again, and its owner approves the contact as it is now.
    let mut approved = arguments(REFERENCE);
    approved.contact = ContactShape::from(pair(NUMBER, "US.2"));
    let sent = fixture.service.send_message(&approved).await.unwrap();
    assert_eq!(sent.outcome, Outcome::Done);
}

/// The number moves between the approval and the sending, as WhatsApp itself says.
#[tokio::test]
async fn number_changed_before_sending_goes_back() {
    let fixture = Fixture::new();
    fixture.wrote_now();
    let change = ContactChange {
        id: "wamid.S".to_owned(),
        before: pair(NUMBER, USER),
        after: pair("12195555358", "US.2"),
        at: Timestamp::now(),
    };
    let events = [ChatEvent::ContactChange(change)];
    fixture.store.record(&events, Timestamp::now()).unwrap();
    let sent = fixture.send(REFERENCE).await;
    assert!(sent.differs, "{sent:?}");
    assert!(fixture.api.requests().is_empty());
}

/// Somebody who hides the number is answered by the id.
#[tokio::test]
async fn contact_without_a_number_is_sent_to_by_its_id() {
    let fixture = Fixture::new();
    fixture.wrote("wamid.IN", pair("", USER), Duration::from_secs(60));
    let mut asked = arguments(REFERENCE);
    asked.chat = USER.to_owned();
    asked.contact = ContactShape::from(pair("", USER));
    let sent = fixture.service.send_message(&asked).await.unwrap();
    assert_eq!(sent.outcome, Outcome::Done);
    let body = &fixture.api.taken()[0].1;
    assert_eq!(
        (&body["recipient"], &body["to"]),
        (&json!(USER), &json!(null))
    );
}

#[tokio::test]
async fn every_documented_error_ends_as_it_must() {
    for known in ERROR_CODES {
        let fixture = Fixture::new();
        fixture.wrote_now();
        let status = match known.fate {
            Fate::Unknown => 500,
            _ => 400,
        };
        fixture.api.reply([Reply::Error(status, known.code)]);
        let sent = fixture.send(REFERENCE).await;
        let (outcome, retry) = match known.fate {
            Fate::Later => (Outcome::NotDone, true),
            Fate::Refused => (Outcome::NotDone, false),
            Fate::Unknown => (Outcome::Unknown, false),
        };
        assert_eq!((sent.outcome, sent.retry), (outcome, retry), "{sent:?}");
        let words = format!(
            "{} (error {}: as Meta documents it)",
            known.words, known.code
        );
        assert_eq!(sent.answer, words);
        // What did not leave may leave later; what may have is not sent again.
        let again = fixture.send(REFERENCE).await;
        let left = usize::from(outcome == Outcome::NotDone);
        assert_eq!(fixture.api.taken().len(), left, "{again:?}");
        let expected = match outcome {
            Outcome::NotDone => Outcome::Done,
            other => other,
        };
        assert_eq!(again.outcome, expected, "{again:?}");
    }
}

/// An answer that is lost or broken, whether the message left or not: nobody can tell, and it is not sent again.
#[tokio::test]
async fn lost_answer_is_unknown_and_never_repeated() {
    for reply in [
        Reply::AcceptAndClose,
        Reply::AcceptAndBreak,
        Reply::Close,
        Reply::Body(200, "{\"messages\":[]}".to_owned()),
        Reply::Body(502, "Bad Gateway".to_owned()),
        Reply::Body(500, "{}".to_owned()),
    ] {
        let fixture = Fixture::new();
        fixture.wrote_now();
        fixture.api.reply([reply.clone()]);
        let sent = fixture.send(REFERENCE).await;
        assert_eq!(sent.outcome, Outcome::Unknown, "{reply:?}: {sent:?}");
        for _ in 0..100 {
            let again = fixture.send(REFERENCE).await;
            assert_eq!(again.outcome, Outcome::Unknown, "{again:?}");
        }
        assert_eq!(fixture.api.requests().len(), 1, "{reply:?}");
        // WhatsApp reports it hours later.
        report(&fixture, REFERENCE, Progress::Delivered);
        assert_eq!(found(&fixture).await, Some(Outcome::Done));
        assert_eq!(fixture.send(REFERENCE).await.outcome, Outcome::Done);
        assert_eq!(fixture.api.requests().len(), 1, "{reply:?}");
    }
}

/// The report comes while the call still waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn lost_answer_is_done_if_its_report_comes_in_time() {
    for (progress, outcome) in [
        (Progress::Sent, Outcome::Done),
        (Progress::Failed, Outcome::NotDone),
    ] {
        let fixture = Fixture::reporting(Duration::from_secs(30));
        fixture.wrote_now();
        fixture.api.reply([Reply::AcceptAndClose]);
        let service = fixture.service.clone();
        let call = tokio::spawn(async move { service.send_message(&arguments(REFERENCE)).await });
        while fixture.api.taken().is_empty() {
            tokio::task::yield_now().await;
        }
        report(&fixture, REFERENCE, progress);
        let sent = call.await.unwrap().unwrap();
        assert_eq!(sent.outcome, outcome, "{sent:?}");
    }
}

/// The process dies over the call: what was begun may have left, for the next process too.
#[tokio::test(flavor = "multi_thread")]
async fn killed_over_the_call_is_unknown_afterwards() {
    let fixture = Fixture::reporting(Duration::from_secs(60));
    fixture.wrote_now();
    fixture.api.reply([Reply::AcceptAndClose]);
    let service = fixture.service.clone();
    let call = tokio::spawn(async move { service.send_message(&arguments(REFERENCE)).await });
    while fixture.api.taken().is_empty() {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.is_err());
    let sent = fixture.service.send_message(&arguments(REFERENCE)).await;
    assert_eq!(sent.unwrap().outcome, Outcome::Unknown);
    // Only its owner's word, which is another reference, sends again.
    assert_eq!(fixture.api.taken().len(), 1);
    assert_eq!(fixture.send("draft_01kb8q.2").await.outcome, Outcome::Done);
}

#[tokio::test]
async fn unreachable_or_moved_api_is_not_done() {
    let fixture = Fixture::new();
    fixture.wrote_now();
    let elsewhere = Fixture::new();
    let to = format!("{}/elsewhere", elsewhere.api.base());
    fixture.api.reply([Reply::Redirect(to)]);
    let moved = fixture.send(REFERENCE).await;
    assert_eq!((moved.outcome, moved.retry), (Outcome::NotDone, true));
    assert!(moved.answer.contains("which is not followed"), "{moved:?}");
    assert!(elsewhere.api.requests().is_empty());
    fixture.api.revoke_token();
    let refused = fixture.send(REFERENCE).await;
    assert_eq!((refused.outcome, refused.retry), (Outcome::NotDone, false));
    assert!(
        refused.answer.contains("has expired or was revoked"),
        "{refused:?}"
    );
    let Fixture { api, service, .. } = fixture;
    drop(api);
    let away = service.send_message(&arguments(REFERENCE)).await.unwrap();
    assert_eq!((away.outcome, away.retry), (Outcome::NotDone, true));
    assert!(
        away.answer.starts_with("cannot reach 127.0.0.1: "),
        "{away:?}"
    );
}

#[tokio::test]
async fn arguments_of_no_use_are_errors_before_anything() {
    let fixture = Fixture::new();
    fixture.wrote_now();
    for (what, words) in [
        (
            "reference",
            "`reference` must have 8 to 100 letters, digits and `_`, `-` or `.`",
        ),
        ("text", "`text` is empty"),
        ("long", "`text` has 4097 characters; 4096 is the most"),
        ("contact", "`contact` names nobody"),
        ("quoted", "`quoted` is no id as it was answered"),
        ("chat", "`chat` is no id as it was answered"),
    ] {
        let mut asked = arguments(REFERENCE);
        match what {
            "reference" => asked.reference = "a b".to_owned(),
            "text" => asked.text = " \n".to_owned(),
            "long" => asked.text = "é".repeat(4097),
            "contact" => asked.contact = ContactShape::default(),
            "quoted" => asked.quoted = Some("a\nb".to_owned()),
            _ => asked.chat = String::new(),
        }
        let refused = fixture.service.send_message(&asked).await;
        assert_eq!(refused.unwrap_err().to_string(), words);
    }
    assert!(fixture.api.requests().is_empty());
}

#[tokio::test]
async fn account_says_what_is_old_or_does_not_work() {
    let fixture = Fixture::new();
    let account = fixture.service.get_account().await.unwrap();
    assert_eq!(account.number, "+1 555-078-3881");
    assert_eq!((account.is_receiving, account.problems.len()), (false, 0));
    fixture.api.set_version("v29.0");
    let account = fixture.service.get_account().await.unwrap();
    assert_eq!(
        account.problems,
        [
            "the API version v26.0 is too old: WhatsApp answers by v29.0; write a newer one into `base`"
        ]
    );
    fixture.api.revoke_token();
    let refused = fixture.service.get_account().await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("WhatsApp does not take the access token"),
        "{refused}"
    );
    // It only asked.
    assert!(fixture.api.taken().is_empty());
}
