//! The ways to read bytes as text: other encodings, and what is not seen on a screen.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use platinum_text::is_hidden;

/// The bytes as they are, or as UTF-8 if they are UTF-16.
pub(super) fn readable(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(little) = utf16(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [a, b] if little => u16::from_le_bytes([*a, *b]),
        [a, b] => u16::from_be_bytes([*a, *b]),
        _ => 0,
    });
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}

/// Whether it is UTF-16, and then whether the low byte comes first: a mark says so, or that every
/// second byte at the start is zero.
fn utf16(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0xFF, 0xFE, ..] => return Some(true),
        [0xFE, 0xFF, ..] => return Some(false),
        _ => {}
    }
    let start = bytes.get(..1024).unwrap_or(bytes);
    let pairs = start.len() / 2;
    if pairs < 8 {
        return None;
    }
    let zeros = |offset: usize| {
        start
            .iter()
            .skip(offset)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if odd * 10 > pairs * 6 && even * 10 < pairs => Some(true),
        () if even * 10 > pairs * 6 && odd * 10 < pairs => Some(false),
        () => None,
    }
}

/// Whether decoded bytes are no text: more than one byte in forty is a control character, or they
/// are not UTF-8.
pub(super) fn is_noise(bytes: &[u8]) -> bool {
    if utf16(bytes).is_some() {
        return false;
    }
    let start = bytes.get(..2048).unwrap_or(bytes);
    let odd = start
        .iter()
        .filter(|b| b.is_ascii_control() && !b.is_ascii_whitespace())
        .count();
    odd * 40 > start.len() || std::str::from_utf8(start).is_err_and(|e| e.error_len().is_some())
}

/// The line of a place, the first being 1.
pub(super) fn line_at(text: &[u8], at: usize) -> usize {
    let before = text.get(..at.min(text.len())).unwrap_or_default();
    before.iter().filter(|b| **b == b'\n').count() + 1
}

/// A text as it is meant.
pub(super) struct Folded {
    pub(super) bytes: Vec<u8>,
    /// Where in `bytes` each line after the first starts.
    lines: Vec<usize>,
}

impl Folded {
    pub(super) fn line_at(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at) + 1
    }
}

/// The text without invisible characters, with wide and other letters made plain, with entities,
/// escapes and soft line ends undone; nothing if that changes nothing.
pub(super) fn folded(text: &[u8]) -> Option<Folded> {
    let quoted = is_quoted_printable(text);
    let worth = |b: &u8| matches!(b, b'&' | b'%' | b'\\' | 0) || !b.is_ascii();
    if !quoted && !text.iter().any(worth) {
        return None;
    }
    let mut folded = Folded {
        bytes: Vec::with_capacity(text.len()),
        lines: Vec::new(),
    };
    let mut at = 0;
    let mut quoted_line = quoted && is_quoted_line(text);
    while let Some(byte) = text.get(at).copied() {
        let rest = text.get(at..).unwrap_or_default();
        at += match byte {
            b'\n' => {
                quoted_line = quoted && is_quoted_line(rest.get(1..).unwrap_or_default());
                folded.bytes.push(byte);
                folded.lines.push(folded.bytes.len());
                1
            }
            0 => 1,
            b'&' => entity(rest, &mut folded.bytes),
            b'%' => hex_pair(rest, 1, &mut folded.bytes),
            b'=' if quoted_line => soft_end(rest, &mut folded),
            b'\\' => unescaped(rest, &mut folded),
            _ if byte.is_ascii() => {
                folded.bytes.push(byte);
                1
            }
            _ => plain(rest, &mut folded.bytes),
        };
    }
    Some(folded)
}

fn is_quoted_printable(text: &[u8]) -> bool {
    let start = text.get(..64 * 1024).unwrap_or(text);
    start.windows(3).any(|three| {
        matches!(
            three,
            [b'=', b'\n', _] | [b'=', b'\r', b'\n'] | b"=3D" | b"=3d"
        )
    })
}

