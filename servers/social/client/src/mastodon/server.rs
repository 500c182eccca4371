//! [`Mastodon`]: what is asked of a server with Mastodon's API without changing anything there, with a token or without.
//!
//! Lives elsewhere: what kind of server it is and what it takes, in [`super::instance`]; its posts as data, in
//! [`super::status`].

use async_trait::async_trait;
use platinum_kit::{Secret, secret::Password};
use platinum_text::one_line;
use reqwest::{Method, RequestBuilder, Url};
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use super::instance::Instance;
use super::status::{Status, is_id};
use crate::config::{AccountConfig, Visibility};
use crate::error::SocialError;
use crate::http::{Answer, CallLimits, Endpoint};
use crate::limits::Limits;
use crate::network::{Mention, Network};
use crate::post::SeenPost;
use crate::text::Entity;
use crate::text::mastodon::entities;

/// The most posts of one page.
pub const PAGE: usize = 40;
/// The most own posts that are gone through.
const MAX_LISTED: usize = 1_000;

/// Who the account is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Its id on its server.
    pub id: String,
    /// Its name there.
    pub name: String,
}

/// An account on a server with Mastodon's API.
#[derive(Debug)]
pub struct Mastodon {
    endpoint: Endpoint,
    name: Option<String>,
    token: Option<Secret>,
    visibility: Visibility,
    me: OnceCell<Me>,
    /// As the server said when it was asked last.
    domain: Mutex<Option<String>>,
}

