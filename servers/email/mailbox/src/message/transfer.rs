//! What a mail's body is wrapped in for its way, taken off again: transfer encodings, `format=flowed`, the armour of
//! OpenPGP.
//!
//! The decoders are mail-parser's; here is what makes broken input fit for them. Invariants: linear work; what
//! cannot be decoded is kept as it is, for a person can often read it.

use std::borrow::Cow;

use mail_parser::decoders::{base64::base64_decode, quoted_printable::quoted_printable_decode};

/// A line of Base64 that is shorter may be a word.
const MIN_LINE: usize = 20;

/// The body without its transfer encoding.
pub(super) fn decode<'a>(encoding: &str, body: &'a [u8]) -> Cow<'a, [u8]> {
    let letters = encoding.bytes().filter(u8::is_ascii_alphanumeric);
    let name: Vec<u8> = letters
        .take(20)
        .map(|byte| byte.to_ascii_lowercase())
        .collect();
    match name.as_slice() {
        b"base64" | b"b" => Cow::Owned(base64(body)),
        b"quotedprintable" | b"q" => Cow::Owned(quoted_printable(body)),
        _ => Cow::Borrowed(body),
    }
}

/// Base64, and after it the plain lines that a mailing list put there.
fn base64(body: &[u8]) -> Vec<u8> {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let mut end = 0;
    let mut is_padded = false;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let digits = line.trim_ascii();
        // After the end of one text another may begin: of whole groups, and longer than a word.
        let goes_on = || {
            digits.len().is_multiple_of(4) && (digits.len() >= MIN_LINE || digits.ends_with(b"="))
        };
        if !digits.iter().all(is_digit) || (is_padded && !digits.is_empty() && !goes_on()) {
            // What is behind the end of the text in its last line is no part of it.
            let word = digits
                .split(u8::is_ascii_whitespace)
                .next()
                .unwrap_or_default();
            if !is_padded && word.ends_with(b"=") && word.iter().all(is_digit) {
                end += line.len() - line.trim_ascii_start().len() + word.len();
            }
            break;
        }
        is_padded |= digits.ends_with(b"=");
        end += line.len();
    }
    let (digits, rest) = body.split_at(end);
    let has_more = !rest.trim_ascii().is_empty();
    let Some(mut decoded) = base64_decode(digits) else {
        return body.to_vec();
    };
    // A text that is not encoded at all may begin with a word on a line of its own.
    let is_control = |byte: &u8| *byte < b' ' && !b"\t\r\n\x1b".contains(byte);
    let is_word = !is_padded && digits.trim_ascii().len() < MIN_LINE;
    if has_more && is_word && (decoded.is_empty() || decoded.iter().any(is_control)) {
        return body.to_vec();
    }
    if has_more {
        if !decoded.is_empty() && !decoded.ends_with(b"\n") {
            decoded.push(b'\n');
        }
        decoded.extend_from_slice(rest);
    }
    decoded
}

/// Quoted-printable; an equals sign that encodes nothing is one.
fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(body.len());
    for (at, &byte) in body.iter().enumerate() {
        clean.push(byte);
        if byte == b'=' {
            let rest = &body[at + 1..];
            let is_byte = rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
            // A soft line end may have blanks before it.
            let blanks = rest
                .iter()
                .take(80)
                .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
            let is_soft = matches!(rest.get(blanks.count()), None | Some(b'\n'));
            if !is_byte && !is_soft {
                clean.extend_from_slice(b"3D");
            }
        }
    }
    quoted_printable_decode(&clean).unwrap_or_else(|| body.to_vec())
}

/// Text with `format=flowed` (RFC 3676): without the stuffing, and with `delsp` (languages without blanks between
/// words) its lines joined.
pub(super) fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // How deep the line before was quoted, if this one goes on with it.
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let inner = line.trim_start_matches('>');
        let depth = line.len() - inner.len();
        let inner = inner.strip_prefix(' ').unwrap_or(inner);
        if open.is_some_and(|before| before != depth || inner == "-- ") {
            out.push('\n');
            open = None;
        }
        if open.is_none() && depth > 0 {
            out.push_str(&line[..depth]);
            out.push(' ');
        }
        let flows = delsp && inner.ends_with(' ') && inner != "-- ";
        if flows {
            out.push_str(&inner[..inner.len() - 1]);
            open = Some(depth);
        } else {
            out.push_str(inner);
            out.push('\n');
            open = None;
        }
    }
    if !text.ends_with('\n') && out.ends_with('\n') {
        out.pop();
    }
    out
}

/// What OpenPGP armour in a text says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Armour {
    /// There is none.
    None,
    /// A part of it is signed.
    Signed,
    /// A part of it is encrypted.
    Encrypted,
}

