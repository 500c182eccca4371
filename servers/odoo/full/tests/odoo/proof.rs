//! The proof that a key can only draft: against an Odoo that refuses, one that does not, one that is away, real ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use platinum_odoo_draft::OdooService;
use platinum_odoo_draft::drafting::{DraftArguments, DraftOutcome};
use platinum_odoo_draft::proof::{ProofAnswer, prove_rights};
use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::{Value, json};

use crate::drafting::arguments;
use crate::real::{Real, invoice};
use crate::scripted::{Reply, Scripted, ok};

const NO_RIGHT: &str = "You cannot do that.";

fn refused(class: &str, message: &str) -> Reply {
    Reply::Json(
        403,
        json!({"name": format!("odoo.exceptions.{class}"), "message": message}),
    )
}

/// An Odoo whose user can draft, and nothing else but what `is_allowed` says.
fn odoo(is_allowed: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Scripted {
    Scripted::odoo19(
        move |model, method, body| match drafting(model, method, body) {
            Some(reply) => reply,
            None if is_allowed(model, method) => {
                refused("ValidationError", "There is no such record.")
            }
            None => refused("AccessError", NO_RIGHT),
        },
    )
}

/// What Odoo answers to what drafting takes.
fn drafting(model: &str, method: &str, body: &Value) -> Option<Reply> {
    Some(match (model, method) {
        ("res.users", "context_get") => ok(json!({"lang": "en_US", "uid": 5})),
        ("account.journal", "search_read") => ok(json!([{"id": 3, "company_id": [1, "Mine"]}])),
        ("res.company", "read") => ok(json!([{"id": 1, "partner_id": [2, "Mine"]}])),
        ("account.move", "search_read") => ok(json!([])),
        ("account.move", "fields_get") => {
            ok(json!({"state": {"type": "selection"}, "auto_post": {"type": "selection"}}))
        }
        ("account.move", "create") if body["context"]["default_auto_post"].is_null() => {
            ok(json!([7]))
        }
        ("res.currency", "search_read") => ok(json!([])),
        _ => return None,
    })
}

async fn refusal(odoo: &OdooService) -> String {
    let refused = odoo.create_draft(&arguments(json!({}))).await;
    refused.unwrap_err().to_string()
}

#[tokio::test]
async fn proof_is_passed_where_all_is_refused() {
    let server = odoo(|_, _| false);
    let proof = prove_rights(&server.service()).await.unwrap();
    assert!(proof.can_only_draft, "{}", proof.text);
    assert!(proof.ways.len() >= 15, "{}", proof.ways.len());
    assert!(
        proof
            .ways
            .iter()
            .all(|way| way.refused && way.answer == NO_RIGHT)
    );
    assert_eq!(proof.draft, 7);
    assert!(
        proof
            .text
            .starts_with("this key can only draft: Odoo refused it all of "),
        "{}",
        proof.text
    );
}

/// As of the doctor beside a daemon that drafts: the second finds the draft that the first has made.
#[tokio::test]
async fn proofs_at_the_same_time_make_one_draft() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let server = Scripted::odoo19(move |model, method, body| {
        let reply = drafting(model, method, body);
        match (model, method) {
            ("account.move", "search_read") if count.load(Ordering::SeqCst) > 0 => {
                return ok(json!([{"id": 7}]));
            }
            ("account.move", "create") if reply.is_some() => {
                count.fetch_add(1, Ordering::SeqCst);
            }
            _ => {}
        }
        reply.unwrap_or_else(|| refused("AccessError", NO_RIGHT))
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    let of_doctor = server.service().proving_by_turns(file.path());
    let of_daemon = server
        .service()
        .drafter_only()
        .proving_by_turns(file.path());
    let proofs = tokio::join!(
        prove_rights(&of_doctor),
        prove_rights(&of_daemon),
        prove_rights(&of_doctor)
    );
    for proof in [proofs.0, proofs.1, proofs.2] {
        assert_eq!(proof.unwrap().draft, 7);
    }
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

/// Once a life of the server, before the first draft.
#[tokio::test]
async fn proof_runs_once_before_the_first_draft() {
    let server = odoo(|_, _| false);
    let service = server.service().drafter_only();
    for _ in 0..3 {
        let answer = refusal(&service).await;
        assert_eq!(answer, "`currency` EUR is not active in this Odoo");
    }
    assert_eq!(server.count("account.move/action_post"), 1);
    // Whoever may draft with any key is not asked for a proof.
    let any = odoo(|_, _| true);
    assert_eq!(
        refusal(&any.service()).await,
        "`currency` EUR is not active in this Odoo"
    );
    assert_eq!(any.count("account.move/action_post"), 0);
}

#[tokio::test]
async fn key_that_can_act_does_not_draft() {
    let server = odoo(|model, method| {
        (model, method) == ("account.move", "action_post") || model == "ir.default"
    });
    let service = server.service().drafter_only();
    let answer = refusal(&service).await;
    let (start, end) = (
        "no draft was saved: this key can do more than draft: Odoo did not refuse it 2 of ",
        " ways (post a draft; set a default value); make a key that can only draft, as deploy/odoo/README.md of \
         Platinum says, and give this server that one",
    );
    assert!(
        answer.starts_with(start) && answer.ends_with(end),
        "{answer}"
    );
    assert_eq!(refusal(&service).await, answer);
    // It is not tried again at once.
    assert_eq!(server.count("account.move/action_post"), 1);
    let proof = prove_rights(&service).await.unwrap();
    let post = proof.ways.iter().find(|way| !way.refused).unwrap();
    assert_eq!(
        (post.way.as_str(), post.answer.as_str()),
        (
            "post a draft",
            "no right was missing, and then Odoo refused: There is no such record."
        )
    );
    assert_eq!(server.count("account.move/action_post"), 2);
}

/// No verdict while Odoo is away; the next call finds out.
#[tokio::test]
async fn proof_is_tried_again_when_odoo_is_back() {
    let is_away = Arc::new(AtomicBool::new(true));
    let away = Arc::clone(&is_away);
    let server = Scripted::odoo19(move |model, method, _| match (model, method) {
        _ if away.load(Ordering::Relaxed) => Reply::Closed,
        ("res.users", "context_get") => ok(json!({"uid": 5})),
        ("account.journal", "search_read") => ok(json!([{"id": 3, "company_id": [1, "Mine"]}])),
        ("res.company", "read") => ok(json!([{"id": 1, "partner_id": [2, "Mine"]}])),
        ("account.move", "search_read") => ok(json!([{"id": 7}])),
        ("account.move", "fields_get") => ok(json!({})),
        ("res.currency", "search_read") => ok(json!([])),
        _ => refused("AccessError", NO_RIGHT),
    });
    let service = server.service().drafter_only();
    let answer = refusal(&service).await;
    let start = "no draft was saved, because it is not known whether this key can only draft: that the key can only \
                 draft cannot be proven now: ";
    assert!(answer.starts_with(start), "{answer}");
    assert!(
        answer.ends_with("; the next call tries it again"),
        "{answer}"
    );
    is_away.store(false, Ordering::Relaxed);
    // What is saved next would be a document of the operation; there the script ends.
    let answer = refusal(&service).await;
    assert!(!answer.starts_with("no draft was saved"), "{answer}");
    assert_eq!(server.count("account.move/action_post"), 1);
}

/// What the database holds of what the tries are about.
fn counts(server: &OdooServer) -> BTreeMap<&'static str, String> {
    [
        ("moves that are no draft", "select count(*) from account_move where state <> 'draft'"),
        ("moves of others", "select md5(string_agg(m::text, ',' order by id)) from account_move m where create_uid <> 0
            and coalesce(invoice_origin, '') <> 'platinum-proof-of-rights'"),
        ("moves with a number", "select count(*) from account_move where coalesce(name, '/') <> '/'"),
        ("contacts", "select md5(string_agg(concat(id, name, country_id), ',' order by id)) from res_partner"),
        ("banks", "select count(*) from res_partner_bank"),
        ("payments", "select count(*) from account_payment"),
        ("mails", "select count(*) from mail_mail"),
        ("notices", "select count(*) from mail_notification"),
        ("files", "select count(*) from ir_attachment where res_model is not null"),
        ("sequences", "select count(*) from ir_sequence"),
        ("defaults", "select count(*) from ir_default"),
        ("keys", "select count(*) from res_users_apikeys"),
        ("locks", "select string_agg(concat(id, fiscalyear_lock_date, paperformat_id), ',' order by id) from res_company"),
    ]
    .map(|(what, query)| (what, server.sql(query).unwrap()))
    .into()
}

fn open(real: &Real) -> OdooService {
    OdooService::open(real.config.clone()).drafter_only()
}

fn shown(proof: &ProofAnswer) -> String {
    let ways = proof.ways.iter();
    let lines = ways.map(|way| format!("{} | {} | {}", way.way, way.refused, way.answer));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn real_drafters_are_proven_and_draft() {
    let Some(owner) = Real::open_alone("auto") else {
        return;
    };
    let books = owner.books().await;
    // Somebody else's document, so that this way is tried, too.
    owner
        .draft(&invoice(&books, "customer_invoice", json!({})))
        .await;
    let before = counts(&owner.server);
    for user in [OdooUser::Drafter, OdooUser::PowerfulDrafter] {
        let mut drafts = Vec::new();
        for protocol in ["auto", "json-rpc"] {
            let drafter = Real::log_in(Arc::clone(&owner.server), user, protocol);
            let service = open(&drafter);
            let proof = prove_rights(&service).await.unwrap();
            assert!(
                proof.can_only_draft,
                "{user:?} {protocol}: {}",
                shown(&proof)
            );
            assert!(proof.ways.len() >= 20, "{}", shown(&proof));
            drafts.push(proof.draft);
            let wanted: DraftArguments =
                serde_json::from_value(invoice(&books, "vendor_bill", json!({}))).unwrap();
            assert_eq!(
                service.create_draft(&wanted).await.unwrap().outcome,
                DraftOutcome::Created
            );
            let delete = "delete from account_move where invoice_origin <> 'platinum-proof-of-rights' and create_uid <> 2";
            owner.server.sql(delete).unwrap();
            eprintln!(
                "{user:?} {protocol}: {} ways, all refused",
                proof.ways.len()
            );
        }
        // One draft a user, also after several proofs; it is as it was made.
        assert_eq!(drafts[0], drafts[1]);
        let left = format!(
            "select concat(state, name, (select count(*) from account_move_line where move_id = {0})) from account_move where id = {0}",
            drafts[0]
        );
        assert_eq!(owner.server.sql(&left).unwrap(), "draft0");
    }
    assert_eq!(counts(&owner.server), before);
}

/// What the tries do with a key that can do everything: each gets past the rights, and nothing comes of it.
#[tokio::test]
async fn tries_are_harmless_with_the_owners_key() {
    let Some(owner) = Real::open_alone("auto") else {
        return;
    };
    let books = owner.books().await;
    let drafter = Real::log_in(Arc::clone(&owner.server), OdooUser::Drafter, "auto");
    drafter
        .draft(&invoice(&books, "customer_invoice", json!({})))
        .await;
    let before = counts(&owner.server);
    for protocol in ["auto", "json-rpc"] {
        let owner = Real::log_in(Arc::clone(&owner.server), OdooUser::Owner, protocol);
        let service = open(&owner);
        let proof = prove_rights(&service).await.unwrap();
        assert!(!proof.can_only_draft);
        let is_any_refused = proof.ways.iter().any(|way| way.refused);
        assert!(!is_any_refused, "{}", shown(&proof));
        let wanted: DraftArguments =
            serde_json::from_value(invoice(&books, "vendor_bill", json!({}))).unwrap();
        let answer = service.create_draft(&wanted).await.unwrap_err().to_string();
        assert!(
            answer.starts_with("no draft was saved: this key can do more than draft: "),
            "{answer}"
        );
        assert_eq!(counts(&owner.server), before);
    }
}
