//! A thread has one live draft, and what its owner does with mail and drafts elsewhere counts: an
//! answer from another program, a newer mail, a draft that is deleted, emptied or renamed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use platinum_testkit::{
    mail::{CLIENT, OWNER},
    notes::fill_gaps,
    wait_for,
};

use crate::{
    approvals::Waiting,
    gate::{
        MAIL,
        cluster::{Cluster, SOON},
    },
};

/// The owner's own answer to a mail of [`Waiting`].
fn own_answer(answered: &str) -> String {
    format!(
        "From: Owner <owner@example.test>\r\nTo: Clara Weiss <client@example.test>\r\n\
         Subject: Re: the room\r\nDate: Fri, 20 Nov 2026 18:00:00 +0100\r\n\
         Message-ID: <{answered}.phone@example.test>\r\nIn-Reply-To: <{answered}@client.example>\r\n\r\n\
         40 square metres, and yes.\r\n"
    )
}

/// The text of the one task that is finished.
fn wait_for_done(cluster: &Cluster) -> String {
    let done = wait_for("the task in Done/", SOON, || {
        let notes = cluster.notes("local", "Done").into_iter();
        let mut tasks = notes.filter(|path| name_of(path).starts_with("task_"));
        Ok(tasks.next())
    });
    let done = done.unwrap_or_else(|error| panic!("{error}\n{}", logs(cluster)));
    fs::read_to_string(done).unwrap()
}

fn wait_for_dashboard(cluster: &Cluster, words: &str) {
    let seen = wait_for(words, SOON, || {
        let page = fs::read_to_string(cluster.vault("local").join("Dashboard.md"));
        Ok(page.unwrap_or_default().contains(words).then_some(()))
    });
    seen.unwrap_or_else(|error| {
        let page = fs::read_to_string(cluster.vault("local").join("Dashboard.md"));
        panic!("{error}\n{page:?}\n{}", logs(cluster))
    });
}

fn logs(cluster: &Cluster) -> String {
    ["local", "cloud"]
        .map(|role| fs::read_to_string(cluster.log(role)).unwrap_or_default())
        .join("\n--\n")
}

pub(crate) fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn pending(cluster: &Cluster) -> Vec<PathBuf> {
    cluster.notes("local", "Pending_Approval")
}

/// Answered from a phone before the approval: nothing leaves, and all that tells of the task says so.
#[test]
fn mail_answered_elsewhere_is_not_answered_again() {
    let waiting = Waiting::new();
    let cluster = &waiting.cluster;
    let answer = own_answer("mail-1");
    cluster
        .mail
        .file(OWNER, "Sent", "S", answer.as_bytes())
        .unwrap();
    cluster.platinum(&["approve", &waiting.id(0).to_string()]);
    let task = wait_for_done(cluster);
    let words = "you answered at 2026-11-20T17:00:00Z (Sent)";
    assert!(task.contains(&format!("summary: \"{words}\"")), "{task}");
    assert!(task.contains("outcome: \"done\"") && !task.contains("receipts:"));
    wait_for_dashboard(cluster, "you answered at");
    let rejected = cluster.vault("local").join("Rejected");
    let draft = rejected.join(waiting.drafts[0].file_name().unwrap());
    wait_for("the draft in Rejected/", SOON, || {
        Ok(draft.exists().then_some(()))
    })
    .unwrap();
    let draft = fs::read_to_string(draft).unwrap();
    assert!(draft.contains(&format!("refused: \"{words}\"")), "{draft}");
    assert!(cluster.platinum(&["log"]).contains("you answered at"));
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");
}

/// Before anything is drafted, too.
#[test]
fn mail_answered_before_its_draft_is_not_drafted() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let _local = cluster.local();
    let answer = own_answer("second");
    cluster
        .mail
        .file(OWNER, "Sent", "S", answer.as_bytes())
        .unwrap();
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let task = wait_for_done(&cluster);
    assert!(task.contains("summary: \"you answered at "), "{task}");
    wait_for_dashboard(&cluster, "Nothing drafted for");
    assert!(cluster.on_remote("Pending_Approval").is_empty());
}

/// The newer mail of a thread replaces the draft for the earlier one, and both say so.
#[test]
fn newer_mail_of_the_thread_replaces_the_waiting_draft() {
    let waiting = Waiting::new();
    let cluster = &waiting.cluster;
    // What its owner did not touch.
    let first = &waiting.drafts[0];
    let edited = fs::read_to_string(first).unwrap();
    fs::remove_file(first).ok();
    fs::write(first, edited).unwrap();
    let newer = MAIL
        .replace("<second@", "<third@")
        .replace("<first@client.example>", "<mail-1@client.example>");
    cluster.mail.deliver(OWNER, newer.as_bytes()).unwrap();
    wait_for_dashboard(cluster, "A newer mail of this thread came");
    let drafts = pending(cluster);
    assert_eq!(
        drafts.len(),
        2,
        "an edit of the owner's is kept: {drafts:?}"
    );

    let third = MAIL
        .replace("<second@", "<fourth@")
        .replace("<first@client.example>", "<third@client.example>");
    cluster.mail.deliver(OWNER, third.as_bytes()).unwrap();
    wait_for_dashboard(cluster, "Replaced: ");
    let rejected = cluster.notes("local", "Rejected");
    assert_eq!(rejected.len(), 1, "{rejected:?}");
    assert_ne!(name_of(&rejected[0]), name_of(first));
    let old = fs::read_to_string(&rejected[0]).unwrap();
    assert!(
        old.contains("refused: \"a newer mail of this thread came, and draft_"),
        "{old}"
    );
    let now = pending(cluster);
    assert_eq!(now.len(), 2, "{now:?}");
    let newest = now.iter().find(|draft| !drafts.contains(draft)).unwrap();
    let newest = fs::read_to_string(newest).unwrap();
    assert!(
        newest.contains("It replaces the draft for an earlier mail of this thread"),
        "{newest}"
    );
    let task = wait_for_done(cluster);
    assert!(task.contains("outcome: \"filed\""), "{task}");
}

