//! zip, and what is made with it: documents, sheets and slides of all office programs.
//!
//! The members are read one behind the other by their own headers, not by the list at the end:
//! that is there in a file that was cut off too, and no two members of it are one.

use super::{
    Budget, Visitor,
    bytes::find,
    inflate::{Wrapper, inflate},
    markup,
};

const START: &[u8; 4] = b"PK\x03\x04";
/// A member's header without its name.
const HEADER: usize = 30;
/// Pictures, sounds, films and letters: what they show is read by no rule.
const PICTURES: [&[u8]; 20] = [
    b".png", b".jpg", b".jpeg", b".gif", b".webp", b".bmp", b".tif", b".tiff", b".emf", b".wmf",
    b".ico", b".ttf", b".otf", b".odttf", b".woff", b".woff2", b".mp3", b".mp4", b".mov", b".avi",
];

pub(super) fn matches_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(START)
}

/// Hands on each member, and the text of those that are markup, until `visit` answers no.
pub(super) fn each(bytes: &[u8], budget: &Budget, visit: &mut Visitor<'_>) {
    let mut strings: Vec<Vec<u8>> = Vec::new();
    // A sheet names strings of a member that comes after it.
    let mut sheets: Vec<Vec<u8>> = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| find(rest, START)) {
        at += found;
        let Some(member) = Member::at(bytes, at) else {
            at += START.len();
            continue;
        };
        at = member.from;
        if !budget.member() {
            return;
        }
        if member.encrypted || PICTURES.iter().any(|end| member.name.ends_with(end)) {
            at += member.len.unwrap_or(0);
            continue;
        }
        let known = member
            .len
            .and_then(|len| bytes.get(at..at.checked_add(len)?));
        let data = known.unwrap_or_else(|| bytes.get(at..).unwrap_or_default());
        let inflated = match member.method {
            8 => inflate(data, Wrapper::Bare, budget.left()),
            // Kept as it is; without its length it is read where it stands.
            0 => {
                at += known.map_or(0, <[u8]>::len);
                if known.is_some_and(|data| !data.is_empty() && !visit(data, false)) {
                    return;
                }
                continue;
            }
            _ => {
                at += known.map_or(0, <[u8]>::len);
                continue;
            }
        };
        at += match known {
            Some(data) => data.len(),
            None if inflated.whole => inflated.used,
            None => 0,
        };
        budget.spend(inflated.bytes.len());
        let is_markup = markup::is_markup(&inflated.bytes);
        if !visit(&inflated.bytes, is_markup) {
            return;
        }
        if !is_markup {
            continue;
        }
        if member.name.ends_with(b"sharedstrings.xml") {
            strings = markup::strings(&inflated.bytes);
        } else if member.name.starts_with(b"xl/worksheets/") {
            sheets.push(inflated.bytes);
        } else if !markup_text(&inflated.bytes, &[], budget, visit) {
            return;
        }
    }
    for sheet in sheets {
        if !markup_text(&sheet, &strings, budget, visit) {
            return;
        }
    }
}

fn markup_text(
    markup: &[u8],
    strings: &[Vec<u8>],
    budget: &Budget,
    visit: &mut Visitor<'_>,
) -> bool {
    let text = markup::text(markup, strings, budget.left());
    budget.spend(text.len());
    text.is_empty() || visit(&text, false)
}

/// What a member's header says.
struct Member {
    name: Vec<u8>,
    method: u16,
    encrypted: bool,
    /// Where its data starts.
    from: usize,
    /// How long that is, if the header knows.
    len: Option<usize>,
}

impl Member {
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let header = bytes.get(at..at.checked_add(HEADER)?)?;
        let two = |place: usize| -> Option<u16> {
            Some(u16::from_le_bytes(
                header.get(place..place + 2)?.try_into().ok()?,
            ))
        };
        let four = u32::from_le_bytes(header.get(18..22)?.try_into().ok()?);
        let flags = two(6)?;
        let name_from = at + HEADER;
        let name_end = name_from + usize::from(two(26)?);
        let name = bytes.get(name_from..name_end)?.to_ascii_lowercase();
        let from = name_end + usize::from(two(28)?);
        bytes.get(from..)?;
        // Not yet when the header was written, or too long for it.
        let unknown = four == u32::MAX || (four == 0 && flags & 8 != 0);
        Some(Self {
            name,
            method: two(8)?,
            encrypted: flags & 1 != 0,
            from,
            len: (!unknown).then_some(usize::try_from(four).ok()).flatten(),
        })
    }
}
