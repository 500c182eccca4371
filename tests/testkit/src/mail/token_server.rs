//! [`TokenServer`]: a provider of OAuth 2 tokens on loopback: codes for devices (RFC 8628), codes for browsers with PKCE,
//! renewal with refresh tokens that are used once, and introspection (RFC 7662), which Dovecot asks.
//!
//! Invariants: a refresh token is worth one renewal; a token is never printed; it ends with its value.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::scripted_http::{Reply, Request, ScriptedHttp};

/// The client that the server knows.
pub const CLIENT_ID: &str = "platinum-test";

/// A running provider.
#[derive(Debug)]
pub struct TokenServer {
    server: ScriptedHttp,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    user: String,
    lifetime: Duration,
    number: u64,
    access: HashMap<String, Instant>,
    refresh: HashSet<String>,
    renewals: usize,
    is_granted: bool,
    is_broken: bool,
    /// The PKCE challenge of each code that a browser was given.
    codes: HashMap<String, String>,
    scopes: Vec<String>,
}

impl TokenServer {
    /// Starts one whose tokens are those of `user` and hold for an hour.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(user: &str) -> anyhow::Result<Self> {
        let state = Arc::new(Mutex::new(State {
            user: user.to_owned(),
            lifetime: Duration::from_secs(3600),
            number: 0,
            access: HashMap::new(),
            refresh: HashSet::new(),
            renewals: 0,
            is_granted: false,
            is_broken: false,
            codes: HashMap::new(),
            scopes: Vec::new(),
        }));
        let shared = Arc::clone(&state);
        let server = ScriptedHttp::start(move |asked| lock(&shared).answer(asked))?;
        Ok(Self { server, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// The address of one of `token`, `device` and `authorize`.
    pub fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.server.url())
    }

    /// From now on, how long a token holds.
    pub fn set_lifetime(&self, lifetime: Duration) {
        self.state().lifetime = lifetime;
    }

    /// Ends all access tokens now, whatever was said when they were given.
    pub fn end_access(&self) {
        self.state().access.clear();
    }

    /// Renews nothing any more.
    pub fn revoke(&self) {
        self.state().refresh.clear();
    }

    /// Answers every call with an error of its own.
    pub fn set_broken(&self, is_broken: bool) {
        self.state().is_broken = is_broken;
    }

    /// The person types the code that a device shows.
    pub fn grant(&self) {
        self.state().is_granted = true;
    }

    /// How often a token was renewed.
    pub fn renewals(&self) -> usize {
        self.state().renewals
    }

    /// What was asked for at the last login.
    pub fn scopes(&self) -> Vec<String> {
        self.state().scopes.clone()
    }

    /// A refresh token, as after a login.
    pub fn new_refresh_token(&self) -> String {
        self.state().new_refresh_token()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn new_refresh_token(&mut self) -> String {
        self.number += 1;
        let token = format!("refresh-{:016x}-{}", rand::random::<u64>(), self.number);
        self.refresh.insert(token.clone());
        token
    }

    fn tokens(&mut self) -> Reply {
        self.number += 1;
        let access = format!("access-{:016x}-{}", rand::random::<u64>(), self.number);
        let end = Instant::now() + self.lifetime;
        self.access.insert(access.clone(), end);
        Reply::ok(json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
            "refresh_token": self.new_refresh_token(),
        }))
    }

    fn token(&mut self, asked: &Request) -> Reply {
        let value = |key: &str| asked.form(key).unwrap_or_default();
        if value("client_id") != CLIENT_ID {
            return refusal("invalid_client");
        }
        match value("grant_type").as_str() {
            "refresh_token" if self.refresh.remove(&value("refresh_token")) => {
                self.renewals += 1;
                self.tokens()
            }
            "urn:ietf:params:oauth:grant-type:device_code" if !self.is_granted => {
                refusal("authorization_pending")
            }
            "urn:ietf:params:oauth:grant-type:device_code" => self.tokens(),
            // The secret behind the challenge must be there; that it is the right one is the provider's business.
            "authorization_code"
                if self.codes.remove(&value("code")).is_some_and(|challenge| {
                    !challenge.is_empty() && value("code_verifier").len() >= 43
                }) =>
            {
                self.tokens()
            }
            _ => refusal("invalid_grant"),
        }
    }

    fn answer(&mut self, asked: &Request) -> Reply {
        let scope = asked.form("scope").or_else(|| asked.query("scope"));
        if let Some(scope) = scope {
            self.scopes = scope.split(' ').map(str::to_owned).collect();
        }
        match asked.path.as_str() {
            _ if self.is_broken => Reply::Text(500, "<html>broken</html>".to_owned()),
            "/token" => self.token(asked),
            "/device" => Reply::ok(json!({
                "device_code": "d",
                "user_code": "ABCD-EFGH",
                "verification_uri": "https://provider.test/device",
                "expires_in": 600,
                "interval": 1,
            })),
            "/introspect" => {
                let token = asked.form("token").unwrap_or_default();
                let end = self.access.get(&token);
                let active = end.is_some_and(|end| Instant::now() < *end);
                Reply::ok(json!({"active": active, "username": self.user}))
            }
            "/authorize" => {
                self.number += 1;
                let code = format!("code-{}", self.number);
                let value = |key: &str| asked.query(key).unwrap_or_default();
                self.codes.insert(code.clone(), value("code_challenge"));
                let (to, state) = (value("redirect_uri"), value("state"));
                Reply::Redirect(format!("{to}?code={code}&state={state}"))
            }
            _ => Reply::Text(404, String::new()),
        }
    }
}

fn refusal(error: &str) -> Reply {
    Reply::Json(
        400,
        json!({"error": error, "error_description": "as the test says"}),
    )
}
