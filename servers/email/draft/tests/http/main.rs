//! The draft-only binary over Streamable HTTP: who gets in, and that it answers as over stdio.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a panic here is a failed test with a line number"
)]

mod conformance;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-many-letters-0123456789";

/// A server over HTTP that ends with the test.
struct Server {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mailbox() -> tempfile::TempDir {
    let folder = platinum_testkit::mail_folder().unwrap();
    let question = "Message-ID: <q1@x.test>\r\nFrom: Ann <ann@x.test>\r\nTo: owner@example.test\r\nSubject: Lunch?\r\n\
                    Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nTomorrow?\r\n";
    std::fs::write(folder.path().join("Mail/new/1.a"), question).unwrap();
    write_token(&folder.path().join("token"), TOKEN, 0o600);
    folder
}

fn write_token(path: &Path, token: &str, mode: u32) {
    std::fs::write(path, format!("{token}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn command(folder: &Path, http: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_platinum-email-draft"));
    command.arg("--config").arg(folder.join("mail.toml"));
    command.args(["--http", http]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(Stdio::piped());
    command
}

fn start() -> Server {
    let folder = mailbox();
    let mut command = command(folder.path(), "127.0.0.1:0");
    command.arg("--token-file").arg(folder.path().join("token"));
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.contains("listening at"));
    let line = line.unwrap();
    let address = line.rsplit_once("http://").unwrap().1;
    let address = address.strip_suffix("/mcp").unwrap().parse().unwrap();
    // Read on, so that the server never waits for its log.
    std::thread::spawn(move || lines.for_each(drop));
    Server {
        child,
        address,
        _folder: folder,
    }
}

/// Why the server does not start with these arguments.
fn refusal(folder: &Path, http: &str, more: &[&str]) -> String {
    let ended = command(folder, http).args(more).output().unwrap();
    assert!(!ended.status.success());
    String::from_utf8(ended.stderr).unwrap()
}

/// A request with these headers; answers the status, and all that came.
fn request(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut text = format!(
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str(&format!("Host: {}\r\n", server.address));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    // The server may close before it has read all of a body that it refuses.
    let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.unwrap_or_default(), answer)
}

const KNOWN: [(&str, &str); 3] = [
    ("Authorization", "Bearer a-token-of-many-letters-0123456789"),
    ("Accept", "application/json, text/event-stream"),
    ("Content-Type", "application/json"),
];

fn initialize() -> String {
    let params = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string()
}

fn post(server: &Server, more: &[(&str, &str)], body: &str) -> (u16, String) {
    request(server, "POST", "/mcp", &[&KNOWN[..], more].concat(), body)
}

/// Opens a session; answers its name.
fn open(server: &Server) -> String {
    let (status, answer) = post(server, &[], &initialize());
    assert_eq!(status, 200, "{answer}");
    let line = answer
        .lines()
        .find(|line| line.to_lowercase().starts_with("mcp-session-id:"));
    let session = line.unwrap().split_once(':').unwrap().1.trim().to_owned();
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    let (status, answer) = post(server, &[("Mcp-Session-Id", &session)], &ready);
    assert_eq!(status, 202, "{answer}");
    session
}

fn call(server: &Server, session: &str, id: u32, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let (status, answer) = post(server, &[("Mcp-Session-Id", session)], &body.to_string());
    assert_eq!(status, 200, "{answer}");
    let data = answer
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let message = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let found = message.into_iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("no answer: {answer}"))
}

#[test]
fn http_session_lists_and_calls_tools() {
    let server = start();
    let session = open(&server);
    let tools = call(&server, &session, 2, "tools/list", json!({}));
    let tools = tools["result"]["tools"].as_array().unwrap().clone();
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"search_emails") && !names.contains(&"send_email"),
        "{names:?}"
    );
    let search = json!({ "name": "search_emails", "arguments": { "text": "lunch" } });
    let found = call(&server, &session, 3, "tools/call", search);
    let mails = &found["result"]["structuredContent"]["messages"];
    assert_eq!(mails[0]["message_id"], "q1@x.test", "{found}");
    // A second client has a session of its own, over the same mailbox.
    assert_ne!(open(&server), session);
    let (status, answer) = request(
        &server,
        "DELETE",
        "/mcp",
        &[&KNOWN[..], &[("Mcp-Session-Id", session.as_str())]].concat(),
        "",
    );
    assert!(status < 300, "{answer}");
}

