//! A header block made fit for the parser: its bytes are text, and each run of encoded words is one.
//!
//! RFC 2047 wants every encoded word to hold whole characters, and headers to be ASCII. Programs break both: they
//! cut a character between two words, and write the bytes of their own character set as they are. So adjacent words
//! of one character set are joined before they are decoded, and written again as one word of UTF-8, which changes
//! nothing else of the header's grammar; raw bytes are read as [`super::charset`] reads a body.
//!
//! Invariants: linear work; a block without encoded words and raw bytes stays as it is.

use std::borrow::Cow;

use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};

use super::charset;

/// The longest encoded word that is looked for; RFC 2047 allows 75 bytes.
const MAX_WORD: usize = 1000;

/// The block as the parser should see it.
pub(super) fn repair(head: &[u8]) -> Cow<'_, [u8]> {
    let is_text = std::str::from_utf8(head).is_ok() && !head.contains(&0x1b);
    let text = match is_text {
        true => Cow::Borrowed(head),
        false => Cow::Owned(charset::decode(head, declared(head).as_deref()).into_bytes()),
    };
    match find(&text, b"=?") {
        Some(_) => Cow::Owned(join_words(&text)),
        None => text,
    }
}

/// The character set that the block names for the body: most likely the one of its raw bytes.
fn declared(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, after) = text.split_once("charset=")?;
    let name: String = after
        .trim_start_matches('"')
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c))
        .take(40)
        .collect();
    let is_wide = name.starts_with("utf-16") || name.starts_with("utf-7");
    (!name.is_empty() && !is_wide).then_some(name)
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// One encoded word.
struct Word<'a> {
    charset: &'a str,
    is_base64: bool,
    data: &'a [u8],
    /// Bytes from `=?` to `?=`.
    length: usize,
}

/// The word that begins here.
fn word(text: &[u8]) -> Option<Word<'_>> {
    let inner = text.strip_prefix(b"=?")?;
    let charset_end = inner.iter().take(60).position(|byte| *byte == b'?')?;
    let charset = std::str::from_utf8(&inner[..charset_end]).ok()?;
    let charset = charset.split('*').next().unwrap_or_default();
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-_:.+".contains(c);
    if charset.is_empty() || !charset.chars().all(is_token) {
        return None;
    }
    let [encoding, b'?', data @ ..] = &inner[charset_end + 1..] else {
        return None;
    };
    let is_base64 = match encoding.to_ascii_lowercase() {
        b'b' => true,
        b'q' => false,
        _ => return None,
    };
    let end = find(&data[..data.len().min(MAX_WORD)], b"?=")?;
    let data = &data[..end];
    (!data.contains(&b'\n')).then_some(Word {
        charset,
        is_base64,
        data,
        length: 2 + charset_end + 3 + end + 2,
    })
}

/// The block with every run of adjacent words written as one.
fn join_words(head: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    let mut rest = head;
    while let Some(at) = find(rest, b"=?") {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let mut run = Vec::new();
        let mut end = 0;
        loop {
            // White space between two words is none.
            let blanks = rest[end..].iter().take(200);
            let blanks = blanks.take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = end + if run.is_empty() { 0 } else { blanks };
            let Some(word) = word(&rest[next..]) else {
                break;
            };
            end = next + word.length;
            run.push(word);
        }
        if run.is_empty() {
            out.extend_from_slice(&rest[..2]);
            rest = &rest[2..];
            continue;
        }
        rest = &rest[end..];
        write_word(&mut out, &text_of(&run));
    }
    out.extend_from_slice(rest);
    out
}

