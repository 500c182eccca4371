//! Runs of base64 and hexadecimal in a text, decoded.
//!
//! Invariant: every byte is in at most one run of each sort, so that all runs together are no
//! longer than the text.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Takes what is almost right: without padding, with bits left over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
/// Shorter runs are ordinary words, and encode nothing that a rule finds.
const MIN_RUN: usize = 20;
/// A line of this many letters may be one of several.
const MIN_LINE: usize = 16;
/// Up to here a run is also decoded as if letters were missing at its start.
const MAX_SHIFTED: usize = 16 * 1024;

/// How files begin in base64 that are read: zip, gzip, PDF and PKCS#12. What stands before
/// them in a mail is another run.
const FILES: [&[u8]; 4] = [b"UEsDB", b"H4sI", b"JVBERi0", b"MII"];

/// Hands each decoded run to `visit`, with where it starts, until that answers no.
pub(super) fn each_run(text: &[u8], visit: &mut dyn FnMut(usize, &[u8]) -> bool) {
    let mut at = 0;
    let mut letters = Vec::new();
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        // A shorter one is an ordinary word, and ends the run as well.
        let first = rest.iter().take_while(|b| is_letter(**b)).count();
        if first < MIN_LINE {
            at += first.max(1);
            continue;
        }
        letters.clear();
        let start = at;
        at = gather(text, at, &mut letters);
        if letters.len() >= MIN_RUN && !decode(start, &letters, visit) {
            return;
        }
    }
}

fn is_letter(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_')
}

/// Takes one run over the ends of its lines; answers where it ends.
fn gather(text: &[u8], mut at: usize, letters: &mut Vec<u8>) -> usize {
    loop {
        let line = at;
        while let Some(byte) = text.get(at).copied().filter(|b| is_letter(*b)) {
            letters.push(match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            });
            at += 1;
        }
        if at - line < MIN_LINE {
            return at;
        }
        // Between two lines: white space, signs of a quotation, quotes, a sign that joins them.
        let gap = text.get(at..).unwrap_or_default();
        let gap = gap
            .iter()
            .take(24)
            .take_while(|b| {
                b.is_ascii_whitespace() || matches!(b, b'>' | b'"' | b'\'' | b',' | b'\\' | b'|')
            })
            .count();
        let next = text.get(at + gap..).unwrap_or_default();
        if FILES.iter().any(|start| next.starts_with(start)) {
            return at;
        }
        let next = next
            .iter()
            .take(MIN_LINE)
            .take_while(|b| is_letter(**b))
            .count();
        // The last line may be short, but then it ends the run.
        if gap == 0 || next == 0 || (next < MIN_LINE && at - line < 40) {
            return at;
        }
        at += gap;
    }
}

fn decode(start: usize, letters: &[u8], visit: &mut dyn FnMut(usize, &[u8]) -> bool) -> bool {
    if letters.iter().all(u8::is_ascii_hexdigit) {
        let bytes: Vec<u8> = letters
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, b| (byte << 4) | nibble(*b)))
            .collect();
        if !visit(start, &bytes) {
            return false;
        }
    }
    let shifts = if letters.len() <= MAX_SHIFTED { 4 } else { 1 };
    for shift in 0..shifts {
        let Some(rest) = letters.get(shift..) else {
            continue;
        };
        // One letter alone encodes nothing.
        let whole = if rest.len() % 4 == 1 {
            rest.len() - 1
        } else {
            rest.len()
        };
        let decoded = rest.get(..whole).and_then(|rest| LENIENT.decode(rest).ok());
        // What is not text at its start is a picture; its words are no secrets, but a key may be.
        if let Some(decoded) = decoded
            && !visit(start, &decoded)
        {
            return false;
        }
    }
    true
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        letter => (letter | 0x20).wrapping_sub(b'a').wrapping_add(10) & 15,
    }
}
