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
        ["refused: 451 try later; mend what it says and approve it again, or move it to Rejected"]
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
    assert_eq!(begun.0.reference, second);
    // Not what this process itself is doing.
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!(asked, Reconciled::default());
    assert!(matches!(
        fixture.journal.state(id(1)).unwrap(),
        State::Intended(_)
    ));
    assert_eq!(
        fixture.states().await,
        ["waits: an attempt was begun at 2026-11-20T12:00:00Z and nothing is handed over yet"]
    );
    // Nothing to wake up for: its end wakes the loop.
    assert_eq!(fixture.approvals.admit().await.unwrap().next_due, None);
    drop(begun);
    let fixture = fixture.restarted();
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!(asked, Reconciled::default());
    // Nothing was wrong with it: it need not wait.
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 2);
    assert_eq!(fixture.server.asked.lock().unwrap()[1].message_id, second);
}

/// One that comes to its end while others are asked after is not asked after, and no doubt.
#[tokio::test]
async fn doubt_that_ends_meanwhile_is_none() {
    let lost = || Outcome::Unknown {
        reason: "the connection broke".into(),
    };
    let fixture = Fixture::new([lost(), lost(), lost()]);
    for n in 1..=3 {
        fixture.approve(&draft(n));
        fixture.send_next().await.unwrap_err();
    }
    let journal = Arc::clone(&fixture.journal);
    *fixture.server.while_it_is_asked.lock().unwrap() = Some(Box::new(move || {
        // By commands of the owner.
        journal.let_go(id(2)).unwrap();
        journal.record(id(3), &sent()).unwrap();
    }));
    let asked = fixture.executor.reconcile().await.unwrap();
    let in_doubt: Vec<_> = asked.in_doubt.iter().map(|doubt| doubt.draft).collect();
    assert_eq!((asked.confirmed, in_doubt), (0, vec![id(1)]));
    // Nor if the other side has it: what its owner said stays.
    fixture.server.has_sent.store(true, Ordering::SeqCst);
    let asked = fixture.executor.reconcile().await.unwrap();
    assert_eq!((asked.confirmed, asked.in_doubt), (1, vec![]));
    let let_go = fixture.journal.state(id(2)).unwrap();
    assert!(matches!(let_go, State::LetGo(_)), "{let_go:?}");
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

/// Whatever the owner does to stop it while the other sides are asked, nothing is handed over.
#[tokio::test]
async fn stop_before_the_hand_over_sends_nothing() {
    type Interruption = fn(&Vault, &Journal, Timestamp);
    let stops: [(&str, Interruption); 5] = [
        ("everything is paused since", |_, journal, at| {
            assert!(journal.pause(at, "").unwrap());
        }),
        ("the approval of", |vault, journal, at| {
            let undone = act::undo(vault, journal, &policy(0), id(1), at).unwrap();
            assert_eq!(undone.path, Some(layout::pending(id(1))));
        }),
        ("Approved/", |vault, _, _| {
            vault
                .rename(&layout::approved(id(1)), &layout::pending(id(1)))
                .unwrap();
        }),
        ("Approved/", |vault, _, _| {
            vault
                .rename(&layout::approved(id(1)), &layout::rejected(id(1)))
                .unwrap();
        }),
        ("Approved/", |vault, _, _| {
            let mut edited = draft(1);
            edited.action.set_text("No.\n".into()).unwrap();
            let text = edited.render();
            vault
                .replace(&layout::approved(id(1)), text.as_bytes(), None)
                .unwrap();
        }),
    ];
    for (number, (why, stop)) in stops.into_iter().enumerate() {
        let fixture = Fixture::new([sent()]);
        fixture.approve(&draft(1));
        let approved = fixture.next().await.unwrap();
        let (vault, journal, at) = (
            fixture.vault.clone(),
            Arc::clone(&fixture.journal),
            fixture.now(),
        );
        *fixture.server.while_it_prepares.lock().unwrap() =
            Some(Box::new(move || stop(&vault, &journal, at)));
        let error = fixture.send(approved).await.unwrap_err();
        assert!(
            matches!(&error, EffectError::Postponed(reason) if reason.starts_with(why)),
            "{number}: {error:?}"
        );
        assert_eq!(fixture.server.prepared.lock().unwrap().len(), 1);
        assert_eq!(fixture.asked(), 0, "{number}");
        let state = fixture.journal.state(id(1)).unwrap();
        assert!(
            matches!(state, State::NotSent { retry: true, .. }),
            "{number}: {state:?}"
        );
    }
}

/// Moved away between intent and hand-over, it is approved no more.
#[tokio::test]
async fn draft_moved_away_before_the_hand_over_is_withdrawn() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    let begun = fixture
        .approvals
        .begin_effect(&approved, ActionKind::EMAIL_SEND, first_reference(1))
        .await
        .unwrap();
    fixture
        .vault
        .rename(&layout::approved(id(1)), &layout::pending(id(1)))
        .unwrap();
    assert_eq!(fixture.approvals.admit().await.unwrap().withdrawn, [id(1)]);
    fixture
        .vault
        .rename(&layout::pending(id(1)), &layout::approved(id(1)))
        .unwrap();
    let refused = fixture.approvals.hand_over(&approved).await.unwrap_err();
    assert_eq!(refused, format!("the approval of {} was taken back", id(1)));
    drop(begun);
}

