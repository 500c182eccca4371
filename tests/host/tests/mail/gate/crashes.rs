//! The local half killed in the middle of sending, and a mail server that is away: what left is
//! found, what did not is never guessed at, and no mail leaves twice.
//!
//! A shell script stands between the daemon and the real mail server, passes every line on, and
//! kills the daemon (`kill -9`) at one of them.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use platinum_core::DraftId;
use platinum_journal::{Journal, State};
use platinum_testkit::{
    free_ports,
    mail::{CLIENT, OWNER},
    program, wait_for,
};

use crate::gate::{
    MAIL,
    cluster::{Cluster, SOON},
};

/// Kills at the answer to `send_email`: the mail has left, and no one was told. (The tools' schema
/// names `sent_copy` too, but without a text behind it.)
const AT_THE_ANSWER: &str = r#"
"$REAL" "$@" | while IFS= read -r line; do
  case "$line" in
    *'"sent_copy":"'*) kill -9 "$PPID"; exit ;;
    *) printf '%s\n' "$line" ;;
  esac
done
"#;

/// Kills at the request to prepare: connection and login have not begun.
const BEFORE_THE_HAND_OVER: &str = r#"
while IFS= read -r line; do
  case "$line" in
    *'"prepare_email"'*) kill -9 "$PPID"; exit ;;
    *) printf '%s\n' "$line" ;;
  esac
done | "$REAL" "$@"
"#;

/// Kills at the request: the daemon has written its intent, and the server never hears of it.
const AT_THE_REQUEST: &str = r#"
while IFS= read -r line; do
  case "$line" in
    *'"send_email"'*) kill -9 "$PPID"; exit ;;
    *) printf '%s\n' "$line" ;;
  esac
done | "$REAL" "$@"
"#;

/// A mail came, was drafted and approved, and the daemon that should have sent it was killed.
struct Crashed {
    cluster: Cluster,
    draft: DraftId,
}

impl Crashed {
    fn by(script: &str) -> Self {
        Self::by_when(script, |state| matches!(state, State::HandedOver(_)))
    }

    fn by_when(script: &str, is_there: impl Fn(&State) -> bool) -> Self {
        let cluster = Cluster::set();
        let cloud = cluster.cloud();
        cluster.wait_for_line("cloud", "waiting for mail");
        cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
        let killer = killer(&cluster, script);
        cluster.configure("local", false, killer.to_str().unwrap());
        let local = cluster.local();
        let draft = cluster.wait_for_draft();
        let draft = draft.file_stem().unwrap().to_str().unwrap().to_owned();
        cluster.platinum(&["approve", &draft, "--with-gaps"]);
        let crashed = Self {
            cluster,
            draft: draft.parse().unwrap(),
        };
        wait_for("the daemon to be killed at its intent", SOON, || {
            let dead = crashed
                .cluster
                .platinum(&["status"])
                .contains("daemon   not running");
            Ok((dead && is_there(&crashed.known())).then_some(()))
        })
        .unwrap();
        drop(local);
        drop(cloud);
        crashed.cluster.configure("local", false, "");
        crashed
    }

    /// What the journal knows of the draft.
    fn known(&self) -> State {
        let journal = Journal::open_copy(&self.cluster.state("local").join("journal.db")).unwrap();
        journal.verify().unwrap();
        journal.state(self.draft).unwrap()
    }

    /// What the note in doubt says of its choices.
    fn wait_for_choices(&self) -> String {
        let note = self.cluster.vault("local").join("Approved");
        let note = note.join(format!("{}.md", self.draft));
        wait_for("the choices in the note", SOON, || {
            let text = fs::read_to_string(&note)?;
            Ok(text
                .lines()
                .find(|line| line.starts_with("in-doubt:"))
                .map(str::to_owned))
        })
        .unwrap()
    }

    /// Moves the note out of `Approved/`.
    fn move_to(&self, folder: &str) {
        let vault = self.cluster.vault("local");
        let name = format!("{}.md", self.draft);
        fs::rename(
            vault.join("Approved").join(&name),
            vault.join(folder).join(&name),
        )
        .unwrap();
    }

    fn dashboard(&self) -> String {
        fs::read_to_string(self.cluster.vault("local").join("Dashboard.md")).unwrap_or_default()
    }

