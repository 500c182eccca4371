//! Tests of the Maildir backend on real folders.

use super::*;
use crate::mailbox::MAX_MAIL_BYTES;

fn maildir() -> (tempfile::TempDir, Maildir) {
    let folder = tempfile::tempdir().unwrap();
    let maildir = Maildir::create(folder.path()).unwrap();
    (folder, maildir)
}

fn put(root: &Path, place: &str, subject: &str) {
    let mail = format!(
        "Message-ID: <{subject}@x.test>\r\nFrom: Ann <ann@x.test>\r\nSubject: {subject}\r\n\r\nHello {subject}\r\n"
    );
    std::fs::write(root.join(place), mail).unwrap();
}

const NONE_SEEN: fn(&str) -> bool = |_| false;

#[tokio::test]
async fn maildir_mails_are_returned_once_and_stay() {
    let (folder, mut maildir) = maildir();
    put(folder.path(), "new/1.a", "one");
    put(folder.path(), "cur/2.b:2,S", "two");
    std::fs::write(folder.path().join("tmp/3.c"), "half").unwrap();
    let new = maildir
        .poll_new(&Cursor::default(), 10, &NONE_SEEN)
        .await
        .unwrap();
    let keys: Vec<_> = new.mails.iter().map(|mail| mail.key.clone()).collect();
    assert_eq!(keys.len(), 2);
    assert!(keys.contains(&"1.a".to_owned()) && keys.contains(&"2.b".to_owned()));
    assert!(folder.path().join("new/1.a").exists());
    let again = maildir
        .poll_new(&new.cursor, 10, &|key: &str| {
            keys.iter().any(|known| known == key)
        })
        .await
        .unwrap();
    assert!(again.mails.is_empty());
}

#[tokio::test]
async fn maildir_key_survives_reading() {
    let (folder, mut maildir) = maildir();
    put(folder.path(), "new/1.a", "one");
    let before = maildir.keys().await.unwrap();
    std::fs::rename(
        folder.path().join("new/1.a"),
        folder.path().join("cur/1.a:2,S"),
    )
    .unwrap();
    assert_eq!(maildir.keys().await.unwrap(), before);
    assert_eq!(maildir.wait(Duration::ZERO).await.unwrap(), Wake::TimedOut);
}

#[tokio::test]
async fn maildir_poll_limit_sets_more() {
    let (folder, mut maildir) = maildir();
    for name in ["a", "b", "c"] {
        put(folder.path(), &format!("new/{name}"), name);
    }
    let new = maildir
        .poll_new(&Cursor::default(), 2, &NONE_SEEN)
        .await
        .unwrap();
    assert!(new.more && new.mails.len() == 2);
}

#[tokio::test]
async fn maildir_cuts_large_mails_and_skips_links() {
    let (folder, mut maildir) = maildir();
    let size = usize::try_from(MAX_MAIL_BYTES).unwrap() + 1000;
    std::fs::write(folder.path().join("new/big"), vec![b'x'; size]).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("new/link")).unwrap();
    let new = maildir
        .poll_new(&Cursor::default(), 10, &NONE_SEEN)
        .await
        .unwrap();
    assert_eq!(new.mails.len(), 1);
    let mail = &new.mails[0];
    assert!(
        mail.truncated && mail.size == size as u64 && mail.bytes.len() as u64 == MAX_MAIL_BYTES
    );
}

#[tokio::test]
async fn maildir_wait_ends_at_an_arrival_right_after_a_poll() {
    let (folder, mut maildir) = maildir();
    maildir.keys().await.unwrap();
    put(folder.path(), "new/1.a", "one");
    assert_eq!(
        maildir.wait(Duration::from_secs(5)).await.unwrap(),
        Wake::Changed
    );
    let root = folder.path().to_path_buf();
    let writer = tokio::spawn(async move { put(&root, "new/2.b", "two") });
    assert_eq!(
        maildir.wait(Duration::from_secs(5)).await.unwrap(),
        Wake::Changed
    );
    writer.await.unwrap();
    assert_eq!(
        maildir.wait(Duration::from_millis(300)).await.unwrap(),
        Wake::TimedOut
    );
}

#[tokio::test]
async fn draft_is_whole_and_flagged_as_a_draft() {
    let (folder, mut maildir) = maildir();
    assert_eq!(
        maildir.save_draft("d@x", None, b"draft").await.unwrap(),
        "Drafts"
    );
    let files = |part: &str| -> Vec<_> {
        std::fs::read_dir(folder.path().join(".Drafts").join(part))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect()
    };
    let saved = files("cur");
    assert!(
        saved.len() == 1 && saved[0].to_str().unwrap().ends_with(":2,DS"),
        "{saved:?}"
    );
    assert_eq!(std::fs::read_to_string(&saved[0]).unwrap(), "draft");
    assert!(files("tmp").is_empty());
}