/// A definite no is one to the way things were: approved once more, it is tried once more.
#[tokio::test]
async fn refused_mail_is_tried_again_once_approved_anew() {
    let fixture = Fixture::new([not_sent(false), not_sent(false), sent()]);
    fixture.approve(&draft(1));
    let kept = fixture.next().await.unwrap();
    fixture
        .send(fixture.next().await.unwrap())
        .await
        .unwrap_err();
    assert!(fixture.next().await.is_none());
    // In the very same moment, too: the order of the log counts, not the clock.
    fixture.confirm(id(1));
    fixture
        .send(fixture.next().await.unwrap())
        .await
        .unwrap_err();
    assert!(fixture.next().await.is_none());
    // Taken back and approved anew.
    let policy = fixture.approvals.policy();
    act::undo(
        &fixture.vault,
        &fixture.journal,
        policy,
        id(1),
        fixture.now(),
    )
    .unwrap();
    assert!(matches!(
        fixture.send(kept).await,
        Err(EffectError::Refused(_))
    ));
    fixture
        .vault
        .rename(&layout::pending(id(1)), &layout::approved(id(1)))
        .unwrap();
    fixture.confirm(id(1));
    fixture.send(fixture.next().await.unwrap()).await.unwrap();
    assert_eq!(fixture.asked(), 3);
}

/// What was begun and not handed over needs no effect to be closed: its zone may be gone.
#[tokio::test]
async fn begun_attempt_is_closed_without_an_effect() {
    let fixture = Fixture::new([]);
    for n in [1, 2] {
        fixture.approve(&draft(n));
    }
    let first = fixture.next().await.unwrap();
    let kind = ActionKind::EMAIL_SEND;
    let begun = fixture
        .approvals
        .begin_effect(&first, kind, first_reference(1))
        .await;
    drop(begun.unwrap());
    let second = fixture.next().await.unwrap();
    let begun = fixture
        .approvals
        .begin_effect(&second, kind, first_reference(2))
        .await;
    drop(begun.unwrap());
    fixture.approvals.hand_over(&second).await.unwrap();
    let none: [Arc<dyn Effect>; 0] = [];
    let executor = Executor::new(Arc::clone(&fixture.approvals), none);
    let asked = executor.reconcile().await.unwrap();
    assert!(matches!(
        fixture.journal.state(id(1)).unwrap(),
        State::NotSent { retry: true, .. }
    ));
    // The other may have happened: its owner decides.
    assert_eq!(asked.in_doubt.len(), 1);
    assert_eq!(
        asked.in_doubt[0].why,
        "Nothing on this host can ask after email-send: set its zone up again."
    );
    assert!(matches!(
        fixture.journal.state(id(2)).unwrap(),
        State::Unknown { .. }
    ));
}

/// An attempt that panics is not under way for ever.
#[tokio::test]
async fn attempt_that_panics_is_closed() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    *fixture.server.while_it_prepares.lock().unwrap() =
        Some(Box::new(|| panic!("this is a part of the test")));
    let approved = fixture.next().await.unwrap();
    let executor = Arc::clone(&fixture.executor);
    let attempt =
        tokio::spawn(async move { executor.execute(approved, ActionKind::EMAIL_SEND).await });
    assert!(attempt.await.unwrap_err().is_panic());
    fixture.executor.reconcile().await.unwrap();
    fixture.send(fixture.next().await.unwrap()).await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// The name of the first attempt of a draft.
