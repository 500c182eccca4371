//! Reading mails of a Maildir, and searching them. Blocking.

use std::path::Path;

use super::files::{self, Entry, Folder};
use crate::error::MailboxError;
use crate::mailbox::{MAX_MAIL_BYTES, Query, RawMail, SearchHit};
use crate::message;
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
        let mut of_folder = 0;
        for entry in folder.list()?.iter().rev().take(MAX_SEARCHED) {
            let Some(mail) = folder.read(entry)? else {
                continue;
            };
            if search::matches(query, &message::parse_cut(&mail.bytes, mail.truncated)) {
                found.push(SearchHit {
                    folder: name.clone(),
                    mail,
                });
                of_folder += 1;
                if of_folder >= query.limit {
                    break;
                }
            }
        }
    }
    search::newest_first(&mut found, query.limit);
    Ok(found)
}

/// Whether a mail with this Message-ID is among the newest of a folder.
pub(super) fn has(folder: &Folder, message_id: &str) -> Result<bool, MailboxError> {
    if !folder.exists() {
        return Ok(false);
    }
    for entry in folder.list()?.iter().rev().take(MAX_SEARCHED) {
        let Some(mail) = folder.read(entry)? else {
            continue;
        };
        let mail = message::parse_cut(&mail.bytes, mail.truncated);
        if mail.message_id.as_deref() == Some(message_id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The mails of a folder with this `X-Platinum-Draft`, among the newest.
pub(super) fn drafts_of(folder: &Folder, draft: &str) -> Result<Vec<Entry>, MailboxError> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in folder.list()?.into_iter().rev().take(MAX_SEARCHED) {
        let Some(mail) = folder.read(&entry)? else {
            continue;
        };
        let mail = message::parse_cut(&mail.bytes, mail.truncated);
        if mail.draft.as_deref() == Some(draft) {
            found.push(entry);
        }
    }
    Ok(found)
}

/// Whether a file's name has the flag R: its mail was answered.
fn is_answered(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.split_once(":2,"))
        .is_some_and(|(_, flags)| flags.contains('R'))
}

/// Reads at most [`MAX_MAIL_BYTES`] of a file.
pub(super) fn read_mail(key: &str, path: &Path) -> std::io::Result<RawMail> {
    use std::io::Read as _;
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    let size = metadata.len();
    let mut bytes = Vec::new();
    file.take(MAX_MAIL_BYTES).read_to_end(&mut bytes)?;
    let internal_date = metadata
        .modified()
        .ok()
        .and_then(|time| jiff::Timestamp::try_from(time).ok());
    Ok(RawMail {
        key: key.to_owned(),
        size,
        truncated: size > bytes.len() as u64,
        bytes,
        internal_date,
        answered: is_answered(path),
    })
}
