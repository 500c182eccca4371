//! Files: given to WhatsApp first, then sent by a message; both as they were approved, or nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platinum_testkit::whatsapp::{Reply, UploadedFile};
use platinum_whatsapp::shapes::{CheckArguments, FileShape, Outcome, SendArguments};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Fixture, NUMBER, REFERENCE, arguments};

fn file(name: &str, media_type: &str, bytes: &[u8]) -> FileShape {
    FileShape {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        size: bytes.len() as u64,
        sha256: Some(hex::encode(Sha256::digest(bytes))),
        data: Some(STANDARD.encode(bytes)),
    }
}

fn with(file: FileShape, text: &str) -> SendArguments {
    SendArguments {
        text: text.to_owned(),
        file: Some(file),
        quoted: None,
        ..arguments(REFERENCE)
    }
}

fn open() -> Fixture {
    let fixture = Fixture::new();
    fixture.wrote_now();
    fixture
}

#[tokio::test]
async fn file_leaves_once_with_its_name_and_text() {
    let pdf = b"%PDF-1.7\r\n--\xff\xfe\r\n\r\n";
    for (shape, text, content) in [
        (
            file("offer.pdf", "application/pdf", pdf),
            "As promised.",
            json!({"type": "document", "document": {"id": "1037200000000000", "filename": "offer.pdf",
                "caption": "As promised."}}),
        ),
        (
            file("desk.JPG", "image/jpeg", b"\xff\xd8\xff"),
            "",
            json!({"type": "image", "image": {"id": "1037200000000000"}}),
        ),
    ] {
        let fixture = open();
        let asked = with(shape.clone(), text);
        let sent = fixture.service.send_message(&asked).await.unwrap();
        assert_eq!(sent.outcome, Outcome::Done, "{sent:?}");
        let uploaded = UploadedFile {
            id: "1037200000000000".to_owned(),
            media_type: shape.media_type.clone(),
            bytes: STANDARD.decode(shape.data.unwrap()).unwrap(),
        };
        assert_eq!(fixture.api.uploaded(), [uploaded]);
        let mut body = json!({"messaging_product": "whatsapp", "recipient_type": "individual", "to": NUMBER,
            "biz_opaque_callback_data": REFERENCE});
        for (key, value) in content.as_object().unwrap() {
            body[key] = value.clone();
        }
        assert_eq!(fixture.api.taken()[0].1, body);
        let kept = fixture.store.messages(NUMBER, 1).unwrap();
        let words = format!("[“{}”, {}] {text}", shape.name, shape.media_type);
        assert_eq!(kept[0].text, words.trim_end());
        let again = fixture.service.send_message(&asked).await.unwrap();
        assert_eq!(again.outcome, Outcome::Done);
        assert_eq!(
            (fixture.api.uploaded().len(), fixture.api.taken().len()),
            (1, 1)
        );
    }
}

/// What WhatsApp would not take is refused before it is given anything.
#[tokio::test]
async fn file_that_cannot_be_sent_does_not_reach_the_network() {
    let fixture = open();
    let large = vec![0; 5 * 1024 * 1024 + 1];
    for (shape, words) in [
        (
            file("a.webp", "image/webp", b"x"),
            "`a.webp`: WhatsApp takes no files of the type image/webp; ",
        ),
        (
            file("a.png", "image/png", &large),
            "`a.png`: has 5242881 bytes; WhatsApp takes 5 MB as image",
        ),
        (file("a.pdf", "application/pdf", b""), "`a.pdf`: is empty"),
    ] {
        let named = FileShape {
            data: None,
            ..shape.clone()
        };
        let asked = CheckArguments {
            text: None,
            template: None,
            values: None,
            file: Some(named),
        };
        let checked = fixture.service.check_message(&asked).await.unwrap();
        assert!(checked.fault.unwrap().starts_with(words));
        let sent = fixture.service.send_message(&with(shape, "x")).await;
        let sent = sent.unwrap();
        assert_eq!((sent.outcome, sent.retry), (Outcome::NotDone, false));
        assert!(sent.answer.starts_with(words), "{sent:?}");
    }
    let mut other = file("a.pdf", "application/pdf", b"abc");
    other.data = Some(STANDARD.encode(b"abd"));
    let long = with(file("a.pdf", "application/pdf", b"abc"), &"é".repeat(1025));
    for (asked, words) in [
        (
            with(other, ""),
            "`file` is not the file that its size and hash are of",
        ),
        (
            long,
            "`text` has 1025 characters; 1024 is the most under a file",
        ),
    ] {
        let refused = fixture.service.send_message(&asked).await.unwrap_err();
        assert_eq!(refused.to_string(), words);
    }
    assert!(fixture.api.requests().is_empty());
}

/// As long as there is no message of it, nobody has seen the file: whatever became of it, it may be tried again.
#[tokio::test]
async fn file_that_is_not_uploaded_is_not_done() {
    for (reply, retry) in [
        (Reply::AcceptAndClose, true),
        (Reply::Close, true),
        (Reply::Body(500, "{}".to_owned()), true),
        (Reply::Body(200, "{\"id\":\"../x\"}".to_owned()), true),
        (Reply::Error(400, 131_053), false),
        (Reply::Error(400, 130_429), true),
    ] {
        let fixture = open();
        fixture.api.reply_to_uploads([reply.clone()]);
        let asked = with(file("a.pdf", "application/pdf", b"abc"), "x");
        let sent = fixture.service.send_message(&asked).await.unwrap();
        assert_eq!(
            (sent.outcome, sent.retry),
            (Outcome::NotDone, retry),
            "{reply:?}: {sent:?}"
        );
        assert!(
            sent.answer.starts_with("`a.pdf` was not uploaded: "),
            "{sent:?}"
        );
        assert!(fixture.api.taken().is_empty());
        let again = fixture.service.send_message(&asked).await.unwrap();
        assert_eq!(again.outcome, Outcome::Done);
        assert_eq!(fixture.api.taken().len(), 1);
    }
    // The message itself is as every other.
    let fixture = open();
    fixture.api.reply([Reply::AcceptAndClose]);
    let asked = with(file("a.pdf", "application/pdf", b"abc"), "x");
    for _ in 0..3 {
        let sent = fixture.service.send_message(&asked).await.unwrap();
        assert_eq!(sent.outcome, Outcome::Unknown);
    }
    assert_eq!(fixture.api.taken().len(), 1);
}