#[test]
fn http_request_without_the_token_is_refused() {
    let server = start();
    for shown in [
        None,
        Some(""),
        Some(TOKEN),
        Some("Bearer "),
        Some("Bearer a-token-of-many-letters-012345678"),
        Some("Bearer a-token-of-many-letters-01234567890"),
        Some("Bearer A-token-of-many-letters-0123456789"),
        Some("Basic a-token-of-many-letters-0123456789"),
    ] {
        let shown = shown.map(|value| ("Authorization", value));
        let headers: Vec<_> = shown
            .into_iter()
            .chain(KNOWN[1..].iter().copied())
            .collect();
        for path in ["/mcp", "/", "/other"] {
            let (status, answer) = request(&server, "POST", path, &headers, &initialize());
            assert_eq!(status, 401, "{shown:?}: {answer}");
            assert!(
                answer.to_lowercase().contains("www-authenticate: bearer"),
                "{answer}"
            );
        }
    }
    let twice = [&KNOWN[..], &KNOWN[..1]].concat();
    assert_eq!(
        request(&server, "POST", "/mcp", &twice, &initialize()).0,
        401
    );
    assert_eq!(
        request(&server, "POST", "/other", &KNOWN, &initialize()).0,
        404
    );
}

/// A web page that has a name lead to this machine (DNS rebinding) is let in by neither header, even if it knew the
/// token.
#[test]
fn http_request_of_a_web_page_is_refused() {
    let server = start();
    for (name, value) in [
        ("Host", "evil.example"),
        ("Host", "evil.example:80"),
        ("Host", "127.0.0.1.evil.example"),
        ("Origin", "https://evil.example"),
        ("Origin", "http://localhost.evil.example"),
        ("Origin", "null"),
    ] {
        let (status, answer) = post(&server, &[(name, value)], &initialize());
        assert_eq!(status, 403, "{name}: {value}: {answer}");
    }
    for origin in ["http://localhost:6274", "http://127.0.0.1:3000"] {
        assert_eq!(
            post(&server, &[("Origin", origin)], &initialize()).0,
            200,
            "{origin}"
        );
    }
}

#[test]
fn http_sessions_and_bodies_are_bounded() {
    let server = start();
    let mut session = String::new();
    for _ in 0..32 {
        session = open(&server);
    }
    let (status, answer) = post(&server, &[], &initialize());
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("too many sessions are open"), "{answer}");
    // What opens no session is answered.
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "probe", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {} });
    let discover = json!({ "jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": { "_meta": meta } });
    let headers = [
        ("Mcp-Method", "server/discover"),
        ("MCP-Protocol-Version", "2026-07-28"),
    ];
    let (status, answer) = post(&server, &headers, &discover.to_string());
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = post(&server, &headers, &initialize());
    assert_eq!(status, 400, "{answer}");
    let huge = format!("{{\"x\":\"{}\"}}", "y".repeat(37 * 1024 * 1024));
    let (status, _) = post(&server, &[("Mcp-Session-Id", &session)], &huge);
    assert!(status == 413 || status == 0, "{status}");
    assert_eq!(post(&server, &[], "no json").0, 503, "it still answers");
}

#[test]
fn http_needs_loopback_and_a_token_of_its_owner() {
    let folder = mailbox();
    let token = folder.path().join("token");
    let file = ["--token-file", token.to_str().unwrap()];
    for address in ["0.0.0.0:0", "192.0.2.1:8017", "[::]:0"] {
        let refused = refusal(folder.path(), address, &file);
        assert!(
            refused.contains("not an address of this machine alone; use 127.0.0.1:"),
            "{refused}"
        );
    }
    let refused = refusal(folder.path(), "127.0.0.1:0", &[]);
    assert!(refused.contains("--token-file <FILE>"), "{refused}");
    write_token(&token, TOKEN, 0o644);
    let refused = refusal(folder.path(), "127.0.0.1:0", &file);
    assert!(
        refused.contains("can be read by others (mode 0644)"),
        "{refused}"
    );
    write_token(&token, "short", 0o600);
    let refused = refusal(folder.path(), "127.0.0.1:0", &file);
    assert!(
        refused.contains("must be at least 16 letters, digits and signs"),
        "{refused}"
    );
    std::fs::remove_file(&token).unwrap();
    let refused = refusal(folder.path(), "127.0.0.1:0", &file);
    assert!(
        refused.contains("head -c 32 /dev/urandom | base64"),
        "{refused}"
    );
}

#[test]
fn http_server_ends_when_it_is_asked_to() {
    for connections in [0, 70] {
        end_with(connections);
    }
}

/// Ends a server that has so many connections, sooner than they end for saying nothing.
fn end_with(connections: usize) {
    let mut server = start();
    let _open: Vec<_> = (0..connections)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    let kill = Command::new("kill")
        .arg(server.child.id().to_string())
        .status();
    assert!(kill.unwrap().success());
    let deadline = Instant::now() + Duration::from_secs(5);
    let ended = loop {
        if let Some(status) = server.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it goes on: {connections}");
        std::thread::yield_now();
    };
    assert!(ended.success());
}
