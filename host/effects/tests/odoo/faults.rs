//! Lost answers, ends of processes, restarts, drift: no second document, no second payment, every doubt in words.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use platinum_core::DraftId;
use platinum_effects::EffectError;
use platinum_testkit::{
    http_proxy::Fate,
    odoo::{OdooServer, OdooUser},
    seed,
};
use serde_json::json;

use crate::host::Machine;

/// Approves, and gives what the whole comes to on a machine on which anything may have happened: what is in doubt is
/// asked after, then the owner looks in Odoo and says that it is to be done again.
async fn finish(machine: &Machine, draft: DraftId) {
    machine.proxy.set(|_| Fate::Passed);
    for _ in 0..4 {
        let asked = machine.executor.reconcile().await.unwrap();
        if let Some(doubt) = asked.in_doubt.first() {
            assert!(
                doubt.why.contains("in Odoo: if it stays so, "),
                "{}",
                doubt.why
            );
            let states = machine.states().await;
            assert!(states.contains("may have happened: "), "{states}");
            machine.say_again(draft);
        }
        if machine.next().await.is_none() {
            break;
        }
        let _ = machine.carry_out().await;
    }
    let states = machine.states().await;
    assert!(
        states
            .split(" | ")
            .all(|state| state.starts_with("done at ")),
        "{states}"
    );
}

/// Whatever answer is lost on the way, over both protocols.
#[tokio::test(flavor = "multi_thread")]
async fn lost_answer_ends_with_one_document_and_one_payment() {
    for (protocol, fates) in [
        ("auto", &[Fate::LostBefore, Fate::LostAfter][..]),
        ("json-rpc", &[Fate::LostAfter][..]),
    ] {
        for &fate in fates {
            let Some(machine) = Machine::open(protocol) else {
                return;
            };
            let id = machine.invoice().await;
            let draft = machine.propose_posting(id).await;
            machine.approve(draft);
            machine.proxy.lose("action_post", fate);
            let ended = machine.carry_out().await;
            match (fate, &ended) {
                (Fate::LostAfter, Ok(receipt)) => {
                    assert!(receipt.answer.ends_with(" is posted"), "{receipt:?}");
                }
                (Fate::LostBefore, Err(EffectError::OutcomeUnknown(_))) => {}
                _ => panic!("{fate:?}: {ended:?}"),
            }
            finish(&machine, draft).await;
            assert_eq!(machine.read(id, &["state"])["state"], "posted");

            for call in ["action_create_payments", "account.payment.register"] {
                let before = machine.payments();
                let draft = machine.propose_payment(id, "10.00").await;
                machine.approve(draft);
                machine.proxy.lose(call, fate);
                let _ = machine.carry_out().await;
                finish(&machine, draft).await;
                assert_eq!(machine.payments(), before + 1, "{protocol} {call} {fate:?}");
            }
        }
    }
}

/// Of so many calls of a posting and of a payment the processes end after one, another in each run; after each with
/// `PLATINUM_EVERY_HIT`.
const STRIDES: [(bool, usize); 2] = [(false, 10), (true, 15)];

/// The processes end after a call that reaches Odoo, before its answer: one after the other, until none is left.
#[tokio::test(flavor = "multi_thread")]
async fn end_after_a_call_ends_with_one_document_and_one_payment() {
    let Some(mut machine) = Machine::open("auto") else {
        return;
    };
    let is_long = std::env::var_os("PLATINUM_EVERY_HIT").is_some();
    for (is_payment, stride) in STRIDES {
        let stride = if is_long { 1 } else { stride };
        let first = 1 + usize::try_from(seed()).unwrap() % stride;
        let mut ends = 0;
        for nth in (first..).step_by(stride) {
            let id = match is_payment {
                true => machine.posted_invoice().await,
                false => machine.invoice().await,
            };
            let before = machine.payments();
            let draft = match is_payment {
                true => machine.propose_payment(id, "299.97").await,
                false => machine.propose_posting(id).await,
            };
            machine.approve(draft);
            let seen = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&seen);
            machine.proxy.set(
                move |_| match counted.fetch_add(1, Ordering::SeqCst) + 1 == nth {
                    true => Fate::LostAfter,
                    false => Fate::Passed,
                },
            );
            let approved = machine.next().await.unwrap();
            let (executor, kind) = (
                Arc::clone(&machine.executor),
                approved.draft().action.kind(),
            );
            let attempt = tokio::spawn(async move { executor.execute(approved, kind).await });
            while seen.load(Ordering::SeqCst) < nth && !attempt.is_finished() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let is_over = seen.load(Ordering::SeqCst) < nth;
            attempt.abort();
            let _ = attempt.await;
            machine.restart().await;
            finish(&machine, draft).await;
            assert_eq!(machine.read(id, &["state"])["state"], "posted", "{nth}");
            let paid = machine.payments() - before;
            assert_eq!(paid, u64::from(is_payment), "{nth}");
            if is_over {
                break;
            }
            ends += 1;
        }
        eprintln!("payment {is_payment}: the processes ended at {ends} calls");
        assert!(ends * stride >= 20, "{ends}");
    }
}

