//! The notes and details of an invoice: each one bounded line, once, and not too many.

use platinum_text::one_line;

use crate::{MAX_LINES, MAX_NOTE_CHARS, MAX_NOTES, MORE_NOTES};

/// Notes that came from outside, as they are kept.
pub(crate) fn cleaned(given: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    for note in given {
        add_note(&mut notes, note);
    }
    notes
}

/// Notes how many lines were left out, if any were.
pub(crate) fn note_left_out(notes: &mut Vec<String>, lines: usize) {
    if lines > 0 {
        let note = format!("{lines} more lines were left out: {MAX_LINES} is the most.");
        add_note(notes, &note);
    }
}

/// Adds a note, once; the last one says that there are more.
pub(crate) fn add_note(notes: &mut Vec<String>, note: &str) {
    let note = one_line(note, MAX_NOTE_CHARS);
    if note.is_empty() || notes.contains(&note) {
        return;
    }
    match notes.len() + 1 {
        MAX_NOTES => notes.push(MORE_NOTES.to_owned()),
        count if count < MAX_NOTES => notes.push(note),
        _ => {}
    }
}
