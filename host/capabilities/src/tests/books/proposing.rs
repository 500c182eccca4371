//! What becomes of a document that is proposed.

use std::sync::Arc;

use platinum_core::{OdooPayment, OdooPost, Role, TaskId, ZoneId};
use platinum_vault::note::{DraftNote, Note};
use serde_json::json;

use super::{Scripted, Tasks, author, now, shown_document, task, vault};
use crate::{
    bindings::platinum::{
        actions::types::{Money, Proposal, ProposeError},
        odoo::{
            propose::Host as _,
            types::{Payment, Posting},
        },
    },
    odoo::{Books, OdooProposeCtx},
    proposals::ProposeCtx,
    tasks::Owner,
};

fn proposing(server: &Arc<Scripted>, vault: &platinum_vault::Vault) -> OdooProposeCtx {
    let tasks = [task(1), task(2)];
    let store = Arc::new(Tasks {
        owners: tasks.map(|task| (task, Owner::ThisAgent)).into(),
        zones: tasks.map(|task| (task, ZoneId::ACCOUNTING)).into(),
        ..Tasks::default()
    });
    OdooProposeCtx {
        books: Books::new(server.clone(), None),
        proposals: ProposeCtx {
            vault: vault.clone(),
            store,
            author: author(Role::Cloud),
            now: now(),
        },
    }
}

fn proposal(of: TaskId) -> Proposal {
    Proposal {
        task: of.to_string(),
        summary: "Post vendor bill R-1".into(),
        reason: "It came by mail.".into(),
        expires: None,
    }
}

fn posting(doubts: &[&str]) -> Posting {
    Posting {
        document: 42,
        doubts: doubts.iter().map(|&doubt| doubt.into()).collect(),
    }
}

/// A draft of an earlier claim of the task can no longer be approved: it is in nobody's way.
#[tokio::test]
async fn propose_posting_passes_over_a_draft_of_an_earlier_claim() {
    let (folder, vault) = vault();
    let server = Scripted::with([shown_document("draft"), shown_document("draft")]);
    let mut ctx = proposing(&server, &vault);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let proposed = ctx.propose_posting(proposal(task(1)), posting(&[])).await;
        let id = proposed.unwrap().unwrap();
        let path = folder.path().join(format!("Pending_Approval/{id}.md"));
        let text = std::fs::read_to_string(&path).unwrap();
        let epoch = text.lines().find(|line| line.starts_with("epoch: "));
        let earlier = text.replace(epoch.unwrap(), "epoch: 0");
        std::fs::write(path, earlier).unwrap();
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}

/// The note has what Odoo shows, and not a word of the skill's but its doubts.
#[tokio::test]
async fn propose_posting_writes_what_odoo_shows() {
    let (folder, vault) = vault();
    let mut answer = shown_document("draft");
    answer["obstacles"] = json!(["it has no account"]);
    let server = Scripted::with([answer]);
    let mut ctx = proposing(&server, &vault);
    let id = ctx
        .propose_posting(proposal(task(1)), posting(&["The total differs."]))
        .await
        .unwrap()
        .unwrap();
    let text =
        std::fs::read_to_string(folder.path().join(format!("Pending_Approval/{id}.md"))).unwrap();
    let note = DraftNote::parse(&text).unwrap();
    let post: OdooPost = note.action.read().unwrap();
    assert_eq!(
        (post.document, post.total.to_string().as_str()),
        (42, "EUR 119.00")
    );
    assert_eq!(post.due.unwrap().to_string(), "2026-11-15");
    assert_eq!(post.shown, "Vendor bill R-1\n\n| Paper | 10 |\n|---|---|\n");
    assert_eq!(
        note.doubts,
        [
            "The total differs.",
            "Odoo does not post it as it is: it has no account."
        ]
    );
    let body = Note::parse(&text).unwrap().body().to_owned();
    let at = |what: &str| body.find(what).unwrap_or_else(|| panic!("{what}: {body}"));
    assert!(
        at("Look at this first") < at("The total differs.")
            && at("The total differs.") < at("| Paper"),
        "{body}"
    );
    // The same task once more, and another task with the same document: no second note.
    let again = ctx
        .propose_posting(proposal(task(1)), posting(&[]))
        .await
        .unwrap();
    assert!(matches!(again, Err(ProposeError::Duplicate(first)) if first == id));
    assert_eq!(server.asked().len(), 1);
    let server = Scripted::with([shown_document("draft")]);
    let other = proposing(&server, &vault)
        .propose_posting(proposal(task(2)), posting(&[]))
        .await
        .unwrap();
    assert!(
        matches!(&other, Err(ProposeError::Invalid(why))
            if *why == format!("{id} waits for the owner already and proposes to post document 42")),
        "{other:?}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path().join("Pending_Approval"))
            .unwrap()
            .count(),
        1
    );
}

