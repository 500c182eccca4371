//! Posts on social networks, as the owner's commands show them.

use platinum_core::SocialPublish;

use super::*;

const CARD: &str = "**Bluesky** · ada.test · seen by everybody\n\nAnswers ann.test (https:\\/\\/bsky.test/1):\n> Tea\\!\n\n\
    - The text: 5 of 300 characters\n";

fn post() -> DraftNote {
    DraftNote {
        action: Action::new(&SocialPublish {
            account: "sky".to_owned(),
            content_warning: Some("Tea".to_owned()),
            text: "Hello\n\n---\n\nAgain\u{202E}\n".to_owned(),
            ..SocialPublish::default()
        }),
        summary: "Post “Hello” as sky".to_owned(),
        ..draft(9, "")
    }
}

fn write(home: &Home, draft: &DraftNote) {
    home.pending(draft);
    let path = home.path(&format!("vault/Pending_Approval/{}.md", draft.id));
    fs::write(path, draft.render_shown(&task(), Some(CARD))).unwrap();
}

/// How it will look, then what leaves, each as its owner has it in the note.
#[tokio::test]
async fn approvals_shows_how_a_post_will_look() {
    let home = Home::ready().await;
    write(&home, &post());
    let shown = home.does(&["approvals"]).await;
    for expected in [
        "  account          sky\n  content-warning  Tea\n",
        "\n  ┆ Bluesky · ada.test · seen by everybody\n  ┆\n  ┆ Answers ann.test (https://bsky.test/1):\n  ┆ > Tea!\n  ┆\n\
         \x20 ┆ - The text: 5 of 300 characters\n\n  │ Hello\n  │\n  │ ---\n  │\n  │ Again\\u{202e}\n",
    ] {
        assert!(shown.contains(expected), "{shown}");
    }
    // What it answers in the vault is shown with everything.
    let full = home.does(&["approvals", "--full"]).await;
    assert!(
        !shown.contains("[!quote]") && full.contains("[!quote]"),
        "{full}"
    );
    assert!(
        full.contains("  ┆ > [!example] As it will look\n"),
        "{full}"
    );
    // A draft without one has none.
    let home = Home::ready().await;
    home.pending(&post());
    assert!(!home.does(&["approvals"]).await.contains('┆'));
}

/// Nothing here could publish it.
#[tokio::test]
async fn approve_without_a_network_is_refused_in_words() {
    let home = Home::ready().await;
    let mut seen = post();
    seen.action.set_text("Hello\n".to_owned()).unwrap();
    write(&home, &seen);
    let error = home.fails(&["approve", &id_end(&seen)]).await;
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(
        error.message,
        "not approved: no social network is set up on this machine: it needs `[zones.social]` in the configuration"
    );
}
