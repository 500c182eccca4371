//! The main job on real servers: Dovecot over TLS, Postfix, git daemon, both daemons as processes.
//!
//! To read: `offline` cuts the cloud off in the middle of it, `crashes` kills the local half, `audit` changes its log.
//! Lives elsewhere: claims under contention are in `races`, hostile mail in `hostile_mail`.

mod audit;
pub(crate) mod cluster;
mod crashes;
mod markup;
mod newcomer;
mod offline;
mod recipients;
mod refusals;
mod scoped;

use std::{fs, time::Instant};

use cluster::{Cluster, SOON};
use mail_parser::MessageParser;
use platinum_testkit::{
    mail::{CLIENT, OWNER},
    wait_for,
};

pub(crate) const MAIL: &str = "From: Clara Weiss <client@example.test>\r\n\
    To: Owner <owner@example.test>\r\n\
    Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe_des_Raums?=\r\n\
    Date: Fri, 20 Nov 2026 17:42:00 +0100\r\n\
    Message-ID: <second@client.example>\r\n\
    In-Reply-To: <first@client.example>\r\n\
    References: <first@client.example>\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: 8bit\r\n\r\n\
    Hallo,\r\n\r\nwie groß ist der Raum? Und gibt es einen Beamer?\r\n\r\nViele Grüße\r\nClara\r\n";

/// As [`MAIL`], each of a thread of its own.
pub(crate) fn mail_of(number: usize) -> String {
    MAIL.replace("<second@", &format!("<mail-{number}@"))
        .replace("<first@", &format!("<first-{number}@"))
}

/// A mail that came while the owner was away is answered once and only after a yes.
#[test]
fn mail_while_local_is_off_is_answered_once_after_approval() {
    let cluster = Cluster::set();
    // The owner's machine is off. The mail arrives after the watcher had its first look.
    let cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let arrived = Instant::now();
    wait_for("a draft on the remote", SOON, || {
        Ok((!cluster.on_remote("Pending_Approval").is_empty()).then_some(()))
    })
    .unwrap();
    println!(
        "FIGURE: mail arrived -> draft on the remote: {:.2} s",
        arrived.elapsed().as_secs_f32()
    );
    assert!(
        cluster.mail.mailbox(CLIENT).unwrap().is_empty(),
        "nothing was sent by the cloud"
    );

    // It comes back; the owner fills in the gaps and says yes.
    let local = cluster.local();
    let draft = cluster.wait_for_draft();
    let text = fs::read_to_string(&draft).unwrap();
    let filled = platinum_testkit::notes::fill_gaps(&text);
    fs::write(&draft, filled).unwrap();
    let id = draft.file_stem().unwrap().to_str().unwrap();
    cluster.platinum(&["approve", id]);
    let approved = Instant::now();
    let received = wait_for("the answer in the other mailbox", SOON, || {
        Ok(cluster.mail.mailbox(CLIENT)?.into_iter().next())
    })
    .unwrap();
    println!(
        "FIGURE: approval -> in the other mailbox: {:.2} s",
        approved.elapsed().as_secs_f32()
    );

    let mail = MessageParser::default().parse(&received).unwrap();
    assert_eq!(mail.subject(), Some("Re: Größe des Raums"));
    assert_eq!(mail.in_reply_to().as_text(), Some("second@client.example"));
    let references = mail
        .references()
        .clone()
        .into_text_list()
        .unwrap_or_default();
    assert_eq!(
        references,
        ["first@client.example", "second@client.example"]
    );
    assert_eq!(mail.from().unwrap().first().unwrap().address(), Some(OWNER));
    let body = mail.body_text(0).unwrap();
    assert!(body.contains("wie groß ist der Raum?"), "{body}");

    // The task is filed with its receipt, the dashboard tells it, and both reach the remote.
    let done = wait_for("the task in Done/", SOON, || {
        Ok(cluster.notes("local", "Done").into_iter().find(|path| {
            path.file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with("task_"))
        }))
    })
    .unwrap();
    let task = fs::read_to_string(done).unwrap();
    let message_id = mail.message_id().unwrap();
    assert!(
        task.contains(&format!("reference: \"{message_id}\"")),
        "{task}"
    );
    wait_for("the dashboard to tell it", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board.contains("Done: ").then_some(()))
    })
    .unwrap();
    wait_for("Done/ on the remote, Approved/ empty", SOON, || {
        let done = cluster.on_remote("Done").len() == 2;
        Ok((done && cluster.on_remote("Approved").is_empty()).then_some(()))
    })
    .unwrap();
    drop(local);
    drop(cloud);

    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1, "sent once");
    let copies = cluster.mail.folder(OWNER, "Sent").unwrap();
    assert_eq!(copies.len(), 1);
    assert_eq!(
        as_submitted(&copies[0]),
        as_submitted(&received),
        "the copy in Sent is what was sent"
    );
    let authors = cluster
        .remote
        .git(&["log", "--format=%an", "main", "--", "Dashboard.md"])
        .unwrap();
    assert!(authors.lines().all(|author| author == "local"), "{authors}");
}

