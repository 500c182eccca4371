//! One mail, taken in exactly once, whatever happens between its steps.

use std::{fs, path::Path};

use jiff::SignedDuration;
use platinum_core::{ClaimId, TaskId, Timestamp, VaultPath, ZoneId, layout};
use platinum_intake::{
    accounting::pdf::PdfReader,
    ledger::{Identity, Ledger},
    mail::{Intake, IntakeError, Taken},
};
use platinum_mailbox::{Account, Config, Cursor, RawMail};
use platinum_vault::{
    Vault,
    note::{FILED, Note, TaskNote, finish},
};

const CONFIG: &str = "[account.owner]
address = \"Owner <Owner@example.test>\"
backend = \"imap\"
host = \"127.0.0.1\"
user = \"owner\"
password = { env = \"NONE\" }
";

pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    pub(crate) intake: Intake,
}

fn account() -> Account {
    Config::parse(CONFIG, Path::new("/"))
        .unwrap()
        .account("owner")
        .unwrap()
        .clone()
}

fn open(dir: &Path) -> Intake {
    let vault = Vault::open(&dir.join("vault")).unwrap();
    let ledger = Ledger::open(&dir.join("state/mail.sqlite")).unwrap();
    let mut intake = Intake::new(vault, ledger, &account());
    intake.read_start().unwrap();
    intake
}

pub(crate) fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("vault")).unwrap();
    let intake = open(dir.path());
    Fixture { dir, intake }
}

/// One of a host that has the zone `accounting`.
pub(crate) fn accounting_fixture() -> Fixture {
    let Fixture { dir, intake } = fixture();
    let intake = intake.with_accounting(PdfReader::Here);
    Fixture { dir, intake }
}

impl Fixture {
    fn restart(self) -> Self {
        let Self { dir, intake } = self;
        drop(intake);
        let intake = open(dir.path());
        Self { dir, intake }
    }

    fn take(&self, key: &str, mail: &str) -> Taken {
        self.intake.take(&raw(key, mail), now()).unwrap()
    }

    /// Writes a file of the vault.
    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.dir.path().join("vault").join(path), text).unwrap();
    }

    /// As if the process had died before it stored the mail of this key, which was the first.
    pub(crate) fn forget_mail(&self, key: &str) {
        let ledger = rusqlite::Connection::open(self.dir.path().join("state/mail.sqlite")).unwrap();
        ledger
            .execute("DELETE FROM seen WHERE key = ?1", [key])
            .unwrap();
        let first = "DELETE FROM mail WHERE task = (SELECT min(task) FROM mail)";
        ledger.execute(first, []).unwrap();
    }

    pub(crate) fn notes(&self) -> Vec<TaskNote> {
        let vault = Vault::open(&self.dir.path().join("vault")).unwrap();
        let entries = vault.walk().unwrap();
        let read = |path| TaskNote::parse(&vault.read_text(path, 1 << 20).unwrap()).unwrap();
        let is_task = |path: &VaultPath| path.stem().parse::<TaskId>().is_ok();
        let tasks = entries.iter().filter(|entry| is_task(&entry.path));
        tasks.map(|entry| read(&entry.path)).collect()
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

pub(crate) fn raw(key: &str, mail: &str) -> RawMail {
    RawMail {
        key: key.to_owned(),
        size: mail.len() as u64,
        bytes: mail.as_bytes().to_vec(),
        truncated: false,
        internal_date: Some(now()),
        answered: false,
        is_read: false,
    }
}

fn mail(id: &str, text: &str) -> String {
    format!(
        "From: Client <client@example.test>\r\nSubject: S\r\nMessage-ID: <{id}>\r\n\r\n{text}\r\n"
    )
}

#[test]
fn mail_becomes_one_task_on_every_route() {
    let fixture = fixture();
    let Taken::Created(task) = fixture.take("1/1", &mail("a@x", "hello")) else {
        panic!()
    };
    assert_eq!(fixture.take("1/1", &mail("a@x", "hello")), Taken::Seen);
    assert_eq!(
        fixture.take("2/7", &mail("a@x", "hello")),
        Taken::Known(task)
    );
    let routed = format!("Received: by elsewhere\r\n{}", mail("a@x", "hello"));
    assert_eq!(fixture.take("2/8", &routed), Taken::Known(task));
    let fixture = fixture.restart();
    assert_eq!(
        fixture.take("3/1", &mail("a@x", "hello")),
        Taken::Known(task)
    );
    assert_eq!(fixture.intake.finish().unwrap(), 0);

    let notes = fixture.notes();
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].id, notes[0].zone), (task, ZoneId::EMAIL));
    assert_eq!(notes[0].source, "imap:owner");
    assert_eq!(notes[0].received, Some(now()));
}