/// Odoo ends while it posts and while it records, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn restart_of_odoo_ends_with_one_document_and_one_payment() {
    if !OdooServer::present().unwrap() {
        return;
    }
    let odoo = Arc::new(OdooServer::start().unwrap());
    let machine = Machine::before(Arc::clone(&odoo), OdooUser::Owner, "auto");
    let id = machine.invoice().await;
    for (call, is_before) in [
        ("action_post", true),
        ("action_create_payments", true),
        ("action_create_payments", false),
    ] {
        let draft = match call {
            "action_post" => machine.propose_posting(id).await,
            _ => machine.propose_payment(id, "10.00").await,
        };
        let before = machine.payments();
        machine.approve(draft);
        let server = Arc::clone(&odoo);
        let mut is_ended = false;
        machine.proxy.set(move |request| {
            if is_ended || !request.contains(call) {
                return Fate::Passed;
            }
            is_ended = true;
            let server = Arc::clone(&server);
            let end = std::thread::spawn(move || server.stop());
            if is_before {
                end.join().unwrap();
            }
            // Not passed on it would never know.
            Fate::LostAfter
        });
        let ended = machine.carry_out().await;
        eprintln!("{call}: {ended:?}");
        // Away: nothing is claimed, and the reason is said.
        let asked = machine.executor.reconcile().await.unwrap();
        for doubt in asked.in_doubt {
            eprintln!("{}", doubt.why);
        }
        odoo.start_again().unwrap();
        finish(&machine, draft).await;
        assert_eq!(machine.read(id, &["state"])["state"], "posted");
        let paid = machine.payments() - before;
        assert_eq!(paid, u64::from(call != "action_post"), "{call} {is_before}");
    }
}

/// What a draft may be made to say between approval and posting, past its form: it goes back as it is now, and is posted
/// as that once it is approved.
#[tokio::test(flavor = "multi_thread")]
async fn drift_of_every_kind_goes_back_as_it_is_now() {
    let Some(machine) = Machine::open("auto") else {
        return;
    };
    let other = machine.ids.other;
    for (model, values, words) in [
        ("account.move.line", json!({"price_unit": 100.0}), "| 100"),
        (
            "account.move.line",
            json!({"name": "Other work"}),
            "Other work",
        ),
        ("account.move.line", json!({"quantity": 4}), "399.96"),
        (
            "account.move",
            json!({"partner_id": other}),
            "Customer: Eve",
        ),
        (
            "account.move",
            json!({"invoice_date_due": "2027-01-01"}),
            "“Due: 2026-12-04” is now “Due: 2027-01-01”",
        ),
        ("account.move", json!({"ref": "x"}), "“Reference: x” is new"),
        (
            "account.move",
            json!({"narration": "Pay twice"}),
            "Pay twice",
        ),
        (
            "account.move",
            json!({"message_partner_ids": [[4, other, 0]]}),
            "Eve",
        ),
    ] {
        let id = machine.invoice().await;
        let draft = machine.propose_posting(id).await;
        machine.approve(draft);
        change(&machine, id, model, &values);
        machine.carry_out().await.unwrap_err();
        let returned = machine.returned().await;
        let start = format!("customer invoice {id} is not what you approved: ");
        assert!(
            returned[0].starts_with(&start) && returned[0].contains(words),
            "{values}: {returned:?}"
        );
        assert_eq!(machine.read(id, &["state"])["state"], "draft");
        eprintln!("{}", returned[0]);
        machine.approve(draft);
        machine.carry_out().await.unwrap();
        assert_eq!(machine.read(id, &["state"])["state"], "posted", "{values}");
    }
    // What is not posted by any approval: it says why.
    for (values, words) in [
        (
            json!({"auto_post": "at_date"}),
            "is set to be posted by itself (at_date); take that back in Odoo first",
        ),
        (
            json!({"sending_data": {"author_user_id": 2}}),
            "waits to be sent as soon as it is posted; take that back in Odoo first",
        ),
        (
            json!({"amount_total": 1.0}),
            "does not show what it books: the total by its lines and taxes is shown as 1.00",
        ),
    ] {
        let id = machine.invoice().await;
        let draft = machine.propose_posting(id).await;
        machine.approve(draft);
        change(&machine, id, "account.move", &values);
        machine.carry_out().await.unwrap_err();
        assert_eq!(machine.returned().await.len(), 1);
        let shown = machine.waiting(draft).action.text().to_owned();
        assert!(shown.contains("It cannot be posted as it is"), "{shown}");
        machine.approve(draft);
        let refused = machine.carry_out().await.unwrap_err();
        assert!(
            matches!(&refused, EffectError::Refused(reason) if reason.contains(words)),
            "{values}: {refused:?}"
        );
        assert_eq!(machine.read(id, &["state"])["state"], "draft");
    }
}

/// Writes into a document, or into its line.
fn change(machine: &Machine, id: i64, model: &str, values: &serde_json::Value) {
    let record = match model {
        "account.move" => id,
        _ => machine.read(id, &["invoice_line_ids"])["invoice_line_ids"][0]
            .as_i64()
            .unwrap(),
    };
    machine.write(model, record, values);
}
