//! Reading mails of a Maildir, and searching them. Blocking.

use std::path::Path;

use super::files::{self, Entry, Folder};
use crate::error::MailboxError;
use crate::mailbox::{
    BEGINNING_BYTES, MAX_MAIL_BYTES, MAX_WHOLE_MAIL_BYTES, MailPart, Query, RawMail, SearchHit,
};
use crate::message::{self, Parsed};
use crate::search;

/// The newest mails of a folder that a search reads.
const MAX_SEARCHED: usize = 3000;

pub(super) fn search_folders(root: &Path, query: &Query) -> Result<Vec<SearchHit>, MailboxError> {
    let mut names = search::folders(query, "Sent", "Drafts");
    if query.sent_as.is_some() {
        // A mail leaves a Maildir by its outbox; its copy in Sent comes after that.
        names.push("Outbox".to_owned());
    }
    let mut found = Vec::new();
    for name in names {
        let folder: Folder = if name.eq_ignore_ascii_case("inbox") {
            files::inbox(root)
        } else {
            files::folder(root, &name)?
        };
        if !folder.exists() {
            if query.folder.is_some() {
                return Err(MailboxError::NoFolder(name));
            }
            continue;
        }
        let meant = newest(&folder, query.limit, query.part, |mail| {
            search::matches(query, mail)
        })?;
        for (entry, mut mail) in meant {
            // What is looked through is read no further than this.
            if mail.truncated && query.part == MailPart::WithFiles {
                mail = folder.read(&entry, MAX_WHOLE_MAIL_BYTES)?.unwrap_or(mail);
            }
            found.push(SearchHit {
                folder: name.clone(),
                mail,
            });
        }
    }
    search::newest_first(&mut found, query.limit);
    Ok(found)
}

/// Whether a mail with this Message-ID is among the newest of a folder.
pub(super) fn has(folder: &Folder, message_id: &str) -> Result<bool, MailboxError> {
    let is_it = |mail: &Parsed| mail.message_id.as_deref() == Some(message_id);
    Ok(!newest(folder, 1, MailPart::Whole, is_it)?.is_empty())
}

/// The mails of a folder with this `X-Platinum-Draft`, among the newest.
pub(super) fn drafts_of(folder: &Folder, draft: &str) -> Result<Vec<Entry>, MailboxError> {
    let is_it = |mail: &Parsed| mail.draft.as_deref() == Some(draft);
    let found = newest(folder, usize::MAX, MailPart::Whole, is_it)?;
    Ok(found.into_iter().map(|(entry, _)| entry).collect())
}

/// Those of the newest mails of a folder that are meant, newest first, at most so many; of a folder that is
/// not there none.
fn newest(
    folder: &Folder,
    most: usize,
    part: MailPart,
    is_meant: impl Fn(&Parsed) -> bool,
) -> Result<Vec<(Entry, RawMail)>, MailboxError> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    let bytes = match part {
        MailPart::Whole | MailPart::WithFiles => MAX_MAIL_BYTES,
        MailPart::Beginning | MailPart::People => BEGINNING_BYTES,
    };
    for entry in folder.list()?.into_iter().rev().take(MAX_SEARCHED) {
        let Some(mail) = folder.read(&entry, bytes)? else {
            continue;
        };
        if is_meant(&message::parse_cut(&mail.bytes, mail.truncated)) {
            found.push((entry, mail));
            if found.len() >= most {
                break;
            }
        }
    }
    Ok(found)
}

/// Reads at most this much of a file.
pub(super) fn read_mail(key: &str, path: &Path, most: u64) -> std::io::Result<RawMail> {
    use std::io::Read as _;
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    let size = metadata.len();
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let mut whole = size <= bytes.len() as u64;
    if let Some((text, complete)) = gunzip(&bytes, most) {
        (bytes, whole) = (text, complete && whole);
    }
    let internal_date = metadata
        .modified()
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok());
    Ok(RawMail {
        key: key.to_owned(),
        size,
        truncated: !whole,
        bytes,
        internal_date,
        answered: files::flags_of(path).contains('R'),
        is_read: files::flags_of(path).contains('S'),
    })
}

/// The text of a mail that its server keeps compressed (Dovecot's `zlib` for Maildir), and whether that is all of it.
fn gunzip(bytes: &[u8], most: u64) -> Option<(Vec<u8>, bool)> {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let (&[0x1f, 0x8b, 8, flags, ..], Some(mut rest)) =
        (bytes.first_chunk::<10>()?, bytes.get(10..))
    else {
        return None;
    };
    if flags & EXTRA != 0 {
        let length = usize::from(u16::from_le_bytes(*rest.first_chunk()?));
        rest = rest.get(2 + length..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    match miniz_oxide::inflate::decompress_to_vec_with_limit(rest, most) {
        Ok(text) => Some((text, true)),
        // The beginning of a large mail, or of one that was cut off.
        Err(error) if !error.output.is_empty() => Some((error.output, false)),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_mail_is_read() {
        let mail = b"Subject: x\r\n\r\nWhich day?\r\n";
        let deflated = miniz_oxide::deflate::compress_to_vec(mail, 6);
        let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
        let named = [
            &[0x1f, 0x8b, 8, 0x0c, 0, 0, 0, 0, 0, 3][..],
            &[2, 0, 1, 1],
            b"name\0",
        ]
        .concat();
        let read = |bytes: Vec<u8>| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("1.a");
            std::fs::write(&path, bytes).unwrap();
            let mail = read_mail("1.a", &path, MAX_MAIL_BYTES).unwrap();
            (mail.bytes, mail.truncated)
        };
        assert_eq!(
            read([&head[..], &deflated].concat()),
            (mail.to_vec(), false)
        );
        assert_eq!(
            read([&named[..], &deflated].concat()),
            (mail.to_vec(), false)
        );
        assert_eq!(read(mail.to_vec()), (mail.to_vec(), false));
        let bomb = miniz_oxide::deflate::compress_to_vec(&vec![b'a'; 20 << 20], 6);
        let (bytes, truncated) = read([&head[..], &bomb].concat());
        assert!(truncated && bytes.len() as u64 <= MAX_MAIL_BYTES);
        // What only begins like one stays as it is.
        assert_eq!(read(head.to_vec()).0, head);
    }
}
