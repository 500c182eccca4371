//! Restored backups, copied machines, lost journals: nothing is sent again, and nothing is sent before
//! the owner has said which machine goes on.

use std::fs;

use platinum_testkit::mail::{MailServers, scripted_smtp::SmtpFault};

use super::fixture::{Machine, SOON, Sent, pause};

/// Waits until a machine says that it sends nothing, for this reason.
fn wait_for_stop(machine: &Machine, why: &str) {
    machine.wait(why, SOON, |machine| {
        let log = machine.log();
        log.lines()
            .any(|line| line.contains("Nothing is sent: ") && line.contains(why))
    });
}

fn recover(machine: &Machine) {
    let refused = machine.platinum(&["recover"]);
    let printed = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        printed.contains("nothing is sent until you say that this machine goes on"),
        "{printed}"
    );
    let recovered = machine.platinum(&["recover", "--this-machine"]);
    let printed = String::from_utf8_lossy(&recovered.stderr).into_owned();
    assert!(recovered.status.success(), "{printed}");
}

/// The backup knows of an approval, and not that it was carried out.
#[test]
fn restored_machine_sends_nothing_again() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let draft = machine.approve("restored@example.test");
    let backup = machine.copy();
    machine.start("");
    machine.wait("the mail", SOON, |machine| machine.is_done(&draft));
    machine.kill();
    assert_eq!(machine.taken(&draft), 1);

    machine.restore(&backup);
    assert!(!machine.is_done(&draft));
    machine.start("");
    machine.wait("the receipt", SOON, |machine| machine.is_done(&draft));
    assert_eq!(machine.taken(&draft), 1, "sent again");
    assert_eq!(
        machine.answer(&draft).as_deref(),
        Some("found in Sent by its Message-ID")
    );
}

/// While Sent cannot be asked, a restored machine sends nothing.
#[test]
fn restored_machine_waits_for_the_sent_folder() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let draft = machine.approve("away@example.test");
    machine.stop_imap();
    machine.start("");
    machine.wait("the reason", SOON, |machine| {
        let shown = machine.platinum(&["approvals"]).stdout;
        String::from_utf8_lossy(&shown).contains("it cannot be asked whether this left already")
    });
    assert_eq!(machine.taken(&draft), 0);
    machine.kill();
    machine.resume_imap();
    machine.start("");
    machine.wait("the mail", SOON, |machine| machine.is_done(&draft));
    assert_eq!(machine.taken(&draft), 1);
}

/// Lets the remote have the drafts, and has the owner approve them while the daemon is off.
fn approve_after_a_sync(machine: &mut Machine, drafts: &[&Sent]) {
    machine.start("");
    machine.wait("the drafts at the remote", SOON, |machine| {
        machine.on_remote("Pending_Approval") == drafts.len()
    });
    machine.kill();
    drafts.iter().for_each(|draft| machine.say_yes(draft));
}

/// Lets the remote have the finished task, by a commit that names the journal, and ends the daemon.
fn tell_the_remote(machine: &mut Machine) {
    machine.wait("the finished task at the remote", SOON, |machine| {
        machine.has_named_its_journal() && machine.on_remote("Done") > 0
    });
    machine.kill();
}

/// In a zone of this machine alone the remote is told of no effect; it is asked all the same, and what
/// nobody can tell is the owner's to decide. The mailbox has no copy of the mail.
#[test]
fn restored_local_only_zone_sends_nothing_again() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::with_remote();
    let draft = machine.draft_in("whatsapp", "alone@example.test");
    approve_after_a_sync(&mut machine, &[&draft]);
    let backup = machine.copy();
    let is_taken = true;
    machine
        .smtp
        .set_faults(&draft.to, [SmtpFault::CloseAfterMessage { is_taken }]);
    machine.start("");
    machine.wait("the doubt", SOON, |machine| machine.is_unknown(&draft));
    machine.resolve(&draft);
    tell_the_remote(&mut machine);
    assert!(machine.is_done(&draft));

    machine.restore(&backup);
    machine.forget_log();
    assert!(!machine.is_done(&draft));
    machine.start("");
    wait_for_stop(&machine, "this machine was restored from a backup");
    pause(2000);
    assert_eq!(machine.taken(&draft), 1, "sent again");
    recover(&machine);
    // The remote has its task in `Done/`.
    machine.wait("the reason why it waits", SOON, |machine| {
        machine.log().contains("its task is finished already")
    });
    pause(2000);
    assert_eq!(machine.taken(&draft), 1, "sent again");
}

