//! `Filed.md`: what was filed without an answer, newest first, each with a box to tick.
//!
//! A tick is the owner's word that an answer is wanted: the note goes back to `Needs_Action/`, and is
//! claimed and drafted like any other; the drafter sees that it was filed before. To move the note by
//! hand does the same.
//! Invariants: of the file only what stands between the two markers is ours; a file of that name
//! without them is the owner's, and left alone; what is shown of a mail is one escaped line.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{
    TaskId, Timestamp, VaultPath, layout,
    text::{escape_markdown, one_line},
};
use platinum_vault::{
    Entry, Vault, VaultError,
    note::{FILED, Note, TaskNote},
};

const BEGIN: &str = "<!-- platinum:begin -->";
const END: &str = "<!-- platinum:end -->";
const HEAD: &str = "# Filed without an answer\n\n\
    Tick a line to have its answer drafted after all; or move its note into `Needs_Action/email/`.\n\n";
/// The most lines.
const MAX_LINES: usize = 100;
/// The most finished notes that are read for them at once.
const MAX_READ: usize = 400;
/// The longest note and the longest list that are read, in bytes.
const MAX_NOTE_BYTES: u64 = 512 * 1024;

/// The finished notes that were read, as they were then, each with its line if it was filed without an answer.
pub(crate) type ReadNotes = BTreeMap<VaultPath, (u64, Timestamp, Option<String>)>;

/// Puts back what is ticked, and writes the list anew; how many were put back, and whether the list
/// changed. Unless the vault `is_changed`, only for a tick. `read` saves reading again what is as it was.
/// Blocks on the disk.
///
/// # Errors
/// If the vault cannot be read or written.
pub(crate) fn update(
    vault: &Vault,
    now: Timestamp,
    is_changed: bool,
    read: &mut ReadNotes,
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
    if !ticked.is_empty() {
        let done = vault.walk_in(layout::DONE)?;
        for task in ticked {
            put_back += usize::from(put_back_from_done(vault, &done, task)?);
        }
    }
    read_on(vault, now, read)?;
    // An id begins with its time.
    let mut all: Vec<_> = read.iter().collect();
    all.sort_by(|(a, _), (b, _)| b.file_name().cmp(a.file_name()));
    let mut lines: Vec<&str> = all
        .iter()
        .filter_map(|(_, (.., line))| line.as_deref())
        .collect();
    let more_count = lines.len().saturating_sub(MAX_LINES);
    lines.truncate(MAX_LINES);
    let more = format!("\nAnd {more_count} more in {}/.\n", layout::DONE);
    if more_count > 0 {
        lines.push(&more);
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

/// Reads the notes of tasks that were finished in this month and the one before, as far as they are not known,
/// newest first; the others the next time.
fn read_on(vault: &Vault, now: Timestamp, read: &mut ReadNotes) -> Result<(), VaultError> {
    let mut notes = vault.walk_in(&layout::done_month(now))?;
    notes.extend(vault.walk_in(&layout::last_done_month(now))?);
    notes.retain(|entry| entry.path.stem().parse::<TaskId>().is_ok());
    let there: BTreeSet<&VaultPath> = notes.iter().map(|entry| &entry.path).collect();
    read.retain(|path, _| there.contains(path));
    notes.retain(|entry| {
        let known = read.get(&entry.path);
        known.is_none_or(|(len, modified, _)| (*len, *modified) != (entry.len, entry.modified))
    });
    notes.sort_by(|a, b| b.path.file_name().cmp(a.path.file_name()));
    for entry in notes.into_iter().take(MAX_READ) {
        let line = read_filed(vault, &entry.path).as_ref().map(line);
        read.insert(entry.path, (entry.len, entry.modified, line));
    }
    Ok(())
}

/// Puts a task back that was filed without an answer, whenever that was; whether it did.
fn put_back_from_done(vault: &Vault, done: &[Entry], task: TaskId) -> Result<bool, VaultError> {
    let name = task.to_string();
    let filed = done.iter().find(|entry| entry.path.stem() == name);
    let filed = filed.and_then(|entry| Some((read_filed(vault, &entry.path)?, &entry.path)));
    let Some((note, path)) = filed else {
        tracing::warn!(%task, "A ticked line is of no note that was filed.");
        return Ok(false);
    };
    match vault.rename(path, &layout::waiting(note.zone, note.id)) {
        Ok(()) => Ok(true),
        // It waits already, or was taken away meanwhile.
        Err(VaultError::Exists(_) | VaultError::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The task of a note, if it was filed without an answer.
fn read_filed(vault: &Vault, path: &VaultPath) -> Option<TaskNote> {
    let text = vault.read_text(path, MAX_NOTE_BYTES).ok()?;
    let note = Note::parse(&text).ok()?;
    let is_filed = note.get_text("outcome") == Some(FILED);
    is_filed.then(|| TaskNote::from_note(&note).ok())?
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
    use std::cell::RefCell;

    use platinum_core::ZoneId;
    use platinum_vault::note::finish;

    use super::*;

    const NOW: &str = "2026-11-20T18:00:00Z";

    struct Fixture {
        _folder: tempfile::TempDir,
        vault: Vault,
        read: RefCell<ReadNotes>,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let vault = Vault::open(folder.path()).unwrap();
            Self {
                _folder: folder,
                vault,
                read: RefCell::default(),
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
            self.update_at(NOW, true)
        }

        fn update_at(&self, now: &str, is_changed: bool) -> (usize, bool) {
            let mut read = self.read.borrow_mut();
            update(&self.vault, now.parse().unwrap(), is_changed, &mut read).unwrap()
        }

        fn tick(&self, task: TaskId) {
            let line = format!("[[{task}|note]]");
            let tick = |text: &str| match text.ends_with(&line) {
                true => format!("{}\n", text.replace("- [ ]", "- [x]")),
                false => format!("{text}\n"),
            };
            self.write(&self.list().lines().map(tick).collect::<String>());
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
        assert_eq!(fixture.update_at(NOW, false), (0, false));
    }

    /// One move of the owner, and it is a task again, which says that it was filed before.
    #[test]
    fn ticked_line_puts_its_note_back() {
        let fixture = Fixture::new();
        let wanted = fixture.file(1, "Offer", "filed", "bulk mail");
        fixture.file(2, "News", "filed", "bulk mail");
        fixture.update();
        fixture.tick(wanted);
        fixture.write(&format!("My own words.\n{}More.\n", fixture.list()));
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

    /// The month before is the calendar's, on its first day and its last.
    #[test]
    fn list_has_the_month_before_and_a_tick_counts_longer() {
        let fixture = Fixture::new();
        let id = fixture.file(1, "Offer", "filed", "bulk mail");
        fixture.update();
        for day in ["2026-12-01T00:00:00Z", "2026-12-31T23:59:00Z"] {
            assert_eq!(fixture.update_at(day, true), (0, false), "{day}");
        }
        // Its line is ticked before the list is written without it.
        fixture.tick(id);
        assert_eq!(fixture.update_at("2027-01-01T00:00:00Z", true), (1, true));
        assert!(fixture.list().contains("\nNothing.\n"));
    }

    #[test]
    fn list_says_how_many_more_there_are() {
        let fixture = Fixture::new();
        for number in 0..MAX_LINES as u64 + 2 {
            fixture.file(number, "News", "filed", "bulk mail");
        }
        fixture.update();
        let list = fixture.list();
        assert_eq!(list.matches("- [ ]").count(), MAX_LINES);
        assert!(list.contains("\nAnd 2 more in Done/.\n"), "{list}");
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
