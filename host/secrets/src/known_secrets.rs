//! [`KnownSecrets`]: the secrets that this machine holds, as hashes, to find them anywhere.
//!
//! Invariants: no secret is kept in plain, nor a part of one that it could be guessed from: of its
//! first bytes a few bits are kept, of the whole a salted SHA-256. White space does not count, so a
//! secret that a mail program wrapped, or that is shown in groups, is found too.

use std::collections::{HashMap, HashSet};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

/// Shorter secrets would be found in ordinary words, and are not taken.
pub const MIN_SECRET_BYTES: usize = 8;
/// What is hashed at once: longer secrets are known by their pieces, so that a part of a key is
/// found too, and no text costs more than a few bytes' hashing at any place.
const PIECE: usize = 64;
/// How many bits of a secret's first eight bytes are kept.
const TAG_BITS: u32 = 18;

/// Hashes of secrets. The default knows none.
#[derive(Clone)]
pub struct KnownSecrets {
    salt: [u8; 32],
    key: u64,
    /// A bit for each tag that some piece has.
    tags: Vec<u64>,
    /// For each tag, the lengths of the pieces that start so.
    lengths: HashMap<u32, Vec<usize>>,
    hashes: HashSet<[u8; 32]>,
    secrets: usize,
}

impl Default for KnownSecrets {
    fn default() -> Self {
        Self::new([0; 32])
    }
}

impl std::fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownSecrets")
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}

impl KnownSecrets {
    /// Knows nothing yet. The salt shall be random, and used for this one alone.
    pub fn new(salt: [u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(b"tag").chain_update(salt);
        let digest: [u8; 32] = digest.finalize().into();
        let key = digest
            .iter()
            .take(8)
            .fold(0_u64, |key, byte| (key << 8) | u64::from(*byte));
        Self {
            salt,
            key: key | 1,
            tags: vec![0; 1 << (TAG_BITS - 6)],
            lengths: HashMap::new(),
            hashes: HashSet::new(),
            secrets: 0,
        }
    }

    /// Learns a secret, and its forms in base64 and in hexadecimal; whether it could. One of
    /// fewer than [`MIN_SECRET_BYTES`] without its white space cannot be distinguished from ordinary words.
    pub fn add(&mut self, secret: &[u8]) -> bool {
        let compact: Vec<u8> = without_whitespace(secret).collect();
        if compact.len() < MIN_SECRET_BYTES {
            return false;
        }
        self.secrets += 1;
        self.learn(&compact);
        let lower: String = compact.iter().map(|byte| format!("{byte:02x}")).collect();
        self.learn(lower.as_bytes());
        self.learn(lower.to_ascii_uppercase().as_bytes());
        // In the middle of a longer text, base64 has three ways to write the same bytes.
        for shift in 0..3 {
            let mut text = vec![0; shift];
            text.extend_from_slice(&compact);
            let inside = STANDARD_NO_PAD.encode(&text);
            let from = [0, 2, 3][shift];
            let upto = text.len() / 3 * 4;
            if let Some(inside) = inside.get(from..upto) {
                self.learn(inside.as_bytes());
                let url: Vec<u8> = inside.bytes().map(url_letter).collect();
                self.learn(&url);
            }
        }
        true
    }

    /// How many secrets it knows.
    pub fn len(&self) -> usize {
        self.secrets
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.secrets == 0
    }

    fn learn(&mut self, text: &[u8]) {
        if text.len() <= PIECE {
            self.learn_piece(text);
        } else {
            text.chunks_exact(PIECE)
                .for_each(|piece| self.learn_piece(piece));
        }
    }

    fn learn_piece(&mut self, piece: &[u8]) {
        let Some(start) = piece.get(..MIN_SECRET_BYTES) else {
            return;
        };
        let window = start
            .iter()
            .fold(0_u64, |window, byte| (window << 8) | u64::from(*byte));
        let tag = self.tag(window);
        if let Some(word) = self.tags.get_mut((tag >> 6) as usize) {
            *word |= 1 << (tag & 63);
        }
        let lengths = self.lengths.entry(tag).or_default();
        if !lengths.contains(&piece.len()) {
            lengths.push(piece.len());
        }
        self.hashes.insert(self.hash(piece));
    }

    /// The place in `text` where a known secret, or a piece of one, starts.
    pub(crate) fn find(&self, text: &[u8]) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let mut window = 0_u64;
        let mut filled = 0_usize;
        let mut bytes: Vec<u8> = Vec::new();
        for (place, byte) in text.iter().copied().enumerate() {
            if byte.is_ascii_whitespace() {
                continue;
            }
            window = (window << 8) | u64::from(byte);
            filled += 1;
            if filled >= MIN_SECRET_BYTES && self.has_tag(window) {
                let start = back(text, place, MIN_SECRET_BYTES);
                bytes.clear();
                let near = text.iter().skip(start).take(8 * PIECE).copied();
                bytes.extend(near.filter(|byte| !byte.is_ascii_whitespace()).take(PIECE));
                if self.confirm(window, &bytes) {
                    return Some(start);
                }
            }
        }
        None
    }