#[tokio::test]
async fn maildir_search_covers_inbox_and_sent() {
    let (folder, mut maildir) = maildir();
    put(folder.path(), "new/1.a", "invoice");
    put(folder.path(), "cur/2.b:2,S", "lunch");
    let sent = b"Message-ID: <re@me.test>\r\nIn-Reply-To: <invoice@x.test>\r\nSubject: Re: invoice\r\n\r\nPaid\r\n";
    let filed = maildir.in_folder("Sent", |folder| folder.deliver(sent, "S"));
    filed.await.unwrap();
    let query = |edit: fn(&mut Query)| {
        let mut query = Query {
            limit: 10,
            ..Query::default()
        };
        edit(&mut query);
        query
    };
    let mut count =
        async |edit: fn(&mut Query)| maildir.search(&query(edit)).await.map(|found| found.len());
    assert_eq!(count(|_| {}).await.unwrap(), 3);
    assert_eq!(count(|q| q.text = Some("INVOICE".into())).await.unwrap(), 2);
    assert_eq!(count(|q| q.sender = Some("ann@".into())).await.unwrap(), 2);
    assert_eq!(
        count(|q| q.thread = vec!["invoice@x.test".into()])
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        count(|q| q.message_id = Some("re@me.test".into()))
            .await
            .unwrap(),
        1
    );
    assert_eq!(count(|q| q.folder = Some("Sent".into())).await.unwrap(), 1);
    assert_eq!(count(|q| q.limit = 1).await.unwrap(), 1);
    assert!(count(|q| q.folder = Some("../new".into())).await.is_err());
    assert!(count(|q| q.folder = Some("Nothing".into())).await.is_err());
    assert!(count(|q| q.text = Some("a\r\nb".into())).await.is_err());
}

/// The copy in Sent comes after the outbox, and may be missing.
#[tokio::test]
async fn maildir_sent_as_is_found_in_the_outbox() {
    let (_folder, mut maildir) = maildir();
    let mail = b"Message-ID: <draft_1@me.test>\r\nX-Platinum-Draft: draft_1\r\n\r\nYes\r\n";
    let queued = maildir.in_folder("Outbox", |folder| folder.deliver_as("1.platinum", mail));
    queued.await.unwrap();
    let mut folders = async |edit: fn(&mut Query)| {
        let mut query = Query {
            limit: 10,
            ..Query::default()
        };
        edit(&mut query);
        let found = maildir.search(&query).await.unwrap();
        let folders = found.into_iter().map(|hit| hit.folder);
        folders.collect::<Vec<_>>()
    };
    let sent_as = |q: &mut Query| q.sent_as = Some("draft_1".into());
    assert_eq!(folders(sent_as).await, ["Outbox"]);
    let other = |q: &mut Query| q.sent_as = Some("draft_2".into());
    assert!(folders(other).await.is_empty());
    // Nothing else looks there.
    let by_id = |q: &mut Query| q.message_id = Some("draft_1@me.test".into());
    assert!(folders(by_id).await.is_empty());
}

#[test]
fn other_folder_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = Maildir::open(folder.path()).unwrap_err().to_string();
    assert!(refusal.contains("mkdir -p"), "{refusal}");
}

#[tokio::test]
async fn maildir_draft_is_saved_once_and_edits_stay() {
    let (folder, mut maildir) = maildir();
    let draft = b"Message-ID: <d@x.test>\r\nSubject: s\r\n\r\nfirst\r\n";
    maildir.save_draft("d@x.test", None, draft).await.unwrap();
    maildir.save_draft("d@x.test", None, draft).await.unwrap();
    let cur = folder.path().join(".Drafts/cur");
    let names = || {
        std::fs::read_dir(&cur)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect::<Vec<_>>()
    };
    assert_eq!(names().len(), 1);
    let edited = "Message-ID: <d@x.test>\r\nSubject: s\r\n\r\nmine\r\n";
    std::fs::remove_file(&names()[0]).unwrap();
    std::fs::write(cur.join("1.elsewhere:2,DS"), edited).unwrap();
    maildir.save_draft("d@x.test", None, draft).await.unwrap();
    assert_eq!(names(), [cur.join("1.elsewhere:2,DS")]);
    maildir.save_draft("e@x.test", None, draft).await.unwrap();
    assert_eq!(names().len(), 2);
}

#[tokio::test]
async fn maildir_answered_flag_is_read() {
    let (folder, mut maildir) = maildir();
    put(folder.path(), "cur/1.a:2,RS", "one");
    put(folder.path(), "cur/2.b:2,S", "two");
    put(folder.path(), "new/3.R", "three");
    let new = maildir
        .poll_new(&Cursor::default(), 9, &|_: &str| false)
        .await
        .unwrap();
    let mut answered: Vec<_> = new
        .mails
        .iter()
        .map(|mail| (mail.key.as_str(), mail.answered))
        .collect();
    answered.sort_unstable();
    assert_eq!(answered, [("1.a", true), ("2.b", false), ("3.R", false)]);
}

/// A newer draft of the same takes the place of the one before; others, and the owner's own, stay.
#[tokio::test]
async fn maildir_draft_of_the_same_is_replaced() {
    let (folder, mut maildir) = maildir();
    let draft = |id: &str, of: &str| {
        format!("Message-ID: <{id}@x>\r\nX-Platinum-Draft: {of}\r\n\r\n{id}\r\n")
    };
    for (id, of) in [("a", "task_1"), ("b", "task_2"), ("c", "task_1")] {
        let name = format!("{id}@x");
        maildir
            .save_draft(&name, Some(of), draft(id, of).as_bytes())
            .await
            .unwrap();
    }
    put(folder.path(), ".Drafts/cur/own:2,D", "mine");
    let texts = || {
        let files = std::fs::read_dir(folder.path().join(".Drafts/cur")).unwrap();
        let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let mut last: Vec<String> = texts
            .map(|text| text.trim_end().rsplit('\n').next().unwrap().to_owned())
            .collect();
        last.sort();
        last
    };
    assert_eq!(texts(), ["Hello mine", "b", "c"]);
    assert_eq!(maildir.remove_drafts("task_1").await.unwrap(), 1);
    assert_eq!(maildir.remove_drafts("task_1").await.unwrap(), 0);
    assert_eq!(texts(), ["Hello mine", "b"]);
}
