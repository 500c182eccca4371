//! [`TokenServer`]: a provider of OAuth 2 tokens on loopback: codes for devices (RFC 8628), codes for browsers with PKCE,
//! renewal with refresh tokens that are used once, and introspection (RFC 7662), which Dovecot asks.
//!
//! Invariants: a refresh token is worth one renewal; a token is never printed; it ends with its value.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The client that the server knows.
pub const CLIENT_ID: &str = "platinum-test";

/// A running provider.
#[derive(Debug)]
pub struct TokenServer {
    port: u16,
    state: Arc<Mutex<State>>,
    stopped: Arc<AtomicBool>,
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
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let port = listener.local_addr()?.port();
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
        let stopped = Arc::new(AtomicBool::new(false));
        let (serving, ended) = (Arc::clone(&state), Arc::clone(&stopped));
        std::thread::Builder::new()
            .name("token server".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if ended.load(Ordering::SeqCst) {
                        return;
                    }
                    let serving = Arc::clone(&serving);
                    std::thread::spawn(move || {
                        let _ = answer(stream, &serving);
                    });
                }
            })?;
        Ok(Self {
            port,
            state,
            stopped,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of one of `token`, `device` and `authorize`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
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

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
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

    fn tokens(&mut self) -> (u16, String) {
        self.number += 1;
        let access = format!("access-{:016x}-{}", rand::random::<u64>(), self.number);
        let end = Instant::now() + self.lifetime;
        self.access.insert(access.clone(), end);
        let refresh = self.new_refresh_token();
        let seconds = self.lifetime.as_secs();
        let text = format!(
            "{{\"access_token\":\"{access}\",\"token_type\":\"Bearer\",\"expires_in\":{seconds},\"refresh_token\":\"{refresh}\"}}"
        );
        (200, text)
    }

    fn token(&mut self, form: &HashMap<String, String>) -> (u16, String) {
        let value = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
        if value("client_id") != CLIENT_ID {
            return refusal("invalid_client");
        }
        match value("grant_type") {
            "refresh_token" if self.refresh.remove(value("refresh_token")) => {
                self.renewals += 1;
                self.tokens()
            }
            "urn:ietf:params:oauth:grant-type:device_code" if !self.is_granted => {
                refusal("authorization_pending")
            }
            "urn:ietf:params:oauth:grant-type:device_code" => self.tokens(),
            // The secret behind the challenge must be there; that it is the right one is the provider's business.
            "authorization_code"
                if self.codes.remove(value("code")).is_some_and(|challenge| {
                    !challenge.is_empty() && value("code_verifier").len() >= 43
                }) =>
            {
                self.tokens()
            }
            _ => refusal("invalid_grant"),
        }
    }
}

fn refusal(error: &str) -> (u16, String) {
    let text = format!("{{\"error\":\"{error}\",\"error_description\":\"as the test says\"}}");
    (400, text)
}

/// Reads one request and answers it.
fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let target = first.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut form = read_form(&String::from_utf8_lossy(&body));
    form.extend(read_form(query));
    let mut redirect = String::new();
    let (status, text) = {
        let mut state = lock(state);
        if let Some(scope) = form.get("scope") {
            state.scopes = scope.split(' ').map(str::to_owned).collect();
        }
        match path {
            _ if state.is_broken => (500, "<html>broken</html>".to_owned()),
            "/token" => state.token(&form),
            "/device" => (
                200,
                "{\"device_code\":\"d\",\"user_code\":\"ABCD-EFGH\",\"verification_uri\":\"https://provider.test/device\",\
                 \"expires_in\":600,\"interval\":1}"
                    .to_owned(),
            ),
            "/introspect" => {
                let token = form.get("token").map(String::as_str).unwrap_or_default();
                let active = state.access.get(token).is_some_and(|end| Instant::now() < *end);
                let user = &state.user;
                (200, format!("{{\"active\":{active},\"username\":\"{user}\"}}"))
            }
            "/authorize" => {
                state.number += 1;
                let code = format!("code-{}", state.number);
                let value = |key: &str| form.get(key).cloned().unwrap_or_default();
                state.codes.insert(code.clone(), value("code_challenge"));
                redirect = format!(
                    "Location: {}?code={code}&state={}\r\n",
                    value("redirect_uri"),
                    value("state")
                );
                (302, String::new())
            }
            _ => (404, String::new()),
        }
    };
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status} answer\r\nContent-Type: application/json\r\n{redirect}Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )?;
    stream.flush()?;
    stream.shutdown(Shutdown::Write)
}

fn read_form(text: &str) -> HashMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex: Vec<u8> = match byte {
            b'%' => rest.by_ref().take(2).collect(),
            b'+' => vec![b'2', b'0'],
            _ => {
                bytes.push(byte);
                continue;
            }
        };
        let hex = String::from_utf8_lossy(&hex).into_owned();
        bytes.extend(u8::from_str_radix(&hex, 16).ok());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
