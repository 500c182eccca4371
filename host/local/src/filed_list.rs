//! `Filed.md`: what was filed without an answer, newest first, each with a box to tick.
//!
//! A tick is the owner's word that an answer is wanted: the note goes back to `Needs_Action/`, and is
//! claimed and drafted like any other; the drafter sees that it was filed before. To move the note by
//! hand does the same.
//! Invariants: of the file only what stands between the two markers is ours; a file of that name
//! without them is the owner's, and left alone; what is shown of a mail is one escaped line.

use std::time::Duration;

use platinum_core::{
    TaskId, Timestamp, VaultPath, layout,
    text::{escape_markdown, one_line},
};
use platinum_vault::{
    Vault, VaultError,
    note::{FILED, Note, TaskNote},
};

const BEGIN: &str = "<!-- platinum:begin -->";
const END: &str = "<!-- platinum:end -->";
const HEAD: &str = "# Filed without an answer\n\n\
    Tick a line to have its answer drafted after all; or move its note into `Needs_Action/email/`.\n\n";
const A_MONTH: Duration = Duration::from_secs(31 * 24 * 60 * 60);
/// The most lines.
const MAX_LINES: usize = 100;
/// The most finished notes that are read for them.
const MAX_READ: usize = 400;
/// The longest note and the longest list that are read, in bytes.
const MAX_NOTE_BYTES: u64 = 512 * 1024;

