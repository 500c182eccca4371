//! The tools `list_attachments` and `read_attachment`: the files of a mail that came, piece by piece.
//!
//! Lives elsewhere: what is saved of them, where and under which names, is the host's.
//! Invariants: the mailbox is read over a connection of its own, so that nothing waits for a large mail; a mail is read
//! as [`MailPart::WithFiles`], and kept for [`KEPT`] at most; two mails that say they are the same one and are not
//! give nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_email_draft::{MailService, ServiceError};
use platinum_mailbox::answer::copies_of;
use platinum_mailbox::compose::bare;
use platinum_mailbox::message::{self, File};
use platinum_mailbox::{MailPart, Query, SearchHit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Sender;

/// The longest file that is read.
pub const MAX_FILE_BYTES: u64 = 25 * 1024 * 1024;
/// Bytes of one answer of `read_attachment`, which has them twice, as text and structured: clients take 4 MiB of one.
const PIECE_BYTES: usize = 1024 * 1024;
/// How long the files of a mail are kept for `read_attachment`.
const KEPT: Duration = Duration::from_secs(120);

/// The arguments of `list_attachments`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListArguments {
    /// The account; all without it.
    #[serde(default)]
    account: Option<String>,
    /// The Message-ID of the mail, which is in the inbox.
    message_id: String,
    /// The address that the mail is from: one of this Message-ID from another does not count.
    #[serde(default)]
    from: Option<String>,
}

/// The answer of `list_attachments`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAnswer {
    /// What is attached, in the mail's order.
    pub files: Vec<ReceivedFile>,
    /// How many more are attached that are not listed.
    pub more: usize,
    /// Whether the mail is too large to be read whole, so that more may be attached.
    pub is_cut: bool,
}

/// A file of a mail that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceivedFile {
    /// The name that the mail gives it: any text, never a path.
    pub name: Option<String>,
    /// Its media type, as the mail says it.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Why it cannot be read, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// The arguments of `read_attachment`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadArguments {
    /// The Message-ID that `list_attachments` was called with.
    message_id: String,
    /// Which file of its answer, counted from 0.
    file: usize,
    /// From which byte on.
    #[serde(default)]
    offset: usize,
}

/// The answer of `read_attachment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadAnswer {
    /// The bytes from there on, at most 1 MiB of them.
    pub base64: String,
    /// Whether that is all there is.
    pub is_end: bool,
}

/// Why the files of a mail cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReceivedError {
    /// A mailbox failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The mail is not where it is looked for.
    #[error("the mail is not in the inbox")]
    NoMail,
    /// Which of them is meant cannot be known.
    #[error(
        "the inbox has several mails with its Message-ID, and other files are attached to each"
    )]
    Differ,
    /// Nothing was listed for it, or too long ago.
    #[error("call list_attachments for this Message-ID first")]
    NotListed,
    /// There is no such file.
    #[error("no file {0} of this mail can be read")]
    NoFile(usize),
}

/// The files of the mail that was asked for last.
#[derive(Debug)]
pub(crate) struct Listed {
    message_id: String,
    files: Vec<File>,
    at: Instant,
}

/// What is attached to a mail. Its content is kept for a while.
pub(crate) async fn list(
    sender: &Arc<Sender>,
    arguments: &ListArguments,
) -> Result<ListAnswer, ReceivedError> {
    *sender.listed.lock().await = None;
    let message_id = bare(&arguments.message_id);
    let found = find((**sender).as_ref(), arguments, &message_id).await?;
    let AttachedFiles {
        files,
        more,
        is_cut,
    } = found;
    let last = files.len().saturating_sub(1);
    let list = files.iter().enumerate().map(|(at, file)| {
        // Where the mail was cut the last file is not whole.
        let left_out = match &file.content {
            _ if is_cut && at == last => Some("the mail is too large".to_owned()),
            None => Some(format!(
                "it is larger than {} MiB",
                MAX_FILE_BYTES / (1024 * 1024)
            )),
            Some(_) => None,
        };
        ReceivedFile {
            name: file.about.name.clone(),
            media_type: file.about.media_type.clone(),
            size: file
                .content
                .as_ref()
                .map_or(file.about.size, |content| content.len() as u64),
            left_out,
        }
    });
    let answer = ListAnswer {
        files: list.collect(),
        more,
        is_cut,
    };
    let at = Instant::now();
    *sender.listed.lock().await = Some(Listed {
        message_id,
        files,
        at,
    });
    let sender = Arc::downgrade(sender);
    tokio::spawn(async move {
        tokio::time::sleep(KEPT).await;
        if let Some(sender) = sender.upgrade() {
            sender.listed.lock().await.take_if(|listed| listed.at == at);
        }
    });
    Ok(answer)
}

