//! What an approval binds of the message that leaves, and what comes of a message that is another.

use platinum_compose::{Address, Fields, Outgoing as Mail};
use platinum_journal::{
    JournalError,
    approvals::{Approval, Binding, MessageDigest},
};

use super::*;
use crate::approvals::{EntryState, inspect};

/// The message of [`draft`] from this address, under this Message-ID.
fn message(from: &str, message_id: &str) -> MessageDigest {
    let mail: EmailSend = draft(1).action.read().unwrap();
    let fields = Fields {
        to: mail.to,
        subject: mail.subject,
        body: mail.body,
        in_reply_to: mail.in_reply_to,
        references: mail.references,
        message_id: message_id.to_owned(),
        draft: Some(id(1).to_string().to_lowercase()),
        ..Fields::default()
    };
    let from = Address::parse("address", from).unwrap();
    let mail = Mail::new(from, fields, "2030-01-01T00:00:00Z".parse().unwrap());
    let digest = mail.unwrap().digest().unwrap();
    MessageDigest {
        sha256: digest.sha256,
        from: digest.from,
        recipients: digest.recipients,
    }
}

fn message_id(number: &str) -> String {
    format!("{}{number}@example.test", id(1).to_string().to_lowercase())
}

/// Puts the draft before the owner, and lets the owner move it.
fn wait_and_move(fixture: &Fixture) {
    fixture.wait(id(1), &draft(1).render());
    fixture.move_to_approved(id(1));
}

/// Admits; answers the reasons for what went back.
async fn reasons(fixture: &Fixture) -> Vec<String> {
    let returned = fixture.approvals.admit().await.unwrap().returned;
    returned.into_iter().map(|one| one.reason).collect()
}

/// By command or by a move, an approval is for the bytes and the envelope; they leave, and the log says so.
#[tokio::test]
async fn approval_binds_the_message_that_leaves() {
    let bound = message("Owner <owner@example.test>", &message_id(""));
    assert_eq!(bound.from, "owner@example.test");
    assert_eq!(bound.recipients, ["ada@example.test"]);
    for is_moved in [false, true] {
        let fixture = Fixture::new([sent()]);
        match is_moved {
            false => fixture.approve(&draft(1)),
            true => {
                wait_and_move(&fixture);
                assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
            }
        }
        let approval = fixture.journal.approval(id(1)).unwrap().unwrap();
        assert_eq!(approval.binds.message.as_ref(), Some(&bound));
        fixture.send(fixture.next().await.unwrap()).await.unwrap();
        assert_eq!(fixture.server.prepared.lock().unwrap()[0].approved, bound);
        assert_eq!(fixture.server.asked.lock().unwrap()[0].approved, bound);
        let receipts = fixture.journal.receipts_of(draft(1).task).unwrap();
        assert_eq!(receipts[0].intent.sha256(), bound.sha256);
        assert!(fixture.journal.verify().is_ok());
    }
}

