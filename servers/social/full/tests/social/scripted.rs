//! A small HTTP server that answers as a test says, and records what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use platinum_social_client::http::CallLimits;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Without what stands behind the `?`.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// Its body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A value of its form.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        let pairs = parse(&String::from_utf8_lossy(&self.body));
        value(&pairs, name)
    }

    /// A value of its query.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        value(&self.query, name)
    }

    /// A line of its head.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// `GET /path`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn parse(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn value(pairs: &[(String, String)], name: &str) -> Option<String> {
    let found = pairs.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.clone())
}

/// What is done with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// This status and JSON.
    Json(u16, Value),
    /// This status, a header, and JSON.
    Header(u16, &'static str, String, Value),
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

/// All answers that are none, and hide what became of the question.
pub(crate) fn lost_answers() -> Vec<Reply> {
    vec![
        Reply::Closed,
        Reply::Broken(3),
        Reply::Silent,
        Reply::Endless,
        Reply::Text(200, "<html>welcome".into()),
        Reply::Text(200, String::new()),
        ok(Value::Null),
        ok(serde_json::json!({"uri": 7, "id": 7})),
        ok(serde_json::json!([[[[]]]])),
        Reply::Text(500, String::new()),
        Reply::Text(502, "<html>bad gateway".into()),
        Reply::Json(500, serde_json::json!({"error": "InternalServerError"})),
    ]
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

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// All requests that are not for reading.
    pub(crate) fn posted(&self) -> Vec<Asked> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.method != "GET");
        asked
    }

    /// How often this was asked: `GET /path`.
    pub(crate) fn count(&self, line: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| asked.line() == line).count()
    }
}

/// Limits of a test.
pub(crate) const LIMITS: CallLimits = CallLimits {
    connect: Duration::from_millis(500),
    call: Duration::from_millis(500),
    answer_bytes: 200_000,
};

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
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let lower = head.to_lowercase();
    let length = lower
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    while bytes.len() < end + length {
        let mut piece = [0; 65_536];
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..read]);
    }
    let mut words = head.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let asked = Asked {
        method,
        path: path.to_owned(),
        query: parse(query),
        body: bytes[end..].to_vec(),
        head,
    };
    record.lock().unwrap().push(asked.clone());
    let whole = |status: u16, header: &str, kind: &str, body: &str| {
        format!(
            "HTTP/1.1 {status} X\r\n{header}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let text = match script(&asked) {
        Reply::Json(status, value) => whole(status, "", "application/json", &value.to_string()),
        Reply::Header(status, name, text, value) => {
            let header = format!("{name}: {text}\r\n");
            whole(status, &header, "application/json", &value.to_string())
        }
        Reply::Text(status, text) => whole(status, "", "text/html", &text),
        Reply::Broken(most) => {
            "HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n[".to_owned() + &" ".repeat(most)
        }
        Reply::Endless => {
            stream
                .write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n[")
                .await?;
            let piece = [b' '; 8192];
            while stream.write_all(&piece).await.is_ok() {}
            return Ok(());
        }
        Reply::Closed => return stream.shutdown().await,
        Reply::Silent => {
            // Until the client closes it.
            let mut rest = vec![];
            stream.read_to_end(&mut rest).await?;
            return Ok(());
        }
        Reply::Redirect(to) => format!(
            "HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
    };
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}