/// A deleted draft and an emptied one are a no, said once, and no reason to draft again; the owner
/// can have it drafted again.
#[test]
fn deleted_or_emptied_draft_is_a_no() {
    let waiting = Waiting::of(Cluster::set(), 2);
    let cluster = &waiting.cluster;
    // As it was synced.
    wait_for("the drafts on the remote", SOON, || {
        Ok((cluster.on_remote("Pending_Approval").len() == 2).then_some(()))
    })
    .unwrap();
    fs::remove_file(&waiting.drafts[0]).unwrap();
    fs::write(&waiting.drafts[1], "\n").unwrap();
    let tasks = wait_for("both tasks in Done/", SOON, || {
        let tasks = cluster.on_remote("Done");
        Ok((tasks.len() == 2).then_some(tasks))
    });
    let tasks = tasks.unwrap_or_else(|error| panic!("{error}\n{}", logs(cluster)));
    for task in &tasks {
        let shown = cluster.remote.git(&["show", &format!("main:{task}")]);
        let note = shown.unwrap();
        assert!(
            note.contains("summary: \"You deleted the draft “"),
            "{note}"
        );
    }
    wait_for("no draft", SOON, || {
        Ok(cluster
            .on_remote("Pending_Approval")
            .is_empty()
            .then_some(()))
    })
    .unwrap();
    let page = fs::read_to_string(cluster.vault("local").join("Dashboard.md")).unwrap();
    assert!(page.matches("which is a no").count() <= 2, "{page}");

    // Taken back: its task waits again, and gets another draft.
    let task = cluster.vault("local").join(&tasks[0]);
    let open = cluster.vault("local").join("Needs_Action/email");
    wait_for("the task here", SOON, || Ok(task.exists().then_some(()))).unwrap();
    fs::create_dir_all(&open).unwrap();
    fs::rename(&task, open.join(task.file_name().unwrap())).unwrap();
    let again = wait_for("another draft", SOON, || {
        Ok((pending(cluster).len() == 1).then_some(()))
    });
    again.unwrap_or_else(|error| panic!("{error}\n{}", logs(cluster)));
    assert_eq!(waiting.sent().len(), 0);
}

/// So is one that was deleted after its approval, from `Approved/`; one that was renamed is not.
#[test]
fn renamed_draft_stays_and_one_deleted_from_approved_is_a_no() {
    let waiting = Waiting::of(Cluster::set(), 2);
    let cluster = &waiting.cluster;
    wait_for("the drafts on the remote", SOON, || {
        Ok((cluster.on_remote("Pending_Approval").len() == 2).then_some(()))
    })
    .unwrap();
    let renamed = waiting.drafts[0].with_file_name("My answer.md");
    fs::rename(&waiting.drafts[0], &renamed).unwrap();
    waiting.wait_for_words("2 drafts wait for you.");
    cluster.platinum(&["pause"]);
    cluster.platinum(&["approve", &waiting.id(1).to_string()]);
    wait_for("the approved draft on the remote", SOON, || {
        Ok((cluster.on_remote("Approved").len() == 1).then_some(()))
    })
    .unwrap();
    fs::remove_file(waiting.approved(1)).unwrap();
    let task = wait_for_done(cluster);
    assert!(
        task.contains("summary: \"You deleted the draft “"),
        "{task}"
    );
    cluster.platinum(&["resume"]);
    wait_for("the renamed draft on the remote", SOON, || {
        let there = cluster.on_remote("Pending_Approval");
        Ok((there == ["Pending_Approval/My answer.md"]).then_some(()))
    })
    .unwrap();
    assert!(renamed.exists());
    assert_eq!(cluster.on_remote("In_Progress").len(), 1);
    wait_for_dashboard(cluster, "**1 draft waits for you**");
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 0);
    // It is approved like any other.
    cluster.platinum(&["approve", &waiting.id(0).to_string()]);
    waiting.wait_for_mails(1);
}

