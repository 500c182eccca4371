//! Attempts: their answers, those that are lost, the end of the process at each call.

use super::*;

#[tokio::test]
async fn approved_document_is_posted_once() {
    let books = Books::new();
    books.fixture.approve(&posting(1));
    books
        .server
        .answers(Ok(crate::done("vendor bill BILL/1 is posted")));
    let receipt = books.next().await.unwrap();
    assert_eq!(
        (&*receipt.reference, &*receipt.answer),
        ("document-12", "vendor bill BILL/1 is posted")
    );
    assert_eq!(
        books.state().await,
        "done at 2026-11-20T12:00:00Z: vendor bill BILL/1 is posted"
    );
    assert_eq!(books.server.count("post"), 1);
    assert!(books.handed_out().await.is_none());
}

#[tokio::test]
async fn approved_payment_is_recorded_once() {
    let books = Books::new();
    books.server.post_it();
    books.fixture.approve(&payment(1));
    let receipt = books.next().await.unwrap();
    let operation = id(1).to_string().to_lowercase();
    assert_eq!(receipt.reference, operation);
    assert_eq!(books.server.count(&format!("pay {operation}")), 1);
    assert_eq!(books.server.count("pay"), 1);
    let operation_len = operation.len();
    assert!(
        (8..=60).contains(&operation_len) && !operation.contains('.'),
        "{operation}"
    );
}

/// Everything that the server may answer to an attempt, and what becomes of the draft.
#[tokio::test]
async fn every_answer_of_an_attempt_has_its_end() {
    let unknown = || {
        Ok(Outcome::Unknown {
            reason: "the answer was lost".to_owned(),
        })
    };
    for (draft, act) in [(posting(1), "post"), (payment(1), "pay")] {
        for (answer, state, tries) in [
            (
                Ok(crate::done("it is so")),
                "done at 2026-11-20T12:00:00Z: it is so",
                1,
            ),
            (
                Err(NotDone::new("Odoo is away", true)),
                "tried again at 2026-11-20T12:00:30Z: Odoo is away",
                2,
            ),
            (
                Err(NotDone::new("the Odoo user lacks a right: x", false)),
                "refused: the Odoo user lacks a right: x; mend what it says and approve it again, or move it to \
                 Rejected",
                1,
            ),
            (unknown(), "may have happened: the answer was lost", 1),
        ] {
            let books = Books::new();
            if act == "pay" {
                books.server.post_it();
            }
            books.fixture.approve(&draft);
            books.server.answers(answer);
            let _ = books.next().await;
            assert_eq!(books.state().await, state, "{act}");
            books.fixture.pass(86_400);
            if books.handed_out().await.is_some() {
                books.next().await.unwrap();
            }
            assert_eq!(books.server.count(act), tries, "{act}: {state}");
        }
    }
}

/// What became of an attempt without an answer is seen in Odoo; if it is not, it is asked after and never repeated.
#[tokio::test]
async fn lost_answer_is_asked_after_and_never_repeated() {
    let lost = || {
        Ok(Outcome::Unknown {
            reason: "the answer was lost".to_owned(),
        })
    };
    // It happened.
    let books = Books::new();
    books.fixture.approve(&posting(1));
    books.server.answers(lost());
    *books.server.while_it_acts.lock().unwrap() = Some(Box::new(TestOdoo::post_it));
    assert_eq!(
        books.next().await.unwrap().answer,
        "vendor bill BILL/1 is posted"
    );
    let books = Books::new();
    books.server.post_it();
    books.fixture.approve(&payment(1));
    books.server.answers(lost());
    *books.server.while_it_acts.lock().unwrap() = Some(Box::new(|odoo| {
        *odoo.payment.lock().unwrap() = Ok(a_payment());
    }));
    assert_eq!(
        books.next().await.unwrap().answer,
        "PBNK1/5 is recorded in Odoo: 22.49, 2026-12-01"
    );
    // It did not, as far as Odoo says; later it says that it did.
    for (draft, act) in [(posting(1), "post"), (payment(1), "pay")] {
        let books = Books::new();
        if act == "pay" {
            books.server.post_it();
        }
        books.fixture.approve(&draft);
        books.server.answers(lost());
        books.next().await.unwrap_err();
        assert_eq!(
            books.state().await,
            "may have happened: the answer was lost"
        );
        let advice = books.doubts().await.remove(0);
        assert!(advice.contains("in Odoo: if it stays so, "), "{advice}");
        *books.server.document.lock().unwrap() = Err(away());
        *books.server.payment.lock().unwrap() = Err(away());
        assert_eq!(
            books.doubts().await[0],
            "The other side could not be asked yet."
        );
        *books.server.document.lock().unwrap() = Ok(bill());
        books.server.post_it();
        *books.server.payment.lock().unwrap() = Ok(a_payment());
        assert_eq!(books.executor.reconcile().await.unwrap().confirmed, 1);
        assert!(
            books.state().await.starts_with("done at "),
            "{}",
            books.state().await
        );
        assert_eq!(books.server.count(act), 1);
    }
}

/// The process ends while it waits for any of its calls: what is begun again does it once.
#[tokio::test]
async fn crash_at_any_call_posts_and_pays_once() {
    for (draft, calls) in [
        (
            posting(1),
            [
                ("document", 1, true),
                ("document", 2, true),
                ("document", 3, false),
                ("post", 1, false),
            ],
        ),
        (
            payment(1),
            [
                ("find", 1, true),
                ("preview", 1, true),
                ("preview", 2, false),
                ("pay", 1, false),
            ],
        ),
    ] {
        for (call, times, is_certain) in calls {
            let books = Books::new();
            if call == "find" || draft.action.kind() == ActionKind::ODOO_PAYMENT {
                books.server.post_it();
            }
            books.fixture.approve(&draft);
            let books = books.dies_at(call, times).await;
            let doubts = books.doubts().await;
            assert_eq!(doubts.is_empty(), is_certain, "{call} {times}: {doubts:?}");
            match is_certain {
                true => drop(books.next().await.unwrap()),
                // Its owner says, or Odoo does.
                false => {
                    assert!(books.handed_out().await.is_none());
                    books.server.post_it();
                    *books.server.payment.lock().unwrap() = Ok(a_payment());
                    assert_eq!(books.executor.reconcile().await.unwrap().confirmed, 1);
                }
            }
            assert!(
                books.state().await.starts_with("done at "),
                "{call} {times}"
            );
            let acted = books.server.count("post") + books.server.count("pay");
            assert_eq!(
                acted,
                usize::from(is_certain || ["post", "pay"].contains(&call)),
                "{call} {times}"
            );
        }
    }
}

/// The process ends between the last reading and the call, and between the answer and its record.
#[test]
fn crash_at_a_fail_point_of_odoo_acts_once() {
    for (draft, point, acted) in [
        (posting(1), "odoo-document-read", 0),
        (posting(1), "odoo-document-answered", 1),
        (payment(1), "odoo-payment-read", 0),
        (payment(1), "odoo-payment-answered", 1),
    ] {
        let books = Books::new();
        if draft.action.kind() == ActionKind::ODOO_PAYMENT {
            books.server.post_it();
        }
        books.fixture.approve(&draft);
        if acted == 1 {
            *books.server.while_it_acts.lock().unwrap() = Some(Box::new(|odoo| {
                odoo.post_it();
                *odoo.payment.lock().unwrap() = Ok(a_payment());
            }));
        }
        let books = books.dies_at_point(point);
        books.comes_to_its_end(acted == 1);
        assert_eq!(
            books.server.count("post") + books.server.count("pay"),
            1,
            "{point}"
        );
    }
}
