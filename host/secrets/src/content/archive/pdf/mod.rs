//! The streams of a PDF, and the text that its pages show.
//!
//! Lives here: the walk from stream to stream; `font_map` reads what glyphs of a font mean, `page`
//! what a page shows.
//! No object is looked up: a stream is what stands between its two words, and all tables of letters
//! are tried on all pages. So a file with a broken list of objects is read too, and the time grows
//! with the length alone.
//! Not read: pictures and fonts, encrypted files, letters without a table of their meanings.

mod font_map;
mod page;

use std::borrow::Cow;

use super::{
    Budget, Visitor,
    bytes::find,
    inflate::{Wrapper, inflate, is_zlib},
};
use font_map::FontMap;

/// The bytes at the start of a file in which a PDF has its magic number.
const START: usize = 1024;
/// So much before a stream is read as its description.
const DICTIONARY: usize = 600;
/// Words in the description of a picture or a font.
const DRAWN: [&[u8]; 6] = [
    b"/Image",
    b"/Length1",
    b"Type1C",
    b"CIDFontType0C",
    b"/OpenType",
    b"DCTDecode",
];

pub(super) fn matches_magic(bytes: &[u8]) -> bool {
    let start = bytes.get(..START).unwrap_or(bytes);
    start.windows(5).any(|five| five == b"%PDF-")
}

/// Hands on each stream, and then what each page shows, until `visit` answers no.
pub(super) fn each(bytes: &[u8], budget: &Budget, visit: &mut Visitor<'_>) {
    let mut pages: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut tables: Vec<FontMap> = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| find(rest, b"stream")) {
        let word = at + found;
        at = word + 6;
        let before = bytes.get(..word).unwrap_or_default();
        let after = bytes.get(at..).unwrap_or_default();
        let line = match after {
            [b'\r', b'\n', ..] => 2,
            [b'\n' | b'\r', ..] => 1,
            _ => continue,
        };
        if before.ends_with(b"end") {
            continue;
        }
        let data = after.get(line..).unwrap_or_default();
        let data = data.get(..find(data, b"endstream").unwrap_or(data.len()));
        let data = data.unwrap_or_default();
        at += line + data.len();
        let from = before.len().saturating_sub(DICTIONARY);
        let dictionary = before.get(from..).unwrap_or_default();
        let object = dictionary.windows(4).rposition(|four| four == b" obj");
        let dictionary = dictionary.get(object.unwrap_or(0)..).unwrap_or_default();
        let says = |word: &[u8]| dictionary.windows(word.len()).any(|window| window == word);
        if DRAWN.iter().any(|word| says(word)) {
            continue;
        }
        if !budget.member() {
            break;
        }
        let data = match says(b"ASCII85Decode") || says(b"/A85") {
            true => Cow::Owned(ascii85(data)),
            false => Cow::Borrowed(data),
        };
        let plain = !is_zlib(&data);
        let text = match plain {
            true => data,
            false => {
                let inflated = inflate(&data, Wrapper::Zlib, budget.left()).bytes;
                budget.spend(inflated.len());
                Cow::Owned(inflated)
            }
        };
        // What stands there uncompressed was scanned already.
        let seen = plain && matches!(text, Cow::Borrowed(_));
        let draws = page::draws_text(&text);
        if !seen && !visit(&text, draws) {
            return;
        }
        if let Some(table) = FontMap::read(&text) {
            font_map::add(&mut tables, table);
        } else if draws {
            pages.push(text);
        }
    }
    let readings = std::iter::once(None).chain(tables.iter().map(Some));
    for table in readings {
        for page in &pages {
            for text in page::texts(page, table, budget.left()) {
                budget.spend(text.len());
                if !visit(&text, false) {
                    return;
                }
            }
        }
    }
}

/// Four bytes in five letters, from `!` to `u`.
fn ascii85(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut group: Vec<u8> = Vec::new();
    let mut flush = |group: &mut Vec<u8>| {
        let count = group.len();
        group.resize(5, 84);
        let number = group.iter().fold(0_u32, |n, digit| {
            n.wrapping_mul(85).wrapping_add(u32::from(*digit))
        });
        out.extend(number.to_be_bytes().iter().take(count.saturating_sub(1)));
        group.clear();
    };
    for byte in text {
        match byte {
            b'z' if group.is_empty() => {
                group.resize(5, 0);
                flush(&mut group);
            }
            b'!'..=b'u' => {
                group.push(byte - b'!');
                if group.len() == 5 {
                    flush(&mut group);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if !group.is_empty() {
        flush(&mut group);
    }
    out
}
