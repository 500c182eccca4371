//! [`Notifications`]: the posts that an account was notified of because they mention it or answer it, newest first.
//!
//! Mastodon is asked with the account's token, which needs to read notifications and no more. Bluesky tells them only to
//! who logs in, and an app password can post: so a host reads Bluesky's only where it has one, which no cloud has.
//! Invariants: nothing is changed there, also not what was read; every answer is bounded.

use platinum_core::Timestamp;
use platinum_social_client::{
    AccountConfig, NetworkKind, SocialError,
    bluesky::{Bluesky, record::PostUri},
    http::CallLimits,
    mastodon::{Mastodon, status::Status},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::text::one_line;

/// Notifications of one page.
const PAGE: &str = "40";
/// The longest text of a mention, in characters.
const MAX_TEXT: usize = 10_000;
/// The errors that a token which has run out is answered with.
const EXPIRED: [&str; 2] = ["ExpiredToken", "InvalidToken"];

/// A post that mentions the owner, or answers them. All texts are from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The account that it was told to.
    pub account: String,
    /// Who wrote it: `name@server`, or the whole name where that is a domain.
    pub author: String,
    /// Its name everywhere: the same on each network that shows it, for each account that it mentions.
    pub name: String,
    /// What an answer answers: its name or its id on the account's server.
    pub post: String,
    /// Where a person sees it.
    pub address: String,
    /// Its text.
    pub text: String,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// When the account was notified.
    pub noticed: Option<Timestamp>,
}

/// A page of what an account was notified of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub mentions: Vec<Mention>,
    /// Where the next page begins; none on the last.
    pub next: Option<String>,
}

/// What one account is notified of.
#[derive(Debug)]
pub struct Notifications {
    account: AccountConfig,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Mastodon(Mastodon),
    Bluesky {
        network: Bluesky,
        /// What the account shows since it has logged in.
        token: Option<String>,
    },
}

impl Notifications {
    /// Of an account; none if it has nothing to show who it is.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn of(account: &AccountConfig) -> Result<Option<Self>, SocialError> {
        if account.secret.is_none() {
            return Ok(None);
        }
        let limits = CallLimits::default();
        let reader = match account.network {
            NetworkKind::Mastodon => Reader::Mastodon(Mastodon::open(account, limits)?),
            NetworkKind::Bluesky => Reader::Bluesky {
                network: Bluesky::open(account, limits)?,
                token: None,
            },
        };
        Ok(Some(Self {
            account: account.clone(),
            reader,
        }))
    }

    /// The account's name in the configuration.
    pub fn account(&self) -> &str {
        &self.account.name
    }

    /// A page, the first or the one that `from` names.
    ///
    /// # Errors
    /// If the network cannot be asked, or says no.
    pub async fn page(&mut self, from: Option<&str>) -> Result<Page, SocialError> {
        let name = self.account.name.clone();
        match &mut self.reader {
            Reader::Mastodon(network) => mastodon_page(network, &name, from).await,
            Reader::Bluesky { network, token } => {
                if let Some(known) = token.clone() {
                    match bluesky_page(network, &known, &name, from).await {
                        Err(error) if EXPIRED.iter().any(|code| error.has_code(code)) => {}
                        page => return page,
                    }
                }
                let fresh = log_in(network, &self.account).await?;
                *token = Some(fresh.clone());
                bluesky_page(network, &fresh, &name, from).await
            }
        }
    }
}

/// A name of the Fediverse with its server.
fn whole_name(name: &str, domain: &str) -> String {
    match name.contains('@') {
        true => name.to_owned(),
        false => format!("{name}@{domain}"),
    }
}

