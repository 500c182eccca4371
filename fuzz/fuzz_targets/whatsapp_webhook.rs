//! The claim is in `claims/whatsapp_webhook.rs`.

#![no_main]

#[path = "../claims/whatsapp_webhook.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
