//! Deaths while a mail leaves. Nothing is sent twice, nothing is lost silently, and every doubt ends
//! with the owner's choice.
//!
//! Here: a kill at every fail point of the way out. To read: `random` kills and power cuts against a
//! submission server that refuses, stalls and breaks off; `copies`: restored backups, copied machines
//! and lost journals.
//! Lives elsewhere: the same with a script between daemon and mail server is `mail::gate::crashes`.

mod copies;
mod fixture;
mod random;

use std::time::Duration;

use fixture::{Machine, SOON, Sent, pause};
use platinum_testkit::mail::{MailServers, OWNER};

/// How a draft ends that a program died with at a fail point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// It is sent by itself: nothing was handed over.
    Sent,
    /// It is found in Sent.
    Found,
    /// The owner decides; the server took it, or not.
    InDoubt(bool),
    /// Either, as far as a mail server comes that goes on without its client.
    FoundOrInDoubt,
}

/// The tools that are called on the way out. The fail points around a call are met in each.
const TOOLS: [&str; 4] = ["search_emails", "get_answer", "prepare_email", "send_email"];

/// The places on the way out where a program can be made to die. To add one: put it into the source
/// with `std::process::abort()`, and its name and what follows from it here.
pub(crate) const POINTS: [(&str, &str); 12] = [
    ("daemon", "effect-intended"),
    ("daemon", "effect-claimed"),
    ("daemon", "effect-asked"),
    ("daemon", "effect-prepared"),
    ("daemon", "effect-handed-over"),
    ("daemon", "mcp-call-begun"),
    ("daemon", "mcp-call-written"),
    ("daemon", "mcp-call-answered"),
    ("daemon", "effect-performed"),
    ("daemon", "effect-recorded"),
    ("server", "smtp-data-begun"),
    ("server", "smtp-answered"),
];

/// The place met only when the owner has answered themself.
pub(crate) const ANSWERED_POINT: &str = "effect-done-by-owner";

/// The place where a Maildir's mail has left, and its copy is not filed yet.
pub(crate) const OUTBOX_POINT: &str = "outbox-written";

/// The tools in whose call a fail point is met; one that is not around a call is met once, in none.
fn tools_at(point: &str) -> &'static [&'static str] {
    match point.starts_with("mcp-") {
        true => &TOOLS,
        false => &[""],
    }
}

fn end_of(point: &str, tool: &str) -> Ends {
    match (point, tool) {
        ("effect-handed-over" | "smtp-data-begun", _) => Ends::InDoubt(false),
        ("mcp-call-begun", "send_email") => Ends::InDoubt(false),
        ("mcp-call-written", "send_email") => Ends::FoundOrInDoubt,
        ("mcp-call-answered", "send_email") => Ends::Found,
        ("smtp-answered", _) => Ends::InDoubt(true),
        ("effect-performed" | "effect-recorded", _) => Ends::Found,
        _ => Ends::Sent,
    }
}

#[test]
fn death_at_each_point_of_the_way_out_sends_once() {
    if !MailServers::present().unwrap() {
        return;
    }
    let deaths = POINTS.iter().flat_map(|&(program, point)| {
        let tools = tools_at(point).iter();
        tools.map(move |tool| (program, point, *tool))
    });
    // Few on each machine: of many that end at once, the sync would ask whether the disk is there.
    for some in deaths.collect::<Vec<_>>().chunks(4) {
        die_at(some);
    }
}

/// One machine on which a draft after the other leaves, with a death at each of these points.
fn die_at(deaths: &[(&str, &str, &str)]) {
    let mut machine = Machine::set();
    let mut drafts: Vec<(String, Ends, Sent)> = Vec::new();
    for (program, point, tool) in deaths {
        let (name, ends) = (format!("{point}-{tool}"), end_of(point, tool));
        let draft = machine.approve(&format!("{name}@example.test"));
        machine.start(&format!("{point}=return({tool})"));
        match *program {
            "daemon" => machine.wait(&name, SOON, Machine::is_dead),
            _ => machine.wait(&name, SOON, |machine| machine.is_unknown(&draft)),
        }
        machine.kill();
        // A server that goes on without its client has ended before it is asked again.
        machine.wait("the servers to end", SOON, |machine| !machine.has_servers());
        // A host without the fail point: the next one is for the next draft alone.
        machine.start("");
        machine.wait(&format!("{name} to end"), SOON, |machine| match ends {
            Ends::Sent | Ends::Found => machine.is_done(&draft),
            Ends::InDoubt(_) => machine.is_unknown(&draft),
            Ends::FoundOrInDoubt => machine.is_done(&draft) || machine.is_unknown(&draft),
        });
        machine.kill();
        drafts.push((name, ends, draft));
    }
    machine.start("");
    for (name, ends, draft) in &drafts {
        let taken = machine.taken(draft);
        match ends {
            Ends::Sent | Ends::Found | Ends::InDoubt(true) => assert_eq!(taken, 1, "{name}"),
            Ends::InDoubt(false) => assert_eq!(taken, 0, "{name}"),
            Ends::FoundOrInDoubt => assert!(taken <= 1, "{name}"),
        }
    }
    let drafts: Vec<Sent> = drafts.into_iter().map(|(.., draft)| draft).collect();
    assert_ended_once(&machine, &drafts);
}

