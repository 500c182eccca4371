//! JSON web tokens: three parts, of which the first two are JSON in base64.

use std::borrow::Cow;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use super::{
    Matcher,
    char_class::{run, starts_word, unwrapped, word},
    link,
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
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Matcher)) {
    add("eyJ", Box::new(match_jwt));
}

fn match_jwt(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    if text.get(at..end) != Some(b"eyJ") || !starts_word(text, at) {
        return None;
    }
    let found = is_signed(text, at, false) || is_signed(text, at, true);
    // In a link it lets the reader of a mail in.
    (found && !link::is_within(text, at)).then_some(Kind::Jwt)
}

fn is_signed(text: &[u8], at: usize, wrapped: bool) -> bool {
    let Some((head, next)) = part(text, at, wrapped).and_then(|(p, end)| Some((object(&p)?, end)))
    else {
        return false;
    };
    let algorithm = head.get("alg").and_then(Value::as_str);
    let encrypted = head.get("enc").is_some();
    let Some((claims, next)) = point(text, next, wrapped).and_then(|at| part(text, at, wrapped))
    else {
        return false;
    };
    let Some(next) = point(text, next, wrapped) else {
        return false;
    };
    // Unsigned ones prove nothing, and those that are encrypted have five parts.
    let signature = part(text, next, wrapped).map_or(0, |(part, _)| part.len());
    signature >= 20
        && algorithm.is_some_and(|algorithm| !algorithm.eq_ignore_ascii_case("none"))
        && (encrypted || object(&claims).is_some())
}

/// One part, and where it ends.
fn part(text: &[u8], at: usize, wrapped: bool) -> Option<(Cow<'_, [u8]>, usize)> {
    if wrapped && let Some((part, end)) = unwrapped(text, at, word, MAX_PART) {
        return Some((Cow::Owned(part), end));
    }
    let part = run(text, at, word, MAX_PART);
    Some((Cow::Borrowed(part), at + part.len()))
}

/// Behind the point that has to stand here; a line may end before or after it.
fn point(text: &[u8], at: usize, wrapped: bool) -> Option<usize> {
    let line = |at: usize| {
        let most = if wrapped { 6 } else { 0 };
        at + run(text, at, |b| matches!(b, b'\r' | b'\n' | b' ' | b'>'), most).len()
    };
    let point = line(at);
    (text.get(point) == Some(&b'.')).then(|| line(point + 1))
}

fn object(part: &[u8]) -> Option<Value> {
    let json = URL.decode(part).ok()?;
    let value: Value = serde_json::from_slice(&json).ok()?;
    value.is_object().then_some(value)
}