    /// The task's note in `Done/`.
    fn finished(&self) -> String {
        let note = wait_for("the task in Done/", SOON, || {
            let notes = self.cluster.notes("local", "Done");
            Ok(notes.into_iter().find(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("task_"))
            }))
        });
        match note {
            Ok(note) => fs::read_to_string(note).unwrap(),
            Err(error) => panic!(
                "{error}; the log of local:\n{}",
                fs::read_to_string(self.cluster.log("local")).unwrap_or_default()
            ),
        }
    }
}

fn killer(cluster: &Cluster, script: &str) -> PathBuf {
    let real = program("platinum-email", "platinum-email").unwrap();
    let path = cluster.folder().join("killer.sh");
    let text = format!("#!/bin/sh\nREAL='{}'\n{script}", real.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_crash_in_the_middle_of_sending_never_sends_twice() {
    let crashed = Crashed::by(AT_THE_ANSWER);
    let cluster = &crashed.cluster;
    wait_for("the mail in the other mailbox", SOON, || {
        Ok((cluster.mail.mailbox(CLIENT)?.len() == 1).then_some(()))
    })
    .unwrap();
    let shown = cluster.platinum(&["approvals"]);
    assert!(shown.contains("may have happened"), "{shown}");

    let local = cluster.local();
    let task = crashed.finished();
    let State::Done(intent, receipt) = crashed.known() else {
        panic!("{:?}", crashed.known());
    };
    assert_eq!(receipt.answer, "found in Sent by its Message-ID");
    assert_eq!(receipt.reference, intent.reference);
    assert!(task.contains("outcome: \"done\""), "{task}");
    let reference = format!("reference: \"{}\"", receipt.reference);
    assert!(task.contains(&reference), "{task}");
    wait_for(
        "Approved/ to be empty and the dashboard to tell it",
        SOON,
        || {
            let put_away = cluster.notes("local", "Approved").is_empty();
            Ok((put_away && crashed.dashboard().contains("Done: ")).then_some(()))
        },
    )
    .unwrap();
    drop(local);
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1, "sent once");
    assert_eq!(cluster.mail.folder(OWNER, "Sent").unwrap().len(), 1);
}

/// A crash before anything left sends nothing by itself and asks the owner.
#[test]
fn crash_before_sending_sends_nothing_and_asks_the_owner() {
    let crashed = Crashed::by(AT_THE_REQUEST);
    let cluster = &crashed.cluster;
    // However often the daemon comes back.
    for _ in 0..2 {
        let local = cluster.local();
        wait_for("the owner to be notified", SOON, || {
            Ok(crashed
                .dashboard()
                .contains("Not known whether")
                .then_some(()))
        })
        .unwrap();
        wait_for("the mailbox to be asked", SOON, || {
            let log = fs::read_to_string(cluster.log("local"))?;
            Ok(log.contains("It is not in Sent").then_some(()))
        })
        .unwrap();
        drop(local);
        fs::write(cluster.log("local"), "").unwrap();
    }
    assert!(matches!(crashed.known(), State::Unknown { .. }));
    let shown = cluster.platinum(&["approvals"]);
    assert!(shown.contains("may have happened"), "{shown}");
    let shown = cluster.platinum(&["status"]);
    assert!(shown.contains("1 outcome is unknown"), "{shown}");
    assert!(shown.contains("1 in doubt"), "{shown}");
    assert!(cluster.mail.mailbox(CLIENT).unwrap().is_empty());
    assert!(cluster.mail.folder(OWNER, "Sent").unwrap().is_empty());
    assert_eq!(cluster.notes("local", "Approved").len(), 1);

    // The owner has asked the other side, and closes it.
    let name = format!("{}.md", crashed.draft);
    let rejected = cluster.vault("local").join("Rejected");
    fs::create_dir_all(&rejected).unwrap();
    fs::rename(
        cluster.vault("local").join("Approved").join(&name),
        rejected.join(&name),
    )
    .unwrap();
    let _local = cluster.local();
    let task = crashed.finished();
    assert!(task.contains("outcome: \"filed\""), "{task}");
    assert!(task.contains("not known whether"), "{task}");
    assert!(cluster.mail.mailbox(CLIENT).unwrap().is_empty());
}

/// A mail server that is away loses nothing and the owner is told.
#[test]
fn mail_server_away_loses_nothing_and_notifies_the_owner() {
    let cluster = Cluster::set();
    let cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();

    // No one listens where the mail should go.
    let mail = cluster.mail_config("local", false);
    let [unused] = free_ports().unwrap();
    let away = cluster.folder().join("away.toml");
    let text = fs::read_to_string(&mail).unwrap();
    let port = format!("port = {}\n", cluster.mail.smtps_port());
    assert!(text.contains(&port), "{text}");
    fs::write(&away, text.replace(&port, &format!("port = {unused}\n"))).unwrap();
    let settings = fs::read_to_string(cluster.config("local")).unwrap();
    let named = |path: &PathBuf| format!("config = {path:?}");
    fs::write(
        cluster.config("local"),
        settings
            .replace(&named(&mail), &named(&away))
            .replace("retry-seconds = 3\n", "retry-seconds = 60\n"),
    )
    .unwrap();

    let local = cluster.local();
    let draft = cluster.wait_for_draft();
    let id = draft.file_stem().unwrap().to_str().unwrap();
    cluster.platinum(&["approve", id, "--with-gaps"]);
    wait_for("the owner to be notified", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board
            .contains("Not sent yet, tried again by itself")
            .then_some(()))
    })
    .unwrap();
    let shown = cluster.platinum(&["approvals"]);
    assert!(shown.contains("tried again by itself"), "{shown}");
    assert_eq!(cluster.notes("local", "Approved").len(), 1);
    drop(local);

    fs::write(cluster.config("local"), settings).unwrap();
    let _local = cluster.local();
    wait_for("the mail in the other mailbox", SOON * 2, || {
        Ok((!cluster.mail.mailbox(CLIENT)?.is_empty()).then_some(()))
    })
    .unwrap();
    wait_for("Approved/ to be empty", SOON, || {
        Ok(cluster.notes("local", "Approved").is_empty().then_some(()))
    })
    .unwrap();
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1, "sent once");
    drop(cloud);
}

