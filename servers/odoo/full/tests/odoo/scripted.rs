//! A small HTTP server that answers as a test says, and records what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use platinum_odoo_client::Config;
use platinum_odoo_client::http::CallLimits;
use platinum_odoo_draft::OdooService;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) head: String,
    pub(crate) body: Value,
}

/// What is done with a request.
pub(crate) enum Reply {
    /// This status and JSON.
    Json(u16, Value),
    /// This status and text.
    Text(u16, String),
    /// So many bytes of an answer that says it has more.
    Broken(usize),
    /// An answer without end.
    Endless,
    /// The connection is closed.
    Closed,
    /// Nothing, until the client has enough of it.
    Silent,
    /// Somewhere else.
    Redirect(String),
}

/// An answer.
pub(crate) fn ok(value: Value) -> Reply {
    Reply::Json(200, value)
}

/// A scripted server; it ends with the test.
pub(crate) struct Scripted {
    pub(crate) address: std::net::SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    pub(crate) async fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(vec![]));
        let (record, script) = (Arc::clone(&asked), Arc::new(script));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (record, script) = (Arc::clone(&record), Arc::clone(&script));
                tokio::spawn(async move {
                    let _ = answer(stream, &record, &*script).await;
                });
            }
        });
        Self { address, asked }
    }

    /// An Odoo 19 whose calls are answered by this, given model, method and body.
    pub(crate) async fn odoo19(
        script: impl Fn(&str, &str, &Value) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |asked| match asked.path.strip_prefix("/json/2/") {
            Some(call) => {
                let (model, method) = call.split_once('/').unwrap();
                script(model, method, &asked.body)
            }
            None => ok(json!({"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})),
        })
        .await
    }

    /// All requests until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a path with this end was asked.
    pub(crate) fn count(&self, end: &str) -> usize {
        self.asked()
            .iter()
            .filter(|asked| asked.path.ends_with(end))
            .count()
    }

    pub(crate) fn config(&self) -> Config {
        config(
            &format!("http://{}", self.address),
            "key = { env = 'PATH' }\n",
        )
    }

    /// A service that waits for half a second at most, and takes 100 kB at most.
    pub(crate) fn service(&self) -> OdooService {
        OdooService::with_limits(self.config(), LIMITS)
    }
}

/// Limits of a test.
pub(crate) const LIMITS: CallLimits = CallLimits {
    connect: Duration::from_millis(500),
    call: Duration::from_millis(500),
    answer_bytes: 100_000,
};

pub(crate) fn config(url: &str, rest: &str) -> Config {
    let text = format!("[odoo]\nurl = '{url}'\ndatabase = 'd'\nuser = 'me'\n{rest}");
    Config::parse(&text, std::path::Path::new("/")).unwrap()
}

async fn answer(
    mut stream: TcpStream,
    record: &Mutex<Vec<Asked>>,
    script: &(dyn Fn(&Asked) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    let mut bytes = vec![];
    let end = loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while bytes.len() < end + length {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..read]);
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let asked = Asked {
        path,
        head,
        body: serde_json::from_slice(&bytes[end..]).unwrap_or_default(),
    };
    record.lock().unwrap().push(asked.clone());
    let whole = |status: u16, kind: &str, body: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match script(&asked) {
        Reply::Json(status, value) => {
            let text = whole(status, "application/json", &value.to_string());
            stream.write_all(text.as_bytes()).await?;
        }
        Reply::Text(status, text) => {
            stream
                .write_all(whole(status, "text/html", &text).as_bytes())
                .await?;
        }
        Reply::Broken(most) => {
            let text =
                "HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n[".to_owned() + &" ".repeat(most);
            stream.write_all(text.as_bytes()).await?;
        }
        Reply::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n[")
                .await?;
            let piece = [b' '; 8192];
            while stream.write_all(&piece).await.is_ok() {}
        }
        Reply::Closed => {}
        Reply::Silent => {
            // Until the client closes it.
            let mut rest = vec![];
            stream.read_to_end(&mut rest).await?;
        }
        Reply::Redirect(to) => {
            let text = format!(
                "HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(text.as_bytes()).await?;
        }
    }
    stream.shutdown().await
}
