//! One mail, taken in exactly once, whatever happens between its steps.

use std::{fs, path::Path};

use platinum_core::{TaskId, Timestamp, ZoneId, layout};
use platinum_intake::{
    ledger::{Identity, Ledger},
    mail::{Intake, IntakeError, Taken},
};
use platinum_mailbox::{Account, Config, Cursor, RawMail};
use platinum_vault::{Vault, note::TaskNote};

const CONFIG: &str = "[account.owner]
address = \"Owner <Owner@example.test>\"
backend = \"imap\"
host = \"127.0.0.1\"
user = \"owner\"
password = { env = \"NONE\" }
";

struct House {
    dir: tempfile::TempDir,
    intake: Intake,
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
    intake.settle().unwrap();
    intake
}

fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("vault")).unwrap();
    let intake = open(dir.path());
    House { dir, intake }
}

impl House {
    fn restart(self) -> Self {
        let Self { dir, intake } = self;
        drop(intake);
        let intake = open(dir.path());
        Self { dir, intake }
    }

    fn take(&self, key: &str, mail: &str) -> Taken {
        self.intake.take(&raw(key, mail), now()).unwrap()
    }

    fn notes(&self) -> Vec<TaskNote> {
        let vault = Vault::open(&self.dir.path().join("vault")).unwrap();
        let entries = vault.walk().unwrap();
        let read = |path| TaskNote::parse(&vault.read_text(path, 1 << 20).unwrap()).unwrap();
        entries.iter().map(|entry| read(&entry.path)).collect()
    }
}

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn raw(key: &str, mail: &str) -> RawMail {
    RawMail {
        key: key.to_owned(),
        size: mail.len() as u64,
        bytes: mail.as_bytes().to_vec(),
        truncated: false,
        internal_date: Some(now()),
        answered: false,
    }
}

fn mail(id: &str, text: &str) -> String {
    format!(
        "From: Client <client@example.test>\r\nSubject: S\r\nMessage-ID: <{id}>\r\n\r\n{text}\r\n"
    )
}

#[test]
fn a_mail_becomes_one_task_under_whatever_names_and_routes_it_comes() {
    let house = house();
    let Taken::Created(task) = house.take("1/1", &mail("a@x", "hello")) else {
        panic!()
    };
    assert_eq!(house.take("1/1", &mail("a@x", "hello")), Taken::Seen);
    assert_eq!(house.take("2/7", &mail("a@x", "hello")), Taken::Known(task));
    let routed = format!("Received: by elsewhere\r\n{}", mail("a@x", "hello"));
    assert_eq!(house.take("2/8", &routed), Taken::Known(task));
    let house = house.restart();
    assert_eq!(house.take("3/1", &mail("a@x", "hello")), Taken::Known(task));
    assert_eq!(house.intake.finish().unwrap(), 0);

    let notes = house.notes();
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].id, notes[0].zone), (task, ZoneId::EMAIL));
    assert_eq!(notes[0].source, "imap:owner");
    assert_eq!(notes[0].received, Some(now()));
}

#[test]
fn another_content_under_a_known_message_id_is_a_task_that_says_so() {
    let house = house();
    let Taken::Created(first) = house.take("1/1", &mail("a@x", "hello")) else {
        panic!()
    };
    let Taken::Created(second) = house.take("1/2", &mail("a@x", "pay me")) else {
        panic!()
    };
    assert_eq!(
        house.take("2/2", &mail("a@x", "pay me")),
        Taken::Known(second)
    );
    let notes = house.notes();
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
fn mails_without_a_message_id_are_known_by_their_content() {
    let house = house();
    let Taken::Created(task) = house.take("1/1", "Subject: a\r\n\r\nx") else {
        panic!()
    };
    assert_eq!(house.take("2/1", "Subject: a\r\n\r\nx"), Taken::Known(task));
    assert!(matches!(
        house.take("2/2", "Subject: a\r\n\r\ny"),
        Taken::Created(_)
    ));
    assert!(matches!(house.take("2/3", ""), Taken::Created(_)));
}

#[test]
fn a_note_that_was_chosen_and_not_written_is_written_at_the_next_start() {
    let house = house();
    let dir = house.dir;
    drop(house.intake);
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
fn a_task_that_moved_on_before_it_was_marked_is_not_made_again() {
    for moved_to in ["In_Progress/cloud", "Done/2026/11"] {
        let house = house();
        let dir = house.dir;
        drop(house.intake);
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
fn a_mail_is_not_lost_while_the_vault_cannot_be_written() {
    let house = house();
    let blocked = house.dir.path().join("vault/Needs_Action");
    fs::write(&blocked, "a file where the folder should be").unwrap();
    let error = house
        .intake
        .take(&raw("1/1", &mail("a@x", "hello")), now())
        .unwrap_err();
    assert!(matches!(error, IntakeError::Vault { .. }), "{error}");
    fs::remove_file(&blocked).unwrap();
    assert_eq!(house.intake.finish().unwrap(), 1);
    assert_eq!(house.notes().len(), 1);
    assert_eq!(house.take("1/1", &mail("a@x", "hello")), Taken::Seen);
}

#[test]
fn mails_from_the_owners_own_address_are_no_tasks() {
    let house = house();
    let own = mail("a@x", "note to self").replace("client@", "OWNER@");
    assert_eq!(house.take("1/1", &own), Taken::Own);
    assert_eq!(house.take("1/1", &own), Taken::Seen);
    assert!(house.notes().is_empty());
}

#[test]
fn a_mail_its_owner_answered_already_is_no_task() {
    let house = house();
    let mut answered = raw("1/1", &mail("a@x", "hello"));
    answered.answered = true;
    assert_eq!(
        house.intake.take(&answered, now()).unwrap(),
        Taken::Answered
    );
    assert_eq!(house.take("1/1", &mail("a@x", "hello")), Taken::Seen);
    assert!(house.notes().is_empty());
}

#[test]
fn when_the_server_renumbers_its_mails_the_old_ones_stay_old() {
    let house = house();
    house
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
    let house = house.restart();
    let Taken::Created(task) = house.take("1/5", &mail("a@x", "new")) else {
        panic!()
    };

    let before: Timestamp = "2026-11-19T10:00:00Z".parse().unwrap();
    let after: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let mut old = raw("2/1", &mail("old@x", "years ago"));
    old.internal_date = Some(before);
    assert_eq!(house.intake.take(&old, now()).unwrap(), Taken::Old);
    assert_eq!(house.take("2/2", &mail("a@x", "new")), Taken::Known(task));
    let mut fresh = raw("2/3", &mail("b@x", "newer"));
    fresh.internal_date = Some(after);
    assert!(matches!(
        house.intake.take(&fresh, now()).unwrap(),
        Taken::Created(_)
    ));
}

#[test]
fn the_place_in_the_mailbox_survives_a_restart() {
    let house = house();
    assert_eq!(house.intake.cursor().unwrap(), None);
    house
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
    house
        .intake
        .advance(&Cursor {
            uid_validity: 9,
            next_uid: 8,
        })
        .unwrap();
    let house = house.restart();
    assert_eq!(
        house.intake.cursor().unwrap(),
        Some(Cursor {
            uid_validity: 9,
            next_uid: 8
        })
    );
}
