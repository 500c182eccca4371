//! Drafts: checked, saved once, and without what would publish.

use platinum_social_client::Media;
use platinum_social_draft::drafting::DraftArguments;

use crate::fake::pds::FakePds;
use crate::fixture::{Fixture, post};

#[tokio::test]
async fn draft_is_saved_once_for_an_operation() {
    let pds = FakePds::start().await;
    let fixture = Fixture::bluesky(&pds.server.url());
    let mut arguments = DraftArguments {
        post: post("sky", &["hi @ada.test"]),
        operation: "task_1".into(),
    };
    arguments.post.media = vec![Media {
        name: "a.png".into(),
        kind: None,
        size: 3,
        alt: "x".into(),
        sha256: "a".repeat(64),
        data: Some("QUJD".into()),
    }];
    let first = fixture.drafting().draft_post(&arguments).await.unwrap();
    assert!(!first.existing && !first.differs && first.faults.is_empty());
    assert!(
        first
            .shown
            .contains("mention \\@ada.test, account did:plc:ada")
    );
    let second = fixture.drafting().draft_post(&arguments).await.unwrap();
    assert!(second.existing && !second.differs);
    assert_eq!(first.draft, second.draft);
    arguments.post.parts = vec!["other".into()];
    let third = fixture.drafting().draft_post(&arguments).await.unwrap();
    assert!(third.existing && third.differs);
    let folder = fixture.folder.path().join("social-drafts");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    assert_eq!(files.len(), 1);
    let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    assert!(
        text.contains("hi @ada.test") && !text.contains("QUJD"),
        "{text}"
    );
    // Nothing on the network.
    assert!(pds.server.posted().is_empty());
}

#[tokio::test]
async fn faulty_post_is_not_drafted() {
    let pds = FakePds::start().await;
    let fixture = Fixture::bluesky(&pds.server.url());
    for (text, operation, words) in [
        ("", "a", "the post cannot be drafted: the post has no text"),
        (
            "hi @nobody.test",
            "a",
            "the post cannot be drafted: `@nobody.test` leads to nobody",
        ),
        ("x", " ", "`operation` must be a text of 1 to 200 bytes"),
    ] {
        let arguments = DraftArguments {
            post: post("sky", &[text]),
            operation: operation.into(),
        };
        let error = fixture.drafting().draft_post(&arguments).await.unwrap_err();
        assert_eq!(error.to_string(), words);
    }
    assert!(!fixture.folder.path().join("social-drafts").exists());
}