/// An end before the mail was handed over is no doubt: it is sent by itself, once.
#[test]
fn crash_before_the_hand_over_is_sent_after_a_restart() {
    let crashed = Crashed::by_when(BEFORE_THE_HAND_OVER, |state| {
        matches!(state, State::Intended(_))
    });
    let cluster = &crashed.cluster;
    let _local = cluster.local();
    let task = crashed.finished();
    assert!(task.contains("outcome: \"done\""), "{task}");
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1, "sent once");
    assert!(!crashed.dashboard().contains("Not known whether"));
    let State::Done(intent, receipt) = crashed.known() else {
        panic!("{:?}", crashed.known());
    };
    assert_eq!(receipt.reference, intent.reference);
}

/// The owner moves a note in doubt to Done/: it counts as sent, with who says so.
#[test]
fn doubt_moved_to_done_is_finished_by_the_owners_word() {
    let crashed = Crashed::by(AT_THE_REQUEST);
    let cluster = &crashed.cluster;
    let _local = cluster.local();
    let words = crashed.wait_for_choices();
    assert!(
        words.contains("It went out: move this file to Done/."),
        "{words}"
    );
    crashed.move_to("Done");
    let task = crashed.finished();
    assert!(task.contains("outcome: \"done\""), "{task}");
    assert!(
        task.contains("no answer; the owner says that it went out"),
        "{task}"
    );
    wait_for("the receipt in the journal", SOON, || {
        Ok(matches!(crashed.known(), State::Done(..)).then_some(()))
    })
    .unwrap();
    assert!(cluster.mail.mailbox(CLIENT).unwrap().is_empty());
}

/// The owner moves a note in doubt back and approves it again: it leaves once, under a new name.
#[test]
fn doubt_moved_to_pending_is_sent_again_once_approved() {
    let crashed = Crashed::by(AT_THE_REQUEST);
    let cluster = &crashed.cluster;
    let _local = cluster.local();
    let words = crashed.wait_for_choices();
    assert!(
        words.contains("Send it again: move it to Pending_Approval/ and approve it again."),
        "{words}"
    );
    crashed.move_to("Pending_Approval");
    wait_for("the doubt to be let go", SOON, || {
        Ok(matches!(crashed.known(), State::LetGo(_)).then_some(()))
    })
    .unwrap();
    assert!(cluster.mail.mailbox(CLIENT).unwrap().is_empty());
    let name = crashed.draft.to_string();
    wait_for("the second approval", SOON, || {
        // The daemon writes into the note at the same time.
        let approved = cluster.try_platinum(&["approve", &name, "--with-gaps"]);
        Ok(approved.status.success().then_some(()))
    })
    .unwrap();
    let task = crashed.finished();
    assert!(task.contains("outcome: \"done\""), "{task}");
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1, "sent once");
    let State::Done(intent, _) = crashed.known() else {
        panic!("{:?}", crashed.known());
    };
    let expected = format!("{}.2@example.test", name.to_lowercase());
    assert_eq!(intent.reference, expected);
}