#[tokio::test]
async fn propose_posting_of_what_cannot_be_posted_is_refused() {
    let mut unshown = shown_document("draft");
    unshown["shown"] = json!(" ");
    let mut fraction = shown_document("draft");
    fraction["document"]["total"] = json!("119.001");
    for (answer, expected) in [
        (
            shown_document("posted"),
            "Invalid(\"document 42 is not a draft in Odoo: its state is posted\")",
        ),
        (
            shown_document("cancel"),
            "Invalid(\"document 42 is not a draft in Odoo: its state is cancel\")",
        ),
        (
            unshown,
            "Unavailable(\"the server for Odoo does not show what is proposed; run the one of this version of Platinum\")",
        ),
        (
            fraction,
            "Invalid(\"119.001 EUR is no amount in whole minor units of that currency\")",
        ),
    ] {
        let (folder, vault) = vault();
        let server = Scripted::with([answer]);
        let refused = proposing(&server, &vault)
            .propose_posting(proposal(task(1)), posting(&[]))
            .await
            .unwrap();
        assert_eq!(
            format!("{:?}", refused.unwrap_err()),
            format!("ProposeError::{expected}"),
            "{expected}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let (_folder, vault) = vault();
    let long = "x".repeat(301);
    for doubts in [vec![long.as_str()], vec!["x"; 31], vec!["a\nb"]] {
        let server = Arc::new(Scripted::default());
        let refused = proposing(&server, &vault)
            .propose_posting(proposal(task(1)), posting(&doubts))
            .await
            .unwrap();
        assert!(matches!(refused, Err(ProposeError::Invalid(_))) && server.asked().is_empty());
    }
}

#[tokio::test]
async fn propose_payment_is_looked_at_by_the_server() {
    let payment = |minor: i64| Payment {
        invoice: 42,
        amount: Money {
            minor,
            currency: "EUR".into(),
        },
        date: "2026-11-20".into(),
        journal: "BNK1".into(),
        doubts: vec![],
    };
    let (folder, vault) = vault();
    let preview = json!({ "shown": "Payment of R-1\n" });
    let server = Scripted::with([shown_document("posted"), preview]);
    let id = proposing(&server, &vault)
        .propose_payment(proposal(task(1)), payment(11900))
        .await
        .unwrap()
        .unwrap();
    let text =
        std::fs::read_to_string(folder.path().join(format!("Pending_Approval/{id}.md"))).unwrap();
    let paid: OdooPayment = DraftNote::parse(&text).unwrap().action.read().unwrap();
    assert_eq!(
        (paid.amount.to_string().as_str(), paid.journal.as_str()),
        ("EUR 119.00", "BNK1")
    );
    assert_eq!(paid.shown, "Payment of R-1\n");
    assert_eq!(
        server.asked()[1],
        (
            "preview_payment",
            json!({ "document": 42, "amount": "119.00", "currency": "EUR", "date": "2026-11-20", "journal": "BNK1" })
        )
    );
    let server = Arc::new(Scripted::default());
    for (what, wrong) in [("nothing", payment(0)), ("less", payment(-1))] {
        let refused = proposing(&server, &vault)
            .propose_payment(proposal(task(2)), wrong)
            .await
            .unwrap();
        assert!(matches!(refused, Err(ProposeError::Invalid(_))), "{what}");
    }
    let server = Scripted::with([shown_document("posted")]);
    let refused = proposing(&server, &vault)
        .propose_payment(proposal(task(2)), payment(1))
        .await
        .unwrap();
    assert!(
        matches!(&refused, Err(ProposeError::Invalid(why)) if why == "there is no further answer"),
        "{refused:?}"
    );
}
