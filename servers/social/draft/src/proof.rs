//! [`require_reader`]: that the token of an account can do nothing but read, where that is asked for.
//!
//! The server is asked: which scopes the token's application has, and, where that does not say it, whether it lets the
//! token post. That is the one call here of the kind that publishes: it is for a post without a text and without a
//! picture, which no server can publish. It is made only to servers that are known to answer so, and that have tokens
//! which cannot post.

use platinum_social_client::SocialError;
use platinum_social_client::config::NetworkKind;
use platinum_social_client::mastodon::Mastodon;
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
    if can_post(&mastodon).await.map_err(unproven)? {
        return Err(ServiceError::CanAct(format!(
            "the token of `{name}` can post; make one with the scope `read` alone at {} (Preferences, Development), or \
             remove it here",
            mastodon.endpoint().host()
        )));
    }
    *is_reader = true;
    Ok(())
}

/// Whether the server lets the token post.
async fn can_post(mastodon: &Mastodon) -> Result<bool, SocialError> {
    let asked = mastodon.request(Method::GET, "/api/v1/apps/verify_credentials", &[]);
    match mastodon.send(asked).await {
        Ok(answer) if is_reading(&answer.body) => return Ok(false),
        Ok(_)
        | Err(SocialError::Refused {
            status: 401 | 403 | 404,
            ..
        }) => {}
        Err(error) => return Err(error),
    }
    let nothing = mastodon.request(Method::POST, "/api/v1/statuses", &[]);
    match mastodon.send(nothing).await {
        Err(SocialError::Refused { status: 403, .. }) => Ok(false),
        Err(SocialError::Refused {
            status: 400 | 422, ..
        })
        | Ok(_) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether all scopes of an application are for reading; not if it does not say them.
fn is_reading(application: &Value) -> bool {
    let scopes: Vec<&str> = match application.get("scopes") {
        Some(Value::Array(scopes)) => scopes
            .iter()
            .map(|scope| scope.as_str().unwrap_or_default())
            .collect(),
        Some(Value::String(scopes)) => scopes.split_whitespace().collect(),
        _ => vec![],
    };
    let is_read = |scope: &&str| matches!(*scope, "read" | "profile") || scope.starts_with("read:");
    !scopes.is_empty() && scopes.iter().all(is_read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scopes_are_reading_only_if_all_are() {
        for (answer, expected) in [
            (json!({"scopes": ["read", "profile"]}), true),
            (json!({"scopes": ["read:accounts", "read:statuses"]}), true),
            (json!({"scopes": "read read:search"}), true),
            (json!({"scopes": ["read", "write:statuses"]}), false),
            (json!({"scopes": ["read", 7]}), false),
            (json!({"scopes": ["readwrite"]}), false),
            (json!({"scopes": []}), false),
            (json!({"name": "app"}), false),
            (json!(null), false),
        ] {
            assert_eq!(is_reading(&answer), expected, "{answer}");
        }
    }
}
