//! JSON web tokens: three parts, of which the first two are JSON in base64.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use super::{
    Look,
    shape::{run, starts_word, word},
};
use crate::Kind;

/// Longer parts are not read.
const MAX_PART: usize = 16 * 1024;

const URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Adds the rule.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Look)) {
    add("eyJ", Box::new(look));
}

fn look(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    if text.get(at..end) != Some(b"eyJ") || !starts_word(text, at) {
        return None;
    }
    let header = run(text, at, word, MAX_PART);
    let next = at + header.len();
    if text.get(next) != Some(&b'.') {
        return None;
    }
    let claims = run(text, next + 1, word, MAX_PART);
    let next = next + 1 + claims.len();
    if text.get(next) != Some(&b'.') {
        return None;
    }
    // Unsigned ones prove nothing, and those that are encrypted have five parts.
    let signature = run(text, next + 1, word, MAX_PART);
    let head = object(header)?;
    let algorithm = head.get("alg").and_then(Value::as_str)?;
    let encrypted = head.get("enc").is_some();
    let signed = signature.len() >= 20 && !algorithm.eq_ignore_ascii_case("none");
    ((encrypted || object(claims).is_some()) && signed).then_some(Kind::Jwt)
}

fn object(part: &[u8]) -> Option<Value> {
    let json = URL.decode(part).ok()?;
    let value: Value = serde_json::from_slice(&json).ok()?;
    value.is_object().then_some(value)
}
