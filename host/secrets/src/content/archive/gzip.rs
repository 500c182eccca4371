//! gzip: members one behind the other, each a header and a stream.

use super::{
    Budget, Visitor,
    inflate::{Wrapper, inflate},
};

/// How every member starts.
const START: [u8; 3] = [0x1F, 0x8B, 8];

pub(super) fn matches_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(&START)
}

/// Hands on all members as one, as they are meant.
pub(super) fn each(bytes: &[u8], budget: &Budget, visit: &mut Visitor<'_>) {
    let mut text = Vec::new();
    let mut rest = bytes;
    while matches_magic(rest) && budget.member() {
        let Some(body) = header(rest).and_then(|len| rest.get(len..)) else {
            break;
        };
        let inflated = inflate(body, Wrapper::Bare, budget.left());
        budget.spend(inflated.bytes.len());
        text.extend_from_slice(&inflated.bytes);
        // A check sum and a length end a member.
        match body.get(inflated.used + 8..) {
            Some(next) if inflated.whole => rest = next,
            _ => break,
        }
    }
    if !text.is_empty() {
        visit(&text, false);
    }
}

/// How long a member's header is.
fn header(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut at = 10;
    if flags & 4 != 0 {
        let len = bytes.get(at..at + 2)?;
        at += 2 + usize::from(*len.first()?) + usize::from(*len.get(1)?) * 256;
    }
    // A name and a comment, each to a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += bytes.get(at..)?.iter().position(|b| *b == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Some(at)
}