/// The text of adjacent words; those of one character set are decoded as one.
fn text_of(run: &[Word<'_>]) -> String {
    let same = |one: &Word<'_>, other: &Word<'_>| one.charset.eq_ignore_ascii_case(other.charset);
    let mut text = String::new();
    for words in run.chunk_by(same) {
        let label = words.first().map(|word| word.charset);
        let mut bytes: Vec<u8> = words.iter().flat_map(bytes_of).collect();
        let is_cut = |word: &Word<'_>| word.is_base64 && !word.data.len().is_multiple_of(4);
        if words.iter().any(is_cut) && std::str::from_utf8(&bytes).is_err() {
            // Base64 may be cut anywhere, not after four digits.
            let digits = words
                .iter()
                .map(|word| word.data)
                .collect::<Vec<_>>()
                .concat();
            let joined = base64_decode(&digits);
            bytes = joined
                .filter(|joined| std::str::from_utf8(joined).is_ok())
                .unwrap_or(bytes);
        }
        let read = charset::decode(&bytes, label);
        text.push_str(&read);
    }
    text
}

fn bytes_of(word: &Word<'_>) -> Vec<u8> {
    let plain = || word.data.to_vec();
    if word.is_base64 {
        return base64_decode(word.data).unwrap_or_else(plain);
    }
    let spaced: Vec<u8> = word
        .data
        .iter()
        .map(|byte| if *byte == b'_' { b' ' } else { *byte })
        .collect();
    // A blank at the end of a line of a body means nothing; here it is one between two words.
    let blanks = spaced
        .iter()
        .rev()
        .take_while(|byte| **byte == b' ')
        .count();
    let (text, blanks) = spaced.split_at(spaced.len() - blanks);
    let mut bytes = quoted_printable_decode(text).unwrap_or_else(plain);
    bytes.extend_from_slice(blanks);
    bytes
}

fn write_word(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.extend_from_slice(b"=?utf-8?Q?");
    for byte in text.bytes() {
        match byte {
            b' ' => out.push(b'_'),
            byte if byte.is_ascii_alphanumeric() => out.push(byte),
            byte => out.extend([
                b'=',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
    }
    out.extend_from_slice(b"?=");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The subject as the parser reads it then.
    fn subject(value: &[u8], more: &str) -> String {
        let mut head = b"Subject: ".to_vec();
        head.extend_from_slice(value);
        head.extend_from_slice(format!("\n{more}\n").as_bytes());
        super::super::parse(&head).subject
    }

    #[test]
    fn words_cut_inside_a_character_are_joined() {
        for words in [
            "=?UTF-8?Q?Best=C3?=\n =?utf-8?Q?=A4tigung_f=C3=BCr_Dienstag?=",
            "=?UTF-8?B?QmVzdMM=?=\n =?UTF-8?B?pHRpZ3VuZyBmw7xyIERpZW5zdGFn?=",
            "=?UTF-8?B?QmVzdM?=\n =?UTF-8?B?OkdGlndW5nIGbDvHIgRGllbnN0YWc=?=",
            "=?UTF-8*de?Q?Best=C3=A4tigung_f=C3=BCr_?==?iso-8859-1?Q?Dienstag?=",
        ] {
            assert_eq!(
                subject(words.as_bytes(), ""),
                "Bestätigung für Dienstag",
                "{words}"
            );
        }
        let japanese = "=?ISO-2022-JP?B?GyRCJCQbKEI=?= =?ISO-2022-JP?B?GyRCJEQbKEI=?=";
        assert_eq!(subject(japanese.as_bytes(), ""), "いつ");
    }

    #[test]
    fn raw_bytes_are_read_in_the_bodys_set() {
        let plain = "Content-Type: text/plain; charset=iso-8859-1\n";
        assert_eq!(subject(b"Gr\xf6\xdfe und Men\xfc", plain), "Größe und Menü");
        assert_eq!(subject(b"Gr\xf6\xdfe und Men\xfc", ""), "Größe und Menü");
        let shift_jis = "Content-Type: text/plain; charset=\"Shift_JIS\"\n";
        assert_eq!(subject(b"\x93\xfa\x96\x7b", shift_jis), "日本");
        assert_eq!(subject(b"\x1b$B$$$D\x1b(B?", ""), "いつ?");
        assert_eq!(subject("Größe".as_bytes(), plain), "Größe");
    }

    #[test]
    fn words_inside_a_name_change_no_address() {
        let mail = super::super::parse(
            b"From: =?utf-8?Q?M=C3=BCller=2C?= =?utf-8?Q?_Ann_=3Cx@y=3E?= <ann@x.test>\n\n",
        );
        let from = mail.from.unwrap();
        assert_eq!(from.address, "ann@x.test");
        assert_eq!(from.name.as_deref(), Some("Müller, Ann <x@y>"));
    }

    #[test]
    fn what_is_no_word_stays() {
        for text in ["=?", "=?utf-8?X?a?=", "=?utf-8?Q?a", "a =? b", "=?=?=?"] {
            assert_eq!(join_words(text.as_bytes()), text.as_bytes(), "{text}");
        }
    }
}
