//! Mailboxes and sending on a real Dovecot and a real Postfix, over TLS; and what a submission server may do wrong,
//! played by a scripted one (`scripted/mod.rs`).
//!
//! Where the servers are not installed these tests say so and are skipped; in CI and under xtask they fail.

use std::path::Path;
use std::time::Duration;

use crate::scripted::{Ending, ScriptedServer, Wire};
use platinum_email::filing::file_sent;
use platinum_email::send::SendArguments;
use platinum_email::{Outcome, SendAnswer, Sender};
use platinum_email_draft::MailService;
use platinum_mailbox::mailbox::MAX_MAIL_BYTES;
use platinum_mailbox::{
    Config, Cursor, MailPart, Mailbox, MailboxError, Query, Wake, message, open,
};
use platinum_testkit::mail::{CLIENT, MailServers, MailboxLayout, OWNER, Submission};
use platinum_testkit::wait_for;

const NONE_SEEN: fn(&str) -> bool = |_| false;
const PATIENCE: Duration = Duration::from_secs(20);

/// Dovecot and Postfix, or nothing and a word why.
fn servers() -> Option<MailServers> {
    MailServers::present()
        .unwrap()
        .then(|| MailServers::start().unwrap())
}

fn mailbox(config: &Path) -> Box<dyn Mailbox> {
    let config = Config::load(config).unwrap();
    open(config.accounts.values().next().unwrap()).unwrap()
}

fn mail(subject: &str, text: &str) -> Vec<u8> {
    format!("Message-ID: <{subject}@x.test>\r\nFrom: Ann <ann@x.test>\r\nTo: {OWNER}\r\nSubject: {subject}\r\n\r\n{text}\r\n")
        .into_bytes()
}

