//! The text of markup: of documents and sheets, each paragraph a line, each row of a table a line
//! of cells.

use super::bytes::find;

/// Cells of a row that are left empty to keep the column.
const MAX_EMPTY: usize = 64;

/// Whether bytes are markup.
pub(super) fn is_markup(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let start = start.get(..256).unwrap_or(start).trim_ascii_start();
    let named = start.windows(5).any(|five| five == b"xmlns");
    start.starts_with(b"<?xml")
        || start.starts_with(b"<!DOCTYPE")
        || start.starts_with(b"<html")
        || start.starts_with(b"<") && named
}

/// The text, at most `most` bytes of it. `strings` are those that a sheet names by their numbers.
pub(super) fn text(markup: &[u8], strings: &[Vec<u8>], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut cell = Cell::default();
    let mut rest = markup;
    while !rest.is_empty() && out.len() < most {
        let upto = rest.iter().position(|b| *b == b'<').unwrap_or(rest.len());
        let (between, tag) = rest.split_at(upto);
        cell.between(between, strings, &mut out);
        let Some(end) = tag.iter().position(|b| *b == b'>') else {
            break;
        };
        let (tag, after) = tag.split_at(end + 1);
        cell.tag(tag.get(1..end).unwrap_or_default(), &mut out);
        rest = after;
    }
    out.truncate(most);
    out
}

/// The strings of a workbook, in their order.
pub(super) fn strings(markup: &[u8]) -> Vec<Vec<u8>> {
    let mut list = Vec::new();
    let mut rest = markup;
    while let Some(from) = find(rest, b"<si>") {
        rest = rest.get(from + 4..).unwrap_or_default();
        let end = find(rest, b"</si>").unwrap_or(rest.len());
        let (string, after) = rest.split_at(end);
        list.push(text(string, &[], 4096));
        rest = after;
    }
    list
}

/// Where in a sheet the text is.
#[derive(Default)]
struct Cell {
    /// In which column the next cell would be.
    column: usize,
    /// Whether the value is the number of a string.
    shared: bool,
    /// Whether it is that value that comes.
    value: bool,
}

impl Cell {
    fn between(&mut self, text: &[u8], strings: &[Vec<u8>], out: &mut Vec<u8>) {
        let number = || std::str::from_utf8(text).ok()?.trim().parse::<usize>().ok();
        let string = (self.shared && self.value)
            .then(number)
            .flatten()
            .and_then(|number| strings.get(number));
        match string {
            Some(string) => out.extend(string.iter().filter(|b| **b != b'\n')),
            None => unescaped(text, out),
        }
    }

    /// What a tag means for the text: `w:p` and `text:p` end a line, `w:tc` and `td` a cell.
    fn tag(&mut self, tag: &[u8], out: &mut Vec<u8>) {
        let closes = tag.first() == Some(&b'/');
        let body = tag.strip_prefix(b"/").unwrap_or(tag);
        let end = body
            .iter()
            .position(|b| b.is_ascii_whitespace() || *b == b'/');
        let name = body.get(..end.unwrap_or(body.len())).unwrap_or_default();
        let local = name.rsplit(|b| *b == b':').next().unwrap_or_default();
        match local {
            b"tc" | b"td" | b"th" | b"table-cell" if closes => {
                // The paragraphs of a cell are its line.
                while out.last().is_some_and(u8::is_ascii_whitespace) {
                    out.pop();
                }
                out.extend_from_slice(b" | ");
            }
            b"p" | b"h" | b"br" | b"tr" | b"row" | b"table-row" | b"li" | b"div" | b"si"
                if closes || local == b"br" =>
            {
                out.push(b'\n');
                self.column = 0;
            }
            b"tab" | b"s" if !closes => out.push(b' '),
            b"c" if !closes => {
                self.shared = attribute(body, b"t") == Some(b"s");
                let column = attribute(body, b"r").map_or(self.column, column);
                let empty = column.saturating_sub(self.column).min(MAX_EMPTY);
                out.extend(b" | ".repeat(empty));
                self.column = column + 1;
            }
            b"c" => out.extend_from_slice(b" | "),
            b"v" => self.value = !closes,
            _ => {}
        }
    }
}

/// Text with its entities undone, in one line.
fn unescaped(text: &[u8], out: &mut Vec<u8>) {
    const NAMED: [(&[u8], u8); 5] = [
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
    ];
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let rest = text.get(at..).unwrap_or_default();
        let named = NAMED.iter().find(|(name, _)| rest.starts_with(name));
        let (sign, used) = match (byte, named) {
            (b'\r' | b'\n', _) => (b' ', 1),
            (b'&', Some((name, sign))) => (*sign, name.len()),
            _ => (byte, 1),
        };
        out.push(sign);
        at += used;
    }
}

/// The number of a column: `A` is 0, `AB12` is 27.
fn column(name: &[u8]) -> usize {
    let letters = name.iter().take_while(|b| b.is_ascii_uppercase()).take(3);
    let count = letters.fold(0, |n, b| n * 26 + usize::from(b - b'A') + 1);
    count.saturating_sub(1)
}

/// The value of a tag's attribute.
fn attribute<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut words = tag.split(|b| b.is_ascii_whitespace());
    words.find_map(|word| {
        let value = word.strip_prefix(name)?.strip_prefix(b"=\"")?;
        value.get(..value.iter().position(|b| *b == b'"')?)
    })
}
