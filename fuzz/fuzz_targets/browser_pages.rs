//! The claim is in `claims/browser_pages.rs`.

#![no_main]

#[path = "../claims/browser_pages.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
