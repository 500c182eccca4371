//! The protocol's own suites against the server: `@modelcontextprotocol/conformance` and the inspector's strict run.
//!
//! Both come from the npm registry, with a node that can run them; where that cannot be had, the test is skipped.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Output;

use platinum_testkit::{inspect, run_npm};

use super::{Server, TOKEN, start};

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
    if let Some(output) = run_npm(&program).unwrap() {
        assert!(output.status.success(), "{}", shown(&output));
    }
}

#[test]
fn http_server_passes_the_inspectors_strict_run() {
    let server = start();
    let url = format!("http://{}/mcp", server.address);
    if let Some(words) = inspect(&url, TOKEN).unwrap() {
        assert!(words.contains("search_emails"), "{words}");
    }
}