#[test]
fn other_content_under_a_known_id_is_marked() {
    let fixture = fixture();
    let Taken::Created(first) = fixture.take("1/1", &mail("a@x", "hello")) else {
        panic!()
    };
    let Taken::Created(second) = fixture.take("1/2", &mail("a@x", "pay me")) else {
        panic!()
    };
    assert_eq!(
        fixture.take("2/2", &mail("a@x", "pay me")),
        Taken::Known(second)
    );
    let notes = fixture.notes();
    assert_eq!(notes.len(), 2);
    let forged = notes.iter().find(|note| note.id == second).unwrap();
    assert_eq!(forged.fact("same-message-id-as"), [first.to_string()]);
    assert!(
        forged.body.contains(&format!("Careful: {first}")),
        "{}",
        forged.body
    );
}

#[test]
fn mail_without_id_is_known_by_its_content() {
    let fixture = fixture();
    let Taken::Created(task) = fixture.take("1/1", "Subject: a\r\n\r\nx") else {
        panic!()
    };
    assert_eq!(
        fixture.take("2/1", "Subject: a\r\n\r\nx"),
        Taken::Known(task)
    );
    assert!(matches!(
        fixture.take("2/2", "Subject: a\r\n\r\ny"),
        Taken::Created(_)
    ));
    assert!(matches!(fixture.take("2/3", ""), Taken::Created(_)));
}

#[test]
fn unwritten_note_is_written_at_the_next_start() {
    let fixture = fixture();
    let dir = fixture.dir;
    drop(fixture.intake);
    let task = TaskId::generate();
    let identity = Identity {
        key: "1/1".to_owned(),
        identity: "i".to_owned(),
        content: "c".to_owned(),
    };
    let mut ledger = Ledger::open(&dir.path().join("state/mail.sqlite")).unwrap();
    ledger.choose(&identity, task, "the note").unwrap();
    drop(ledger);

    let intake = open(dir.path());
    assert_eq!(intake.finish().unwrap(), 1);
    let written = dir
        .path()
        .join("vault")
        .join(layout::waiting(ZoneId::EMAIL, task).as_str());
    assert_eq!(fs::read_to_string(&written).unwrap(), "the note");
    assert_eq!(intake.finish().unwrap(), 0);
}

#[test]
fn task_that_moved_on_is_not_made_again() {
    for moved_to in ["In_Progress/cloud", "Done/2026/11"] {
        let fixture = fixture();
        let dir = fixture.dir;
        drop(fixture.intake);
        let task = TaskId::generate();
        let identity = Identity {
            key: "1/1".to_owned(),
            identity: "i".to_owned(),
            content: "c".to_owned(),
        };
        let mut ledger = Ledger::open(&dir.path().join("state/mail.sqlite")).unwrap();
        ledger.choose(&identity, task, "the note").unwrap();
        drop(ledger);
        let folder = dir.path().join("vault").join(moved_to);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{task}.md")), "claimed").unwrap();

        let intake = open(dir.path());
        assert_eq!(intake.finish().unwrap(), 1);
        let waiting = dir
            .path()
            .join("vault")
            .join(layout::waiting(ZoneId::EMAIL, task).as_str());
        assert!(!waiting.exists(), "made again beside {moved_to}");
        assert_eq!(intake.finish().unwrap(), 0);
    }
}

#[test]
fn mail_survives_an_unwritable_vault() {
    let fixture = fixture();
    let blocked = fixture.dir.path().join("vault/Needs_Action");
    fs::write(&blocked, "a file where the folder should be").unwrap();
    let error = fixture
        .intake
        .take(&raw("1/1", &mail("a@x", "hello")), now())
        .unwrap_err();
    assert!(matches!(error, IntakeError::Vault { .. }), "{error}");
    fs::remove_file(&blocked).unwrap();
    assert_eq!(fixture.intake.finish().unwrap(), 1);
    assert_eq!(fixture.notes().len(), 1);
    assert_eq!(fixture.take("1/1", &mail("a@x", "hello")), Taken::Seen);
}