async fn mastodon_page(
    network: &Mastodon,
    account: &str,
    from: Option<&str>,
) -> Result<Page, SocialError> {
    let mut query = vec![("types[]", "mention"), ("limit", PAGE)];
    if let Some(from) = from {
        query.push(("max_id", from));
    }
    let request = network.request(Method::GET, "/api/v1/notifications", &query);
    let answer = network.send(request).await?.body;
    let Some(list) = answer.as_array() else {
        let reason = "it is no list of notifications".to_owned();
        return Err(network.endpoint().lost(reason));
    };
    let domain = network.domain().await?;
    // Some servers answer all kinds, whatever they are asked for.
    let is_mention = |one: &&Value| text(one, "/type") == "mention";
    let mentions = list.iter().filter(is_mention).filter_map(|one| {
        let status = Status::read(one.get("status")?)?;
        let author = whole_name(&status.author, &domain);
        let name = [status.uri.as_str(), status.address()]
            .into_iter()
            .find(|name| !name.is_empty())
            .map_or_else(|| format!("{domain} {}", status.id), str::to_owned);
        Some(Mention {
            account: account.to_owned(),
            author: one_line(&author, 300),
            name,
            address: status.address().to_owned(),
            text: status.text.chars().take(MAX_TEXT).collect(),
            at: status.at.parse().ok(),
            noticed: text(one, "/created_at").parse().ok(),
            post: status.id,
        })
    });
    let last = list.last().map(|one| text(one, "/id"));
    Ok(Page {
        mentions: mentions.collect(),
        next: last
            .filter(|id| !id.is_empty() && Some(*id) != from)
            .map(str::to_owned),
    })
}

/// Logs in to an account; what it shows from now on.
async fn log_in(network: &Bluesky, account: &AccountConfig) -> Result<String, SocialError> {
    let secret = account.secret.as_ref();
    let secret =
        secret.ok_or_else(|| SocialError::Setup("the account has no password".to_owned()))?;
    let password = secret.fetch().await?;
    let login = json!({"identifier": network.configured_handle(), "password": password.expose()});
    let endpoint = network.endpoint();
    let request = endpoint.request(Method::POST, "/xrpc/com.atproto.server.createSession");
    let answer = endpoint
        .send(request.json(&login), &[password.expose()])
        .await?;
    match answer.body.get("accessJwt").and_then(Value::as_str) {
        Some(token) => Ok(token.to_owned()),
        None => Err(endpoint.lost("it is no session".to_owned())),
    }
}

async fn bluesky_page(
    network: &Bluesky,
    token: &str,
    account: &str,
    from: Option<&str>,
) -> Result<Page, SocialError> {
    let mut query = vec![
        ("limit", PAGE),
        ("reasons", "mention"),
        ("reasons", "reply"),
    ];
    if let Some(from) = from {
        query.push(("cursor", from));
    }
    let endpoint = network.endpoint();
    let path = "/xrpc/app.bsky.notification.listNotifications";
    let request = endpoint.request_with(Method::GET, path, &query);
    let answer = endpoint
        .send(request.bearer_auth(token), &[token])
        .await?
        .body;
    let Some(list) = answer.get("notifications").and_then(Value::as_array) else {
        return Err(endpoint.lost("it is no list of notifications".to_owned()));
    };
    let is_mention = |one: &&Value| ["mention", "reply"].contains(&text(one, "/reason"));
    let mentions = list.iter().filter(is_mention).filter_map(|one| {
        let uri = PostUri::parse(text(one, "/uri"))?;
        let author = one_line(text(one, "/author/handle"), 300);
        Some(Mention {
            account: account.to_owned(),
            name: uri.to_string(),
            post: uri.to_string(),
            address: uri.address(&author),
            text: text(one, "/record/text").chars().take(MAX_TEXT).collect(),
            at: text(one, "/record/createdAt").parse().ok(),
            noticed: text(one, "/indexedAt").parse().ok(),
            author,
        })
    });
    let next = text(&answer, "/cursor");
    Ok(Page {
        mentions: mentions.collect(),
        next: (!next.is_empty() && Some(next) != from && !list.is_empty()).then(|| next.to_owned()),
    })
}

fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default()
}