/// A piece of a file that was listed.
pub(crate) async fn read(
    sender: &Sender,
    arguments: &ReadArguments,
) -> Result<ReadAnswer, ReceivedError> {
    let listed = sender.listed.lock().await;
    let listed = listed
        .as_ref()
        .filter(|listed| listed.message_id == bare(&arguments.message_id))
        .ok_or(ReceivedError::NotListed)?;
    let content = listed
        .files
        .get(arguments.file)
        .and_then(|file| file.content.as_ref());
    let rest = content.and_then(|content| content.get(arguments.offset..));
    let rest = rest.ok_or(ReceivedError::NoFile(arguments.file))?;
    let piece = rest.get(..PIECE_BYTES).unwrap_or(rest);
    Ok(ReadAnswer {
        base64: STANDARD.encode(piece),
        is_end: piece.len() == rest.len(),
    })
}

/// A mail's files.
struct AttachedFiles {
    files: Vec<File>,
    more: usize,
    is_cut: bool,
}

/// The files of the mail. An account whose mailbox is away hides nothing in another.
async fn find(
    mail: &MailService,
    arguments: &ListArguments,
    message_id: &str,
) -> Result<AttachedFiles, ReceivedError> {
    let accounts = match &arguments.account {
        Some(account) => vec![account.clone()],
        None => mail.account_names().map(str::to_owned).collect(),
    };
    let mut found: Option<AttachedFiles> = None;
    let mut failed = None;
    for account in accounts {
        let copies = match copies(mail, &account, message_id).await {
            Ok(copies) => copies,
            Err(error) => {
                failed.get_or_insert(error);
                continue;
            }
        };
        for copy in copies {
            let (parsed, files) =
                message::parse_with_files(&copy.mail.bytes, copy.mail.truncated, MAX_FILE_BYTES);
            let is_from = arguments.from.as_ref().is_none_or(|from| {
                let author = parsed.from.as_ref().map(|author| author.address.as_str());
                author.is_some_and(|author| author.eq_ignore_ascii_case(from))
            });
            // IMAP finds a part of a header, too.
            if parsed.message_id.as_deref() != Some(message_id) || !is_from {
                continue;
            }
            match &found {
                Some(known) if known.files != files => return Err(ReceivedError::Differ),
                _ => {
                    found = Some(AttachedFiles {
                        files,
                        more: parsed.attachments_left_out,
                        is_cut: copy.mail.truncated,
                    });
                }
            }
        }
    }
    match (found, failed) {
        (Some(found), _) => Ok(found),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(ReceivedError::NoMail),
    }
}

async fn copies(
    mail: &MailService,
    account: &str,
    message_id: &str,
) -> Result<Vec<SearchHit>, ServiceError> {
    let failed = |source| ServiceError::of_account(account, source);
    let mut mailbox = platinum_mailbox::open(mail.account(account)?).map_err(failed)?;
    let query = Query {
        part: MailPart::WithFiles,
        ..copies_of(message_id)
    };
    mailbox.search(&query).await.map_err(failed)
}

#[cfg(test)]
mod tests {
    use platinum_mailbox::Config;

    use super::*;

    fn mail(from: &str, file: &[u8]) -> String {
        format!(
            "From: {from}\r\nMessage-ID: <q@x.test>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\n\r\nSee there.\r\n--b\r\nContent-Type: application/pdf\r\n\
             Content-Disposition: attachment; filename*0*=utf-8''off%C3%A9; filename*1=r.pdf\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
            STANDARD.encode(file)
        )
    }

