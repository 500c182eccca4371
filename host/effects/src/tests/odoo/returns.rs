//! What goes back to its owner, what is refused, and what was done already.

use super::*;
use crate::approvals::{MessageError, act::ActError};

/// Whatever has changed in Odoo since: nothing is posted, and what it is now waits for its owner.
#[tokio::test]
async fn drift_goes_back_as_it_is_now_and_can_be_approved() {
    for (now, fields, reason) in [
        (
            BILL.replace("22.49", "25.00"),
            json!({"total": "25.00"}),
            "“Draft vendor bill 12 · Ann · 22.49 EUR” is now “Draft vendor bill 12 · Ann · 25.00 EUR”; \
             “Total | 22.49” is now “Total | 25.00”",
        ),
        (
            BILL.replace("2026-12-14", "2027-01-01"),
            json!({"due_date": "2027-01-01"}),
            "“Due: 2026-12-14” is now “Due: 2027-01-01”",
        ),
        (
            BILL.replace("- **Due:** 2026-12-14\n", ""),
            json!({"due_date": null}),
            "“Due: 2026-12-14” is gone",
        ),
        (
            BILL.replace("Ann, no. 7", "Ann, no. 8"),
            json!({}),
            "“Vendor: Ann, no. 7” is now “Vendor: Ann, no. 8”",
        ),
    ] {
        let books = Books::new();
        books.fixture.approve(&posting(1));
        books
            .server
            .document
            .lock()
            .unwrap()
            .as_mut()
            .unwrap()
            .shown = now.clone();
        books.server.set(&fields);
        books.next().await.unwrap_err();
        let admitted = books.fixture.approvals.admit().await.unwrap();
        let why = format!(
            "vendor bill 12 is not what you approved: {reason}; read it as it is now, then approve it again"
        );
        assert_eq!(admitted.returned[0].reason, why);
        assert_eq!(books.server.count("post"), 0);
        let waiting = books.pending(1);
        assert_eq!(waiting.action.text(), now);
        let text = books
            .fixture
            .vault
            .read_text(&layout::pending(id(1)), 100_000)
            .unwrap();
        assert_eq!(
            Note::parse(&text).unwrap().get_text("returned"),
            Some(&*why)
        );
        books.fixture.approve_waiting(id(1));
        books.next().await.unwrap();
        assert_eq!(books.server.count("post"), 1);
    }
}

/// The properties say the same as the text, whoever wrote them.
#[tokio::test]
async fn property_that_lies_is_set_right() {
    for (total, due, says) in [
        (euros(100), Some("2026-12-14"), "EUR 1.00, due 2026-12-14"),
        (euros(2249), None, "EUR 22.49"),
        (
            Money {
                minor: 2249,
                currency: "USD".parse().unwrap(),
            },
            Some("2026-12-14"),
            "USD 22.49, due 2026-12-14",
        ),
    ] {
        let books = Books::new();
        let mut lying = posting(1);
        let post: OdooPost = lying.action.read().unwrap();
        lying.action = Action::new(&OdooPost {
            total,
            due: due.map(|due| due.parse().unwrap()),
            ..post
        });
        books.fixture.approve(&lying);
        books.next().await.unwrap_err();
        let admitted = books.fixture.approvals.admit().await.unwrap();
        assert_eq!(
            admitted.returned[0].reason,
            format!(
                "its properties say {says}, and vendor bill 12 has EUR 22.49, due 2026-12-14; they are set right, \
                 approve it again"
            )
        );
        assert_eq!(books.pending(1).action, posting(1).action);
        books.fixture.approve_waiting(id(1));
        books.next().await.unwrap();
        assert_eq!(books.server.count("post"), 1);
    }
}