#[test]
fn own_mail_is_not_a_task() {
    let fixture = fixture();
    let own = mail("a@x", "note to self").replace("client@", "OWNER@");
    assert_eq!(fixture.take("1/1", &own), Taken::Own);
    assert_eq!(fixture.take("1/1", &own), Taken::Seen);
    let plus = mail("b@x", "note to self").replace("client@", "owner+notes@");
    assert_eq!(fixture.take("1/2", &plus), Taken::Own);
    assert!(fixture.notes().is_empty());
}

/// The mail system of the owner's own domain tells of it, too.
#[test]
fn report_of_a_sent_mail_is_a_task_whoever_wrote_it() {
    const DRAFT: &str = "draft_01M8M5PYTDK2RNCDYV1EKVJ1Z9";
    let fixture = fixture();
    let bounce = mail("a@x", &format!("550 gone\r\n\r\nMessage-ID: <{DRAFT}@x>"))
        .replace("From: Client <client@", "Return-Path: <>\r\nFrom: <owner@");
    let mut bounce = raw("1/1", &bounce);
    (bounce.internal_date, bounce.is_read) = (Some(Timestamp::UNIX_EPOCH), true);
    bounce.answered = true;
    assert!(matches!(
        fixture.intake.take(&bounce, now()).unwrap(),
        Taken::Created(_)
    ));
    assert_eq!(fixture.notes()[0].fact("bounced-draft"), [DRAFT]);
}

#[test]
fn answered_mail_is_not_a_task() {
    let fixture = fixture();
    let mut answered = raw("1/1", &mail("a@x", "hello"));
    answered.answered = true;
    assert_eq!(
        fixture.intake.take(&answered, now()).unwrap(),
        Taken::Answered
    );
    assert_eq!(fixture.take("1/1", &mail("a@x", "hello")), Taken::Seen);
    assert!(fixture.notes().is_empty());
}

/// Direct, over a list with a footer, past a gateway with a banner: one mail, one task.
#[test]
fn copies_of_one_mail_are_one_task() {
    let fixture = fixture();
    let text = "Hello,\r\n\r\nwhich day suits you?\r\n\r\nUma";
    let Taken::Created(task) = fixture.take("1/1", &mail("a@x", text)) else {
        panic!()
    };
    let footer = format!("{text}\r\n_____\r\nteam mailing list");
    let banner = format!("CAUTION: this came from outside.\r\n\r\n{text}");
    let listed = mail("a@x", &footer).replace("Subject: S", "Subject: [team] S");
    assert_eq!(fixture.take("1/2", &listed), Taken::Known(task));
    assert_eq!(
        fixture.take("1/3", &mail("a@x", &banner)),
        Taken::Known(task)
    );
    let forged = mail("a@x", &text.replace("day", "account"));
    assert!(matches!(fixture.take("1/4", &forged), Taken::Created(_)));
    assert_eq!(fixture.notes().len(), 2);
}