/// Another address, and another name alone, are other messages than the one that was approved.
#[tokio::test]
async fn account_changed_after_the_approval_goes_back() {
    const AT: &str = "2026-11-20T12:00:00Z";
    for (address, why) in [
        (
            "Owner <other@example.test>",
            format!(
                "it was approved at {AT} to leave from owner@example.test, and would leave from \
                 other@example.test now; read it, then approve it again"
            ),
        ),
        (
            "Somebody <owner@example.test>",
            format!(
                "the message that it leaves as is not the one that was approved at {AT}: the name \
                 of its account, or the program that composes it, was changed; read it, then \
                 approve it again"
            ),
        ),
    ] {
        let fixture = Fixture::new([sent()]);
        fixture.approve(&draft(1));
        let handed_out = fixture.next().await.unwrap();
        let fixture = fixture.restarted_with(ApprovalPolicy {
            accounts: accounts(address),
            ..policy(0)
        });
        // Neither what was handed out before nor what is asked for now leaves.
        let error = fixture.send(handed_out).await.unwrap_err();
        assert!(matches!(error, EffectError::Postponed(reason) if reason == why));
        assert!(fixture.next().await.is_none());
        let expected = format!("goes back to Pending_Approval: {why}");
        assert_eq!(fixture.states().await, [expected]);
        assert_eq!(reasons(&fixture).await, std::slice::from_ref(&why));
        let text = fixture.vault.read_text(&layout::pending(id(1)), 10_000);
        let note = Note::parse(&text.unwrap()).unwrap();
        assert_eq!(note.get_text("returned"), Some(&*why));
        assert_eq!(
            (fixture.asked(), fixture.journal.approval(id(1)).unwrap()),
            (0, None)
        );
        // Read and approved again, it leaves as it is now.
        fixture.approve_waiting(id(1));
        fixture.send(fixture.next().await.unwrap()).await.unwrap();
        let left = fixture.server.asked.lock().unwrap()[0].approved.clone();
        assert_eq!(left, message(address, &message_id("")));
    }
}

/// A record that an earlier version wrote says nothing of a message.
#[tokio::test]
async fn approval_without_a_message_is_given_again() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approval = fixture.journal.approval(id(1)).unwrap().unwrap();
    let mut old = serde_json::to_value(&approval).unwrap();
    old["binds"].as_object_mut().unwrap().remove("message");
    let old: Approval = serde_json::from_value(old).unwrap();
    let before = Binding {
        message: None,
        ..approval.binds
    };
    assert_eq!(old.binds, before);
    let recorded: Result<(), JournalError> =
        fixture.journal.decide(|decision| decision.approve(&old));
    recorded.unwrap();
    assert!(fixture.next().await.is_none());
    let why = "it was approved at 2026-11-20T12:00:00Z without the message that it leaves as, by an \
               earlier version of Platinum or before mail was set up; read it, then approve it again";
    assert_eq!(reasons(&fixture).await, [why]);
    assert_eq!(fixture.asked(), 0);
    fixture.approve_waiting(id(1));
    fixture.send(fixture.next().await.unwrap()).await.unwrap();
}

