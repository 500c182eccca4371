//! The claim is in `claims/actions.rs`.

#![no_main]

#[path = "../claims/actions.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
