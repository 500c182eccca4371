//! What is no plain text: a template after the window closed, and a file of the vault.

use std::fs;

use platinum_core::WhatsappSend;
use platinum_testkit::whatsapp::text_webhook;
use serde_json::json;

use super::{GAP, NUMBER, OTHER_NUMBER, Owner, USER, seconds};

/// The window closed two days ago: a template with gaps waits, and leaves as its owner filled it; what its owner wrote
/// beside the gaps comes back.
#[test]
fn closed_window_becomes_a_template_that_leaves_as_filled() {
    let owner = Owner::start();
    owner.api.set_templates([
        json!({"name": "order_ready", "language": "en_US", "status": "APPROVED", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Hello {{1}}, your {{2}} is ready."}]}),
    ]);
    // What came before the first look is no work: so that there was one.
    let now = text_webhook("wamid.NOW", OTHER_NUMBER, "US.9", "Hello?", seconds());
    owner.brings(&now);
    owner.draft_with("Hello?");
    let two_days_ago = seconds() - 2 * 86_400;
    owner.brings(&text_webhook(
        "wamid.OLD",
        NUMBER,
        USER,
        "Is my desk ready?",
        two_days_ago,
    ));
    let (draft, text) = owner.draft_with("Is my desk ready?");
    let action: WhatsappSend = draft.action.read().unwrap();
    assert_eq!(action.template.as_deref(), Some("order_ready"));
    assert_eq!(action.text.trim(), "Hello [✎ 1], your [✎ 2] is ready.");
    assert!(text.contains("The time for an answer is over"), "{text}");
    println!("{}", owner.host.shows(&["approvals", "--full"]));
    let id = draft.id.to_string();
    assert!(!owner.host.run(&["approve", &id]).status.success());
    let path = owner.host.vault().join(format!("Pending_Approval/{id}.md"));
    let other = "Hello Sheena, your desk is late.";
    let gaps = action.text.trim();
    fs::write(&path, text.replace(gaps, other)).unwrap();
    owner.host.shows(&["approve", &id]);
    let (_, back) = owner.draft_with("only what stands in the gaps of a template can be written");
    assert!(owner.api.taken().is_empty());
    fs::write(
        &path,
        back.replace(other, "Hello Sheena, your desk is ready."),
    )
    .unwrap();
    owner.host.shows(&["approve", &id]);
    owner.host.await_done(draft.id);
    let taken = owner.api.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        taken[0].1["template"],
        json!({"name": "order_ready", "language": {"code": "en_US"}, "components": [{"type": "body",
            "parameters": [{"type": "text", "text": "Sheena"}, {"type": "text", "text": "desk"}]}]})
    );
}

/// The owner names a file in the draft: exactly its bytes leave, with the text under it.
#[test]
fn file_of_the_vault_leaves_with_the_answer() {
    let owner = Owner::start();
    owner.writes("wamid.IN1", "Can I have the offer?");
    let (draft, text) = owner.draft_with("Can I have the offer?");
    let offer = b"%PDF-1.7\n\xff\n%%EOF\n";
    fs::write(owner.host.vault().join("Inbox/offer.pdf"), offer).unwrap();
    let path = owner
        .host
        .vault()
        .join(format!("Pending_Approval/{}.md", draft.id));
    let with_file = text.replace(GAP, "Here it is.").replacen(
        "action: whatsapp-send\n",
        "action: whatsapp-send\nfile: Inbox/offer.pdf\n",
        1,
    );
    assert!(with_file.contains("file: Inbox/offer.pdf"), "{text}");
    fs::write(&path, with_file).unwrap();
    let shown = owner.host.shows(&["approve", &draft.id.to_string()]);
    println!("{shown}");
    owner.host.await_done(draft.id);
    let uploaded = owner.api.uploaded();
    assert_eq!(uploaded.len(), 1);
    assert_eq!(uploaded[0].bytes, offer);
    let taken = owner.api.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        taken[0].1["document"],
        json!({"id": uploaded[0].id, "filename": "offer.pdf", "caption": "Here it is."})
    );
}