/// What the owner answered from another program is not answered again, whenever a program dies; and
/// its task ends as that.
#[test]
fn death_after_the_owners_answer_is_found_sends_nothing() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    // Its folders are made at the first login.
    machine.start("");
    let first = machine.approve("first@example.test");
    machine.wait("the first mail", SOON, |machine| machine.is_done(&first));
    machine.kill();
    for point in [ANSWERED_POINT, "effect-recorded"] {
        let draft = machine.approve(&format!("{point}@example.test"));
        machine.answer_elsewhere(&draft);
        machine.start(&format!("{point}=return"));
        machine.wait(point, SOON, Machine::is_dead);
        machine.kill();
        machine.start("");
        machine.wait("the end of its task", SOON, |machine| {
            machine.is_done_by_owner(&draft)
        });
        machine.kill();
        assert_eq!(machine.taken(&draft), 0, "{point}");
    }
}

/// What left has left, wherever its owner moved its file before that was written down.
#[test]
fn moved_draft_that_left_is_finished_as_done() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    for folder in ["Rejected", "Pending_Approval"] {
        let draft = machine.approve(&format!("{}@example.test", folder.to_lowercase()));
        machine.start("effect-performed=return");
        machine.wait("its death", SOON, Machine::is_dead);
        machine.kill();
        machine.move_draft(&draft, folder);
        machine.start("");
        machine.wait("the task to be done", SOON, |machine| {
            machine.is_finished(&draft)
        });
        machine.kill();
        assert_eq!(machine.taken(&draft), 1);
    }
}

/// `resolve --went-out` finishes the task, wherever its note and the draft are by then.
#[test]
fn resolved_draft_is_finished_wherever_it_is() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let draft = machine.approve("resolved@example.test");
    machine.start("smtp-answered=return");
    machine.wait("the doubt", SOON, |machine| machine.is_unknown(&draft));
    machine.kill();
    machine.move_draft(&draft, "Pending_Approval");
    machine.give_back_task(&draft);
    let id = draft.id.to_string();
    let resolved = machine.platinum(&["resolve", &id, "--went-out"]);
    assert!(resolved.status.success(), "{resolved:?}");
    machine.start("");
    machine.wait("the task to be done", SOON, |machine| {
        machine.is_finished(&draft)
    });
    machine.kill();
    assert_eq!(machine.taken(&draft), 1);
}

/// The second of two approved drafts does not wait for a task that is over.
#[test]
fn second_draft_of_a_finished_task_is_put_away() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let first = machine.draft("twice@example.test");
    let second = machine.second_draft(&first);
    machine.say_yes(&first);
    machine.say_yes(&second);
    machine.start("");
    machine.wait("the first to be done", SOON, |machine| {
        machine.is_finished(&first)
    });
    let rejected = machine.vault().join(format!("Rejected/{}.md", second.id));
    machine.wait("the second to be put away", SOON, |_| rejected.exists());
    machine.kill();
    let text = std::fs::read_to_string(rejected).unwrap();
    assert!(
        text.contains("its task is finished already, and nothing more is sent for it"),
        "{text}"
    );
    assert_eq!(machine.taken(&first), 1);
}

/// The owner decides on every doubt, as the other side says; then each mail was taken once, and
/// nothing is left over.
fn assert_ended_once(machine: &Machine, drafts: &[Sent]) {
    for draft in drafts {
        assert!(machine.taken(draft) <= 1, "{} was sent twice", draft.to);
        if machine.is_unknown(draft) {
            machine.resolve(draft);
        }
    }
    for draft in drafts {
        machine.wait(&format!("{} to be sent", draft.to), SOON, |machine| {
            machine.is_done(draft)
        });
    }
    machine.wait("the tasks to be finished", SOON, |machine| {
        let folder = std::fs::read_dir(machine.vault().join("Approved")).unwrap();
        let left = folder.flatten().map(|entry| entry.file_name());
        let left: Vec<_> = left
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        drafts
            .iter()
            .all(|draft| !left.contains(&format!("{}.md", draft.id)))
    });
    // A little longer, in case something is sent again.
    pause(1500);
    for draft in drafts {
        assert_eq!(machine.taken(draft), 1, "{}", draft.to);
    }
    let copies = machine.mail.folder(OWNER, "Sent").unwrap().len();
    assert!(copies <= machine.smtp.taken().len(), "{copies} copies");
}

/// A wrong port and a refused login are no doubt: the mail leaves by itself once they are mended.
#[test]
fn refused_login_is_tried_again_and_never_in_doubt() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    machine.smtp.refuse_logins(true);
    let draft = machine.approve("login@example.test");
    machine.start("");
    machine.wait("the refusal", SOON, |machine| {
        let shown = machine.platinum(&["approvals"]).stdout;
        String::from_utf8_lossy(&shown).contains("tried again by itself")
    });
    assert_eq!(machine.taken(&draft), 0);
    machine.kill();
    machine.smtp.refuse_logins(false);
    machine.start("");
    machine.wait("the mail", Duration::from_secs(120), |machine| {
        machine.is_done(&draft)
    });
    assert_eq!(machine.taken(&draft), 1);
}

/// A mail in the outbox has left, though no folder of sent mails has it.
#[test]
fn maildir_mail_in_the_outbox_is_found_after_a_kill() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let post = machine.use_maildir();
    let draft = machine.approve("outbox@example.test");
    machine.start(&format!("{OUTBOX_POINT}=return"));
    machine.wait("the doubt", SOON, |machine| machine.is_unknown(&draft));
    machine.kill();
    machine.start("");
    machine.wait("the receipt", SOON, |machine| machine.is_done(&draft));
    assert_eq!(
        machine.answer(&draft).as_deref(),
        Some("found in Outbox by its Message-ID")
    );
    assert!(!post.join(".Sent").exists());
    let left = std::fs::read_dir(post.join(".Outbox/new")).unwrap();
    assert_eq!(left.count(), 1);
}
