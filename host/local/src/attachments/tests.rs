//! One mail's files, saved into a vault.

use std::{path::Path, sync::Mutex};

use async_trait::async_trait;
use platinum_core::{TaskId, ZoneId};
use platinum_effects::email::{MailFiles, ReceivedFile, ReceivedFiles};
use platinum_vault::{
    Vault,
    note::{Fact, TaskNote},
};

use super::{
    note,
    save::{MAX_FILE_BYTES, MAX_FILES, Room, note_failure, read_note, remove, save},
};

const NOW: &str = "2026-11-30T12:00:00Z";

/// A mail with these files.
struct Mail {
    files: Vec<(Option<&'static str>, Vec<u8>)>,
    down: Mutex<Option<&'static str>>,
    listed: ReceivedFiles,
}

impl Mail {
    fn of(files: &[(Option<&'static str>, &[u8])]) -> Self {
        let listed = files.iter().map(|(name, content)| ReceivedFile {
            name: name.map(str::to_owned),
            media_type: "application/octet-stream".to_owned(),
            size: content.len() as u64,
            left_out: None,
        });
        Self {
            listed: ReceivedFiles {
                files: listed.collect(),
                ..ReceivedFiles::default()
            },
            files: files.iter().map(|(name, c)| (*name, c.to_vec())).collect(),
            down: Mutex::default(),
        }
    }
}

#[async_trait]
impl MailFiles for Mail {
    async fn list(&self, id: &str, from: Option<&str>) -> Result<ReceivedFiles, String> {
        assert_eq!((id, from), ("q@x.test", Some("ann@x.test")));
        match *self.down.lock().unwrap() {
            Some(why) => Err(why.to_owned()),
            None => Ok(self.listed.clone()),
        }
    }

    async fn read(&self, _: &str, file: usize, _: u64) -> Result<Vec<u8>, String> {
        Ok(self.files[file].1.clone())
    }
}

struct SaveFixture {
    folder: tempfile::TempDir,
    vault: Vault,
    task: TaskNote,
}

impl SaveFixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fact = |name: &str, value: &str| Fact {
            name: name.to_owned(),
            values: vec![value.to_owned()],
        };
        Self {
            vault: Vault::open(folder.path()).unwrap(),
            folder,
            task: TaskNote {
                id: TaskId::from_parts(1, 1),
                zone: ZoneId::EMAIL,
                source: "imap:owner".to_owned(),
                from: "Ann <ann@x.test>".to_owned(),
                subject: "Offer [[x]] <b>".to_owned(),
                received: None,
                created: NOW.parse().unwrap(),
                by: "intake/mail".to_owned(),
                facts: vec![fact("message-id", "q@x.test"), fact("attachments", "a.pdf")],
                claim: None,
                body: String::new(),
            },
        }
    }

    async fn save(&self, mail: &Mail) -> Result<(), String> {
        save(&self.vault, &self.task, mail, NOW.parse().unwrap()).await
    }

