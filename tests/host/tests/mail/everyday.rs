//! What everyday mail has besides its text: files, and further addresses of the owner.

use std::{fs, path::PathBuf};

use platinum_core::text::bare_address;
use platinum_testkit::{
    mail::{CLIENT, OWNER},
    notes::fill_gaps,
    wait_for,
};
use platinum_vault::note::DraftNote;

use crate::{
    gate::{
        MAIL,
        cluster::{Cluster, SOON},
    },
    threads::name_of,
};

/// A mail of Clara's with the same file twice, one that could run, and one with a path for a name.
fn mail_with_files() -> String {
    let (head, text) = MAIL.split_once("\r\n\r\n").unwrap();
    let head = head.split("MIME-Version").next().unwrap();
    let file = |name: &str, base64: &str| {
        format!(
            "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{base64}\r\n"
        )
    };
    // In more than one piece, and more than is read of a mail otherwise.
    let large = vec!["QUJD".repeat(19); 60_000];
    format!(
        "{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}{}{}{}{}--b--\r\n",
        file("plan.pdf", "JVBERi0xLjQ="),
        file("copy of plan.pdf", "JVBERi0xLjQ="),
        file("../../run.sh", "IyEvYmluL3NoCg=="),
        file("PLAN.PDF", &large.join("\r\n")),
    )
}

/// The files in the owner's `Mail_Attachments/`, as they are called.
fn saved(cluster: &Cluster) -> Vec<PathBuf> {
    let folders = fs::read_dir(cluster.vault("local").join("Mail_Attachments"));
    let folders = folders.into_iter().flatten().flatten();
    let files = folders.filter_map(|folder| fs::read_dir(folder.path()).ok());
    let mut files: Vec<PathBuf> = files.flatten().flatten().map(|file| file.path()).collect();
    files.sort();
    files
}

fn wait_for_note(cluster: &Cluster, words: &str) -> String {
    let note = wait_for(words, SOON, || {
        let note = saved(cluster)
            .into_iter()
            .find(|path| name_of(path) == "Attachments.md");
        let text = note.map(|path| fs::read_to_string(path).unwrap_or_default());
        Ok(text.filter(|text| text.contains(words)))
    });
    note.unwrap_or_else(|error| {
        let log = fs::read_to_string(cluster.log("local"));
        panic!("{error}\n{:?}\n{log:?}", saved(cluster))
    })
}

/// A mailbox that is away is said in the note, stops nothing, and is asked again; the files stay on the owner's machine,
/// and go when the task is done.
#[test]
fn files_of_a_mail_are_beside_its_draft_on_this_machine_alone() {
    let mut cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    cluster
        .mail
        .deliver(OWNER, mail_with_files().as_bytes())
        .unwrap();
    wait_for("the draft on the remote", SOON, || {
        Ok((!cluster.on_remote("Pending_Approval").is_empty()).then_some(()))
    })
    .unwrap();
    cluster.mail.stop_imap();
    let _local = cluster.local();
    let draft = cluster.wait_for_draft();
    wait_for_note(&cluster, "It is tried again.");
    cluster.mail.resume_imap().unwrap();
    let note = wait_for_note(&cluster, "plan.pdf|plan.pdf]]");

    let text = fs::read_to_string(&draft).unwrap();
    let task = DraftNote::parse(&text).unwrap().task;
    let link =
        format!("> **Files:** [[Mail_Attachments/{task}/Attachments|saved on your machine]]");
    assert!(text.contains(&link), "{text}");
    let names: Vec<String> = saved(&cluster).iter().map(|path| name_of(path)).collect();
    assert_eq!(
        names,
        ["Attachments.md", "PLAN (2).PDF", "plan.pdf", "run.sh.bin"],
        "{note}"
    );
    let pdf = saved(&cluster).remove(2);
    assert_eq!(fs::read(&pdf).unwrap(), b"%PDF-1.4");
    let large = fs::read(saved(&cluster).remove(1)).unwrap();
    assert!(large == b"ABC".repeat(19 * 60_000), "{} bytes", large.len());
    assert_eq!(note.matches("/plan.pdf|plan.pdf]]").count(), 2, "{note}");
    assert!(!cluster.vault("cloud").join("Mail_Attachments").exists());

    fs::write(&draft, fill_gaps(&text)).unwrap();
    let id = draft.file_stem().unwrap().to_str().unwrap();
    cluster.platinum(&["approve", id]);
    wait_for("the files gone with the task", SOON, || {
        Ok(saved(&cluster).is_empty().then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {:?}", saved(&cluster)));
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1);
    assert!(cluster.on_remote("Mail_Attachments").is_empty());
}

/// What the owner writes from is theirs: no copy of an answer goes there, a mail from there is no task, and `doctor`
/// names it.
#[test]
fn address_of_sent_mails_is_the_owners() {
    let cluster = Cluster::set();
    let sent = |n: u32, headers: &str| {
        let mail =
            format!("Message-ID: <s{n}@club.test>\r\nTo: bob@b.test\r\n{headers}\r\nHi.\r\n");
        cluster
            .mail
            .file(OWNER, "Sent", "S", mail.as_bytes())
            .unwrap();
    };
    // Dovecot makes the mailbox at the first look.
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let moved =
        "From: moved@client.example\r\nReceived: from a by b; Fri, 20 Nov 2026 10:00:00 +0000\r\n";
    for n in 0..2 {
        sent(n, "From: Olga <Olga@club.test>\r\n");
        sent(n + 10, moved);
    }
    let _local = cluster.local();
    let own = MAIL
        .replace("Clara Weiss <client@example.test>", "olga@club.test")
        .replace("<second@", "<own@");
    cluster.mail.deliver(OWNER, own.as_bytes()).unwrap();
    let to_all = MAIL.replace(
        "To: Owner <owner@example.test>",
        "To: olga@club.test\r\nCc: owner@example.test, moved@client.example",
    );
    cluster.mail.deliver(OWNER, to_all.as_bytes()).unwrap();
    let draft = cluster.wait_for_draft();
    let note = DraftNote::parse(&fs::read_to_string(draft).unwrap()).unwrap();
    let mail = note.action.read::<platinum_core::EmailSend>().unwrap();
    let all: Vec<String> = mail
        .to
        .iter()
        .chain(&mail.cc)
        .map(|one| bare_address(one))
        .collect();
    assert_eq!(all, ["client@example.test", "moved@client.example"]);
    cluster.wait_for_line("cloud", "a mail from one of your own addresses is no task");
    cluster.wait_for_line("cloud", "addresses=\"olga@club.test\"");
    let output = cluster.try_platinum(&["doctor"]);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        printed.contains("your own addresses too, as its Sent shows: olga@club.test (write them"),
        "{printed}"
    );
}
