//! Whom an answer goes to, from the bytes of a mail to the facts of its task.

use std::path::Path;

use platinum_core::{TaskId, Timestamp};
use platinum_intake::mail::{
    Ids, Origin, Owner,
    facts::{ANSWER_CC, ANSWER_NOTE, ANSWER_TO, NO_ANSWER},
    task::check_task,
    task_from_mail,
};
use platinum_mailbox::{Config, message};
use platinum_vault::note::TaskNote;

const ACCOUNT: &str = "[account.me]
address = \"Owner <owner@home.test>\"
aliases = [\"Me@Work.test\", \"@family.test\", \"info@bücher.test\"]
backend = \"maildir\"
path = \"Mail\"
";

fn task(headers: &[&str], more_config: &str) -> TaskNote {
    task_with(headers, more_config, &[])
}

fn task_with(headers: &[&str], more_config: &str, learnt: &[String]) -> TaskNote {
    let config = Config::parse(&format!("{ACCOUNT}{more_config}"), Path::new("/")).unwrap();
    let bytes = format!("{}\r\n\r\nWhich day suits you?\r\n", headers.join("\r\n"));
    let ids = Ids {
        task: TaskId::from_parts(1, 1),
        twin: None,
    };
    let origin = Origin {
        source: "imap:me".to_owned(),
        received: None,
        size: bytes.len() as u64,
        truncated: false,
        returned: None,
    };
    let task = task_from_mail(
        &message::parse(bytes.as_bytes()),
        &Owner::of(&config.accounts["me"]).with_learnt(learnt),
        &origin,
        &ids,
        Timestamp::UNIX_EPOCH,
    );
    check_task(&task).unwrap();
    task
}

/// `to | cc`, or before it the reason why nobody is answered; notes follow after a `!`.
fn outcome(headers: &[&str]) -> String {
    let task = task(headers, "");
    let all = |name: &str| task.fact(name).join(", ");
    let mut outcome = match (all(NO_ANSWER), all(ANSWER_TO)) {
        (why, to) if why.is_empty() || to.is_empty() => why + &to,
        (why, to) => format!("{why}: {to}"),
    };
    if !all(ANSWER_CC).is_empty() {
        outcome.push_str(&format!(" | {}", all(ANSWER_CC)));
    }
    for note in task.fact(ANSWER_NOTE) {
        outcome.push_str(&format!(" ! {note}"));
    }
    outcome
}

const FROM: &str = "From: Uma Client <uma@client.test>";
const TO: &str = "To: Owner <owner@home.test>";

#[test]
fn answer_goes_to_every_reply_to_and_not_to_the_owner() {
    for (headers, expected) in [
        (vec![FROM, TO], "Uma Client <uma@client.test>"),
        (
            vec![
                FROM,
                TO,
                "Reply-To: Uma <uma@client.test>, Sales <sales@client.test>",
            ],
            "Uma <uma@client.test>, Sales <sales@client.test>",
        ),
        (
            vec![
                "From: Form <form@site.test>",
                TO,
                "Reply-To: owner@home.test, Uma <uma@client.test>",
            ],
            "Uma <uma@client.test> ! Careful: the answer does not go to the sender form@site.test but to the Reply-To address.",
        ),
        (
            vec![FROM, TO, "Reply-To: owner@home.test"],
            "Uma Client <uma@client.test>",
        ),
        (
            vec![FROM, TO, "Reply-To: Uma Client"],
            "Uma Client <uma@client.test>",
        ),
        (vec![TO, "Reply-To: uma@client.test"], "uma@client.test"),
        (
            vec![
                "From: Uma <uma@client.test>, Vic <vic@client.test>",
                "Sender: uma@client.test",
                TO,
            ],
            "Uma <uma@client.test>, Vic <vic@client.test>",
        ),
        (
            vec!["From: Uma", "Sender: uma@client.test", TO],
            "uma@client.test",
        ),
        (
            vec!["From: Uma", TO],
            "it names no address that could be answered",
        ),
        (
            vec![FROM, "From: Eve <eve@evil.test>", TO],
            "Uma Client <uma@client.test> ! Careful: the mail has more than one From header; the first counts.",
        ),
        (
            vec![
                "From: Owner <owner@home.test>",
                TO,
                "Reply-To: Visitor <v@client.test>",
            ],
            "Visitor <v@client.test> ! It came under your own address, as a form sends it; the answer goes to its Reply-To.",
        ),
        (
            vec![FROM, TO, "Reply-To: no-reply@client.test"],
            "no-reply@client.test does not read answers",
        ),
    ] {
        assert_eq!(outcome(&headers), expected, "{headers:?}");
    }
}

#[test]
fn copy_goes_to_everybody_else_who_got_the_mail() {
    for (headers, expected) in [
        (
            vec![
                FROM,
                "To: Owner <owner@home.test>, Bo <bo@client.test>",
                "Cc: Cy <cy@client.test>",
            ],
            "Uma Client <uma@client.test> | Bo <bo@client.test>, Cy <cy@client.test>",
        ),
        (
            vec![
                FROM,
                "To: owner@home.test; bo@client.test",
                "Cc: cy@client.test; bo@client.test",
            ],
            "Uma Client <uma@client.test> | bo@client.test, cy@client.test",
        ),
        // Own in every form, the sender, machines.
        (
            vec![
                FROM,
                "To: owner+shop@home.test, ME@work.test, any@family.test, info@xn--bcher-kva.test",
                "Cc: uma@client.test, noreply@client.test, OWNER@HOME.TEST",
            ],
            "Uma Client <uma@client.test>",
        ),
        (
            vec![
                FROM,
                TO,
                "Cc: Bo <bo..@client.test>, \"a b\"@client.test, cy@[192.0.2.1]",
            ],
            "Uma Client <uma@client.test> | Bo <\"bo..\"@client.test>, \"a b\"@client.test ! \
             cy@[192.0.2.1], who got the mail, cannot be reached: an IP address stands in place of the domain.",
        ),
        (
            vec![
                FROM,
                "To: Bo <bo@client.test>",
                "Cc: Owner <owner@home.test>",
            ],
            "you are only in copy; it is addressed to Bo <bo@client.test>: Uma Client <uma@client.test> | Bo \
             <bo@client.test>",
        ),
        // If the owner asks for an answer, it goes to whom it would have gone.
        (
            vec![
                FROM,
                "Reply-To: owner@home.test, ann@client.test",
                "To: Bo <bo@client.test>",
                "Cc: Owner <owner@home.test>",
            ],
            "you are only in copy; it is addressed to Bo <bo@client.test>: ann@client.test | Bo <bo@client.test> ! \
             Careful: the answer does not go to the sender uma@client.test but to the Reply-To address.",
        ),
        (
            vec![
                FROM,
                "Reply-To: uma@c1ient.test",
                "To: Bo <bo@client.test>",
                "Cc: Owner <owner@home.test>",
            ],
            "you are only in copy; it is addressed to Bo <bo@client.test>: Uma Client <uma@client.test> | Bo \
             <bo@client.test> ! Careful: the mail asks for an answer to uma@c1ient.test, which looks like \
             uma@client.test and is not; the answer goes to uma@client.test.",
        ),
        (
            vec![
                FROM,
                "To: Bo <bo@client.test>, me@work.test",
                "Cc: Owner <owner@home.test>",
            ],
            "Uma Client <uma@client.test> | Bo <bo@client.test>",
        ),
        (
            vec![
                FROM,
                "To: Uma Client <uma@client.test>",
                "Cc: owner@home.test, bo@client.test",
            ],
            "Uma Client <uma@client.test> | bo@client.test",
        ),
        // Neither in To nor in Cc: a forwarding, or a blind copy.
        (
            vec![FROM, "To: Bo <bo@client.test>"],
            "Uma Client <uma@client.test> | Bo <bo@client.test>",
        ),
    ] {
        assert_eq!(outcome(&headers), expected, "{headers:?}");
    }
    let many: Vec<String> = (0..40).map(|n| format!("p{n}@client.test")).collect();
    let cc = format!("Cc: {}", many.join(", "));
    assert_eq!(
        outcome(&[FROM, TO, &cc]),
        "Uma Client <uma@client.test> ! 40 more got the mail; the answer goes to its sender alone."
    );
    let alone = task(&[FROM, TO, "Cc: bo@client.test"], "reply-all = false\n");
    assert!(alone.fact(ANSWER_CC).is_empty());
    assert_eq!(
        alone.fact(ANSWER_NOTE),
        ["1 more got the mail, and the answer does not go to them."]
    );
}

#[test]
fn address_that_mail_cannot_reach_is_found_before_a_draft() {
    let long = "conversation-0123456789-0123456789-0123456789-0123456789-0123456789";
    for (from, expected) in [
        (
            "Ken <ken..sato.@phone.test>",
            "Ken <\"ken..sato.\"@phone.test>",
        ),
        ("K <\"ken sato\"@phone.test>", "K <\"ken sato\"@phone.test>"),
        ("Uma <uma@client.test.>", "Uma <uma@client.test>"),
        ("Jörg <jörg@übung.test>", "Jörg <jörg@übung.test>"),
        ("B <b@xn--bcher-kva.example>", "B <b@bücher.example>"),
        (
            "U <uma@[192.0.2.7]>",
            "uma@[192.0.2.7] is no address that mail can reach: an IP address stands in place of the domain",
        ),
        (
            "U <uma@client..test>",
            "uma@client..test is no address that mail can reach: the part after the @ is not a domain",
        ),
        (
            "U <@client.test>",
            "@client.test is no address that mail can reach: nothing stands before the @",
        ),
    ] {
        assert_eq!(outcome(&[&format!("From: {from}"), TO]), expected, "{from}");
    }
    let reply_to = format!("Reply-To: Uma <{long}@in.desk.test>");
    assert_eq!(
        outcome(&["From: Uma via Desk <noreply@desk.test>", TO, &reply_to]),
        format!(
            "{long}@in.desk.test is no address that mail can reach: the part before the @ has 67 bytes, \
             and mail allows 64"
        )
    );
    assert_eq!(
        outcome(&[FROM, TO, &reply_to]),
        format!(
            "Uma Client <uma@client.test> ! Its Reply-To {long}@in.desk.test is no address that mail can \
             reach (the part before the @ has 67 bytes, and mail allows 64); the answer goes to the sender."
        )
    );
}

#[test]
fn lookalike_domains_are_decided_and_said() {
    assert_eq!(
        outcome(&[FROM, TO, "Reply-To: Uma Client <uma@c1ient.test>"]),
        "Uma Client <uma@client.test> ! Careful: the mail asks for an answer to uma@c1ient.test, which \
         looks like uma@client.test and is not; the answer goes to uma@client.test."
    );
    assert_eq!(
        outcome(&["From: Boss <boss@farnily.test>", TO]),
        "Boss <boss@farnily.test> ! Careful: boss@farnily.test is not at family.test, though it looks so."
    );
    assert_eq!(
        outcome(&[FROM, TO, "Cc: Bo <bo@ciient.test>"]),
        "Uma Client <uma@client.test> | Bo <bo@ciient.test> ! Careful: bo@ciient.test is not at \
         client.test, though it looks so."
    );
}

#[test]
fn list_at_an_own_address_is_the_owners() {
    let mail = [FROM, "To: info@work.test", "List-Id: <info.work.test>"];
    let own = "aliases = [\"info@work.test\"]\n";
    let is_own = |config: &str| {
        let account = format!(
            "[account.me]\naddress = \"owner@home.test\"\n{config}backend = \"maildir\"\npath = \"Mail\"\n"
        );
        let config = Config::parse(&account, Path::new("/")).unwrap();
        let parsed = message::parse(format!("{}\r\n\r\n", mail.join("\r\n")).as_bytes());
        Owner::of(&config.accounts["me"]).is_own_list(&parsed)
    };
    assert!(is_own(own) && is_own("aliases = [\"@work.test\"]\n") && !is_own(""));
}

/// What the sent mails show counts as what the configuration says, with a plus, too.
#[test]
fn learnt_address_is_the_owners() {
    let learnt = ["olga@club.test".to_owned()];
    let cc = [
        "From: Uma <uma@client.test>",
        "To: bo@b.test",
        "Cc: Olga+x@club.test",
    ];
    let task = task_with(&cc, "", &learnt);
    assert_eq!(
        task.fact(NO_ANSWER),
        ["you are only in copy; it is addressed to bo@b.test"]
    );
    let to = [FROM, "To: olga@club.test, owner@home.test, eve@club.test"];
    assert_eq!(
        task_with(&to, "", &learnt).fact(ANSWER_CC),
        ["eve@club.test"]
    );
    assert_eq!(
        self::task(&to, "").fact(ANSWER_CC),
        ["olga@club.test", "eve@club.test"]
    );
}
