//! The outbox of a Maildir, and the copy of what was sent: what no program may hold that cannot act.

use std::any::Any;

use platinum_mailbox::imap::Imap;
use platinum_mailbox::maildir::{Maildir, Stored};
use platinum_mailbox::{Mailbox, MailboxError};
use sha2::{Digest as _, Sha256};

/// Puts these bytes into the sent mails, marked as read; answers the folder's name.
pub async fn file_sent(mailbox: &mut dyn Mailbox, mail: &[u8]) -> Result<String, MailboxError> {
    if let Some(maildir) = maildir_of(mailbox) {
        let mail = mail.to_vec();
        let filed = maildir.in_folder("Sent", move |sent| sent.deliver(&mail, "S"));
        return filed.await.map(|()| "Sent".to_owned());
    }
    let mailbox: &mut dyn Any = mailbox;
    let Some(imap) = mailbox.downcast_mut::<Imap>() else {
        return Err(MailboxError::Unsupported(
            "this mailbox has no folder of sent mails",
        ));
    };
    let folder = imap.sent_folder().await?;
    imap.append(&folder, "(\\Seen)", mail).await?;
    Ok(folder)
}

/// Leaves these bytes in the outbox, under a name made of `message_id` so that a second call finds the first;
/// only a Maildir has one.
pub async fn queue_outbox(
    mailbox: &mut dyn Mailbox,
    message_id: &str,
    mail: &[u8],
) -> Result<Stored, MailboxError> {
    let Some(maildir) = maildir_of(mailbox) else {
        return Err(MailboxError::Unsupported(
            "an IMAP mailbox has no outbox: give the account an smtp table",
        ));
    };
    let (name, mail) = (outbox_name(message_id), mail.to_vec());
    maildir
        .in_folder("Outbox", move |outbox| outbox.deliver_as(&name, &mail))
        .await
}

fn maildir_of(mailbox: &dyn Mailbox) -> Option<&Maildir> {
    let mailbox: &dyn Any = mailbox;
    mailbox.downcast_ref()
}

/// The file name of a mail in the outbox: made of its Message-ID, and safe as a name whatever that is.
fn outbox_name(message_id: &str) -> String {
    let digest = Sha256::digest(message_id.as_bytes());
    format!("{}.platinum", hex::encode(&digest[..16]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maildir() -> (tempfile::TempDir, Maildir) {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path()).unwrap();
        (folder, maildir)
    }

    #[tokio::test]
    async fn sent_copy_is_whole_and_marked_as_read() {
        let (folder, mut maildir) = maildir();
        assert_eq!(file_sent(&mut maildir, b"sent").await.unwrap(), "Sent");
        let files: Vec<_> = std::fs::read_dir(folder.path().join(".Sent/cur"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1);
        assert!(files[0].to_str().unwrap().ends_with(":2,S"), "{files:?}");
        assert_eq!(std::fs::read(&files[0]).unwrap(), b"sent");
    }

    #[tokio::test]
    async fn outbox_takes_a_message_id_once_whatever_its_text() {
        let (folder, mut maildir) = maildir();
        let id = "../../etc/passwd@x";
        let mut queue = async || queue_outbox(&mut maildir, id, b"mail").await.unwrap();
        assert_eq!(queue().await, Stored::Written);
        assert_eq!(queue().await, Stored::AlreadyThere);
        let new = folder.path().join(".Outbox/new");
        let files: Vec<_> = std::fs::read_dir(&new).unwrap().collect();
        assert_eq!(files.len(), 1);
        let name = files[0].as_ref().unwrap().file_name();
        let name = name.into_string().unwrap();
        let delivered = folder.path().join(".Outbox/cur");
        std::fs::rename(new.join(&name), delivered.join(format!("{name}:2,S"))).unwrap();
        assert_eq!(queue().await, Stored::AlreadyThere);
    }
}