    fn confirm(&self, window: u64, bytes: &[u8]) -> bool {
        let lengths = self.lengths.get(&self.tag(window));
        lengths.into_iter().flatten().any(|len| {
            let piece = bytes.get(..*len);
            piece.is_some_and(|piece| self.hashes.contains(&self.hash(piece)))
        })
    }

    fn has_tag(&self, window: u64) -> bool {
        let tag = self.tag(window);
        self.tags
            .get((tag >> 6) as usize)
            .is_some_and(|word| word & (1 << (tag & 63)) != 0)
    }

    /// A few bits, so that they say next to nothing about the bytes.
    fn tag(&self, window: u64) -> u32 {
        (window.wrapping_mul(self.key) >> (64 - TAG_BITS)) as u32
    }

    fn hash(&self, piece: &[u8]) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.salt)
            .chain_update(piece)
            .finalize()
            .into()
    }
}

/// Where the last `count` bytes that are no white space start, the one at `place` included.
fn back(text: &[u8], place: usize, count: usize) -> usize {
    let mut left = count;
    let mut at = place + 1;
    while left > 0 && at > 0 {
        at -= 1;
        if text.get(at).is_some_and(|byte| !byte.is_ascii_whitespace()) {
            left -= 1;
        }
    }
    at
}

fn without_whitespace(text: &[u8]) -> impl Iterator<Item = u8> {
    text.iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
}

fn url_letter(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn knowing(secret: &[u8]) -> KnownSecrets {
        let mut known = KnownSecrets::new([7; 32]);
        assert!(known.add(secret));
        known
    }

    #[test]
    fn known_secret_is_found_at_every_place_and_break() {
        let known = knowing(b"abcd efgh ijkl mnop");
        for text in [
            "abcdefghijklmnop",
            "xabcdefghijklmnopx",
            "pw: abcd efgh ijkl mnop.",
            "abcd efgh\r\nijkl mnop",
            "YWJjZGVmZ2hpamtsbW5vcA==",
            "eDphYmNkZWZnaGlqa2xtbm9w",
            "616263646566676869 6a6b6c6d6e6f70",
        ] {
            assert!(known.find(text.as_bytes()).is_some(), "{text}");
        }
        for text in ["abcdefghijklmno", "ABCDEFGHIJKLMNOP", ""] {
            assert!(known.find(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn part_of_a_long_known_secret_is_found() {
        let long: Vec<u8> = (0..400_u32).map(|n| b'!' + (n * 7 % 90) as u8).collect();
        let known = knowing(&long);
        assert!(known.find(&long[100..300]).is_some());
        assert!(known.find(&long[0..50]).is_none());
    }

    #[test]
    fn short_secret_is_not_indexed() {
        let mut known = KnownSecrets::default();
        assert!(!known.add(b"s e c r e t") && known.is_empty());
        assert_eq!(known.find(b"secret"), None);
    }

    #[test]
    fn known_secrets_debug_is_redacted() {
        let known = knowing(b"correct horse battery");
        assert_eq!(format!("{known:?}"), "KnownSecrets { secrets: 1, .. }");
    }

    proptest! {
        #[test]
        fn known_secrets_find_what_was_added_alone(
            secret in "[!-~]{8,200}", before in "[ -~]{0,40}", after in "[ -~]{0,40}",
        ) {
            let known = knowing(secret.as_bytes());
            let text = format!("{before}{secret}{after}");
            prop_assert!(known.find(text.as_bytes()).is_some());
            let without: String = text.chars().rev().collect();
            if !without.contains(&secret) {
                let compact: String = without.split_whitespace().collect();
                let first: String = secret.chars().take(PIECE).collect();
                prop_assert!(known.find(without.as_bytes()).is_none() || compact.contains(&first) || secret.len() > PIECE);
            }
        }
    }
}
