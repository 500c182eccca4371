//! [`require_reader`]: that the token of an account can do nothing but read, where that is asked for.
//!
//! The server is asked which scopes the token's application has. A token has no more than those, so that where they are
//! listed, they decide: one that does more than read is refused by its name. Where none are listed, the server is asked
//! whether it lets the token post. That is the one call here of the kind that publishes: it is for a post without a text
//! and without a picture, which no server can publish. It is made only to servers that are known to answer so, and that
//! have tokens which cannot post.

use platinum_social_client::SocialError;
use platinum_social_client::config::NetworkKind;
use platinum_social_client::mastodon::Mastodon;
use platinum_text::one_line;
use reqwest::Method;
use serde_json::Value;

use crate::service::{OpenAccount, ServiceError, SocialService};

/// Accepts an account whose token can only read, or that has none; any account where that is not asked for.
///
/// # Errors
/// If the token can do more, or that cannot be found out now.
pub async fn require_reader(
    service: &SocialService,
    account: &OpenAccount,
) -> Result<(), ServiceError> {
    let config = &account.config;
    let is_free = config.network == NetworkKind::Bluesky || config.secret.is_none();
    if !service.needs_proof || is_free {
        return Ok(());
    }
    let mut is_reader = account.is_reader.lock().await;
    if *is_reader {
        return Ok(());
    }
    let unproven = |source| ServiceError::Unproven {
        account: config.name.clone(),
        source,
    };
    let mastodon = Mastodon::open(config, service.call_limits).map_err(unproven)?;
    let instance = mastodon.instance().await.map_err(unproven)?;
    let name = &config.name;
    if !instance.has_scopes() {
        return Err(ServiceError::CanAct(format!(
            "the tokens of {} ({}) can all post; remove `token` of `{name}` here, and give it to the owner's machine alone",
            mastodon.endpoint().host(),
            instance.version
        )));
    }
    if let Some(what) = power(&mastodon).await.map_err(unproven)? {
        return Err(ServiceError::CanAct(format!(
            "the token of `{name}` {what}; make one with the scope `read` alone at {} (Preferences, Development), or \
             remove it here",
            mastodon.endpoint().host()
        )));
    }
    *is_reader = true;
    Ok(())
}

/// What the token can do besides reading, to follow its name; none if it can only read.
async fn power(mastodon: &Mastodon) -> Result<Option<String>, SocialError> {
    let asked = mastodon.request(Method::GET, "/api/v1/apps/verify_credentials", &[]);
    let scopes = match mastodon.send(asked).await {
        Ok(answer) => scopes(&answer.body),
        Err(SocialError::Refused {
            status: 401 | 403 | 404,
            ..
        }) => vec![],
        Err(error) => return Err(error),
    };
    if !scopes.is_empty() {
        let acting = scopes.iter().find(|scope| !is_reading(scope));
        return Ok(acting.map(|scope| format!("has the scope `{}`", one_line(scope, 60))));
    }
    let nothing = mastodon.request(Method::POST, "/api/v1/statuses", &[]);
    match mastodon.send(nothing).await {
        Err(SocialError::Refused { status: 403, .. }) => Ok(None),
        Err(SocialError::Refused {
            status: 400 | 422, ..
        })
        | Ok(_) => Ok(Some("can post".to_owned())),
        Err(error) => Err(error),
    }
}

/// The scopes of an application; empty if it does not list them. What is none has its JSON for a name.
fn scopes(application: &Value) -> Vec<String> {
    match application.get("scopes") {
        Some(Value::Array(scopes)) => scopes
            .iter()
            .map(|scope| {
                scope
                    .as_str()
                    .map_or_else(|| scope.to_string(), str::to_owned)
            })
            .collect(),
        Some(Value::String(scopes)) => scopes.split_whitespace().map(str::to_owned).collect(),
        _ => vec![],
    }
}

/// Whether all that a scope allows is reading.
fn is_reading(scope: &str) -> bool {
    matches!(scope, "read" | "profile") || scope.starts_with("read:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Which scope of an application does more than read.
    fn acting(application: &Value) -> Option<String> {
        scopes(application)
            .into_iter()
            .find(|scope| !is_reading(scope))
    }

    #[test]
    fn scopes_are_reading_only_if_all_are() {
        for (answer, expected) in [
            (json!({"scopes": ["read", "profile"]}), None),
            (json!({"scopes": ["read:accounts", "read:statuses"]}), None),
            (json!({"scopes": "read read:search"}), None),
            (
                json!({"scopes": ["read", "write:accounts"]}),
                Some("write:accounts"),
            ),
            (json!({"scopes": "read follow"}), Some("follow")),
            (json!({"scopes": ["read", 7]}), Some("7")),
            (json!({"scopes": ["readwrite"]}), Some("readwrite")),
            (json!({"scopes": ["admin:read"]}), Some("admin:read")),
        ] {
            assert_eq!(acting(&answer).as_deref(), expected, "{answer}");
        }
    }

    #[test]
    fn scopes_that_are_not_listed_are_none() {
        for answer in [
            json!({"scopes": []}),
            json!({"scopes": " "}),
            json!({"name": "app"}),
            json!(null),
        ] {
            assert!(scopes(&answer).is_empty(), "{answer}");
        }
    }
}
