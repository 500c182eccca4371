//! What the commands do with a draft that is held in `Approved/`.

use platinum_core::{Role, layout};
use platinum_daemon::Config;
use platinum_journal::approvals::PendingFile;
use platinum_vault::note::{DraftNote, Note};

use super::{super::approve::ApprovalStore, Home, draft, id_end};

/// What is held in `Approved/`, moved by another device, is listed as that and can be decided.
#[tokio::test]
async fn held_draft_can_be_rejected_or_taken_back() {
    let home = Home::ready().await;
    let drafts = [draft(1, "Monday.\n"), draft(2, "Tuesday.\n")];
    let approved = |draft: &DraftNote| home.path(&format!("vault/Approved/{}.md", draft.id));
    for draft in &drafts {
        home.pending(draft);
        hold(&home, draft);
    }
    let shown = home.does(&["approvals"]).await;
    let (first, second) = (id_end(&drafts[0]), id_end(&drafts[1]));
    assert!(
        shown.contains("\nHeld, until you confirm or reject it:\nApproved/"),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("platinum reject {first}")),
        "{shown}"
    );
    assert!(
        !shown.contains("Approved, and not carried out yet"),
        "{shown}"
    );

    home.does(&["reject", &first, "--reason", "Closed."]).await;
    assert!(!approved(&drafts[0]).exists());
    let note = Note::parse(&home.read(&format!("Rejected/{}.md", drafts[0].id))).unwrap();
    assert_eq!(note.get_text("rejected-because"), Some("Closed."));
    home.does(&["undo", &second]).await;
    assert!(!approved(&drafts[1]).exists());
    home.read(&format!("Pending_Approval/{}.md", drafts[1].id));

    let error = home.fails(&["reject", "ZZZZZZ"]).await;
    assert_eq!(error.message, "no waiting draft has an id like `ZZZZZZ`");
}

/// As if another device had moved a draft to `Approved/`: it is another file than the one that waited.
fn hold(home: &Home, draft: &DraftNote) {
    let config = Config::load(&home.path("config/local.toml"), Role::Local).unwrap();
    let store = ApprovalStore::open(&config).unwrap();
    let (from, to) = (layout::pending(draft.id), layout::approved(draft.id));
    let text = store.vault.read_text(&from, 100_000).unwrap();
    let file = PendingFile {
        identity: store.vault.identity(&from).unwrap().unwrap(),
        sha256: "0".repeat(64),
        is_placed: true,
    };
    store.journal.note_pending(draft.id, &file).unwrap();
    store.vault.create(&to, text.as_bytes()).unwrap();
    store.vault.remove(&from).unwrap();
}