impl Mastodon {
    /// The account of a configuration. It is asked for at the first use.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn open(account: &AccountConfig, limits: CallLimits) -> Result<Self, SocialError> {
        Ok(Self {
            endpoint: Endpoint::new(&account.server, limits)?,
            name: account.handle.clone(),
            token: account.secret.clone(),
            visibility: account.visibility,
            me: OnceCell::new(),
            domain: Mutex::default(),
        })
    }

    /// Its server.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Whether there is a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Who sees what is published.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// A request for this path, with what stands behind the `?`.
    pub fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        self.endpoint.request_with(method, path, query)
    }

    /// Sends a request, with the token if there is one.
    ///
    /// # Errors
    /// If the token cannot be had, the server cannot be asked, or it says no.
    pub async fn send(&self, request: RequestBuilder) -> Result<Answer, SocialError> {
        let token: Option<Password> = match &self.token {
            Some(token) => Some(token.fetch().await?),
            None => None,
        };
        match &token {
            Some(token) => {
                let token = token.expose();
                let request = request.bearer_auth(token);
                self.endpoint.send(request, &[token]).await
            }
            None => self.endpoint.send(request, &[]).await,
        }
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, SocialError> {
        let request = self.request(Method::GET, path, query);
        Ok(self.send(request).await?.body)
    }

    /// What kind of server it is, and what it takes.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn instance(&self) -> Result<Instance, SocialError> {
        let answer = match self.get("/api/v2/instance", &[]).await {
            // A server of before 2022, or a small one.
            Err(SocialError::Refused { status: 404, .. }) => {
                self.get("/api/v1/instance", &[]).await?
            }
            answer => answer?,
        };
        let instance = Instance::read(&answer)
            .ok_or_else(|| self.endpoint.lost("it describes no server".to_owned()))?;
        let domain = instance.domain.clone();
        *self.domain.lock().await = Some(domain.unwrap_or_else(|| self.host()));
        Ok(instance)
    }

    /// Who the account is.
    ///
    /// # Errors
    /// If it cannot be asked, or there is neither a token nor a name.
    pub async fn me(&self) -> Result<&Me, SocialError> {
        let me = self.me.get_or_try_init(|| async {
            let answer = match (&self.token, &self.name) {
                (Some(_), _) => self.get("/api/v1/accounts/verify_credentials", &[]).await?,
                (None, Some(name)) => {
                    let query = [("acct", name.as_str())];
                    self.get("/api/v1/accounts/lookup", &query).await?
                }
                (None, None) => {
                    return Err(SocialError::Setup(
                        "the account has neither `handle` nor `token` in the configuration"
                            .to_owned(),
                    ));
                }
            };
            let text = |field: &str| answer.get(field).and_then(Value::as_str);
            match (text("id"), text("username").or(text("acct"))) {
                (Some(id), Some(name)) if is_id(id) => Ok(Me {
                    id: id.to_owned(),
                    name: one_line(name, 100),
                }),
                _ => Err(self.endpoint.lost("it is no account".to_owned())),
            }
        });
        me.await
    }

    /// The domain in the names of its accounts.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn domain(&self) -> Result<String, SocialError> {
        if let Some(domain) = &*self.domain.lock().await {
            return Ok(domain.clone());
        }
        let instance = self.instance().await?;
        Ok(instance.domain.unwrap_or_else(|| self.host()))
    }

    /// The host of its address, with its port if it has one.
    fn host(&self) -> String {
        let url = self.endpoint.url();
        match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        }
    }

    /// A post by its id; none if there is none.
    ///
    /// # Errors
    /// If the server cannot be asked, or its answer is none.
    pub async fn status(&self, id: &str) -> Result<Option<Status>, SocialError> {
        if !is_id(id) {
            return Ok(None);
        }
        let path = format!("/api/v1/statuses/{id}");
        match self.get(&path, &[]).await {
            Ok(answer) => Status::read(&answer)
                .map(Some)
                .ok_or_else(|| self.endpoint.lost("it is no post".to_owned())),
            Err(SocialError::Refused {
                status: 404 | 410, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The post that a reference names: an id on this server, or an address. Only this server is asked: it knows posts of
    /// others by their addresses, or finds them if there is a token.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn locate(&self, reference: &str) -> Result<Option<Status>, SocialError> {
        let reference = reference.trim();
        let Ok(address) = Url::parse(reference) else {
            return self.status(reference).await;
        };
        let last = address
            .path_segments()
            .and_then(|mut path| path.next_back());
        if let Some(id) = last.filter(|id| is_id(id)) {
            let found = match self.status(id).await {
                Ok(found) => found,
                // Some servers say otherwise than 404 what their ids are not.
                Err(SocialError::Refused {
                    status: 400 | 422, ..
                }) => None,
                Err(error) => return Err(error),
            };
            if let Some(status) = found.filter(|status| status.has_address(reference)) {
                return Ok(Some(status));
            }
        }
        let is_web = matches!(address.scheme(), "http" | "https");
        if !is_web || !self.has_token() {
            return Ok(None);
        }
        let query = [
            ("q", reference),
            ("type", "statuses"),
            ("resolve", "true"),
            ("limit", "5"),
        ];
        let answer = self.get("/api/v2/search", &query).await?;
        let found = answer.get("statuses").and_then(Value::as_array);
        let mut found = found.into_iter().flatten().filter_map(Status::read);
        Ok(found.find(|status| status.has_address(reference)))
    }

    /// A page of the account's own posts, the newest first, of which the first is older than `before`.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn page(&self, before: Option<&str>) -> Result<Vec<Status>, SocialError> {
        let me = self.me().await?;
        let path = format!("/api/v1/accounts/{}/statuses", me.id);
        let limit = PAGE.to_string();
        let mut query = vec![("limit", limit.as_str()), ("exclude_reblogs", "true")];
        if let Some(before) = before {
            query.push(("max_id", before));
        }
        let answer = self.get(&path, &query).await?;
        let Some(posts) = answer.as_array() else {
            return Err(self.endpoint.lost("it is no list of posts".to_owned()));
        };
        Ok(posts.iter().filter_map(Status::read).collect())
    }

    /// The account that a name on this server or another leads to, as far as this server knows or finds it.
    async fn search_account(&self, name: &str) -> Result<Mention, SocialError> {
        let query = [
            ("q", name),
            ("resolve", "true"),
            ("type", "accounts"),
            ("limit", "5"),
        ];
        let answer = self.get("/api/v2/search", &query).await?;
        let accounts = answer.get("accounts").and_then(Value::as_array);
        let found = accounts.into_iter().flatten().find_map(|account| {
            let known = account.get("acct")?.as_str()?;
            let is_same = known.eq_ignore_ascii_case(name);
            account
                .get("id")?
                .as_str()
                .filter(|id| is_same && is_id(id))
        });
        Ok(found.map_or(Mention::Nobody, |id| Mention::Account(id.to_owned())))
    }
}

#[async_trait]
impl Network for Mastodon {
    async fn limits(&self) -> Result<Limits, SocialError> {
        Ok(self.instance().await?.limits)
    }

    async fn handle(&self) -> Result<String, SocialError> {
        let domain = self.domain().await?;
        Ok(format!("{}@{domain}", self.me().await?.name))
    }

    fn entities(&self, text: &str) -> Vec<Entity> {
        entities(text)
    }

    async fn find_account(&self, mention: &str) -> Result<Mention, SocialError> {
        let name = mention.trim_start_matches('@');
        let domain = format!("@{}", self.domain().await?);
        let name = name.strip_suffix(domain.as_str()).unwrap_or(name);
        let answer = self.get("/api/v1/accounts/lookup", &[("acct", name)]).await;
        match answer {
            Ok(answer) => match answer.get("id").and_then(Value::as_str) {
                Some(id) if is_id(id) => Ok(Mention::Account(id.to_owned())),
                _ => Err(self.endpoint.lost("it is no account".to_owned())),
            },
            Err(error)
                if !matches!(
                    error.refusal_status(),
                    Some(400 | 401 | 403 | 404 | 410 | 422)
                ) =>
            {
                Err(error)
            }
            // On other servers there are more accounts than this one knows.
            Err(_) if name.contains('@') && self.has_token() => self.search_account(name).await,
            Err(_) if name.contains('@') => Ok(Mention::NotAsked),
            Err(error) => match error.refusal_status() {
                Some(401 | 403) => Ok(Mention::NotAsked),
                _ => Ok(Mention::Nobody),
            },
        }
    }

    async fn get_post(&self, reference: &str) -> Result<Option<SeenPost>, SocialError> {
        let own = match self.has_token() || self.name.is_some() {
            true => Some(self.me().await?.id.as_str()),
            false => None,
        };
        let status = self.locate(reference).await?;
        Ok(status.map(|status| status.seen(own)))
    }

    async fn own_posts(&self, limit: usize, replies: bool) -> Result<Vec<SeenPost>, SocialError> {
        let own = self.me().await?.id.as_str();
        let mut posts: Vec<SeenPost> = Vec::new();
        let mut before: Option<String> = None;
        let mut listed = 0;
        loop {
            let page = self.page(before.as_deref()).await?;
            let next = page.last().map(|status| status.id.clone());
            // A server that ignores `max_id` answers its first page for ever.
            if next.is_none() || next == before {
                posts.truncate(limit);
                return Ok(posts);
            }
            listed += page.len();
            let wanted = page
                .iter()
                .filter(|status| replies || status.reply_to.is_none());
            posts.extend(wanted.map(|status| status.seen(Some(own))));
            if posts.len() >= limit || listed >= MAX_LISTED {
                posts.truncate(limit);
                return Ok(posts);
            }
            before = next;
        }
    }
}
