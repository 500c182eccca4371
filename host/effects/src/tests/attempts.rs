//! Attempts that end early, in doubt, or not at all, and what is tried again.

use super::*;

#[tokio::test]
async fn crash_between_intent_and_receipt_never_sends_again() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    let executor = Arc::clone(&fixture.executor);
    let attempt =
        tokio::spawn(async move { executor.execute(approved, ActionKind::EMAIL_SEND).await });
    while fixture.asked() == 0 {
        tokio::task::yield_now().await;
    }
    attempt.abort();
    let fixture = fixture.restarted();
    fixture.server.answers.lock().unwrap().push_back(sent());
    fixture.pass(86_400);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        [
            "may have happened: an attempt was made at 2026-11-20T12:00:00Z and its outcome was \
          never written down"
        ]
    );
    assert_eq!(fixture.asked(), 1);

    // The mailbox does not have it: it is still not known.
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!(asked.in_doubt.len(), 1);
    assert!(fixture.next().await.is_none());
    // It has.
    fixture.server.has_sent.store(true, Ordering::SeqCst);
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!(asked.confirmed, 1);
    assert!(matches!(
        fixture.journal.state(id(1)).unwrap(),
        State::Done(..)
    ));
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn unknown_outcome_is_never_tried_again() {
    let fixture = Fixture::new([
        Outcome::Unknown {
            reason: "the connection broke".into(),
        },
        sent(),
    ]);
    fixture.approve(&draft(1));
    let other = fixture.next().await.unwrap();
    let error = fixture.send_next().await.unwrap_err();
    assert!(
        matches!(&error, EffectError::OutcomeUnknown(reason) if reason == "the connection broke"),
        "{error:?}"
    );
    assert!(matches!(
        fixture.send(other).await,
        Err(EffectError::OutcomeUnknown(_))
    ));
    fixture.pass(86_400);
    assert!(fixture.next().await.is_none());
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn retry_keeps_the_message_id() {
    let fixture = Fixture::new([not_sent(true), not_sent(true), sent()]);
    fixture.approve(&draft(1));
    let error = fixture.send_next().await.unwrap_err();
    assert!(
        matches!(&error, EffectError::Postponed(reason) if reason == "451 try later"),
        "{error:?}"
    );
    fixture.pass(29);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        ["tried again at 2026-11-20T12:00:30Z: 451 try later"]
    );
    fixture.pass(1);
    fixture.send_next().await.unwrap_err();
    fixture.pass(59);
    assert!(fixture.next().await.is_none());
    fixture.pass(1);
    fixture.send_next().await.unwrap();
    let asked = fixture.server.asked.lock().unwrap();
    assert!(
        asked
            .iter()
            .all(|request| request.message_id == asked[0].message_id)
    );
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn refused_mail_is_not_tried_again() {
    let fixture = Fixture::new([not_sent(false), sent()]);
    fixture.approve(&draft(1));
    let kept = fixture.next().await.unwrap();
    let error = fixture.send_next().await.unwrap_err();
    assert!(
        matches!(&error, EffectError::Refused(reason) if reason == "451 try later"),
        "{error:?}"
    );
    fixture.pass(86_400);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        ["refused: 451 try later; change it to have it tried again, or move it to Rejected"]
    );
    assert!(matches!(
        fixture.send(kept).await,
        Err(EffectError::Refused(_))
    ));
    assert_eq!(fixture.asked(), 1);
}

#[tokio::test]
async fn refused_mail_is_tried_again_once_changed() {
    let fixture = Fixture::new([not_sent(false), sent()]);
    fixture.approve(&draft(1));
    fixture.send_next().await.unwrap_err();
    assert!(fixture.next().await.is_none());
    let mut edited = draft(1);
    let mut mail: EmailSend = edited.action.read().unwrap();
    mail.to = vec!["ada@right.example.test".into()];
    edited.action = Action::new(&mail);
    fixture
        .vault
        .replace(&layout::approved(id(1)), edited.render().as_bytes(), None)
        .unwrap();
    // Changed, it has to be approved again.
    assert!(fixture.next().await.is_none());
    fixture.confirm(id(1));
    fixture.send_next().await.unwrap();
    let asked = fixture.server.asked.lock().unwrap();
    assert_eq!(asked[1].to, ["ada@right.example.test"]);
    // Other bytes never have the same reference.
    let name = id(1).to_string().to_lowercase();
    assert_eq!(asked[0].message_id, format!("{name}@example.test"));
    assert_eq!(asked[1].message_id, format!("{name}.2@example.test"));
}

