//! Kills while a mail leaves: at every fail point of the way out, and at random moments against a
//! submission server that refuses, stalls and breaks off. Nothing is sent twice, nothing is lost
//! silently, and every doubt ends with the owner's choice.
//!
//! To read: `copies` are restored backups, copied machines and lost journals.
//! Lives elsewhere: the same with a script between daemon and mail server is `mail::gate::crashes`.

mod copies;
mod fixture;

use std::time::Duration;

use fixture::{Machine, SOON, Sent, pause};
use platinum_testkit::{
    mail::{MailServers, OWNER, scripted_smtp::SmtpFault},
    seed,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

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
const TOOLS: [&str; 3] = ["search_emails", "prepare_email", "send_email"];

/// The places on the way out where a program can be made to die. To add one: put it into the source
/// with `std::process::abort()`, and its name and what follows from it here.
pub(crate) const POINTS: [(&str, &str); 11] = [
    ("daemon", "effect-intended"),
    ("daemon", "effect-claimed"),
    ("daemon", "effect-asked"),
    ("daemon", "effect-prepared"),
    ("daemon", "effect-handed-over"),
    ("daemon", "mcp-call-begun"),
    ("daemon", "mcp-call-written"),
    ("daemon", "mcp-call-answered"),
    ("daemon", "effect-performed"),
    ("server", "smtp-data-begun"),
    ("server", "smtp-answered"),
];

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
        ("effect-performed", _) => Ends::Found,
        _ => Ends::Sent,
    }
}

#[test]
fn death_at_each_point_of_the_way_out_sends_once() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut machine = Machine::set();
    let mut drafts: Vec<(String, Ends, Sent)> = Vec::new();
    for (program, point) in POINTS {
        for tool in tools_at(point) {
            let (name, ends) = (format!("{point}-{tool}"), end_of(point, tool));
            let draft = machine.approve(&format!("{name}@example.test"));
            machine.start(&format!("{point}=return({tool})"));
            match program {
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

/// How many mails are sent against faults and kills.
fn sends() -> usize {
    let given = std::env::var("PLATINUM_SENDS").ok();
    given.map_or(20, |text| text.parse().unwrap())
}

/// Mails under way at the same time.
const BATCH: usize = 20;

#[test]
fn random_kills_and_mail_faults_send_once() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut random = StdRng::seed_from_u64(seed());
    let mut machine = Machine::set();
    let mut all = Vec::new();
    while all.len() < sends() {
        let first = all.len();
        for number in first..(first + BATCH).min(sends()) {
            let to = format!("mail-{number}@example.test");
            let fault = fault(&mut random);
            machine.smtp.set_faults(&to, fault);
            println!("{to}: {fault:?}");
            all.push(machine.approve(&to));
        }
        for _ in 0..4 {
            machine.start("");
            pause(random.random_range(300..=2500));
            machine.kill();
        }
        machine.start("");
        for draft in &all[first..] {
            machine.wait(&format!("{} to end", draft.to), SOON, |machine| {
                machine.is_done(draft) || machine.is_unknown(draft) || machine.is_refused(draft)
            });
        }
        machine.kill();
    }
    machine.start("");
    let (refused, others) = all
        .into_iter()
        .partition::<Vec<_>, _>(|draft| machine.is_refused(draft));
    for draft in &refused {
        assert_eq!(machine.taken(draft), 0, "{}", draft.to);
    }
    println!(
        "FIGURE: of {} mails {} were refused by the server and {} ended in doubt",
        refused.len() + others.len(),
        refused.len(),
        others
            .iter()
            .filter(|draft| machine.is_unknown(draft))
            .count()
    );
    assert_ended_once(&machine, &others);
}

/// What the server does wrong with the first mail to a recipient.
fn fault(random: &mut StdRng) -> Option<SmtpFault> {
    let is_taken = random.random_bool(0.5);
    match random.random_range(0..12) {
        0 => Some(SmtpFault::RefuseRecipient("450 4.2.1 busy")),
        1 => Some(SmtpFault::RefuseRecipient("550 5.1.1 no such user")),
        2 => Some(SmtpFault::CloseAtRecipient),
        3 => Some(SmtpFault::RefuseData("451 4.3.0 later")),
        4 => Some(SmtpFault::CloseAtData),
        5 => Some(SmtpFault::CloseInMessage),
        6 => Some(SmtpFault::RefuseMessage("451 4.3.0 later")),
        7 => Some(SmtpFault::RefuseMessage("554 5.7.1 spam")),
        8 => Some(SmtpFault::CloseAfterMessage { is_taken }),
        9 => Some(SmtpFault::StallAfterMessage {
            is_taken,
            milliseconds: random.random_range(100..1500),
        }),
        _ => None,
    }
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
    assert!(copies <= drafts.len(), "{copies} copies");
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
