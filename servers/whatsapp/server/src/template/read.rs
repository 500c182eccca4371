//! A template of Meta's list as the pieces of one text.
//!
//! Invariants: pure; the pieces are all that the template shows, or there are none.

use platinum_text::one_line;
use serde_json::Value;

use super::{Gap, Piece};

/// The longest text of a template that is read, in bytes.
const MAX_TEXT: usize = 4096;
/// The longest name of a gap, in bytes.
const MAX_GAP_NAME: usize = 64;

/// All that a template shows, as one text: headline, text, footer, and what its buttons say.
pub(super) fn read_pieces(components: &Value) -> Result<Vec<Piece>, &'static str> {
    let mut parts: [Vec<Piece>; 4] = Default::default();
    for component in components.as_array().into_iter().flatten() {
        let text = component["text"].as_str().unwrap_or_default();
        let (at, read) = match component["type"].as_str().unwrap_or_default() {
            "HEADER" if component["format"] != "TEXT" => {
                return Err(
                    "begins with a picture, a film, a file or a place, which Platinum does not fill in",
                );
            }
            "HEADER" => (0, split_gaps(text, true)),
            "BODY" => (1, split_gaps(text, false)),
            "FOOTER" => (2, vec![Piece::Words(text.to_owned())]),
            "BUTTONS" => (3, vec![Piece::Words(buttons(&component["buttons"])?)]),
            _ => return Err("is of a form that Platinum does not know"),
        };
        if let Some(part) = parts.get_mut(at) {
            *part = read;
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !pieces.is_empty() {
            push_words(&mut pieces, "\n\n");
        }
        for piece in part {
            match piece {
                Piece::Words(words) => push_words(&mut pieces, &words),
                gap @ Piece::Gap(_) => pieces.push(gap),
            }
        }
    }
    // A note keeps no spaces at the ends of a text.
    if let Some(Piece::Words(words)) = pieces.first_mut() {
        *words = words.trim_start().to_owned();
    }
    if let Some(Piece::Words(words)) = pieces.last_mut() {
        *words = words.trim_end().to_owned();
    }
    pieces.retain(|piece| !matches!(piece, Piece::Words(words) if words.is_empty()));
    let length = pieces.iter().map(|piece| match piece {
        Piece::Words(words) => words.len(),
        Piece::Gap(gap) => gap.name.len(),
    });
    match length.sum() {
        0 => Err("has no text"),
        1..=MAX_TEXT => Ok(pieces),
        _ => Err("is too long"),
    }
}

/// Adds words; to those before, if there are some.
fn push_words(pieces: &mut Vec<Piece>, words: &str) {
    let words = words.replace("\r\n", "\n");
    match pieces.last_mut() {
        Some(Piece::Words(before)) => before.push_str(&words),
        _ => pieces.push(Piece::Words(words)),
    }
}

/// A text at its gaps.
fn split_gaps(text: &str, is_in_header: bool) -> Vec<Piece> {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut from = 0;
    while let Some(at) = rest.get(from..).and_then(|text| text.find("{{")) {
        let begin = from + at;
        let inner = rest.get(begin + 2..).unwrap_or_default();
        let name = inner.split_once("}}").map(|(name, _)| name);
        let is_name = |name: &&str| {
            let name = name.trim();
            !name.is_empty() && name.len() <= MAX_GAP_NAME && name.bytes().all(is_sign)
        };
        let Some(name) = name.filter(is_name) else {
            from = begin + 2;
            continue;
        };
        if begin > 0 {
            pieces.push(Piece::Words(
                rest.get(..begin).unwrap_or_default().to_owned(),
            ));
        }
        pieces.push(Piece::Gap(Gap {
            is_in_header,
            name: name.trim().to_owned(),
        }));
        rest = inner.get(name.len() + 2..).unwrap_or_default();
        from = 0;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest.to_owned()));
    }
    pieces
}

/// What buttons say, a line each: `[Track it: https://shop.example/track]`.
fn buttons(list: &Value) -> Result<String, &'static str> {
    let mut lines = Vec::new();
    for button in list.as_array().into_iter().flatten() {
        let text = one_line(button["text"].as_str().unwrap_or_default(), 60);
        let leads_to = match button["type"].as_str().unwrap_or_default() {
            "QUICK_REPLY" => None,
            "URL" => button["url"].as_str(),
            "PHONE_NUMBER" => button["phone_number"].as_str(),
            _ => return Err("has a button that Platinum does not know"),
        };
        lines.push(match leads_to {
            Some(to) if to.contains("{{") => {
                return Err("has a button with a gap, which Platinum does not fill in");
            }
            Some(to) => format!("[{text}: {}]", one_line(to, 500)),
            None => format!("[{text}]"),
        });
    }
    Ok(lines.join("\n"))
}
