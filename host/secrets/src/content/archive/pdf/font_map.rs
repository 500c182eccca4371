//! What the codes of a font mean: the table that a PDF has so that its text can be copied.

use std::collections::HashMap;

/// Codes of one table that are kept.
const MAX_CODES: usize = 70_000;
/// Tables that cannot be one.
const MAX_TABLES: usize = 8;

/// A table of codes and what they mean.
#[derive(Default)]
pub(super) struct FontMap {
    /// How many bytes a code has.
    width: usize,
    meanings: HashMap<u32, String>,
    /// How many codes were read.
    count: usize,
}

impl FontMap {
    /// Reads a stream, if it is such a table.
    pub(super) fn read(stream: &[u8]) -> Option<Self> {
        let mut table = Self::default();
        let mut mode: &[u8] = b"";
        let mut codes: Vec<Vec<u8>> = Vec::new();
        // What stands in a list is one code's meaning each.
        let mut listed: Option<usize> = None;
        let mut at = 0;
        while let Some(byte) = stream.get(at).copied() {
            let rest = stream.get(at..).unwrap_or_default();
            match byte {
                b'<' if rest.get(1) != Some(&b'<') => {
                    let end = rest.iter().position(|b| *b == b'>')?;
                    codes.push(hex(rest.get(1..end).unwrap_or_default()));
                    at += end;
                }
                b'[' => listed = Some(codes.len()),
                b']' => {
                    if let (Some(from), Some(low)) = (listed, codes.first().cloned()) {
                        for (n, meaning) in codes.iter().skip(from).enumerate() {
                            table.put(&low, n, meaning);
                        }
                    }
                    listed = None;
                    codes.clear();
                }
                b'a'..=b'z' => {
                    let end = rest.iter().position(|b| !b.is_ascii_alphabetic());
                    let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                    if matches!(
                        word,
                        b"beginbfchar" | b"beginbfrange" | b"endbfchar" | b"endbfrange"
                    ) {
                        mode = word;
                        codes.clear();
                    }
                    at += word.len().saturating_sub(1);
                }
                _ => {}
            }
            at += 1;
            if listed.is_some() || table.count > MAX_CODES {
                continue;
            }
            match (mode, codes.as_slice()) {
                (b"beginbfchar", [code, meaning]) => {
                    table.put(code, 0, meaning);
                    codes.clear();
                }
                (b"beginbfrange", [low, high, meaning]) => {
                    let many = number(high).saturating_sub(number(low)).min(0xFFFF);
                    for n in 0..=many as usize {
                        table.put(low, n, &plus(meaning, n));
                    }
                    codes.clear();
                }
                (b"beginbfchar" | b"beginbfrange", _) => {}
                _ => codes.clear(),
            }
        }
        (!table.meanings.is_empty()).then_some(table)
    }

    fn put(&mut self, code: &[u8], further: usize, meaning: &[u8]) {
        self.count += 1;
        if !(1..=2).contains(&code.len()) || self.count > MAX_CODES {
            return;
        }
        self.width = code.len();
        let units = meaning.chunks_exact(2).map(|pair| match pair {
            [a, b] => u16::from_be_bytes([*a, *b]),
            _ => 0,
        });
        let text: String = char::decode_utf16(units).flatten().take(8).collect();
        let code = number(code).saturating_add(u32::try_from(further).unwrap_or(u32::MAX));
        self.meanings.insert(code, text);
    }

    /// What a string of codes says.
    pub(super) fn meaning(&self, codes: &[u8], out: &mut Vec<u8>) {
        for code in codes.chunks_exact(self.width.max(1)) {
            if let Some(text) = self.meanings.get(&number(code)) {
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn agrees(&self, other: &Self) -> bool {
        self.width == other.width
            && other
                .meanings
                .iter()
                .all(|(code, text)| self.meanings.get(code).is_none_or(|own| own == text))
    }
}

/// Makes one table of those that do not say different things of one code, as those of the cuts of
/// one font do not.
pub(super) fn add(tables: &mut Vec<FontMap>, table: FontMap) {
    if let Some(same) = tables.iter_mut().find(|other| other.agrees(&table)) {
        same.meanings.extend(table.meanings);
    } else if tables.len() < MAX_TABLES {
        tables.push(table);
    }
}

/// The bytes of a string in hexadecimal; one digit alone at its end has a zero behind it.
pub(super) fn hex(digits: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = digits
        .iter()
        .filter_map(|b| char::from(*b).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits
        .chunks(2)
        .map(|pair| match pair {
            [a, b] => a * 16 + b,
            [a] => a * 16,
            _ => 0,
        })
        .collect()
}

fn number(code: &[u8]) -> u32 {
    code.iter()
        .take(4)
        .fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

/// The meaning of a range's first code, counted on.
fn plus(meaning: &[u8], n: usize) -> Vec<u8> {
    let mut meaning = meaning.to_vec();
    if let [.., high, low] = meaning.as_mut_slice() {
        let n = u16::try_from(n).unwrap_or(u16::MAX);
        [*high, *low] = u16::from_be_bytes([*high, *low])
            .wrapping_add(n)
            .to_be_bytes();
    }
    meaning
}
