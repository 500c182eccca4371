//! The claim is in `claims/signatures.rs`.

#![no_main]

#[path = "../claims/signatures.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
