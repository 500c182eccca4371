//! The claim is in `claims/einvoice.rs`.

#![no_main]

#[path = "../claims/einvoice.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