/// A change between the last reading and the posting is seen by the server, and shown as well.
#[tokio::test]
async fn drift_at_the_last_moment_goes_back_too() {
    let books = Books::new();
    books.fixture.approve(&posting(1));
    books
        .server
        .answers(Err(NotDone::differs("it is not what was approved", None)));
    let now = BILL.replace("Ann, no. 7", "Eve, no. 9");
    let later = now.clone();
    *books.server.while_it_acts.lock().unwrap() = Some(Box::new(move |odoo| {
        odoo.document.lock().unwrap().as_mut().unwrap().shown = later;
    }));
    books.next().await.unwrap_err();
    let admitted = books.fixture.approvals.admit().await.unwrap();
    assert!(
        admitted.returned[0]
            .reason
            .contains("“Vendor: Ann, no. 7” is now “Vendor: Eve, no. 9”")
    );
    assert_eq!(books.pending(1).action.text(), now);
    // Without anything to see, the server's words are the reason.
    let books = Books::new();
    books.fixture.approve(&posting(1));
    books
        .server
        .answers(Err(NotDone::differs("it is not what was approved", None)));
    books.next().await.unwrap_err();
    let admitted = books.fixture.approvals.admit().await.unwrap();
    assert_eq!(admitted.returned[0].reason, "it is not what was approved");
    assert_eq!(books.pending(1).action, posting(1).action);

    let books = Books::new();
    books.server.post_it();
    books.fixture.approve(&payment(1));
    *books.server.preview.lock().unwrap() = Ok(PaymentPreview {
        shown: PAYMENT.replace("Ann", "Eve"),
        ..preview()
    });
    books.next().await.unwrap_err();
    books.fixture.approvals.admit().await.unwrap();
    assert_eq!(
        books.pending(1).summary,
        "Payment of vendor bill BILL/1 · Eve · 22.49 EUR"
    );
    assert_eq!(books.server.count("pay"), 0);
    books.fixture.approve_waiting(id(1));
    books.next().await.unwrap();
    assert_eq!(books.server.count("pay"), 1);
}

/// What a document's state, its consequences or its absence do not let be done, in words.
#[tokio::test]
async fn document_that_cannot_be_posted_is_refused_in_words() {
    let obstacle = "is set to be posted by itself (at_date); take that back in Odoo first";
    let gone = AskError {
        reason: "there is no document 12 in Odoo".to_owned(),
        is_final: true,
    };
    let cancelled = OdooDocument {
        document: json!({"id": 12, "kind": "vendor_bill", "state": "cancel", "number": "BILL/1"}),
        ..bill()
    };
    for (document, why) in [
        (
            Ok(OdooDocument {
                obstacles: vec![obstacle.to_owned()],
                ..bill()
            }),
            format!("vendor bill 12 {obstacle}"),
        ),
        (Err(gone), "there is no document 12 in Odoo".to_owned()),
        (
            Ok(cancelled),
            "vendor bill BILL/1 is in the state cancel, and only a draft is posted".to_owned(),
        ),
    ] {
        let books = Books::new();
        books.fixture.approve(&posting(1));
        *books.server.document.lock().unwrap() = document;
        let refused = books.next().await.unwrap_err();
        assert!(
            matches!(&refused, EffectError::Refused(reason) if *reason == why),
            "{refused:?}"
        );
        assert_eq!(books.server.count("post"), 0);
    }
    // Odoo is away: nothing is begun, and it is tried again.
    let books = Books::new();
    books.fixture.approve(&posting(1));
    *books.server.document.lock().unwrap() = Err(away());
    books.next().await.unwrap_err();
    assert_eq!(
        books.state().await,
        "tried again at 2026-11-20T12:00:30Z: it cannot be asked whether this left already, so nothing is sent: \
         cannot reach Odoo at 127.0.0.1"
    );
    *books.server.document.lock().unwrap() = Ok(bill());
    books.fixture.pass(30);
    books.next().await.unwrap();
}

/// What its owner did in Odoo meanwhile is not done once more.
#[tokio::test]
async fn what_was_done_by_hand_is_not_done_again() {
    let books = Books::new();
    books.fixture.approve(&posting(1));
    books.server.post_it();
    assert_eq!(
        books.next().await.unwrap().answer,
        "vendor bill BILL/1 is posted in Odoo"
    );
    let books = Books::new();
    books.fixture.approve(&posting(1));
    books.server.post_it();
    books.server.set(&json!({"total": "30.00"}));
    assert_eq!(
        books.next().await.unwrap().answer,
        "vendor bill BILL/1 is posted in Odoo; its total is EUR 30.00, and EUR 22.49 was approved"
    );
    assert_eq!(books.server.count("post"), 0);

    let books = Books::new();
    books.server.post_it();
    books.server.set(&json!({"residual": "0.00"}));
    books.fixture.approve(&payment(1));
    books.next().await.unwrap_err();
    assert_eq!(
        books.state().await,
        "vendor bill BILL/1 is paid in Odoo already: nothing of it is open; nothing leaves, and its task is finished"
    );
    // A payment of this very draft, as a restored machine finds it.
    let books = Books::new();
    books.server.post_it();
    let mut found = a_payment();
    found.others = vec![8, 9];
    *books.server.payment.lock().unwrap() = Ok(found);
    books.fixture.approve(&payment(1));
    assert_eq!(
        books.next().await.unwrap().answer,
        "PBNK1/5 is recorded in Odoo: 22.49, 2026-12-01; there are more payments of it: 8, 9; cancel them in Odoo"
    );
    assert_eq!(books.server.count("pay"), 0);
}