/// Hundreds of old mails that are moved into the inbox are one note; so is one that was read.
#[test]
fn old_mails_are_listed_and_not_drafted() {
    let fixture = fixture();
    let old: Timestamp = "2024-11-20T10:00:00Z".parse().unwrap();
    let take = |fixture: &Fixture, key: String, is_read: bool| {
        let text =
            mail(&format!("{key}@x"), "hello").replace("Subject: S", &format!("Subject: S{key}"));
        let mut mail = raw(&key, &text);
        (mail.internal_date, mail.is_read) = (Some(old), is_read);
        // Some were copied, and tell their age alone by what is in them.
        if key.ends_with('3') {
            mail.internal_date = Some(now());
            let date = "Date: Wed, 20 Nov 2024 10:00:00 +0000\r\n";
            mail.bytes.splice(0..0, date.bytes());
        }
        fixture.intake.take(&mail, now()).unwrap()
    };
    for number in 0..300 {
        assert_eq!(take(&fixture, format!("1/{number}"), true), Taken::LeftOut);
    }
    assert_eq!(take(&fixture, "1/0".to_owned(), true), Taken::Seen);
    // As long as they come, and over a restart, they are one flood.
    let report = |fixture: &Fixture, minutes: i64| {
        let at = now() + SignedDuration::from_mins(minutes);
        fixture.intake.report_left_out(at, false).unwrap()
    };
    assert_eq!(report(&fixture, 4), None);
    let fixture = fixture.restart();
    let note = report(&fixture, 5).unwrap();
    assert_eq!(report(&fixture, 60), None);
    let notes = fixture.notes();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].id, note);
    assert_eq!(notes[0].subject, "300 older mails came into the inbox");
    assert_eq!(notes[0].fact("no-answer").len(), 1);
    assert!(
        notes[0].body.contains("- 100 more are not listed."),
        "{}",
        notes[0].body
    );
    assert!(
        notes[0]
            .body
            .contains("Client <client@example.test> | S1/7\n"),
        "{}",
        notes[0].body
    );
    // One decision of the owner: the note is put back, and all that it lists is taken in.
    assert_eq!(fixture.intake.take_up_left_out(now()).unwrap(), 0);
    let cursor = Cursor {
        uid_validity: 1,
        next_uid: 400,
    };
    assert_eq!(fixture.intake.rewound(&cursor).unwrap(), cursor);
    let path = fixture
        .dir
        .path()
        .join("vault")
        .join(layout::waiting(ZoneId::EMAIL, note).as_str());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replacen("---\n", "---\noutcome: \"filed\"\nsummary: \"x\"\n", 1),
    )
    .unwrap();
    assert_eq!(fixture.intake.take_up_left_out(now()).unwrap(), 300);
    assert_eq!(fixture.intake.take_up_left_out(now()).unwrap(), 0);
    assert!((0..300).all(|number| !fixture.intake.knows(&format!("1/{number}"))));
    // They are read again, also if the process ended right then, until all are there.
    let fixture = fixture.restart();
    let next = |fixture: &Fixture| fixture.intake.rewound(&cursor).unwrap().next_uid;
    assert_eq!(next(&fixture), 0);
    for number in 0..8 {
        let taken = take(&fixture, format!("1/{number}"), true);
        assert!(matches!(taken, Taken::Created(_)));
    }
    assert_eq!(next(&fixture), 8);
    // What nobody has read yet is drafted, as far as a day can bear it.
    let unread: Vec<Taken> = (0..40)
        .map(|number| take(&fixture, format!("2/{number}"), false))
        .collect();
    let tasks = unread
        .iter()
        .filter(|taken| matches!(taken, Taken::Created(_)))
        .count();
    assert_eq!((tasks, unread[39]), (30, Taken::LeftOut));
    // A fresh one that was read on a telephone is a mail like any other.
    let mut fresh = raw("3/1", &mail("fresh@x", "hello"));
    fresh.is_read = true;
    assert!(matches!(
        fixture.intake.take(&fresh, now()).unwrap(),
        Taken::Created(_)
    ));
}

/// Hundreds at once are a flood, however new they are.
#[test]
fn hundreds_of_new_mails_at_once_are_listed() {
    let fixture = fixture();
    let taken: Vec<Taken> = (0..203)
        .map(|number| {
            fixture.take(
                &format!("1/{number}"),
                &mail(&format!("{number}@x"), "hello"),
            )
        })
        .collect();
    assert!(matches!(taken[199], Taken::Created(_)));
    assert_eq!(taken[200..], [Taken::LeftOut; 3]);
    let note = fixture
        .intake
        .report_left_out(now(), true)
        .unwrap()
        .unwrap();
    let notes = fixture.notes();
    let note = notes.iter().find(|one| one.id == note).unwrap();
    assert_eq!(note.subject, "3 more mails came into the inbox at once");
    let later = now() + SignedDuration::from_hours(1);
    let later = fixture
        .intake
        .take(&raw("1/300", &mail("later@x", "hello")), later);
    assert!(matches!(later.unwrap(), Taken::Created(_)));
}