fn first_reference(n: u128) -> String {
    format!("{}@example.test", id(n).to_string().to_lowercase())
}

/// What the owner answered from another device meanwhile is not answered again; once they took that
/// back and approved it anew, it is.
#[tokio::test]
async fn mail_that_the_owner_answered_does_not_leave() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let handed_out = fixture.next().await.unwrap();
    *fixture.server.answered_at.lock().unwrap() = Some(NOON.parse().unwrap());
    let words = "you answered at 2026-11-20T12:00:00Z (Sent)";
    for approved in [fixture.next().await.unwrap(), handed_out] {
        let error = fixture.send(approved).await.unwrap_err();
        assert!(
            matches!(&error, EffectError::Refused(reason) if reason == words),
            "{error:?}"
        );
    }
    assert_eq!(fixture.asked(), 0);
    let fixture = fixture.restarted();
    fixture.pass(86_400);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        [format!("{words}; nothing leaves, and its task is finished")]
    );
    assert_eq!(
        fixture.executor.reconcile().await.unwrap(),
        Reconciled::default()
    );
    assert!(fixture.journal.verify().is_ok());

    *fixture.server.answered_at.lock().unwrap() = None;
    fixture.confirm(id(1));
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// They want it sent all the same, unless they answer once more.
#[tokio::test]
async fn answer_from_before_the_task_was_opened_again_does_not_count() {
    let fixture = Fixture::new([sent()]);
    let noon: Timestamp = NOON.parse().unwrap();
    let path = layout::waiting(ZoneId::EMAIL, draft(1).task);
    let text = fixture.vault.read_text(&path, 1 << 20).unwrap();
    let mut note = Note::parse(&text).unwrap();
    finish(&mut note, "done", "you answered", noon, &[]).unwrap();
    let text = note.to_text();
    fixture.vault.replace(&path, text.as_bytes(), None).unwrap();
    fixture.approve(&draft(1));
    *fixture.server.answered_at.lock().unwrap() = Some(noon + Duration::from_secs(1));
    let error = fixture.send_next().await.unwrap_err();
    assert!(matches!(error, EffectError::Refused(_)), "{error:?}");
    *fixture.server.answered_at.lock().unwrap() = Some(noon);
    fixture.confirm(id(1));
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// It is held with the reason and tried again.
#[tokio::test]
async fn mail_waits_while_answers_cannot_be_asked_for() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    fixture
        .server
        .cannot_find_answers
        .store(true, Ordering::SeqCst);
    let error = fixture.send_next().await.unwrap_err();
    assert!(matches!(error, EffectError::Postponed(_)), "{error:?}");
    assert_eq!(
        fixture.states().await,
        [
            "tried again at 2026-11-20T12:00:30Z: it cannot be asked whether you have done it yourself, so nothing is \
          sent: the mailbox is away"
        ]
    );
    assert_eq!(fixture.asked(), 0);
    fixture
        .server
        .cannot_find_answers
        .store(false, Ordering::SeqCst);
    fixture.pass(30);
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// Also if the mailbox is away at first, and over a restart.
#[tokio::test]
async fn close_names_the_task_and_what_was_answered() {
    let fixture = Fixture::new([]);
    fixture.server.cannot_close.store(true, Ordering::SeqCst);
    fixture.executor.close(draft(1).task, Some(draft(1))).await;
    fixture.executor.close(draft(2).task, None).await;
    let until = async |fixture: &Fixture, holds: fn(&[Closing]) -> bool| {
        while !holds(&fixture.journal.closings().first(10).unwrap()) {
            tokio::task::yield_now().await;
        }
    };
    until(&fixture, |all| all.iter().all(|one| one.tries > 0)).await;
    assert!(fixture.server.closed.lock().unwrap().is_empty());
    let fixture = fixture.restarted();
    fixture.server.cannot_close.store(false, Ordering::SeqCst);
    fixture.executor.close_pending();
    until(&fixture, <[_]>::is_empty).await;
    let name = |n| draft(n).task.to_string().to_lowercase();
    let request = |n, account: Option<&str>, answered: Option<&str>| CloseRequest {
        account: account.map(str::to_owned),
        drafted_as: name(n),
        answered: answered.map(str::to_owned),
    };
    let closed = fixture.server.closed.lock().unwrap();
    assert!(closed.contains(&request(1, Some("owner"), Some("q@example.test"))));
    assert!(closed.contains(&request(2, None, None)));
}
