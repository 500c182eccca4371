//! The claim is in `claims/packed.rs`.

#![no_main]

#[path = "../claims/packed.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