/// After a backup was restored the journal knows nothing of a mail that is in Sent.
#[tokio::test]
async fn mail_that_is_in_sent_is_not_sent_a_first_time() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture.server.has_sent.store(true, Ordering::SeqCst);
    let receipt = fixture.send_next().await.unwrap();
    assert_eq!(receipt.answer, "found in Sent by its Message-ID");
    assert_eq!(fixture.asked(), 0);
    assert!(fixture.server.prepared.lock().unwrap().is_empty());
    assert!(matches!(
        fixture.journal.state(id(1)).unwrap(),
        State::Done(..)
    ));
}

#[tokio::test]
async fn sent_that_cannot_be_asked_holds_the_mail() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture.server.cannot_be_asked.store(true, Ordering::SeqCst);
    fixture.send_next().await.unwrap_err();
    assert_eq!(
        fixture.states().await,
        [
            "tried again at 2026-11-20T12:00:30Z: it cannot be asked whether this left already, so \
             nothing is sent: the mailbox is away"
        ]
    );
    assert_eq!(fixture.asked(), 0);
    fixture
        .server
        .cannot_be_asked
        .store(false, Ordering::SeqCst);
    fixture.pass(30);
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// A refused login is no doubt, and is tried again.
#[tokio::test]
async fn mail_that_cannot_be_prepared_is_not_in_doubt() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture
        .server
        .refuses_to_prepare
        .store(true, Ordering::SeqCst);
    let error = fixture.send_next().await;
    assert!(matches!(error, Err(EffectError::Postponed(_))), "{error:?}");
    assert_eq!(fixture.asked(), 0);
    fixture
        .server
        .refuses_to_prepare
        .store(false, Ordering::SeqCst);
    fixture.pass(30);
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// A host that ended between the intent and the hand-over has sent nothing.
#[tokio::test]
async fn end_before_the_hand_over_is_tried_again_after_a_restart() {
    let fixture = Fixture::new([not_sent(false), sent()]);
    fixture.approve(&draft(1));
    let refused = fixture.next().await.unwrap();
    fixture.send(refused).await.unwrap_err();
    let mut edited = draft(1);
    edited.action.set_text("Dear Ada,\n\nno.\n".into()).unwrap();
    fixture
        .vault
        .replace(&layout::approved(id(1)), edited.render().as_bytes(), None)
        .unwrap();
    fixture.confirm(id(1));
    let approved = fixture.next().await.unwrap();
    let name = id(1).to_string().to_lowercase();
    let first = format!("{name}@example.test");
    let begun = fixture
        .approvals
        .begin_effect(&approved, ActionKind::EMAIL_SEND, first)
        .await
        .unwrap();
    let second = format!("{name}.2@example.test");
    assert_eq!(begun.reference, second);
    // Not what this process itself is doing.
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!(asked, Reconciled::default());
    assert!(matches!(
        fixture.journal.state(id(1)).unwrap(),
        State::Intended(_)
    ));
    let fixture = fixture.restarted();
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!(asked, Reconciled::default());
    // Nothing was wrong with it: it need not wait.
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 2);
    assert_eq!(fixture.server.asked.lock().unwrap()[1].message_id, second);
}

/// What the owner says of a doubt counts: again, under a name that was never used.
#[tokio::test]
async fn doubt_that_is_let_go_is_sent_under_a_new_reference() {
    let lost = Outcome::Unknown {
        reason: "the connection broke".into(),
    };
    let fixture = Fixture::new([lost, sent()]);
    fixture.approve(&draft(1));
    fixture.send_next().await.unwrap_err();
    assert!(fixture.next().await.is_none());
    let policy = fixture.approvals.policy();
    let now = fixture.now();
    assert!(act::send_again(&fixture.vault, &fixture.journal, policy, id(1), now).unwrap());
    let receipt = fixture.send_next().await.unwrap();
    let name = id(1).to_string().to_lowercase();
    assert_eq!(receipt.reference, format!("{name}.2@example.test"));
    let prepared = fixture.server.prepared.lock().unwrap();
    assert_eq!(prepared.len(), 2);
    assert!(prepared.iter().all(|request| request.draft == name));
}