/// An agent may claim the note more than once before it files it: only a claim after that is the owner's word.
#[test]
fn note_of_what_was_left_out_counts_once_it_was_put_back() {
    let fixture = fixture();
    let old: Timestamp = "2024-11-20T10:00:00Z".parse().unwrap();
    let mut mail = raw("1/1", &mail("a@x", "hello"));
    (mail.internal_date, mail.is_read) = (Some(old), true);
    fixture.intake.take(&mail, now()).unwrap();
    let at = Timestamp::now();
    let note = fixture.intake.report_left_out(at, true).unwrap().unwrap();
    let vault = Vault::open(&fixture.dir.path().join("vault")).unwrap();
    let mut from = layout::waiting(ZoneId::EMAIL, note);
    for (epoch, taken_up) in [(2, 0), (2, 0), (3, 1)] {
        let mut text = Note::parse(&vault.read_text(&from, 1 << 20).unwrap()).unwrap();
        text.set("claim", ClaimId::from_parts(1, 1).to_string())
            .unwrap();
        text.set("claim-agent", "cloud").unwrap();
        text.set("claim-epoch", epoch).unwrap();
        text.set("claim-at", at.to_string()).unwrap();
        text.set("claim-base", "").unwrap();
        finish(&mut text, FILED, "x", at, &[]).unwrap();
        vault
            .replace(&from, text.to_text().as_bytes(), None)
            .unwrap();
        let done = layout::done(at, note);
        if from != done {
            vault.rename(&from, &done).unwrap();
        }
        from = done;
        assert_eq!(
            fixture.intake.take_up_left_out(at).unwrap(),
            taken_up,
            "{epoch}"
        );
    }
    let later = at + SignedDuration::from_hours(31 * 24);
    assert_eq!(fixture.intake.take_up_left_out(later).unwrap(), 0);
}

/// The mails of the first start are those that its owner asked for, however old and read they are; later ones
/// of that kind are listed.
#[test]
fn backlog_of_the_first_start_is_taken_in() {
    let fixture = fixture();
    let old: Timestamp = "2024-11-20T10:00:00Z".parse().unwrap();
    let take = |key: &str| {
        let mut mail = raw(key, &mail(&format!("{key}@x"), "hello"));
        (mail.internal_date, mail.is_read) = (Some(old), true);
        fixture.intake.take(&mail, now()).unwrap()
    };
    let cursor = Cursor {
        uid_validity: 1,
        next_uid: 1,
    };
    fixture.intake.begin(&cursor, &[], now()).unwrap();
    for key in ["1/1", "1/2"] {
        assert!(matches!(take(key), Taken::Created(_)), "{key}");
    }
    assert_eq!(fixture.intake.report_left_out(now(), true).unwrap(), None);
    assert_eq!(take("1/3"), Taken::LeftOut);
}

#[test]
fn renumbered_mails_stay_known() {
    let fixture = fixture();
    fixture
        .intake
        .begin(
            &Cursor {
                uid_validity: 1,
                next_uid: 5,
            },
            &[],
            now(),
        )
        .unwrap();
    let fixture = fixture.restart();
    let Taken::Created(task) = fixture.take("1/5", &mail("a@x", "new")) else {
        panic!()
    };

    let before: Timestamp = "2026-11-19T10:00:00Z".parse().unwrap();
    let after: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let mut old = raw("2/1", &mail("old@x", "years ago"));
    old.internal_date = Some(before);
    assert_eq!(fixture.intake.take(&old, now()).unwrap(), Taken::Old);
    assert_eq!(fixture.take("2/2", &mail("a@x", "new")), Taken::Known(task));
    let mut fresh = raw("2/3", &mail("b@x", "newer"));
    fresh.internal_date = Some(after);
    assert!(matches!(
        fixture.intake.take(&fresh, now()).unwrap(),
        Taken::Created(_)
    ));
}

#[test]
fn cursor_survives_a_restart() {
    let fixture = fixture();
    assert_eq!(fixture.intake.cursor().unwrap(), None);
    fixture
        .intake
        .begin(
            &Cursor {
                uid_validity: 9,
                next_uid: 5,
            },
            &[],
            now(),
        )
        .unwrap();
    fixture
        .intake
        .advance(&Cursor {
            uid_validity: 9,
            next_uid: 8,
        })
        .unwrap();
    let fixture = fixture.restart();
    assert_eq!(
        fixture.intake.cursor().unwrap(),
        Some(Cursor {
            uid_validity: 9,
            next_uid: 8
        })
    );
}
