//! The claim is in `claims/porcelain.rs`.

#![no_main]

#[path = "../claims/porcelain.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