fn outgoing(message_id: &str) -> SendArguments {
    let mail = serde_json::json!({
        "from_account": "owner", "to": [format!("Client <{CLIENT}>")], "subject": "Größe", "body": "Hallo,\n.\nbis morgen.\n",
        "in_reply_to": "q@x.test", "references": ["p@x.test", "q@x.test"], "message_id": message_id,
    });
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[account.owner]\naddress = '{OWNER}'\nbackend = 'imap'\nhost = 'h'\nuser = 'u'\npassword = {{ env = 'P' }}\n"
    );
    let service = MailService::open(Config::parse(&config, folder.path()).unwrap()).unwrap();
    let composed = service.compose(&serde_json::from_value(mail.clone()).unwrap());
    let approved = composed.unwrap().digest().unwrap();
    serde_json::from_value(serde_json::json!({ "mail": mail, "approved": approved })).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_new_mail_is_returned_once_and_stays_unread() {
    let Some(servers) = servers() else { return };
    let mut inbox = mailbox(&servers.config("owner", Submission::None).unwrap());
    let empty = inbox
        .poll_new(&Cursor::default(), 10, &NONE_SEEN)
        .await
        .unwrap();
    assert!(empty.mails.is_empty() && empty.cursor.uid_validity > 0);
    servers.deliver(OWNER, &mail("one", "first")).unwrap();
    let large = mail("two", &"0123456789abcde\r\n".repeat(300_000));
    servers.deliver(OWNER, &large).unwrap();
    let first = inbox.poll_new(&empty.cursor, 1, &NONE_SEEN).await.unwrap();
    assert!(first.more && first.mails.len() == 1);
    assert_eq!(
        message::parse(&first.mails[0].bytes).message_id.as_deref(),
        Some("one@x.test")
    );
    assert!(first.mails[0].internal_date.is_some() && !first.mails[0].truncated);
    let second = inbox.poll_new(&first.cursor, 10, &NONE_SEEN).await.unwrap();
    let [two] = second.mails.as_slice() else {
        panic!("one mail expected")
    };
    assert!(
        two.truncated && two.bytes.len() as u64 == MAX_MAIL_BYTES && two.size > large.len() as u64
    );
    let nothing = inbox
        .poll_new(&second.cursor, 10, &NONE_SEEN)
        .await
        .unwrap();
    assert!(nothing.mails.is_empty() && nothing.cursor == second.cursor);
    let again = inbox
        .poll_new(&Cursor::default(), 10, &|key: &str| key == two.key)
        .await
        .unwrap();
    assert_eq!(again.mails.len(), 1);
    assert_eq!(inbox.keys().await.unwrap().len(), 2);
    assert_eq!(inbox.cursor_at_end().await.unwrap(), second.cursor);
    let read = std::fs::read_dir(servers.maildir(OWNER).join("cur")).unwrap();
    assert!(
        read.into_iter()
            .all(|file| !file.unwrap().file_name().to_str().unwrap().ends_with('S'))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_answered_flag_is_read() {
    let Some(servers) = servers() else { return };
    let mut inbox = mailbox(&servers.config("owner", Submission::None).unwrap());
    servers.deliver(OWNER, &mail("one", "x")).unwrap();
    servers.deliver(OWNER, &mail("two", "x")).unwrap();
    let maildir = servers.maildir(OWNER);
    let files = std::fs::read_dir(maildir.join("new")).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    let marked = format!("{}:2,RS", names[0].to_str().unwrap());
    std::fs::rename(
        maildir.join("new").join(&names[0]),
        maildir.join("cur").join(marked),
    )
    .unwrap();
    let new = inbox
        .poll_new(&Cursor::default(), 10, &NONE_SEEN)
        .await
        .unwrap();
    let answered = new.mails.iter().filter(|mail| mail.answered).count();
    assert_eq!((new.mails.len(), answered), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_wait_is_woken_and_survives_a_restart() {
    let Some(mut servers) = servers() else { return };
    let wire = Wire::start(servers.imap_port()).await;
    let config = servers.config("owner", Submission::None).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let (direct, through) = (
        format!("port = {}", servers.imap_port()),
        format!("port = {}", wire.port),
    );
    std::fs::write(&config, text.replace(&direct, &through)).unwrap();
    let mut inbox = mailbox(&config);
    let mut cursor = inbox
        .poll_new(&Cursor::default(), 10, &NONE_SEEN)
        .await
        .unwrap()
        .cursor;
    assert_eq!(
        inbox.wait(Duration::from_millis(300)).await.unwrap(),
        Wake::TimedOut
    );
    // Between the poll and the wait: it is not announced any more.
    servers.deliver(OWNER, &mail("one", "x")).unwrap();
    assert_eq!(inbox.wait(PATIENCE).await.unwrap(), Wake::Changed);
    cursor = inbox
        .poll_new(&cursor, 10, &NONE_SEEN)
        .await
        .unwrap()
        .cursor;
    // During the wait.
    let (wake, ()) = tokio::join!(inbox.wait(PATIENCE), async {
        tokio::task::block_in_place(|| servers.deliver(OWNER, &mail("two", "x")).unwrap());
    });
    assert_eq!(wake.unwrap(), Wake::Changed);
    let new = inbox.poll_new(&cursor, 10, &NONE_SEEN).await.unwrap();
    assert_eq!(new.mails.len(), 1);
    // A dead connection that was not noticed yet costs nothing.
    wire.cut();
    assert!(
        inbox
            .poll_new(&new.cursor, 10, &NONE_SEEN)
            .await
            .unwrap()
            .mails
            .is_empty()
    );
    wire.cut();
    servers.stop_imap();
    let lost = inbox
        .poll_new(&new.cursor, 10, &NONE_SEEN)
        .await
        .unwrap_err();
    assert!(lost.is_passing(), "{lost}");
    servers.forget_uids(OWNER).unwrap();
    servers.resume_imap().unwrap();
    let renumbered = inbox.poll_new(&new.cursor, 10, &NONE_SEEN).await.unwrap();
    assert_eq!(
        renumbered.mails.len(),
        2,
        "a new UIDVALIDITY answers everything again"
    );
    assert_ne!(renumbered.cursor.uid_validity, new.cursor.uid_validity);
}

#[tokio::test(flavor = "multi_thread")]
async fn imap_drafts_are_saved_and_found() {
    let Some(servers) = servers() else { return };
    let mut inbox = mailbox(&servers.config("owner", Submission::None).unwrap());
    servers
        .deliver(OWNER, &mail("invoice", "The total is 100 €"))
        .unwrap();
    let reply = b"Message-ID: <d@me.test>\r\nIn-Reply-To: <invoice@x.test>\r\nSubject: Re: invoice\r\n\r\nSoon\r\n";
    for _ in 0..2 {
        let folder = inbox.save_draft("d@me.test", None, reply).await.unwrap();
        assert_eq!(folder, "Drafts");
    }
    assert_eq!(
        file_sent(
            &mut *inbox,
            b"Message-ID: <s@me.test>\r\nReferences: <invoice@x.test>\r\n\r\nDone\r\n"
        )
        .await
        .unwrap(),
        "Sent"
    );
    assert_eq!(
        servers.folder(OWNER, "Drafts").unwrap(),
        [String::from_utf8(reply.to_vec())
            .unwrap()
            .replace("\r\n", "\n")
            .into_bytes()]
    );
    let found = async |inbox: &mut Box<dyn Mailbox>, query: Query| {
        let found = inbox.search(&Query { limit: 10, ..query }).await.unwrap();
        found
            .into_iter()
            .map(|found| found.folder)
            .collect::<Vec<_>>()
    };
    let by = Query::default;
    assert_eq!(
        found(
            &mut inbox,
            Query {
                message_id: Some("d@me.test".into()),
                ..by()
            }
        )
        .await,
        ["Drafts"]
    );
    assert_eq!(
        found(
            &mut inbox,
            Query {
                text: Some("100 €".into()),
                ..by()
            }
        )
        .await,
        ["INBOX"]
    );
    assert_eq!(
        found(
            &mut inbox,
            Query {
                sender: Some("ANN".into()),
                ..by()
            }
        )
        .await,
        ["INBOX"]
    );
    assert_eq!(
        found(
            &mut inbox,
            Query {
                thread: vec!["invoice@x.test".into()],
                ..by()
            }
        )
        .await
        .len(),
        2
    );
    assert!(
        found(
            &mut inbox,
            Query {
                text: Some("x\" DELETED".into()),
                ..by()
            }
        )
        .await
        .is_empty()
    );
    let nowhere = inbox
        .search(&Query {
            folder: Some("Nowhere".into()),
            limit: 1,
            ..by()
        })
        .await;
    assert!(matches!(nowhere, Err(MailboxError::NoFolder(_))));
}

/// Of a long list of recipients no half of an address is read.
#[tokio::test(flavor = "multi_thread")]
async fn imap_people_are_read_without_their_mails() {
    let Some(servers) = servers() else { return };
    let mut inbox = mailbox(&servers.config("owner", Submission::None).unwrap());
    let everybody: Vec<String> = (0..500)
        .map(|n| format!("Person {n} <p{n}@people.test>"))
        .collect();
    let text = "x".repeat(100_000);
    for (id, to) in [
        ("a", everybody.join(",\r\n ").as_str()),
        ("b", "\"Miller, Jane\" <jane@a.test>"),
    ] {
        let mail = format!("Message-ID: <{id}@me.test>\r\nTo: {to}\r\n\r\nHi,\r\n{text}\r\n");
        file_sent(&mut *inbox, mail.as_bytes()).await.unwrap();
    }
    let found = async |inbox: &mut Box<dyn Mailbox>, part, recipient: Option<&str>| {
        let query = Query {
            is_sent: true,
            recipient: recipient.map(str::to_owned),
            part,
            limit: 50,
            ..Query::default()
        };
        let found = inbox.search(&query).await.unwrap();
        let mails = found.into_iter().map(|hit| hit.mail);
        mails.collect::<Vec<_>>()
    };
    let people = found(&mut inbox, MailPart::People, None).await;
    assert_eq!(people.len(), 2);
    for mail in people {
        let parsed = message::parse(&mail.bytes);
        assert!(parsed.text.trim().is_empty() && mail.bytes.len() <= 8 * 1024);
        let mut to = parsed.to.listed.iter();
        assert!(
            to.all(|one| { one.address == "jane@a.test" || one.address.ends_with("@people.test") })
        );
    }
    let jane = found(&mut inbox, MailPart::Beginning, Some("miller")).await;
    assert_eq!((jane.len(), jane[0].bytes.len()), (1, 64 * 1024));
    assert!(
        message::parse_cut(&jane[0].bytes, true)
            .text
            .starts_with("Hi,")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_mail_arrives_as_the_filed_bytes() {
    let Some(servers) = servers() else { return };
    for (number, submission) in [Submission::Tls, Submission::StartTls]
        .into_iter()
        .enumerate()
    {
        let sender =
            Sender::open(Config::load(&servers.config("owner", submission).unwrap()).unwrap())
                .unwrap();
        let answer = sender
            .send(&outgoing(&format!("s{number}@example.test")))
            .await
            .unwrap();
        assert_eq!(
            (answer.outcome, answer.sent_copy.as_str()),
            (Outcome::Sent, "filed"),
            "{answer:?} {}",
            servers.logs()
        );
        assert!(answer.answer.starts_with("250"), "{answer:?}");
        // By its id: files of one second are in no order.
        let id = Some(format!("s{number}@example.test"));
        let mut is_it = |mail: &Vec<u8>| message::parse(mail).message_id == id;
        let arrived = wait_for("the mail", PATIENCE, || {
            Ok(servers.mailbox(CLIENT)?.into_iter().find(&mut is_it))
        })
        .unwrap();
        let sent = servers.folder(OWNER, "Sent").unwrap();
        let filed = sent.into_iter().find(&mut is_it).unwrap();
        assert!(
            arrived.ends_with(&filed),
            "{}",
            String::from_utf8_lossy(&arrived)
        );
        let read = message::parse(&arrived);
        assert_eq!(read.message_id, Some(format!("s{number}@example.test")));
        assert_eq!(
            (read.subject.as_str(), read.text.as_str()),
            ("Größe", "Hallo,\n.\nbis morgen.\n")
        );
        assert_eq!(
            (read.in_reply_to, read.references.len()),
            (vec!["q@x.test".to_owned()], 2)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_password_and_unknown_ca_are_named() {
    let Some(servers) = servers() else { return };
    let path = servers.config_toml("owner").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let edited = |from: &str, to: &str| {
        let file = path.with_file_name("edited.toml");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        Config::load(&file).unwrap()
    };
    let wrong = edited("user = \"owner@", "user = \"nobody@");
    let refusal = open(&wrong.accounts["owner"])
        .unwrap()
        .keys()
        .await
        .unwrap_err();
    assert!(matches!(refusal, MailboxError::Login { .. }), "{refusal}");
    let answer = Sender::open(wrong)
        .unwrap()
        .send(&outgoing("w@example.test"))
        .await
        .unwrap();
    assert_eq!(
        (answer.outcome, answer.retry),
        (Outcome::NotSent, true),
        "{answer:?}"
    );
    let ca = format!("ca-file = {:?}\n", servers.ca_path());
    let refusal = open(&edited(&ca, "").accounts["owner"])
        .unwrap()
        .keys()
        .await
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("ca-file"), "{refusal}");
}

async fn send_to(ending: Ending) -> Option<SendAnswer> {
    if !MailServers::present().unwrap() {
        return None;
    }
    let servers = MailServers::start_imap().unwrap();
    let tls = servers.ca_path().parent().unwrap().to_path_buf();
    let scripted = ScriptedServer::start(&tls, ending).await;
    let config = servers.config_toml("owner").unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace(
        &format!("port = {}\nsecurity", servers.smtps_port()),
        &format!("port = {}\nsecurity", scripted.port),
    );
    std::fs::write(&config, text).unwrap();
    let sender = Sender::open(Config::load(&config).unwrap()).unwrap();
    let answer = sender.send(&outgoing("f@example.test")).await.unwrap();
    assert_eq!(scripted.connections(), 1, "one call is one attempt");
    let filed = servers.folder(OWNER, "Sent").unwrap().len();
    assert_eq!(filed, usize::from(answer.outcome == Outcome::Sent));
    Some(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_endings_map_to_their_outcomes() {
    for (ending, outcome, retry) in [
        (Ending::Accepted, Outcome::Sent, false),
        (
            Ending::RecipientRefused("450 4.2.1 busy"),
            Outcome::NotSent,
            true,
        ),
        (
            Ending::RecipientRefused("550 5.1.1 no such user"),
            Outcome::NotSent,
            false,
        ),
        (Ending::LostBeforeData, Outcome::NotSent, true),
        (
            Ending::MessageRefused("451 4.3.0 later"),
            Outcome::NotSent,
            true,
        ),
        (
            Ending::MessageRefused("554 5.7.1 spam"),
            Outcome::NotSent,
            false,
        ),
        (Ending::LostAfterMessage, Outcome::Unknown, false),
        (Ending::MessageRefused("what?"), Outcome::Unknown, false),
    ] {
        let Some(answer) = send_to(ending).await else {
            return;
        };
        assert_eq!(
            (answer.outcome, answer.retry),
            (outcome, retry),
            "{ending:?}: {answer:?}"
        );
    }
}

/// A preparation is one connection, hands nothing over, and is used once.
#[tokio::test(flavor = "multi_thread")]
async fn preparation_sends_nothing_and_is_used_once() {
    if !MailServers::present().unwrap() {
        return;
    }
    let servers = MailServers::start_imap().unwrap();
    let tls = servers.ca_path().parent().unwrap().to_path_buf();
    let prepared_on = async |ending| {
        let scripted = ScriptedServer::start(&tls, ending).await;
        let config = servers.config_toml("owner").unwrap();
        let text = std::fs::read_to_string(&config).unwrap();
        let text = text.replace(
            &format!("port = {}\nsecurity", servers.smtps_port()),
            &format!("port = {}\nsecurity", scripted.port),
        );
        std::fs::write(&config, text).unwrap();
        let sender = Sender::open(Config::load(&config).unwrap()).unwrap();
        let answer = sender.prepare(&outgoing("p@example.test")).await.unwrap();
        (scripted, sender, answer)
    };
    let (scripted, sender, answer) = prepared_on(Ending::Accepted).await;
    assert!(answer.ready, "{answer:?}");
    assert!(servers.folder(OWNER, "Sent").unwrap().is_empty());
    let sent = sender.send(&outgoing("p@example.test")).await.unwrap();
    assert_eq!((sent.outcome, scripted.connections()), (Outcome::Sent, 1));
    sender.send(&outgoing("p@example.test")).await.unwrap();
    assert_eq!(scripted.connections(), 2);
    // Another mail does not leave on it.
    sender.prepare(&outgoing("p@example.test")).await.unwrap();
    sender.send(&outgoing("q@example.test")).await.unwrap();
    assert_eq!(scripted.connections(), 4);

    let refused = Ending::RecipientRefused("550 5.1.1 no such user");
    let (_, _, answer) = prepared_on(refused).await;
    assert!(!answer.ready && !answer.retry, "{answer:?}");
    assert!(answer.answer.contains("550"), "{answer:?}");
    let (scripted, sender, answer) = prepared_on(Ending::LostBeforeData).await;
    assert!(answer.ready);
    let lost = sender.send(&outgoing("p@example.test")).await.unwrap();
    assert_eq!((lost.outcome, lost.retry), (Outcome::NotSent, true));
    assert_eq!(scripted.connections(), 1);
}

/// The folder of sent mails is found by its special use, and a mail in it by its draft's id too.
#[tokio::test(flavor = "multi_thread")]
async fn sent_mail_is_found_in_the_special_folder_by_either_name() {
    if !MailServers::present().unwrap() {
        return;
    }
    let servers = MailServers::start_imap_with(MailboxLayout {
        sent: "Outgoing post",
        ..MailboxLayout::default()
    })
    .unwrap();
    let config = servers.config_toml("owner").unwrap();
    let mut mailbox = mailbox(&config);
    let asked = |draft: &str| Query {
        sent_as: Some(draft.to_owned()),
        limit: 5,
        ..Query::default()
    };
    // No mail was ever sent: nothing is found, and that is no error.
    assert!(mailbox.search(&asked("draft_1")).await.unwrap().is_empty());
    let mut imap = mailbox;
    let imap: &mut dyn std::any::Any = &mut *imap;
    let imap: &mut platinum_mailbox::imap::Imap = imap.downcast_mut().unwrap();
    let folder = imap.sent_folder().await.unwrap();
    assert_eq!(folder, "Outgoing post");
    for (id, draft) in [
        ("draft_1@example.test", "draft_1"),
        ("0102@ses.test", "draft_2"),
        ("draft_3.2@example.test", ""),
    ] {
        let header = match draft {
            "" => String::new(),
            draft => format!("X-Platinum-Draft: {draft}\r\n"),
        };
        let mail =
            format!("Message-ID: <{id}>\r\nFrom: {OWNER}\r\nTo: {CLIENT}\r\n{header}\r\nHi\r\n");
        imap.append(&folder, "(\\Seen)", mail.as_bytes())
            .await
            .unwrap();
    }
    // What lies elsewhere was not sent.
    let inbox = "Message-ID: <draft_4@example.test>\r\nX-Platinum-Draft: draft_4\r\n\r\nHi\r\n";
    servers.deliver(OWNER, inbox.as_bytes()).unwrap();
    for (draft, found) in [
        ("draft_1", 1),
        ("draft_2", 1),
        ("draft_3", 1),
        ("draft_4", 0),
    ] {
        assert_eq!(
            imap.search(&asked(draft)).await.unwrap().len(),
            found,
            "{draft}"
        );
    }
}
