//! The built program over HTTP: a browser page on the same machine cannot reach it.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use platinum_testkit::whatsapp::{CloudApi, request};
use serde_json::json;

use super::stdio::PROGRAM;

const TOKEN: &str = "a-token-of-many-letters-0123456789";

/// The program over HTTP; it ends with the test.
struct Serving {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
    api: CloudApi,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start() -> Serving {
    let folder = tempfile::tempdir().unwrap();
    let api = CloudApi::start().unwrap();
    api.configure(folder.path(), 0).unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, format!("{TOKEN}\n")).unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut child = Command::new(PROGRAM)
        .arg("--config")
        .arg(folder.path().join("whatsapp.toml"))
        .args(["--http", "127.0.0.1:0", "--token-file"])
        .arg(token)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
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
    Serving {
        child,
        address,
        _folder: folder,
        api,
    }
}

/// Asks for a message to be sent, with these headers; answers the status.
fn ask(serving: &Serving, headers: &[(&str, &str)]) -> u16 {
    let params = json!({"name": "send_message", "arguments": {"reference": "draft_01kb8q", "chat": "1",
        "contact": {"number": "1"}, "text": "Hi"}});
    let body =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    let mut text = format!(
        "POST /mcp HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str(&format!("Host: {}\r\n", serving.address));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    request(serving.address, &format!("{text}\r\n{body}"))
        .unwrap()
        .0
}

/// Neither a page of the same machine nor one that has a name lead here (DNS rebinding), even if it knew the token.
#[test]
fn browser_page_cannot_reach_the_server() {
    let serving = start();
    let bearer = format!("Bearer {TOKEN}");
    let token = ("Authorization", bearer.as_str());
    for (headers, status) in [
        (vec![], 401),
        (
            vec![("Authorization", "Bearer a-token-of-many-letters-0123456788")],
            401,
        ),
        (vec![("Origin", "http://localhost:3000")], 401),
        (vec![token, ("Origin", "https://evil.example")], 403),
        (vec![token, ("Origin", "null")], 403),
        (vec![token, ("Host", "evil.example")], 403),
        (vec![token, ("Host", "127.0.0.1.evil.example:80")], 403),
    ] {
        assert_eq!(ask(&serving, &headers), status, "{headers:?}");
    }
    assert!(serving.api.requests().is_empty());
}
