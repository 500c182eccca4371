//! The claim is in `claims/draft_note.rs`.

#![no_main]

#[path = "../claims/draft_note.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
