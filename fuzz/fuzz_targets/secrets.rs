//! The claim is in `claims/secrets.rs`.

#![no_main]

#[path = "../claims/secrets.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
