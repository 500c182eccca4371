//! The claim is in `claims/social_posts.rs`.

#![no_main]

#[path = "../claims/social_posts.rs"]
mod claim;

libfuzzer_sys::fuzz_target!(|input: &[u8]| claim::check(input));