/// The text without OpenPGP armour: without the marks and the signature, and without what is encrypted.
pub(super) fn without_armour(text: &str) -> (Cow<'_, str>, Armour) {
    const SIGNED: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
    const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
    const MESSAGE: &str = "-----BEGIN PGP MESSAGE-----";
    enum Section {
        Outside,
        /// The lines `Hash: …` below the mark, up to an empty one.
        Head,
        Signed,
        /// Up to the line that ends the armour.
        Armour,
    }
    if !text
        .lines()
        .any(|line| matches!(line.trim_end(), SIGNED | MESSAGE))
    {
        return (Cow::Borrowed(text), Armour::None);
    }
    let mut out = String::with_capacity(text.len());
    let mut armour = Armour::None;
    let mut place = Section::Outside;
    for line in text.lines() {
        place = match (place, line.trim_end()) {
            (_, SIGNED) => {
                armour = Armour::Signed;
                Section::Head
            }
            (_, MESSAGE) => {
                armour = Armour::Encrypted;
                Section::Armour
            }
            (Section::Signed, SIGNATURE) => Section::Armour,
            (Section::Head, "") => Section::Signed,
            (Section::Armour, end) if end.starts_with("-----END PGP ") => Section::Outside,
            (place @ (Section::Head | Section::Armour), _) => place,
            (place, _) => {
                let escaped = matches!(place, Section::Signed).then(|| line.strip_prefix("- "));
                out.push_str(escaped.flatten().unwrap_or(line));
                out.push('\n');
                place
            }
        };
    }
    (Cow::Owned(out), armour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: &str, body: &str) -> String {
        String::from_utf8(decode(encoding, body.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn base64_keeps_the_plain_lines_below() {
        assert_eq!(decoded("BASE64", "V2hpY2gg\nZGF5Pw=="), "Which day?");
        assert_eq!(decoded("base64;", "V2hpY2ggZGF5Pw"), "Which day?");
        let footer = "V2hpY2ggZGF5Pw==\n\n_____\nlist of us - us@lists.test\n";
        assert_eq!(
            decoded("base64", footer),
            "Which day?\n_____\nlist of us - us@lists.test\n"
        );
        for (body, text) in [
            (
                "V2hpY2ggZGF5Pw==\n\nUnsubscribe here\n",
                "Which day?\nUnsubscribe here\n",
            ),
            (
                "V2hpY2ggZGF5Pw==\n\nUnsubscribe\n",
                "Which day?\nUnsubscribe\n",
            ),
            ("V2hpY2ggZGF5Pw== ignored\n", "Which day?\n ignored\n"),
            ("V2hpY2ggZGF5Pw\n--\nlist", "Which day?\n--\nlist"),
            (
                "V2hpY2ggZGF5Pw==\nV2hpY2ggZGF5Pw==\n",
                "Which day?Which day?",
            ),
            // Not encoded at all.
            ("Hello Ann\n\nwhich day?\n", "Hello Ann\n\nwhich day?\n"),
            ("Hello\n\nwhich day?\n", "Hello\n\nwhich day?\n"),
            ("Thanks\n\nAnn Example\n", "Thanks\n\nAnn Example\n"),
        ] {
            assert_eq!(decoded("base64", body), text);
        }
        assert_eq!(
            decoded("base64", "Which day suits you?\n"),
            "Which day suits you?\n"
        );
    }

    #[test]
    fn quoted_printable_keeps_what_encodes_nothing() {
        assert_eq!(decoded("Quoted-Printable", "Gr=C3=BC=C3=9Fe=\n?"), "Grüße?");
        assert_eq!(
            decoded("quoted-printable", "a = b, x=?y, =C3=BC = \nz=="),
            "a = b, x=?y, ü z="
        );
    }

    #[test]
    fn flowed_text_is_unstuffed_and_joined() {
        assert_eq!(
            unflow("the pri \nce?\n\n> old \n> words\n From\n-- \nAnn", true),
            "the price?\n\n> oldwords\nFrom\n-- \nAnn"
        );
        assert_eq!(
            unflow("new \nprice?\n From\n", false),
            "new \nprice?\nFrom\n"
        );
    }

    #[test]
    fn armour_is_taken_off() {
        let signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello,\n- -- \nAnn\n\
                      -----BEGIN PGP SIGNATURE-----\n\niQ=\n-----END PGP SIGNATURE-----\nfooter\n";
        assert_eq!(
            without_armour(signed),
            ("Hello,\n-- \nAnn\nfooter\n".into(), Armour::Signed)
        );
        let encrypted =
            "See below.\n-----BEGIN PGP MESSAGE-----\n\nhQ=\n-----END PGP MESSAGE-----\n";
        assert_eq!(
            without_armour(encrypted),
            ("See below.\n".into(), Armour::Encrypted)
        );
        let quoted = "> -----BEGIN PGP MESSAGE-----\nwhat is this?";
        assert_eq!(without_armour(quoted), (quoted.into(), Armour::None));
    }
}
