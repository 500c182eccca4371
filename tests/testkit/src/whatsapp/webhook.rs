//! The webhooks that Meta sends: their form, and how they are signed.

use std::{
    io::{BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::Context as _;
use ring::hmac::{HMAC_SHA256, Key, sign as sign_bytes};
use serde_json::{Value, json};

use super::{APP_SECRET, BUSINESS_ACCOUNT_ID, PHONE_NUMBER_ID, Signing, read_message};

/// Sends a webhook, as Meta does; answers the status.
///
/// # Errors
/// If nothing listens there.
pub fn send_webhook(address: SocketAddr, payload: &Value, signing: Signing) -> anyhow::Result<u16> {
    let body = payload.to_string();
    let sign = |secret: &str, body: &str| -> String {
        let key = Key::new(HMAC_SHA256, secret.as_bytes());
        let digest = sign_bytes(&key, body.as_bytes());
        let bytes = digest.as_ref().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    };
    let signature = match signing {
        Signing::Right => format!(
            "X-Hub-Signature-256: sha256={}\r\n",
            sign(APP_SECRET, &body)
        ),
        Signing::OtherSecret => {
            format!("X-Hub-Signature-256: sha256={}\r\n", sign("another", &body))
        }
        Signing::OtherBody => {
            let signature = sign(APP_SECRET, &format!("{body} "));
            format!("X-Hub-Signature-256: sha256={signature}\r\n")
        }
        Signing::Sha1Header => {
            "X-Hub-Signature: sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9\r\n".to_owned()
        }
        Signing::None => String::new(),
    };
    let head = format!(
        "POST /webhook HTTP/1.1\r\nHost: tunnel.example\r\nContent-Type: application/json\r\n{signature}\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    request(address, &format!("{head}{body}")).map(|(status, _)| status)
}

/// Sends an HTTP request as it is; answers the status and the body.
///
/// # Errors
/// If nothing listens there, or what answers is no HTTP.
pub fn request(address: SocketAddr, text: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    // The server may close before it has read all of a body that it refuses.
    let _ = stream.write_all(text.as_bytes());
    let (head, body) = read_message(&mut BufReader::new(stream))?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((
        status.context("no status in the answer")?,
        String::from_utf8_lossy(&body).into_owned(),
    ))
}

/// A webhook with these parts of a change: `messages`, `statuses`, `contacts`, `message_echoes`.
#[must_use]
pub fn webhook(mut value: Value) -> Value {
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] =
        json!({"display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID});
    json!({"object": "whatsapp_business_account",
        "entry": [{"id": BUSINESS_ACCOUNT_ID, "changes": [{"value": value, "field": "messages"}]}]})
}

/// A webhook with a text that somebody wrote at this time, in seconds.
#[must_use]
pub fn text_webhook(id: &str, number: &str, user: &str, text: &str, at: i64) -> Value {
    webhook(json!({
        "contacts": [{"profile": {"name": "Sheena Nelson"}, "wa_id": number, "user_id": user}],
        "messages": [{"from": number, "from_user_id": user, "id": id, "timestamp": at.to_string(), "type": "text",
            "text": {"body": text}}],
    }))
}

/// A webhook that says how far a message got.
#[must_use]
pub fn status_webhook(id: &str, reference: &str, status: &str, at: i64) -> Value {
    let mut one = json!({"id": id, "status": status, "timestamp": at.to_string(), "recipient_id": "16505551234",
        "biz_opaque_callback_data": reference});
    if status == "failed" {
        one["errors"] = json!([{"code": 131026, "title": "Message undeliverable",
            "error_data": {"details": "Message Undeliverable."}}]);
    }
    webhook(json!({ "statuses": [one] }))
}