/// The mailbox's Drafts has one copy of a draft, which says what is missing in its own words; it is gone
/// once the mail was sent or is not wanted, and what was answered is marked.
#[test]
fn copy_in_drafts_goes_with_its_task() {
    let waiting = Waiting::of(Cluster::set(), 2);
    let cluster = &waiting.cluster;
    let copies = || cluster.mail.folder(OWNER, "Drafts").unwrap();
    wait_for("both copies", SOON, || {
        Ok((copies().len() == 2).then_some(()))
    })
    .unwrap();
    for copy in copies() {
        let text = String::from_utf8(copy).unwrap();
        assert!(text.contains("X-Platinum-Draft: task_"), "{text}");
        assert!(!text.contains("[[") && !text.contains("]]"), "{text}");
    }
    cluster.platinum(&["approve", &waiting.id(0).to_string()]);
    waiting.wait_for_mails(1);
    cluster.platinum(&["reject", &waiting.id(1).to_string()]);
    wait_for("no copy", SOON, || Ok(copies().is_empty().then_some(())))
        .unwrap_or_else(|error| panic!("{error}\n{}", logs(cluster)));
    let answered = || {
        let inbox = fs::read_dir(cluster.mail.maildir(OWNER).join("cur")).unwrap();
        let names = inbox.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| {
                name.split_once(":2,")
                    .is_some_and(|(_, flags)| flags.contains('R'))
            })
            .count()
    };
    wait_for("the mark", SOON, || Ok((answered() == 1).then_some(())))
        .unwrap_or_else(|error| panic!("{error}\n{}", logs(cluster)));
    assert_eq!(cluster.mail.folder(OWNER, "Sent").unwrap().len(), 1);
}

/// A mail that cannot be delivered: its task is open again, with the reason in words, and nothing says
/// that it is done.
#[test]
fn mail_that_came_back_opens_its_task_again() {
    let cluster = Cluster::set();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let _local = cluster.local();
    let mail = MAIL.replace("client@example.test", "gone@example.test");
    cluster.mail.deliver(OWNER, mail.as_bytes()).unwrap();
    let draft = cluster.wait_for_draft();
    let text = fs::read_to_string(&draft).unwrap();
    fs::write(&draft, fill_gaps(&text)).unwrap();
    let id = draft.file_stem().unwrap().to_str().unwrap().to_owned();
    cluster.platinum(&["approve", &id]);

    wait_for_dashboard(&cluster, "Came back: ");
    let again = wait_for("another draft", SOON, || {
        let mut drafts = pending(&cluster).into_iter();
        Ok(drafts.find(|path| name_of(path) != name_of(&draft)))
    });
    let again = again.unwrap_or_else(|error| panic!("{error}\n{}", logs(&cluster)));
    let again = fs::read_to_string(again).unwrap();
    let why = "gone@example.test: there is no such address (550";
    assert!(
        again.contains(&format!("Careful: what was sent for it came back: {why}")),
        "{again}"
    );
    let task = cluster.notes("local", "In_Progress").remove(0);
    let note = fs::read_to_string(task).unwrap();
    assert!(
        note.contains("# What came back") && note.contains(why),
        "{note}"
    );
    assert!(
        !note.contains("\noutcome:") && note.contains("came-back: "),
        "{note}"
    );
    let log = cluster.platinum(&["log"]);
    assert!(!log.contains("  done  "), "{log}");
    let entries = cluster.platinum(&["log", "entries"]);
    assert!(
        entries.contains(&format!("{id} came back: {why}")),
        "{entries}"
    );
}

/// An automatic answer to what was sent is in the note of its task, and asks for none.
#[test]
fn automatic_answer_is_attached_to_its_task() {
    let waiting = Waiting::new();
    let cluster = &waiting.cluster;
    let id = waiting.id(0).to_string();
    cluster.platinum(&["approve", &id]);
    waiting.wait_for_mails(1);
    wait_for_done(cluster);
    let answer = format!(
        "From: Clara Weiss <client@example.test>\r\nTo: Owner <owner@example.test>\r\n\
         Subject: Out of office\r\nMessage-ID: <away@client.example>\r\n\
         In-Reply-To: <{}@example.test>\r\nAuto-Submitted: auto-replied\r\n\r\n\
         I am back on Monday.\r\n",
        id.to_lowercase()
    );
    cluster.mail.deliver(OWNER, answer.as_bytes()).unwrap();
    wait_for_dashboard(cluster, "Automatic answer to");
    let note = wait_for("the answer in the task", SOON, || {
        let notes = cluster.notes("local", "Done").into_iter();
        let texts = notes.map(|path| fs::read_to_string(path).unwrap_or_default());
        let mut texts = texts.filter(|text| text.contains("# Automatic answer"));
        Ok(texts.next())
    });
    let note = note.unwrap_or_else(|error| panic!("{error}\n{}", logs(cluster)));
    assert!(note.contains("I am back on Monday."), "{note}");
    assert!(note.contains("outcome: \"done\""), "{note}");
    assert!(pending(cluster).is_empty());
    wait_for("both tasks in Done/", SOON, || {
        let tasks = cluster.on_remote("Done").into_iter();
        Ok((tasks.filter(|path| path.contains("/task_")).count() == 2).then_some(()))
    })
    .unwrap();
}