/// Less is open than is to be paid, or another hand was there: it is refused in the server's words.
#[tokio::test]
async fn payment_that_cannot_be_made_is_refused_in_words() {
    let books = Books::new();
    books.server.post_it();
    books.fixture.approve(&payment(1));
    let why = "it cannot be paid so: only 2.00 EUR of vendor bill BILL/1 are open, and 22.49 were approved";
    *books.server.preview.lock().unwrap() = Err(AskError {
        reason: why.to_owned(),
        is_final: true,
    });
    let refused = books.next().await.unwrap_err();
    assert!(
        matches!(&refused, EffectError::Refused(reason) if reason == why),
        "{refused:?}"
    );
    assert_eq!(books.server.count("pay"), 0);
}

/// After its owner has said “again”, the payment has another name, and each of them is asked after.
#[tokio::test]
async fn second_attempt_has_a_name_of_its_own() {
    let books = Books::new();
    books.server.post_it();
    books.fixture.approve(&payment(1));
    books.server.answers(Ok(Outcome::Unknown {
        reason: "lost".to_owned(),
    }));
    books.next().await.unwrap_err();
    books.executor.let_go(id(1)).await.unwrap();
    books.fixture.confirm(id(1));
    let receipt = books.next().await.unwrap();
    let operation = id(1).to_string().to_lowercase();
    assert_eq!(receipt.reference, format!("{operation}.2"));
    assert_eq!(books.server.count(&format!("pay {operation}-2")), 1);
    let asked = books.server.asked.lock().unwrap().clone();
    let found: Vec<&String> = asked
        .iter()
        .filter(|asked| asked.starts_with("find"))
        .collect();
    assert!(
        found
            .iter()
            .filter(|asked| ***asked == format!("find {operation}"))
            .count()
            >= 2,
        "{found:?}"
    );
}

/// Where no Odoo is set up nothing of it is approved, by no act.
#[tokio::test]
async fn nothing_is_approved_where_no_odoo_is() {
    for draft in [posting(1), payment(1)] {
        let fixture = Fixture::new([]).restarted_with(ApprovalPolicy {
            has_odoo: false,
            ..policy(0)
        });
        let waiting = layout::pending(draft.id);
        fixture.wait(draft.id, &draft.render());
        let outgoing = Outgoing::read(&fixture.vault, &waiting).unwrap();
        let error = fixture.approve_as_shown(&waiting, &outgoing).unwrap_err();
        assert!(
            matches!(error, ActError::Message(MessageError::NoOdoo)),
            "{error}"
        );
        assert!(fixture.vault.exists(&waiting).unwrap());
        // Moved by hand, it waits.
        fixture.move_to_approved(draft.id);
        assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
        assert_eq!(
            fixture.states().await,
            [
                "waits: it is not approved yet: Odoo is not set up on this machine: it needs `[zones.accounting]` in \
              the configuration"
            ]
        );
    }
}

/// What holds a mail holds a document, too.
#[tokio::test]
async fn document_is_held_by_what_holds_a_mail() {
    for (from, to, state) in [
        (
            "- **Vendor:**",
            "- **Ven\u{202E}dor:**",
            "held; read it and confirm with `platinum approve`: text, line 3",
        ),
        (
            "- **Vendor:**",
            "- <b>Vendor:</b>",
            "held; read it and confirm with `platinum approve`: text, line 3",
        ),
        (
            "Ann, no. 7",
            "[✎ which Ann]",
            "goes back to Pending_Approval: its text still has gaps",
        ),
        (BILL, " \u{200B}\n", "cannot be used: it has no text"),
        ("expires: 2026-11-27", "expires: 2026-11-19", "expired at "),
    ] {
        let books = Books::new();
        let text = posting(1).render().replace(from, to);
        books.fixture.wait(id(1), &text);
        books.fixture.move_to_approved(id(1));
        let now = books.state().await;
        assert!(now.starts_with(state), "{now}");
    }
    // It leaves when its owner said, and can be taken back until then.
    let books = Books::new();
    let mut note = Note::parse(&posting(1).render()).unwrap();
    note.set("send-at", "2026-11-21T08:00:00Z").unwrap();
    let approved = layout::approved(id(1));
    books
        .fixture
        .vault
        .create(&approved, note.to_text().as_bytes())
        .unwrap();
    books.fixture.confirm(id(1));
    assert_eq!(
        books.state().await,
        "leaves at 2026-11-21T08:00:00Z, as its `send-at` says"
    );
}
