//! A draft server that was told to work only with tokens that can do nothing but read.

use platinum_social_draft::drafting::DraftArguments;
use platinum_social_draft::reading::ListArguments;
use serde_json::{Value, json};

use crate::fake::mastodon::{FakeMastodon, refused};
use crate::fixture::{Fixture, SECRET, post};
use crate::scripted::{Reply, ok};

/// What drafting comes to, with what the server says of its token.
async fn draft(server: &FakeMastodon) -> Result<(), String> {
    let social = Fixture::mastodon(&server.server.url()).drafter_only();
    let arguments = DraftArguments {
        post: post("fedi", &["x"]),
        operation: "task_1".into(),
    };
    let drafted = social.draft_post(&arguments).await;
    let accounts = social
        .list_accounts(&ListArguments {})
        .await
        .unwrap()
        .accounts;
    assert_eq!(
        accounts[0].problem.is_some(),
        drafted.is_err(),
        "{accounts:?}"
    );
    match drafted {
        Ok(_) => Ok(()),
        Err(error) => {
            assert!(!error.to_string().contains(SECRET));
            Err(error.to_string())
        }
    }
}

#[tokio::test]
async fn token_that_reads_is_taken() {
    for (scopes, nothing, asked) in [
        (Some(json!(["read", "profile"])), ok(json!({})), 0),
        (None, refused(403, "outside the authorized scopes"), 1),
        (
            Some(json!([])),
            refused(403, "outside the authorized scopes"),
            1,
        ),
    ] {
        let server = FakeMastodon::start().await;
        set(&server, scopes, nothing);
        assert_eq!(draft(&server).await, Ok(()));
        // Proven once.
        assert_eq!(server.server.count("POST /api/v1/statuses"), asked);
        assert!(server.texts().is_empty());
    }
}

/// That it cannot post says nothing of what else it can do.
#[tokio::test]
async fn token_with_an_acting_scope_is_refused_by_its_name() {
    for (scopes, acting) in [
        (json!(["read", "write:accounts"]), "write:accounts"),
        (json!("read follow push"), "follow"),
        (json!(["read", "write"]), "write"),
    ] {
        let server = FakeMastodon::start().await;
        set(
            &server,
            Some(scopes),
            refused(403, "outside the authorized scopes"),
        );
        assert_eq!(
            draft(&server).await.unwrap_err(),
            format!(
                "no draft was saved: the token of `fedi` has the scope `{acting}`; make one with the scope `read` alone \
                 at 127.0.0.1 (Preferences, Development), or remove it here"
            )
        );
        assert!(server.server.posted().is_empty());
    }
}

#[tokio::test]
async fn token_that_posts_is_refused() {
    for nothing in [
        refused(422, "Validation failed: Text can't be blank"),
        refused(400, "no text"),
        // It published a post without a text.
        ok(json!({"id": "1"})),
    ] {
        let server = FakeMastodon::start().await;
        set(&server, None, nothing);
        assert_eq!(
            draft(&server).await.unwrap_err(),
            "no draft was saved: the token of `fedi` can post; make one with the scope `read` alone at 127.0.0.1 \
             (Preferences, Development), or remove it here"
        );
    }
}

#[tokio::test]
async fn token_without_an_answer_is_not_taken() {
    for nothing in [
        Reply::Closed,
        Reply::Text(500, String::new()),
        refused(401, "The access token is invalid"),
        refused(429, "Too many requests"),
    ] {
        let server = FakeMastodon::start().await;
        set(&server, None, nothing);
        let refusal = draft(&server).await.unwrap_err();
        let words = "no draft was saved, because it is not known whether the token of `fedi` can only read: ";
        assert!(refusal.starts_with(words), "{refusal}");
    }
}

/// Where all tokens can post, nothing is tried: such a server may publish a post without a text.
#[tokio::test]
async fn server_without_scopes_is_not_asked() {
    let server = FakeMastodon::ignoring_keys().await;
    assert_eq!(
        draft(&server).await.unwrap_err(),
        "no draft was saved: the tokens of 127.0.0.1 (4.0.0 (not true; really snac/2.75)) can all post; remove `token` of \
         `fedi` here, and give it to the owner's machine alone"
    );
    assert!(server.server.posted().is_empty());
    // Without a token there is nothing to prove.
    let text = format!(
        "[accounts.fedi]\nnetwork = 'mastodon'\nserver = '{}'\nhandle = 'me'\n",
        server.server.url()
    );
    let social = Fixture::new(&text).drafter_only();
    let arguments = DraftArguments {
        post: post("fedi", &["x"]),
        operation: "task_1".into(),
    };
    social.draft_post(&arguments).await.unwrap();
}

fn set(server: &FakeMastodon, scopes: Option<Value>, nothing: Reply) {
    let mut state = server.state.lock().unwrap();
    (state.scopes, state.nothing) = (scopes, nothing);
}
