//! Classes of bytes: which letters they are, how random a run is, where a word ends.

/// A set of bytes.
pub(super) type CharClass = fn(u8) -> bool;

pub(super) fn alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}
pub(super) fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
}
pub(super) fn dotted(b: u8) -> bool {
    word(b) || b == b'.'
}
pub(super) fn hex(b: u8) -> bool {
    b.is_ascii_hexdigit()
}
pub(super) fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}
pub(super) fn base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-')
}
pub(super) fn urlish(b: u8) -> bool {
    base64(b) || matches!(b, b'%' | b'.' | b'~')
}

/// The longest run of `letters` from a place, at most `most` long.
pub(super) fn run(text: &[u8], from: usize, letters: CharClass, most: usize) -> &[u8] {
    let rest = text.get(from..).unwrap_or_default();
    let rest = rest.get(..most).unwrap_or(rest);
    let end = rest.iter().position(|b| !letters(*b));
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// Fewer signs before a line's end are no part of something longer.
const MIN_PIECE: usize = 8;
/// Lines that a run goes over.
const MAX_PIECES: usize = 64;

/// A run of `letters` from a place that goes on over ends of lines: nothing else is in its lines
/// but the signs of a quotation before it, and what follows the run in the last. Answers where it
/// ends, too; nothing if it is in one line.
pub(super) fn unwrapped(
    text: &[u8],
    from: usize,
    letters: CharClass,
    most: usize,
) -> Option<(Vec<u8>, usize)> {
    let mut at = from;
    let mut whole = Vec::new();
    for _ in 0..MAX_PIECES {
        let piece = run(text, at, letters, most - whole.len());
        let first = whole.is_empty();
        whole.extend_from_slice(piece);
        at += piece.len();
        let end = match text.get(at..) {
            Some([b'\n', ..]) => 1,
            Some([b'\r', b'\n', ..]) => 2,
            _ if first => return None,
            _ => break,
        };
        let mark = run(text, at + end, |b| matches!(b, b' ' | b'\t' | b'>'), 8);
        let next = at + end + mark.len();
        let more = run(text, next, letters, 1);
        let before = run_before(text, at, |b| b.is_ascii_graphic(), MIN_PIECE);
        let short = piece.is_empty() || before.len() < MIN_PIECE;
        if short || more.is_empty() || whole.len() >= most {
            break;
        }
        at = next;
    }
    Some((whole, at))
}

/// The run of `letters` that ends at a place, at most `most` long.
pub(super) fn run_before(text: &[u8], upto: usize, letters: CharClass, most: usize) -> &[u8] {
    let rest = text.get(..upto).unwrap_or_default();
    let rest = rest.get(rest.len().saturating_sub(most)..).unwrap_or(rest);
    let start = rest.iter().rposition(|b| !letters(*b)).map_or(0, |n| n + 1);
    rest.get(start..).unwrap_or_default()
}

/// The bytes around a place, bounded and in lower case.
pub(super) fn near(text: &[u8], from: usize, upto: usize) -> Vec<u8> {
    let upto = upto.min(text.len());
    text.get(from.min(upto)..upto)
        .unwrap_or_default()
        .to_ascii_lowercase()
}

pub(super) fn contains(text: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && text.windows(word.len()).any(|window| window == word)
}

/// Shannon's entropy in bits a byte.
#[expect(
    clippy::cast_precision_loss,
    reason = "the runs are a few hundred bytes long"
)]
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_usize; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let len = bytes.len().max(1) as f64;
    counts
        .into_iter()
        .filter(|count| *count > 0)
        .map(|count| {
            let share = count as f64 / len;
            -share * share.log2()
        })
        .sum()
}

/// Whether a token's body could be random: no `xxxxxxxx`, no `your-token-here`.
pub(super) fn is_random(body: &[u8]) -> bool {
    let body = body.get(..128).unwrap_or(body);
    let needed = match body.len() {
        0..16 => 2.0,
        16..28 => 2.5,
        _ if body.iter().all(|b| hex(*b)) => 2.6,
        _ => 3.0,
    };
    entropy(body) >= needed && !is_placeholder(body)
}

/// Whether it has digits and letters, as no word of a language has.
pub(super) fn is_mixed(body: &[u8]) -> bool {
    body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic)
}

/// Words that stand where a secret would.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    const WORDS: [&[u8]; 23] = [
        b"xxxx",
        b"****",
        b"....",
        b"your",
        b"changeme",
        b"change-me",
        b"change_me",
        b"example.",
        b"placeholder",
        b"redacted",
        b"insert",
        b"replace",
        b"dummy",
        b"deine",
        b"dein_",
        b"ihr-",
        b"<",
        b"{{",
        b"${",
        b"$(",
        b"%(",
        b"\xE2\x80\xA6",
        b"\xE2\x80\xA2",
    ];
    let value = value.get(..128).unwrap_or(value).to_ascii_lowercase();
    let repeated = value
        .windows(6)
        .any(|six| six.iter().all(|b| six.first() == Some(b)));
    repeated || WORDS.iter().any(|word| contains(&value, word))
}

/// Whether a place starts a word.
pub(super) fn starts_word(text: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| text.get(before))
        .is_none_or(|b| !word(*b))
}
