//! From the post of `wit/social` to that of `core`, and the files that it names.
//!
//! Invariants: what comes from a skill is checked here; nothing invalid passes; of a file a skill learns nothing, and the
//! server its name, length and hash.

use platinum_core::{Media, PostRequest, SocialPublish, VaultPath, join_parts, sha256_hex};
use platinum_policy::MAX_ATTACHMENT_BYTES;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::social::types::Post,
    files::{FileError, read_leaving},
    text::{block, checked_line, optional_line},
};

/// Most posts of a thread.
const MAX_PARTS: usize = 50;
/// Most pictures.
const MAX_MEDIA: usize = 10;
/// Longest text of one post, in bytes: what is longer fits no network.
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// Longest words of a picture, in characters.
const MAX_ALT: usize = 2000;
/// Longest address, in characters.
const MAX_ADDRESS: usize = 2000;

/// Checks and converts a post.
pub(super) fn post(post: Post) -> Result<SocialPublish, String> {
    let parts = 1 + post.thread.len();
    if parts > MAX_PARTS {
        return Err(format!(
            "the thread has {parts} posts; {MAX_PARTS} is the most"
        ));
    }
    if post.media.len() > MAX_MEDIA {
        return Err(format!(
            "`media` has {}; {MAX_MEDIA} is the most",
            post.media.len()
        ));
    }
    let line = |name: &str, text: Option<String>, max| {
        let text = text.as_deref();
        text.map(|text| checked_line(name, text, max)).transpose()
    };
    let mut texts = vec![block("text", &post.text, MAX_TEXT_BYTES)?];
    for part in &post.thread {
        texts.push(block("thread", part, MAX_TEXT_BYTES)?);
    }
    let text = join_parts(texts.iter().map(String::as_str)).map_err(|error| error.to_string())?;
    let (link, link_title, link_description) = match post.link {
        None => (None, None, None),
        Some(link) => (
            Some(checked_line("link url", &link.url, MAX_ADDRESS)?),
            filled(optional_line("link title", &link.title, 300)?),
            filled(optional_line("link description", &link.description, 1000)?),
        ),
    };
    let media = post.media.iter().map(|media| {
        let alt = checked_line("alt", &media.alt, MAX_ALT)?;
        let path = VaultPath::new(media.path.as_str());
        let path = path.map_err(|error| format!("`media`: {error}"))?;
        Ok::<_, String>(Media { path, alt })
    });
    let record = SocialPublish {
        account: checked_line("account", &post.account, 64)?,
        language: line("language", post.language, 35)?,
        reply_to: line("reply-to", post.reply_to, MAX_ADDRESS)?,
        content_warning: line("content-warning", post.content_warning, 500)?,
        link,
        link_title,
        link_description,
        media: media.collect::<Result<_, _>>()?,
        text,
    };
    match record.faults().as_slice() {
        [] => Ok(record),
        faults => Err(faults.join("; ")),
    }
}

fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// The post as the server takes it, without the content of its files. Blocks on the disk.
pub(super) fn request(vault: &Vault, post: &SocialPublish) -> Result<PostRequest, FileError> {
    let mut left = MAX_ATTACHMENT_BYTES;
    let mut files = Vec::with_capacity(post.media.len());
    for Media { path, .. } in &post.media {
        let bytes = read_leaving(vault, "media", path, left)?;
        left = left.saturating_sub(bytes.len() as u64);
        files.push((bytes.len(), sha256_hex(&bytes)));
    }
    Ok(post.request(&files))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::platinum::social::types::{LinkCard, Media as WitMedia};

    fn sound() -> Post {
        Post {
            account: "me".into(),
            text: "Hello\n".into(),
            language: Some("en".into()),
            reply_to: None,
            content_warning: None,
            link: Some(LinkCard {
                url: "https://example.test".into(),
                title: "Tea".into(),
                description: String::new(),
            }),
            media: vec![WitMedia {
                path: "Inbox/a.png".into(),
                alt: " A desk".into(),
            }],
            thread: vec!["More".into()],
        }
    }

    #[test]
    fn post_becomes_its_record() {
        let record = post(sound()).unwrap();
        assert_eq!(record.text, "Hello\n\n---\n\nMore");
        assert_eq!(record.media[0].to_string(), "Inbox/a.png | A desk");
        assert_eq!(
            (record.link_title.as_deref(), &record.link_description),
            (Some("Tea"), &None)
        );
    }

    #[test]
    fn post_with_a_fault_of_its_form_is_refused() {
        type Spoil = fn(&mut Post);
        let cases: [(&str, Spoil); 9] = [
            ("`account` is empty", |p| p.account = " ".into()),
            (
                "part 2 has a line that is only `---`, which would make two posts of it",
                |p| p.thread[0] = "a\n---\nb".into(),
            ),
            ("part 2 of the thread is empty", |p| {
                p.thread[0] = " \n".into();
            }),
            ("the thread has 51 posts; 50 is the most", |p| {
                p.thread = vec!["x".into(); 50];
            }),
            ("`text` has control characters", |p| {
                p.text = "a\u{7}".into();
            }),
            ("`alt` is empty", |p| p.media[0].alt = "\n".into()),
            (
                "`media`: `../a.png` has the component `..`, which could leave the vault",
                |p| p.media[0].path = "../a.png".into(),
            ),
            ("`media` has 11; 10 is the most", |p| {
                p.media = vec![p.media[0].clone(); 11];
            }),
            (
                "`reply-to` must be one line without control characters",
                |p| p.reply_to = Some("at://x\naccount: you".into()),
            ),
        ];
        for (expected, spoil) in cases {
            let mut spoiled = sound();
            spoil(&mut spoiled);
            assert_eq!(post(spoiled).unwrap_err(), expected);
        }
    }

    #[test]
    fn request_has_the_files_without_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let mut record = post(sound()).unwrap();
        let gone = "`media`: Inbox/a.png is not in the vault".to_owned();
        assert_eq!(request(&vault, &record), Err(FileError::Invalid(gone)));
        let path = record.media[0].path.clone();
        vault.create(&path, b"abc").unwrap();
        let whole = serde_json::to_value(request(&vault, &record).unwrap()).unwrap();
        assert_eq!(
            whole,
            serde_json::json!({
                "account": "me", "parts": ["Hello", "More"], "language": "en",
                "link": { "url": "https://example.test", "title": "Tea", "description": "" },
                "media": [{ "name": "a.png", "type": "image/png", "size": 3, "alt": "A desk",
                    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" }],
            })
        );
        // A note of Platinum's own is not to be had by naming it.
        record.media[0].path = "Pending_Approval/a.png".parse().unwrap();
        let where_from =
            "`media`: Pending_Approval/a.png cannot leave from there; files leave from Inbox/";
        assert_eq!(
            request(&vault, &record),
            Err(FileError::Invalid(where_from.to_owned()))
        );
    }
}