/// Whether every sign of equality in the first line is one of quoted-printable. In another part of
/// a mail it is that of a link, whose value may start as an escape does.
fn is_quoted_line(text: &[u8]) -> bool {
    let mut line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    while let Some(at) = line.iter().position(|b| *b == b'=') {
        line = line.get(at + 1..).unwrap_or_default();
        match line {
            [] | [b'\r'] => {}
            [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {}
            _ => return false,
        }
    }
    true
}

/// `&#45;`, `&#x2d;`, `&amp;`
fn entity(rest: &[u8], out: &mut Vec<u8>) -> usize {
    const NAMED: [(&[u8], u8); 14] = [
        (b"&amp;", b'&'),
        (b"&lt;", b'<'),
        (b"&gt;", b'>'),
        (b"&quot;", b'"'),
        (b"&apos;", b'\''),
        (b"&lowbar;", b'_'),
        (b"&hyphen;", b'-'),
        (b"&dash;", b'-'),
        (b"&sol;", b'/'),
        (b"&plus;", b'+'),
        (b"&equals;", b'='),
        (b"&colon;", b':'),
        (b"&period;", b'.'),
        (b"&commat;", b'@'),
    ];
    if let Some((name, byte)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        out.push(*byte);
        return name.len();
    }
    let number = || -> Option<(char, usize)> {
        let body = rest.get(2..rest.len().min(12))?;
        let end = body.iter().position(|b| *b == b';')?;
        let digits = std::str::from_utf8(body.get(..end)?).ok()?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => digits.parse().ok()?,
        };
        Some((char::from_u32(code)?, end + 3))
    };
    if rest.starts_with(b"&#")
        && let Some((c, used)) = number()
    {
        push(c, out);
        return used;
    }
    out.push(b'&');
    1
}

/// `%2D`, `=2D`
fn hex_pair(rest: &[u8], skip: usize, out: &mut Vec<u8>) -> usize {
    let pair = rest.get(skip..skip + 2);
    let pair = pair.and_then(|pair| std::str::from_utf8(pair).ok());
    match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
        Some(byte) if byte >= 0x20 => {
            out.push(byte);
            skip + 2
        }
        _ => {
            out.extend(rest.first());
            1
        }
    }
}

fn soft_end(rest: &[u8], folded: &mut Folded) -> usize {
    let used = match rest {
        [b'=', b'\n', ..] => 2,
        [b'=', b'\r', b'\n', ..] => 3,
        _ => return hex_pair(rest, 1, &mut folded.bytes),
    };
    folded.lines.push(folded.bytes.len());
    used
}

/// A backslash before a sign (Markdown), `\n` (JSON), `\u002d`, `\x2d`, and one at a line's end
/// (a shell's).
fn unescaped(rest: &[u8], folded: &mut Folded) -> usize {
    match rest {
        [_, b'n', ..] => {
            folded.bytes.push(b'\n');
            2
        }
        [_, b'r' | b't', ..] => {
            folded.bytes.push(b' ');
            2
        }
        [_, b'u', b'0', b'0', ..] => hex_pair(rest, 4, &mut folded.bytes),
        [_, b'x', ..] => hex_pair(rest, 2, &mut folded.bytes),
        [_, b'\n', ..] => {
            folded.lines.push(folded.bytes.len());
            2
        }
        [_, sign, ..] if sign.is_ascii_punctuation() => {
            folded.bytes.push(*sign);
            2
        }
        _ => {
            folded.bytes.push(b'\\');
            1
        }
    }
}

/// One character that is not ASCII, made plain.
fn plain(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let len = match rest.first() {
        Some(0xC2..=0xDF) => 2,
        Some(0xE0..=0xEF) => 3,
        Some(0xF0..=0xF4) => 4,
        _ => 1,
    };
    let bytes = rest.get(..len).unwrap_or_default();
    match std::str::from_utf8(bytes)
        .ok()
        .and_then(|s| s.chars().next())
    {
        Some(c) => push(c, out),
        None => {
            out.extend(rest.first());
            return 1;
        }
    }
    len
}

fn push(c: char, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    match c {
        c if is_hidden(c) => {}
        '\u{2010}'..='\u{2015}' | '\u{2212}' => out.push(b'-'),
        '\u{2018}'..='\u{201F}' => out.push(b'"'),
        c if c.is_whitespace() && !c.is_ascii() => out.push(b' '),
        c => {
            for plain in std::iter::once(c).nfkc() {
                out.extend_from_slice(plain.encode_utf8(&mut buffer).as_bytes());
            }
        }
    }
}