/// The lines of a mail from its `From:` on: without the headers that servers on its way put in
/// front, and however a server keeps its line ends.
fn as_submitted(mail: &[u8]) -> Vec<String> {
    let text = String::from_utf8(mail.to_vec()).unwrap();
    text.lines()
        .skip_while(|line| !line.starts_with("From:"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn moving_the_file_by_hand_approves_and_a_no_sends_nothing() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let _local = cluster.local();
    for number in 1..=2 {
        let mail = mail_of(number);
        cluster.mail.deliver(OWNER, mail.as_bytes()).unwrap();
    }
    let drafts = wait_for("both drafts in the owner's vault", SOON, || {
        let drafts = cluster.notes("local", "Pending_Approval");
        Ok((drafts.len() == 2).then_some(drafts))
    })
    .unwrap();
    for (draft, folder) in drafts.iter().zip(["Approved", "Rejected"]) {
        let text = fs::read_to_string(draft).unwrap();
        fs::write(draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
        let to = cluster.vault("local").join(folder);
        fs::rename(draft, to.join(draft.file_name().unwrap())).unwrap();
    }
    wait_for("both tasks in Done/", SOON, || {
        let tasks = cluster
            .on_remote("Done")
            .into_iter()
            .filter(|path| path.contains("/task_"))
            .count();
        Ok((tasks == 2).then_some(()))
    })
    .unwrap();
    assert_eq!(
        cluster.mail.mailbox(CLIENT).unwrap().len(),
        1,
        "one yes, one mail"
    );
}

/// A draft that was moved with its gaps open goes back to its owner, who is told why.
#[test]
fn draft_approved_with_open_gaps_goes_back() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let _local = cluster.local();
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let draft = cluster.wait_for_draft();
    let moved = cluster
        .vault("local")
        .join("Approved")
        .join(draft.file_name().unwrap());
    fs::rename(&draft, &moved).unwrap();
    wait_for("the dashboard to say so", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board.contains("still has gaps").then_some(()))
    })
    .unwrap();
    assert!(!moved.exists());
    assert!(
        cluster.mail.mailbox(CLIENT).unwrap().is_empty(),
        "nothing was sent"
    );
    let text = fs::read_to_string(&draft).unwrap();
    assert!(
        text.contains("returned: \"its text still has gaps"),
        "{text}"
    );
    fs::write(&draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
    fs::rename(&draft, &moved).unwrap();
    wait_for("the answer in the other mailbox", SOON, || {
        Ok((cluster.mail.mailbox(CLIENT)?.len() == 1).then_some(()))
    })
    .unwrap();
}

#[test]
fn mail_that_wants_no_answer_is_filed_with_its_reason() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let mail = MAIL.replace(
        "MIME-Version",
        "List-Id: <news.example.test>\r\nPrecedence: bulk\r\nMIME-Version",
    );
    cluster.mail.deliver(OWNER, mail.as_bytes()).unwrap();
    wait_for("the task in Done/ on the remote", SOON, || {
        Ok((cluster.on_remote("Done").len() == 1).then_some(()))
    })
    .unwrap();
    assert!(cluster.on_remote("Pending_Approval").is_empty());
    let path = cluster.on_remote("Done").remove(0);
    let note = cluster
        .remote
        .git(&["show", &format!("main:{path}")])
        .unwrap();
    assert!(note.contains("outcome: \"filed\""), "{note}");
}
