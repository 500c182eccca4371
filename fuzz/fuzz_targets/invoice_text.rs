//! The claim is in `claims/invoice_text.rs`.

#![no_main]

#[path = "../claims/invoice_text.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