    fn at(&self, name: &str) -> std::path::PathBuf {
        let folder = note::folder_of(self.task.id).unwrap();
        self.folder.path().join(folder.as_str()).join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.at(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.at("")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn files_are_saved_under_safe_names_and_listed() {
    let fixture = SaveFixture::new();
    let mail = Mail::of(&[
        (Some("../../offer.pdf"), b"1"),
        (Some("OFFER.pdf"), b"2"),
        (Some("copy of offer.pdf"), b"1"),
        (Some("run.sh"), b"#!/bin/sh\n"),
        (Some("Attachments.md"), b"[[x]]"),
        (None, b"3"),
    ]);
    fixture.save(&mail).await.unwrap();
    assert_eq!(
        fixture.names(),
        [
            "Attachments.md",
            "Attachments.md.bin",
            "OFFER (2).pdf",
            "file.bin",
            "offer.pdf",
            "run.sh.bin",
        ]
    );
    assert_eq!(
        fixture.read("offer.pdf") + &fixture.read("OFFER (2).pdf"),
        "12"
    );
    assert_eq!(mode(&fixture.at("run.sh.bin")), 0o600);
    let note = fixture.read("Attachments.md");
    let folder = note::folder_of(fixture.task.id).unwrap();
    for line in [
        &*format!("[[{folder}/offer.pdf|offer.pdf]] · 1 bytes · in the mail: "),
        &*format!("[[{folder}/run.sh.bin|run.sh.bin]] · 10 bytes · in the mail: run.sh"),
    ] {
        assert!(note.contains(line), "{line}\n{note}");
    }
    assert_eq!(note.matches("offer.pdf|offer.pdf]]").count(), 2, "{note}");
    assert!(
        note.contains("# Files of Offer") && !note.contains("[[x]]"),
        "{note}"
    );
    let (note, _) = read_note(&fixture.vault, fixture.task.id).unwrap().unwrap();
    assert!(note::is_saved(&note) && note::is_own(&note));
}

/// What of it stays out is named with its reason.
#[tokio::test]
async fn files_beyond_a_bound_are_named_with_the_reason() {
    let fixture = SaveFixture::new();
    let mut mail = Mail::of(&vec![(Some("a.pdf"), &b"x"[..]); MAX_FILES + 1]);
    for (file, size) in mail.listed.files.iter_mut().zip([MAX_FILE_BYTES + 1, 1]) {
        file.size = size;
    }
    mail.listed.files[2].left_out = Some("it is larger than 25 MiB".to_owned());
    mail.listed.files[3].size = MAX_FILE_BYTES;
    mail.files[3].1 = vec![b'y'; usize::try_from(MAX_FILE_BYTES).unwrap()];
    mail.listed.files[4].size = MAX_FILE_BYTES;
    mail.listed.more = 7;
    fixture.save(&mail).await.unwrap();
    let note = fixture.read("Attachments.md");
    for reason in [
        "a.pdf · 26.2 MB: 25 MiB is the most for one file. It is in your mail program.",
        "a.pdf · 1 bytes: it is larger than 25 MiB. ",
        "a.pdf · 26.2 MB: 50 MiB is the most for the files of one mail. ",
        "a.pdf · 1 bytes: more than 50 files are attached. ",
        "- 7 more are attached. They are in your mail program.",
    ] {
        assert!(note.contains(reason), "{reason}\n{note}");
    }
    assert_eq!(fixture.names(), ["Attachments.md", "a (2).pdf", "a.pdf"]);
    let room = Room {
        of_mail: 10,
        of_all: 1,
    };
    let refused = room.refusal(0, &mail.listed.files[5].clone());
    assert_eq!(refused, None);
    let two = ReceivedFile {
        size: 2,
        ..ReceivedFile::default()
    };
    assert_eq!(
        room.refusal(0, &two).unwrap(),
        "1024 MiB is the most for all saved files together"
    );
}

/// A file of the owner's is never written over, and an earlier try is gone on with.
#[tokio::test]
async fn files_of_the_owner_stay_and_a_second_try_finds_the_first() {
    let fixture = SaveFixture::new();
    std::fs::create_dir_all(fixture.at("")).unwrap();
    std::fs::write(fixture.at("a.pdf"), "mine").unwrap();
    std::fs::write(fixture.at("b.pdf"), "2").unwrap();
    // As Obsidian makes it for who follows the link too early.
    std::fs::write(fixture.at("Attachments.md"), "").unwrap();
    let mail = Mail::of(&[(Some("a.pdf"), b"1"), (Some("b.pdf"), b"2")]);
    fixture.save(&mail).await.unwrap();
    assert_eq!(
        fixture.names(),
        ["Attachments.md", "a (2).pdf", "a.pdf", "b.pdf"]
    );
    assert_eq!(fixture.read("a.pdf"), "mine");
}

#[tokio::test]
async fn failure_is_said_once_and_what_the_owner_wrote_stays() {
    let fixture = SaveFixture::new();
    let mail = Mail::of(&[(Some("a.pdf"), b"1")]);
    let now = NOW.parse().unwrap();
    *mail.down.lock().unwrap() = Some("account owner: cannot connect");
    for _ in 0..3 {
        let why = fixture.save(&mail).await.unwrap_err();
        note_failure(&fixture.vault, &fixture.task, why, now)
            .await
            .unwrap();
    }
    let text = fixture.read("Attachments.md");
    let said = "not saved yet: account owner: cannot connect. It is tried again.";
    assert_eq!(text.matches(said).count(), 1, "{text}");
    let (note, _) = read_note(&fixture.vault, fixture.task.id).unwrap().unwrap();
    assert!(!note::is_saved(&note));
    std::fs::write(fixture.at("Attachments.md"), text + "\nAsk Ann for it.\n").unwrap();
    *mail.down.lock().unwrap() = None;
    fixture.save(&mail).await.unwrap();
    let text = fixture.read("Attachments.md");
    assert!(
        text.contains("Ask Ann for it.") && text.contains("a.pdf|a.pdf]]"),
        "{text}"
    );
    // It is the owner's now, and what Platinum saved is not.
    assert!(!remove(&fixture.vault, fixture.task.id).unwrap());
    assert_eq!(fixture.names(), ["Attachments.md"]);
}

#[tokio::test]
async fn remove_takes_only_what_is_as_it_was_saved() {
    let fixture = SaveFixture::new();
    let mail = Mail::of(&[(Some("a.pdf"), b"1"), (Some("b.pdf"), b"2")]);
    fixture.save(&mail).await.unwrap();
    std::fs::write(fixture.at("b.pdf"), "edited").unwrap();
    std::fs::write(fixture.at("mine.pdf"), "mine").unwrap();
    assert!(!remove(&fixture.vault, fixture.task.id).unwrap());
    assert_eq!(fixture.names(), ["Attachments.md", "b.pdf", "mine.pdf"]);
    for name in ["b.pdf", "mine.pdf"] {
        std::fs::remove_file(fixture.at(name)).unwrap();
    }
    assert!(remove(&fixture.vault, fixture.task.id).unwrap());
    assert!(!fixture.at("").exists());
}
