//! The claim is in `claims/component_loading.rs`.

#![no_main]

#[path = "../claims/component_loading.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
