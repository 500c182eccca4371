//! Any text taken as a draft note: what is read is written and read again as the same draft, and the same text leaves.
//!
//! The input is tried as it is, and as the rest of a draft that is good so far (`draft_note.md`): so the fuzzer need
//! not find out first what a draft looks like.

#![no_main]

use platinum_vault::note::DraftNote;

const GOOD: &str = include_str!("draft_note.md");

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    check(text);
    check(&format!("{GOOD}{text}"));
});

fn check(text: &str) {
    let Ok(draft) = DraftNote::parse(text) else {
        return;
    };
    let written = draft.render();
    match DraftNote::parse(&written) {
        Ok(again) => assert_eq!(again, draft, "another draft is read from {written:?}"),
        Err(error) => panic!("cannot be read again: {error}: {written:?}"),
    }
}
