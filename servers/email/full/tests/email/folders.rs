//! Mailboxes as they are laid out elsewhere: below `INBOX.`, with German names, with letters beyond ASCII in what is
//! searched for; and large ones, on a real Dovecot.

use std::path::Path;
use std::time::{Duration, Instant};

use platinum_email::filing::file_sent;
use platinum_mailbox::message::parse_with_files;
use platinum_mailbox::own_addresses::learn_from_sent;
use platinum_mailbox::{Config, Cursor, MailPart, Mailbox, Query, open};
use platinum_testkit::mail::{MailServers, MailboxLayout, OWNER, Submission};
use platinum_testkit::wait_for;

use crate::scripted::Wire;

const NONE_SEEN: fn(&str) -> bool = |_| false;

fn servers(layout: MailboxLayout<'_>) -> Option<MailServers> {
    MailServers::present()
        .unwrap()
        .then(|| MailServers::start_imap_with(layout).unwrap())
}

fn mailbox(config: &Path) -> Box<dyn Mailbox> {
    let config = Config::load(config).unwrap();
    open(config.accounts.values().next().unwrap()).unwrap()
}

fn reading(servers: &MailServers) -> Box<dyn Mailbox> {
    mailbox(&servers.config("owner", Submission::None).unwrap())
}

fn mail(id: &str, from: &str, text: &str) -> Vec<u8> {
    format!(
        "Message-ID: <{id}@x.test>\r\nFrom: {from}\r\nTo: {OWNER}\r\nSubject: s\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

fn in_folder(folder: &str) -> Query {
    Query {
        folder: Some(folder.to_owned()),
        limit: 5,
        ..Query::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_are_made_below_the_accounts_namespace() {
    let layout = MailboxLayout {
        prefix: "INBOX.",
        drafts: "Papers",
        sent: "Papers.Old",
        names_uses: false,
        ..MailboxLayout::default()
    };
    let Some(servers) = servers(layout) else {
        return;
    };
    let mut inbox = reading(&servers);
    let draft = mail("d", OWNER, "draft");
    for _ in 0..2 {
        let folder = inbox.save_draft("d@x.test", None, &draft).await.unwrap();
        assert_eq!(folder, "INBOX.Drafts");
    }
    assert_eq!(servers.folder(OWNER, "Drafts").unwrap().len(), 1);
    let sent = mail("s", OWNER, "sent");
    assert_eq!(file_sent(&mut *inbox, &sent).await.unwrap(), "INBOX.Sent");
    // By its whole name, and by the one that a person uses.
    for name in ["INBOX.Sent", "Sent"] {
        let found = inbox.search(&in_folder(name)).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].folder, "INBOX.Sent");
    }
    let none = inbox.search(&in_folder("Nothing")).await.unwrap_err();
    assert_eq!(
        none.to_string(),
        "there is no folder \"Nothing\" in this mailbox"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn german_folders_are_known_by_their_names() {
    let layout = MailboxLayout {
        drafts: "Entwürfe",
        sent: "Gesendete Elemente",
        names_uses: false,
        ..MailboxLayout::default()
    };
    let Some(servers) = servers(layout) else {
        return;
    };
    let mut inbox = reading(&servers);
    let draft = mail("d", OWNER, "draft");
    assert_eq!(
        inbox.save_draft("d@x.test", None, &draft).await.unwrap(),
        "Entwürfe"
    );
    let sent = mail("s", OWNER, "sent");
    file_sent(&mut *inbox, &sent).await.unwrap();
    for (wire, name) in [
        ("Entw&APw-rfe", "Entwürfe"),
        ("Gesendete Elemente", "Gesendete Elemente"),
    ] {
        assert_eq!(servers.folder(OWNER, wire).unwrap().len(), 1, "{wire}");
        let found = inbox.search(&in_folder(name)).await.unwrap();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].folder, name);
    }
    for made in ["Drafts", "Sent"] {
        assert!(!servers.maildir(OWNER).join(format!(".{made}")).exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_letters_beyond_ascii_and_long_threads() {
    let Some(servers) = servers(MailboxLayout::default()) else {
        return;
    };
    let mut inbox = reading(&servers);
    let found = "=?utf-8?q?J=C3=B6rg?= <joerg@x.test>";
    servers
        .deliver(OWNER, &mail("one", found, "Schöne Grüße aus 東京"))
        .unwrap();
    servers
        .deliver(OWNER, &mail("two", "Ann <ann@x.test>", "Greetings"))
        .unwrap();
    let mut count = async |edit: &dyn Fn(&mut Query)| {
        let mut query = Query {
            limit: 5,
            ..Query::default()
        };
        edit(&mut query);
        inbox.search(&query).await.unwrap().len()
    };
    assert_eq!(count(&|q| q.text = Some("Grüße".to_owned())).await, 1);
    assert_eq!(count(&|q| q.text = Some("東京".to_owned())).await, 1);
    assert_eq!(count(&|q| q.text = Some("Grüsse".to_owned())).await, 0);
    assert_eq!(count(&|q| q.sender = Some("Jörg".to_owned())).await, 1);
    let both = |q: &mut Query| {
        q.sender = Some("Jörg".to_owned());
        q.text = Some("Schöne".to_owned());
    };
    assert_eq!(count(&both).await, 1);
    let thread = |q: &mut Query| {
        q.thread = (0..48).map(|n| format!("{n:0>280}@y.test")).collect();
        q.thread
            .extend(["one@x.test".to_owned(), "two@x.test".to_owned()]);
    };
    assert_eq!(count(&thread).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_leads_into_the_mailbox() {
    let Some(servers) = servers(MailboxLayout::default()) else {
        return;
    };
    servers
        .deliver(OWNER, &mail("one", "a@x.test", "x"))
        .unwrap();
    let config = servers.config("owner", Submission::None).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let starttls = format!(
        "port = {}\nsecurity = \"starttls\"",
        servers.starttls_imap_port()
    );
    let text = text.replace(&format!("port = {}", servers.imap_port()), &starttls);
    std::fs::write(&config, text).unwrap();
    let mut inbox = mailbox(&config);
    let new = inbox.poll_new(&Cursor::default(), 5, &NONE_SEEN).await;
    assert_eq!(new.unwrap().mails.len(), 1);
}

/// What a session costs: opening, looking, waiting and asking for the newest mails.
struct Cost {
    /// On the wire, in both directions.
    bytes: u64,
    /// Until the mailbox is open.
    opened: Duration,
    /// What the process took more at its peak than before.
    kilobytes: u64,
}

/// A number of kilobytes that the system has of this process.
fn kilobytes(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().split_whitespace().next();
    number.unwrap().parse().unwrap()
}

async fn cost_of_a_session(servers: &MailServers) -> Cost {
    let wire = Wire::start(servers.imap_port()).await;
    let config = servers.config("owner", Submission::None).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let direct = format!("port = {}", servers.imap_port());
    std::fs::write(
        &config,
        text.replace(&direct, &format!("port = {}", wire.port)),
    )
    .unwrap();
    // The peak is what it is now.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = kilobytes("VmRSS:");
    let began = Instant::now();
    let mut inbox = mailbox(&config);
    let cursor = inbox.cursor_at_end().await.unwrap();
    let opened = began.elapsed();
    let new = inbox.poll_new(&cursor, 20, &NONE_SEEN).await.unwrap();
    assert!(new.mails.is_empty());
    inbox.wait(Duration::from_millis(100)).await.unwrap();
    let query = Query {
        limit: 10,
        folder: Some("INBOX".to_owned()),
        ..Query::default()
    };
    assert_eq!(inbox.search(&query).await.unwrap().len(), 10);
    drop(inbox);
    let kilobytes = kilobytes("VmHWM:").saturating_sub(before);
    let bytes = tokio::task::block_in_place(|| {
        wait_for("the connection to end", Duration::from_secs(10), || {
            Ok(Some(wire.bytes()).filter(|bytes| *bytes > 0))
        })
        .unwrap()
    });
    Cost {
        bytes,
        opened,
        kilobytes,
    }
}

/// The quickest of three: what the first one of a process loads is not of this mailbox.
async fn least_cost_of_a_session(servers: &MailServers) -> Cost {
    let first = cost_of_a_session(servers).await;
    let second = cost_of_a_session(servers).await;
    let third = cost_of_a_session(servers).await;
    let costs = [first, second, third];
    costs.into_iter().min_by_key(|cost| cost.opened).unwrap()
}

/// What a mailbox costs does not grow with the mails that are in it.
async fn cost_stays_with(mails: u32) {
    let Some(servers) = servers(MailboxLayout::default()) else {
        return;
    };
    let cur = servers.maildir(OWNER).join("cur");
    // Dovecot makes the folders when it is first asked.
    reading(&servers).keys().await.unwrap();
    // Names that differ at their end: of others Dovecot's table of names makes one long list, and takes minutes.
    let path = |number: u32| cur.join(format!("1700000000.host.{number}:2,"));
    let fill = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            // ext4 allows 65 000 links to a file.
            let first = path(number / 60_000 * 60_000);
            if first.exists() {
                std::fs::hard_link(first, path(number)).unwrap();
                continue;
            }
            std::fs::write(&first, mail("one", "a@x.test", "x")).unwrap();
            std::os::unix::fs::chown(first, owner_of(&cur), None).unwrap();
        }
    };
    fill(0..100);
    let small = least_cost_of_a_session(&servers).await;
    fill(100..mails);
    // Its first look at them is Dovecot's own affair, and takes as long as it takes.
    tokio::task::block_in_place(|| servers.index(OWNER).unwrap());
    let large = least_cost_of_a_session(&servers).await;
    for (cost, mails) in [(&small, 100), (&large, mails)] {
        println!(
            "FIGURE: a mailbox of {mails} mails is open after {:.0} ms; a session takes {} bytes, {} kB of memory",
            cost.opened.as_secs_f64() * 1e3,
            cost.bytes,
            cost.kilobytes
        );
    }
    assert!(
        large.bytes < small.bytes + 1024,
        "{} bytes with 100 mails, {} with {mails}",
        small.bytes,
        large.bytes
    );
    let keys = reading(&servers).keys().await.unwrap();
    assert_eq!(keys.len(), mails as usize);
}

#[tokio::test(flavor = "multi_thread")]
async fn mailbox_of_5_000_mails_costs_what_one_of_100_does() {
    cost_stays_with(5_000).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a server takes long to index so many mails: cargo xtask test --full runs it"]
async fn mailbox_of_100_000_mails_costs_what_one_of_100_does() {
    cost_stays_with(100_000).await;
}

fn owner_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(std::fs::metadata(path).unwrap().uid())
}

/// The files of a mail that is longer than what is read of it otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn imap_large_mail_is_read_whole_if_asked() {
    let Some(servers) = servers(MailboxLayout::default()) else {
        return;
    };
    let line = "QUJD".repeat(19);
    let file = format!("{line}\r\n").repeat(150_000);
    let mail = format!(
        "Message-ID: <big@x.test>\r\nFrom: ann@x.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}--b--\r\n"
    );
    servers.deliver(OWNER, mail.as_bytes()).unwrap();
    let mut inbox = reading(&servers);
    let mut query = Query {
        message_id: Some("big@x.test".to_owned()),
        ..in_folder("INBOX")
    };
    assert!(inbox.search(&query).await.unwrap()[0].mail.truncated);
    query.part = MailPart::WithFiles;
    let found = inbox.search(&query).await.unwrap();
    let [hit] = found.as_slice() else {
        panic!("one mail: {}", found.len())
    };
    assert!(!hit.mail.truncated);
    let (_, files) = parse_with_files(&hit.mail.bytes, false, u64::MAX);
    let content = files[0].content.as_ref().unwrap();
    assert!(*content == b"ABC".repeat(19 * 150_000));
    // The connection is as it was.
    query.part = MailPart::Whole;
    assert!(inbox.search(&query).await.unwrap()[0].mail.truncated);
}

/// From the folder of sent mails alone, whatever it is called, and the headers alone.
#[tokio::test(flavor = "multi_thread")]
async fn imap_sent_folder_shows_the_owners_addresses() {
    let layout = MailboxLayout {
        sent: "Gesendet",
        ..MailboxLayout::default()
    };
    let Some(servers) = servers(layout) else {
        return;
    };
    let file = |folder: &str, n: u32, from: &str| {
        let sent = mail(&format!("{folder}{n}"), from, &"x".repeat(100_000));
        servers.file(OWNER, folder, "S", &sent).unwrap();
    };
    for n in 0..3 {
        // At the first Dovecot makes the mailbox.
        let inbox = mail(&format!("in{n}"), "ann@x.test", "x");
        servers.deliver(OWNER, &inbox).unwrap();
        file("Gesendet", n, "Olga <olga@club.test>");
        file("Sent", n, "eve@elsewhere.test");
    }
    file("Gesendet", 10, "once@club.test");
    let path = servers.config("owner", Submission::None).unwrap();
    let mut account = Config::load(&path).unwrap().accounts["owner"].clone();
    let mut mailbox = open(&account).unwrap();
    let learnt = learn_from_sent(&mut *mailbox, &account).await.unwrap();
    assert_eq!(learnt, ["olga@club.test"]);
    account.aliases_from_sent = false;
    let learnt = learn_from_sent(&mut *mailbox, &account).await.unwrap();
    assert_eq!(learnt, [""; 0]);
}
