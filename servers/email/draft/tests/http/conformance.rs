//! The protocol's own suites against the server: `@modelcontextprotocol/conformance` and the inspector's strict run.
//!
//! Both come from the npm registry, with a node that can run them; where that cannot be had, the test is skipped.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::{Server, TOKEN, start};

/// The suites, and a node that can run them.
const PACKAGES: [&str; 3] = [
    "node@22",
    "@modelcontextprotocol/conformance@0.1.16",
    "@modelcontextprotocol/inspector@2.12.0",
];
/// The longest time, in seconds, to get the packages, and for one run of a suite.
const FETCH: &str = "240";
const RUN: &str = "120";

/// `npx` with the packages, in a folder of its own, ended after some seconds.
fn npx(at_most: &str, program: &[&str]) -> std::io::Result<Output> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("timeout");
    command.args([at_most, "npx", "--yes"]);
    command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    command.arg("--").args(program);
    command.env("npm_config_fetch_retries", "1");
    command.current_dir(folder.path()).output()
}

/// Runs a program of the packages; none where they cannot be had. They are fetched once: two runs of `npx` that fetch
/// the same packages at the same time disturb each other.
fn run(program: &[&str]) -> Option<Output> {
    static PROBLEM: OnceLock<Option<String>> = OnceLock::new();
    let problem = PROBLEM.get_or_init(|| match npx(FETCH, &["node", "--version"]) {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let line = errors.lines().find(|line| line.starts_with("npm error"));
            let line = line.or(errors.lines().next()).unwrap_or("no answer");
            Some(format!("npm cannot give the packages of MCP: {line}"))
        }
        Err(error) => Some(format!("npx of npm cannot be run: {error}")),
    });
    match problem {
        None => Some(npx(RUN, program).unwrap()),
        Some(why) => {
            platinum_testkit::skip(why, true).unwrap();
            None
        }
    }
}

/// Passes requests on with the token, which the suites have no option for.
fn with_token(server: &Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, server) = (listener.local_addr().unwrap(), server.address);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || pass_on(stream, server));
        }
    });
    address
}

/// One request and its answer, then the connection ends.
fn pass_on(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        request.extend(byte);
    }
    let head = String::from_utf8_lossy(&request).into_owned();
    let mut lines = head.trim_end().split("\r\n");
    let mut passed = format!("{}\r\n", lines.next().unwrap_or_default());
    let mut length = 0;
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        match name.to_lowercase().as_str() {
            "connection" => continue,
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
        passed.push_str(&format!("{line}\r\n"));
    }
    passed.push_str(&format!(
        "Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    ));
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    let mut server = TcpStream::connect(server)?;
    server.write_all(passed.as_bytes())?;
    server.write_all(&body)?;
    std::io::copy(&mut server, &mut client)?;
    Ok(())
}

fn shown(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// What the suite wants of a server that it wrote itself is expected to fail; each with its reason in the file.
#[test]
fn http_server_passes_the_conformance_suite() {
    let server = start();
    let url = format!("http://{}/mcp", with_token(&server));
    let expected = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/http/expected-failures.yml"
    );
    let program = [
        "conformance",
        "server",
        "--url",
        &url,
        "--expected-failures",
        expected,
    ];
    if let Some(output) = run(&program) {
        assert!(output.status.success(), "{}", shown(&output));
    }
}

#[test]
fn http_server_passes_the_inspectors_strict_run() {
    let server = start();
    let url = format!("http://{}/mcp", server.address);
    let header = format!("Authorization: Bearer {TOKEN}");
    let program = [
        "mcp-inspector",
        "--cli",
        "--strict",
        "--transport",
        "http",
        "--server-url",
        &url,
        "--header",
        &header,
        "--method",
        "tools/list",
    ];
    if let Some(output) = run(&program) {
        let shown = shown(&output);
        assert!(
            output.status.success() && shown.contains("search_emails"),
            "{shown}"
        );
        assert!(!shown.contains("Warning: tool"), "{shown}");
    }
}