/// While its account cannot be read, nothing is approved and nothing leaves, and nothing is lost.
#[tokio::test]
async fn message_that_cannot_be_composed_waits() {
    const WHY: &str = "the message cannot be composed: the mail file is away";
    let unreadable = || ApprovalPolicy {
        accounts: MailAccounts::new(|| Err("the mail file is away".to_owned())),
        ..policy(0)
    };
    let fixture = Fixture::new([sent()]).restarted_with(unreadable());
    wait_and_move(&fixture);
    let admitted = fixture.approvals.admit().await.unwrap();
    assert_eq!((admitted.recorded, admitted.returned.len()), (0, 0));
    let held = format!("waits: it is not approved yet: {WHY}");
    assert_eq!(fixture.states().await, [held]);
    assert!(fixture.next().await.is_none());
    // Nor by command.
    let path = layout::approved(id(1));
    let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
    let shown = act::Shown {
        path: &path,
        outgoing: &outgoing,
        findings: &[],
    };
    let (vault, journal) = (&fixture.vault, &fixture.journal);
    let policy_now = fixture.approvals.policy();
    let error = act::approve(vault, journal, policy_now, &shown, fixture.now()).unwrap_err();
    assert_eq!(error.to_string(), WHY);
    assert_eq!(fixture.journal.approval(id(1)).unwrap(), None);
    // It can be read again: the move counts.
    let fixture = fixture.restarted_with(policy(0));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    // And away once more: what was approved waits.
    let fixture = fixture.restarted_with(unreadable());
    assert!(reasons(&fixture).await.is_empty());
    assert_eq!(fixture.states().await, [format!("waits: {WHY}")]);
    assert!(fixture.next().await.is_none());
    let fixture = fixture.restarted_with(policy(0));
    fixture.send(fixture.next().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn unknown_account_is_named_with_those_there_are() {
    let fixture = Fixture::new([]).restarted_with(ApprovalPolicy {
        accounts: MailAccounts::new(|| {
            let others = ["office", "home"].map(|name| (name.to_owned(), "a@b.test".to_owned()));
            Ok(Some(others.into()))
        }),
        ..policy(0)
    });
    wait_and_move(&fixture);
    fixture.approvals.admit().await.unwrap();
    let held = "waits: it is not approved yet: the message cannot be composed: there is no mail \
                account `owner` with an address; accounts: home, office";
    assert_eq!(fixture.states().await, [held]);
}

/// A mail server with another composer, or a mail file that was read before it was changed.
#[tokio::test]
async fn message_that_the_server_composes_otherwise_goes_back() {
    for at_sending in [false, true] {
        let fixture = Fixture::new([sent()]);
        let differs = match at_sending {
            false => &fixture.server.differs,
            true => &fixture.server.differs_at_sending,
        };
        fixture.approve(&draft(1));
        differs.store(true, Ordering::SeqCst);
        let error = fixture.send(fixture.next().await.unwrap()).await;
        let error = error.unwrap_err();
        let why = "it is another message";
        assert!(matches!(error, EffectError::Postponed(reason) if reason == why));
        assert!(fixture.approvals.has_differences());
        // Who looks from outside is told the same, and not that it is tried again.
        let (vault, policy) = (&fixture.vault, fixture.approvals.policy());
        let entries = inspect(vault, &fixture.journal, policy, fixture.now()).unwrap();
        let states: Vec<EntryState> = entries.into_iter().map(|entry| entry.state).collect();
        assert_eq!(states, [EntryState::Returning(why.to_owned())]);
        assert!(fixture.next().await.is_none());
        assert_eq!(reasons(&fixture).await, [why]);
        assert!(!fixture.approvals.has_differences());
        assert_eq!(fixture.journal.approval(id(1)).unwrap(), None);
        // Moved as it is, it is approved once more: nothing says that it cannot leave.
        differs.store(false, Ordering::SeqCst);
        let asked = fixture.asked();
        fixture.approve_waiting(id(1));
        fixture.send(fixture.next().await.unwrap()).await.unwrap();
        assert_eq!(
            (asked, fixture.asked()),
            (usize::from(at_sending), asked + 1)
        );
    }
}

/// The owner's "send again" is for the same mail under its next Message-ID, and for nothing else.
#[tokio::test]
async fn send_again_binds_the_next_message_and_no_other_mail() {
    let lost = || Outcome::Unknown {
        reason: "the connection broke".into(),
    };
    for address in ["Owner <owner@example.test>", "Owner <other@example.test>"] {
        let fixture = Fixture::new([lost(), sent()]);
        fixture.approve(&draft(1));
        fixture
            .send(fixture.next().await.unwrap())
            .await
            .unwrap_err();
        let fixture = fixture.restarted_with(ApprovalPolicy {
            accounts: accounts(address),
            ..policy(0)
        });
        let policy = fixture.approvals.policy();
        let (vault, journal) = (&fixture.vault, &fixture.journal);
        let is_approved = act::send_again(vault, journal, policy, id(1), fixture.now()).unwrap();
        let is_same = address.contains("owner@");
        assert_eq!(is_approved, is_same);
        if is_same {
            let approval = fixture.journal.approval(id(1)).unwrap().unwrap();
            let next = message(address, &message_id(".2"));
            assert_eq!(approval.binds.message.as_ref(), Some(&next));
            fixture.send(fixture.next().await.unwrap()).await.unwrap();
            assert_eq!(fixture.server.asked.lock().unwrap()[1].approved, next);
        } else {
            assert!(fixture.next().await.is_none());
            assert_eq!(reasons(&fixture).await.len(), 1);
            assert_eq!(fixture.asked(), 1);
        }
    }
}
