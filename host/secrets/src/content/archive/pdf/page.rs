//! What a page shows, from the operators that draw it.

use super::font_map::{FontMap, hex};

/// A gap of more than so many thousandths of the letters' size is a space.
const SPACE: f32 = -180.0;

/// What the codes from 0x80 on mean where no table says otherwise.
const WINDOWS: [char; 32] = [
    '€', ' ', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', ' ', 'Ž', ' ', ' ', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', ' ', 'ž', 'Ÿ',
];

/// Whether a stream draws text.
pub(super) fn draws_text(stream: &[u8]) -> bool {
    stream.windows(2).any(|two| matches!(two, b"Tj" | b"TJ"))
}

/// The text, and again with a space wherever pieces of one line are set apart, if that differs.
pub(super) fn texts(stream: &[u8], table: Option<&FontMap>, most: usize) -> Vec<Vec<u8>> {
    let mut page = Page {
        table,
        ..Page::default()
    };
    let mut at = 0;
    while at < stream.len() && page.glued.len() < most / 2 {
        let rest = stream.get(at..).unwrap_or_default();
        at += page.take(rest).max(1);
    }
    if page.spaced == page.glued {
        page.spaced.clear();
    }
    let texts = [page.glued, page.spaced];
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

/// What is drawn so far.
#[derive(Default)]
struct Page<'a> {
    table: Option<&'a FontMap>,
    glued: Vec<u8>,
    spaced: Vec<u8>,
    /// What the next operator draws.
    pending: Vec<u8>,
    numbers: Vec<f32>,
    in_array: bool,
    /// How high the line is.
    height: f32,
    /// Whether a text has just begun.
    began: bool,
}

impl Page<'_> {
    /// Takes one thing of the stream; how long it was.
    fn take(&mut self, rest: &[u8]) -> usize {
        let Some(first) = rest.first().copied() else {
            return 0;
        };
        match first {
            b'(' => {
                let (codes, used) = literal(rest);
                self.string(&codes);
                used
            }
            b'<' if rest.get(1) == Some(&b'<') => 2,
            b'<' => {
                let end = rest.iter().position(|b| *b == b'>').unwrap_or(rest.len());
                self.string(&hex(rest.get(1..end).unwrap_or_default()));
                end + 1
            }
            b'[' | b']' => {
                self.in_array = first == b'[';
                1
            }
            b'%' => rest
                .iter()
                .position(|b| matches!(b, b'\r' | b'\n'))
                .unwrap_or(rest.len()),
            b'0'..=b'9' | b'-' | b'+' | b'.' => {
                let end = rest
                    .iter()
                    .skip(1)
                    .position(|b| !b.is_ascii_digit() && *b != b'.');
                let word = rest.get(..end.map_or(rest.len(), |end| end + 1));
                let word = word.unwrap_or_default();
                let number = std::str::from_utf8(word).ok().and_then(|n| n.parse().ok());
                self.number(number.unwrap_or(0.0));
                word.len()
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'\'' | b'"' => {
                let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'\'' | b'"');
                let len = rest.iter().take_while(|b| word(b)).count();
                self.operator(rest.get(..len).unwrap_or_default());
                len
            }
            b'/' => {
                1 + rest
                    .iter()
                    .skip(1)
                    .take_while(|b| b.is_ascii_alphanumeric())
                    .count()
            }
            _ => 1,
        }
    }

    fn string(&mut self, codes: &[u8]) {
        match self.table {
            Some(table) => table.meaning(codes, &mut self.pending),
            // Codes of two bytes mean nothing without a table.
            None if codes.contains(&0) => {}
            None => {
                let mut buffer = [0; 4];
                for code in codes {
                    let letter = match code {
                        0x80..=0x9F => WINDOWS.get(usize::from(code - 0x80)),
                        _ => None,
                    };
                    let letter = letter.copied().unwrap_or(char::from(*code));
                    let letter = letter.encode_utf8(&mut buffer);
                    self.pending.extend_from_slice(letter.as_bytes());
                }
            }
        }
    }

    fn number(&mut self, number: f32) {
        if self.in_array {
            if number < SPACE {
                self.pending.push(b' ');
            }
            return;
        }
        self.numbers.push(number);
        if self.numbers.len() > 6 {
            self.numbers.remove(0);
        }
    }

    fn operator(&mut self, word: &[u8]) {
        let last = self.numbers.last().copied().unwrap_or(0.0);
        match word {
            b"Tj" | b"TJ" => self.show(),
            b"'" | b"\"" => {
                self.new_line();
                self.show();
            }
            b"T*" => self.new_line(),
            b"BT" => self.began = true,
            // Right after its start a text is moved from the page's corner.
            b"Td" | b"TD" if !self.began => {
                self.height += last;
                self.moved(last);
            }
            b"Tm" | b"Td" | b"TD" => {
                let moved = last - self.height;
                self.height = last;
                self.began = false;
                self.moved(moved);
            }
            _ => {}
        }
        self.pending.clear();
        self.numbers.clear();
        self.in_array = false;
    }

    fn show(&mut self) {
        // An empty line.
        if self.pending.is_empty() && self.glued.ends_with(b"\n") && !self.glued.ends_with(b"\n\n")
        {
            self.glued.push(b'\n');
            self.spaced.push(b'\n');
        }
        self.glued.extend_from_slice(&self.pending);
        self.spaced.extend_from_slice(&self.pending);
    }

    /// The next piece is drawn elsewhere: in another line, or further on in this one.
    fn moved(&mut self, by: f32) {
        if by.abs() > 0.5 {
            self.new_line();
        } else if self.spaced.last().is_some_and(|b| !b.is_ascii_whitespace()) {
            self.spaced.push(b' ');
        }
    }

    fn new_line(&mut self) {
        if self.glued.last().is_some_and(|b| *b != b'\n') {
            self.glued.push(b'\n');
            self.spaced.push(b'\n');
        }
    }
}

/// A string in brackets, and how long it is with them.
fn literal(rest: &[u8]) -> (Vec<u8>, usize) {
    let mut out = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = rest.get(at).copied() {
        at += 1;
        match byte {
            b'(' => {
                depth += 1;
                if depth > 1 {
                    out.push(byte);
                }
            }
            b')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
                out.push(byte);
            }
            b'\\' => {
                let digits = rest.get(at..).unwrap_or_default().iter().take(3);
                let digits: Vec<u8> = digits
                    .copied()
                    .take_while(|b| matches!(b, b'0'..=b'7'))
                    .collect();
                match rest.get(at).copied() {
                    Some(b'0'..=b'7') => {
                        let code = digits
                            .iter()
                            .fold(0_u32, |n, d| n * 8 + u32::from(d - b'0'));
                        out.push(u8::try_from(code & 0xFF).unwrap_or(0));
                        at += digits.len();
                    }
                    Some(sign) => {
                        at += 1;
                        match sign {
                            b'n' => out.push(b'\n'),
                            b'r' | b't' => out.push(b' '),
                            b'\r' | b'\n' => {}
                            other => out.push(other),
                        }
                    }
                    None => {}
                }
            }
            other => out.push(other),
        }
    }
    (out, at)
}