/// A backup is restored, and its log is damaged: one command goes on, and nothing is sent again.
#[test]
fn recover_puts_a_damaged_log_of_a_restored_machine_aside() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::with_remote();
    let draft = machine.draft("damaged@example.test");
    approve_after_a_sync(&mut machine, &[&draft]);
    let backup = machine.copy();
    machine.start("");
    machine.wait("the mail", SOON, |machine| machine.is_done(&draft));
    tell_the_remote(&mut machine);

    machine.restore(&backup);
    machine.damage_journal();
    machine.forget_log();
    machine.start("");
    wait_for_stop(&machine, "the journal was tampered with or damaged");
    wait_for_stop(&machine, "this machine was restored from a backup");
    let recovered = machine.platinum(&["recover", "--this-machine"]);
    let printed = String::from_utf8_lossy(&recovered.stderr).into_owned();
    assert!(
        printed.contains("a damaged log cannot be put aside while the daemon uses it"),
        "{printed}"
    );
    machine.kill();
    let shown = machine.platinum(&["recover"]);
    let printed = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        printed.contains("not made here") && printed.contains("The log is not as it was left: "),
        "{printed}"
    );
    recover(&machine);
    assert_eq!(machine.logs_aside(), 1);

    // Its approval is in the log that is aside.
    machine.start("");
    machine.wait("the draft to wait again", SOON, |machine| {
        !machine
            .not_approved(std::slice::from_ref(&draft))
            .is_empty()
    });
    machine.say_yes(&draft);
    machine.wait("the reason why it waits", SOON, |machine| {
        machine.log().contains("its task is finished already")
    });
    assert_eq!(machine.taken(&draft), 1, "sent again");
    let next = machine.draft("next@example.test");
    machine.say_yes(&next);
    machine.wait("the next mail", SOON, |machine| machine.is_done(&next));
    assert_eq!(machine.taken(&next), 1);
}

/// An empty journal is not one of a machine that has sent nothing.
#[test]
fn missing_journal_stops_effects_until_recover() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let first = machine.approve("first@example.test");
    machine.start("");
    machine.wait("its file in Done/", SOON, |machine| {
        let approved = fs::read_dir(machine.vault().join("Approved")).unwrap();
        machine.is_done(&first) && approved.count() == 0
    });
    // So that a commit names the journal as it is now.
    fs::write(machine.vault().join("Inbox.md"), "a note\n").unwrap();
    machine.wait(
        "the journal to be named",
        SOON,
        Machine::has_named_its_journal,
    );
    machine.kill();
    let journal = ["journal.db", "journal.db-wal", "journal.db-shm"];
    let mut sent = vec![first];
    for (lost, why) in [
        (
            journal.to_vec(),
            "the journal of what was sent is not the one that this machine had",
        ),
        (
            [&journal[..], &["vault.git", "machine-acknowledged.json"]].concat(),
            "drafts in Done/ were carried out, and the journal of what was sent is empty",
        ),
    ] {
        machine.lose(&lost);
        machine.forget_log();
        let next = machine.approve(&format!("next-{}@example.test", sent.len()));
        machine.start("");
        wait_for_stop(&machine, why);
        assert_eq!(machine.taken(&next), 0);
        recover(&machine);
        machine.wait("the next mail", SOON, |machine| machine.is_done(&next));
        machine.kill();
        sent.push(next);
        for draft in &sent {
            assert_eq!(machine.taken(draft), 1, "{}", draft.to);
        }
    }
}

/// How many drafts two copies approve at once.
fn drafts() -> usize {
    let given = std::env::var("PLATINUM_COPIES").ok();
    given.map_or(10, |text| text.parse().unwrap())
}

/// Two machines with one key, one state and one vault say yes to the same drafts at the same time.
#[test]
fn two_copies_of_one_machine_send_each_draft_once() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::with_remote();
    let drafts: Vec<Sent> = (0..drafts())
        .map(|number| machine.draft(&format!("copy-{number}@example.test")))
        .collect();
    // Slow, so that both are in the middle of sending when they learn of each other.
    for draft in drafts.iter().step_by(3) {
        let stall = SmtpFault::StallAfterMessage {
            is_taken: true,
            milliseconds: 1500,
        };
        machine.smtp.set_faults(&draft.to, [stall]);
    }
    machine.start("");
    machine.wait("the drafts at the remote", SOON, |machine| {
        machine.on_remote("Pending_Approval") == drafts.len()
            && machine.on_remote("In_Progress") == drafts.len()
    });
    machine.kill();

    let mut copy = machine.copy();
    for draft in &drafts {
        machine.say_yes(draft);
        copy.say_yes(draft);
    }
    machine.start("");
    copy.start("");
    wait_for_stop(&machine, "this machine's key is used elsewhere");
    wait_for_stop(&copy, "this machine's key is used elsewhere");
    for draft in &drafts {
        assert!(machine.taken(draft) <= 1, "{} was sent twice", draft.to);
    }
    // The owner is told once.
    let told = |machine: &Machine| machine.log().matches("Nothing is sent: ").count();
    println!(
        "FIGURE: of {} drafts {} had left when both copies had stopped",
        drafts.len(),
        machine.smtp.taken().len()
    );

    // The owner stops the copy; what it was sending ends.
    copy.kill();
    pause(3000);
    recover(&machine);
    machine.wait("every draft to leave", SOON * 3, |machine| {
        for draft in &drafts {
            if machine.is_unknown(draft) {
                machine.resolve(draft);
            }
        }
        drafts.iter().all(|draft| machine.taken(draft) == 1)
    });
    pause(3000);
    for draft in &drafts {
        assert_eq!(machine.taken(draft), 1, "{}", draft.to);
    }
    // At most one word for each of the two ways in which it can show.
    assert!(told(&machine) <= 2, "{}", machine.log());
}