/// Puts back what is ticked, and writes the list anew; how many were put back, and whether the list
/// changed. Unless the vault `is_changed`, only for a tick. Blocks on the disk.
///
/// # Errors
/// If the vault cannot be read or written.
pub(crate) fn update(
    vault: &Vault,
    now: Timestamp,
    is_changed: bool,
) -> Result<(usize, bool), VaultError> {
    let path = VaultPath::new(layout::FILED_LIST)?;
    let old = match vault.read_text(&path, MAX_NOTE_BYTES) {
        Ok(text) => Some(text),
        Err(VaultError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let (before, after, ticked) = match &old {
        None => (HEAD.to_owned(), "\n".to_owned(), Vec::new()),
        Some(text) => match split(text) {
            Some((before, block, after)) => (before.to_owned(), after.to_owned(), ticked_in(block)),
            None => return Ok((0, false)),
        },
    };
    if !is_changed && ticked.is_empty() {
        return Ok((0, false));
    }
    let mut put_back = 0;
    let mut lines = Vec::new();
    for (at, note) in filed(vault, now)? {
        if ticked.contains(&note.id) {
            match vault.rename(&at, &layout::waiting(note.zone, note.id)) {
                Ok(()) => {
                    put_back += 1;
                    continue;
                }
                // It waits already, or was taken away meanwhile.
                Err(VaultError::Exists(_) | VaultError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if lines.len() < MAX_LINES {
            lines.push(line(&note));
        }
    }
    if old.is_none() && lines.is_empty() {
        return Ok((put_back, false));
    }
    let list = match lines.is_empty() {
        true => "Nothing.\n".to_owned(),
        false => lines.concat(),
    };
    let new = format!("{before}{BEGIN}\n{list}{END}{after}");
    if old.as_ref() == Some(&new) {
        return Ok((put_back, false));
    }
    let written = match &old {
        None => vault.create(&path, new.as_bytes()),
        Some(old) => vault.replace(&path, new.as_bytes(), Some(old.as_bytes())),
    };
    match written {
        Ok(()) => Ok((put_back, true)),
        // The owner has just written it: the next time.
        Err(VaultError::Changed(_) | VaultError::Exists(_)) => Ok((put_back, false)),
        Err(error) => Err(error),
    }
}

/// What stands before the markers, between them, and after them.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (block, after) = rest.split_once(END)?;
    Some((before, block, after))
}

/// The tasks whose lines are ticked.
fn ticked_in(block: &str) -> Vec<TaskId> {
    let ticked = block.lines().filter(|line| {
        let line = line.trim_start();
        line.starts_with("- [x]") || line.starts_with("- [X]")
    });
    let id = |line: &str| {
        let (_, link) = line.rsplit_once("[[")?;
        link.split(['|', ']']).next()?.parse().ok()
    };
    ticked.filter_map(id).collect()
}

/// The notes filed without an answer in this month and the one before, newest first.
fn filed(vault: &Vault, now: Timestamp) -> Result<Vec<(VaultPath, TaskNote)>, VaultError> {
    let month = layout::done_month(now);
    let last = layout::done_month(now - A_MONTH);
    let mut paths = Vec::new();
    for folder in [&month, &last] {
        let entries = vault.walk_in(folder)?.into_iter().map(|entry| entry.path);
        paths.extend(entries.filter(|path| path.stem().parse::<TaskId>().is_ok()));
    }
    // An id begins with its time.
    paths.sort_by(|a, b| b.file_name().cmp(a.file_name()));
    paths.dedup();
    let mut filed = Vec::new();
    for path in paths.into_iter().take(MAX_READ) {
        let Ok(text) = vault.read_text(&path, MAX_NOTE_BYTES) else {
            continue;
        };
        let Ok(note) = Note::parse(&text) else {
            continue;
        };
        if note.get_text("outcome") != Some(FILED) {
            continue;
        }
        if let Ok(task) = TaskNote::from_note(&note) {
            filed.push((path, task));
        }
    }
    Ok(filed)
}

fn line(task: &TaskNote) -> String {
    let reason = task.fact(platinum_vault::note::FILED_BEFORE);
    let reason = reason.first().map(String::as_str).unwrap_or_default();
    format!(
        "- [ ] {} · {} · {} · [[{}|note]]\n",
        escape_markdown(&one_line(&task.subject, 80), 160),
        escape_markdown(&one_line(&task.from, 60), 120),
        escape_markdown(&one_line(reason, 140), 280),
        task.id
    )
}

#[cfg(test)]
mod tests {
    use platinum_core::ZoneId;
    use platinum_vault::note::finish;

    use super::*;

    const NOW: &str = "2026-11-20T18:00:00Z";

    struct Fixture {
        _folder: tempfile::TempDir,
        vault: Vault,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let vault = Vault::open(folder.path()).unwrap();
            Self {
                _folder: folder,
                vault,
            }
        }

        fn file(&self, number: u64, subject: &str, outcome: &str, reason: &str) -> TaskId {
            let now: Timestamp = NOW.parse().unwrap();
            let made = now.as_millisecond().unsigned_abs() + number;
            let id = TaskId::from_parts(made, 7);
            let task = TaskNote {
                id,
                zone: ZoneId::EMAIL,
                source: "imap:me".to_owned(),
                from: "Shop <hi@shop.test>".to_owned(),
                subject: subject.to_owned(),
                received: None,
                created: now,
                by: "intake/mail".to_owned(),
                facts: Vec::new(),
                claim: None,
                body: "Text.\n".to_owned(),
            };
            let mut note = Note::parse(&task.render()).unwrap();
            finish(&mut note, outcome, reason, now, &[]).unwrap();
            let path = layout::done(now, id);
            self.vault.create(&path, note.to_text().as_bytes()).unwrap();
            id
        }

        fn update(&self) -> (usize, bool) {
            update(&self.vault, NOW.parse().unwrap(), true).unwrap()
        }

        fn list(&self) -> String {
            let path = VaultPath::new(layout::FILED_LIST).unwrap();
            self.vault.read_text(&path, 1 << 20).unwrap()
        }

        fn write(&self, text: &str) {
            let path = VaultPath::new(layout::FILED_LIST).unwrap();
            self.vault.replace(&path, text.as_bytes(), None).unwrap();
        }
    }

    #[test]
    fn list_has_what_was_filed_newest_first() {
        let fixture = Fixture::new();
        assert_eq!(fixture.update(), (0, false), "an empty list is not written");
        let old = fixture.file(1, "News [[x]] <b>", "filed", "bulk mail");
        fixture.file(2, "Sent", "done", "sent");
        let new = fixture.file(3, "Code", "filed", "a one-time code");
        assert_eq!(fixture.update(), (0, true));
        let list = fixture.list();
        let lines: Vec<&str> = list
            .lines()
            .filter(|line| line.starts_with("- ["))
            .collect();
        assert_eq!(lines.len(), 2, "{list}");
        assert!(
            lines[0].contains("a one-time code") && lines[0].ends_with(&format!("[[{new}|note]]"))
        );
        assert!(
            lines[1].ends_with(&format!("bulk mail · [[{old}|note]]")),
            "{}",
            lines[1]
        );
        assert_eq!(lines[1].matches("[[").count(), 1, "{}", lines[1]);
        assert_eq!(
            fixture.update(),
            (0, false),
            "the same list is not written again"
        );
        let unchanged = update(&fixture.vault, NOW.parse().unwrap(), false).unwrap();
        assert_eq!(unchanged, (0, false));
    }

    /// One move of the owner, and it is a task again, which says that it was filed before.
    #[test]
    fn ticked_line_puts_its_note_back() {
        let fixture = Fixture::new();
        let wanted = fixture.file(1, "Offer", "filed", "bulk mail");
        fixture.file(2, "News", "filed", "bulk mail");
        fixture.update();
        let line = format!("[[{wanted}|note]]");
        let ticked: String = fixture
            .list()
            .lines()
            .map(|text| match text.ends_with(&line) {
                true => format!("{}\n", text.replace("- [ ]", "- [x]")),
                false => format!("{text}\n"),
            })
            .collect();
        fixture.write(&format!("My own words.\n{ticked}More.\n"));
        assert_eq!(fixture.update(), (1, true));
        let back = layout::waiting(ZoneId::EMAIL, wanted);
        let task = TaskNote::parse(&fixture.vault.read_text(&back, 1 << 20).unwrap()).unwrap();
        assert_eq!(task.fact("filed-before"), ["bulk mail"]);
        let list = fixture.list();
        assert!(
            list.starts_with("My own words.\n") && list.ends_with("More.\n"),
            "{list}"
        );
        assert!(list.contains("News") && !list.contains("Offer"), "{list}");
    }

    #[test]
    fn list_of_the_owners_own_is_left_alone() {
        let fixture = Fixture::new();
        fixture.file(1, "News", "filed", "bulk mail");
        fixture.write("# My filing system\n");
        assert_eq!(fixture.update(), (0, false));
        assert_eq!(fixture.list(), "# My filing system\n");
    }
}
