//! Any text taken as a draft note: what is read is written and read again as the same draft, and the same text leaves.
//!
//! The input is tried as it is, and as the rest of a draft that is good so far (`draft_note.md`): so the fuzzer need
//! not find out first what a draft looks like.

use platinum_vault::note::DraftNote;

const GOOD: &str = include_str!("draft_note.md");

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    check_note(text);
    check_note(&format!("{GOOD}{text}"));
}

fn check_note(text: &str) {
    let Ok(draft) = DraftNote::parse(text) else {
        return;
    };
    let written = draft.render();
    match DraftNote::parse(&written) {
        Ok(again) => assert_eq!(again, draft, "another draft is read from {written:?}"),
        Err(error) => panic!("cannot be read again: {error}: {written:?}"),
    }
}