    fn sender(mails: &[String]) -> (tempfile::TempDir, Arc<Sender>) {
        let folder = platinum_testkit::mail_folder().unwrap();
        for (n, mail) in mails.iter().enumerate() {
            std::fs::write(folder.path().join(format!("Mail/new/{n}.q")), mail).unwrap();
        }
        let config = Config::load(&folder.path().join("mail.toml")).unwrap();
        let sender = Sender::open(config).unwrap();
        (folder, Arc::new(sender))
    }

    fn asked(from: Option<&str>) -> ListArguments {
        ListArguments {
            account: None,
            message_id: "<q@x.test>".to_owned(),
            from: from.map(str::to_owned),
        }
    }

    async fn piece(sender: &Sender, offset: usize) -> Result<(Vec<u8>, bool), String> {
        let arguments = ReadArguments {
            message_id: "q@x.test".to_owned(),
            file: 0,
            offset,
        };
        let answer = read(sender, &arguments)
            .await
            .map_err(|error| error.to_string())?;
        Ok((STANDARD.decode(answer.base64).unwrap(), answer.is_end))
    }

    /// A file is read whole although the mail is longer than what is read of a mail otherwise.
    #[tokio::test]
    async fn attachment_is_read_piece_by_piece() {
        let file: Vec<u8> = (0..=250).cycle().take(6_000_000).collect();
        let (_folder, sender) = sender(&[mail("Ann <ann@x.test>", &file)]);
        let listed = list(&sender, &asked(Some("Ann@x.test"))).await.unwrap();
        let [one] = listed.files.as_slice() else {
            panic!("{listed:?}")
        };
        assert_eq!(one.name.as_deref(), Some("offér.pdf"));
        assert_eq!((one.size, one.left_out.as_ref()), (6_000_000, None));
        let (mut read, mut is_end) = (Vec::new(), false);
        while !is_end {
            let (more, end) = piece(&sender, read.len()).await.unwrap();
            assert!(more.len() <= PIECE_BYTES);
            read.extend(more);
            is_end = end;
        }
        assert!(read == file);
        let beyond = piece(&sender, file.len() + 1).await;
        assert_eq!(beyond.unwrap_err(), "no file 0 of this mail can be read");
    }

    #[tokio::test]
    async fn list_says_what_is_not_read() {
        let big = vec![b'x'; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
        let (_folder, sender) = sender(&[mail("ann@x.test", &big)]);
        let listed = list(&sender, &asked(None)).await.unwrap();
        assert_eq!(
            listed.files[0].left_out.as_deref(),
            Some("it is larger than 25 MiB")
        );
        let huge = vec![b'x'; 40 * 1024 * 1024];
        let (_folder, sender) = self::sender(&[mail("ann@x.test", &huge)]);
        let listed = list(&sender, &asked(None)).await.unwrap();
        assert_eq!(
            listed.files[0].left_out.as_deref(),
            Some("the mail is too large")
        );
    }

    /// Who forges a mail with the Message-ID of another does not get their file saved in its place.
    #[tokio::test]
    async fn list_of_two_mails_with_one_id_gives_nothing() {
        let (real, forged) = (mail("ann@x.test", b"1"), mail("ann@x.test", b"2"));
        let (_folder, sender) = sender(&[real.clone(), forged]);
        let refused = list(&sender, &asked(Some("ann@x.test"))).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the inbox has several mails with its Message-ID, and other files are attached to each"
        );
        assert_eq!(
            piece(&sender, 0).await.unwrap_err(),
            "call list_attachments for this Message-ID first"
        );
        let (_folder, sender) = self::sender(&[real.clone(), mail("mallory@y.test", b"2"), real]);
        assert!(list(&sender, &asked(Some("ann@x.test"))).await.is_ok());
        assert_eq!(piece(&sender, 0).await.unwrap(), (b"1".to_vec(), true));
        let none = list(&sender, &asked(Some("bob@x.test"))).await.unwrap_err();
        assert_eq!(none.to_string(), "the mail is not in the inbox");
    }
}
