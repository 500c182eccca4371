//! The claim is in `claims/mail_to_task.rs`.

#![no_main]

#[path = "../claims/mail_to_task.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
