//! The claim is in `claims/journal_rows.rs`.

#![no_main]

#[path = "../claims/journal_rows.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
