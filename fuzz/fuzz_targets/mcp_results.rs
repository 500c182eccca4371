//! The claim is in `claims/mcp_results.rs`.

#![no_main]

#[path = "../claims/mcp_results.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
