//! [`PostKey`]: the names of the parts of a post, the same over all attempts: Bluesky's record key, Mastodon's
//! `Idempotency-Key`.

use platinum_social_client::check::MAX_PARTS;
use sha2::{Digest as _, Sha256};
use ulid::Ulid;

/// The digits of a record key (base32, sortable).
const DIGITS: &[u8; 32] = b"234567abcdefghijklmnopqrstuvwxyz";
/// The first millisecond that does not fit into a record key: a year after 2250.
const MAX_MILLIS: u64 = (1 << 53) / 1_000 - 1;

/// By which the parts of a post are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostKey {
    name: String,
    millis: u64,
}

impl PostKey {
    /// The key of a draft's id: `draft_<ULID>`, or another id with a ULID at its end.
    ///
    /// # Errors
    /// If it has none; in words.
    pub fn of_draft(id: &str) -> Result<Self, &'static str> {
        let id = id.trim();
        let end = id.rsplit('_').next().unwrap_or_default();
        let ulid =
            Ulid::from_string(end).map_err(|_| "must be a draft's id, such as draft_<ULID>")?;
        Self::new(id, ulid.timestamp_ms())
    }

    /// The key of a name, at a time in milliseconds since 1970.
    ///
    /// # Errors
    /// If they cannot be a key; in words.
    pub fn new(name: &str, millis: u64) -> Result<Self, &'static str> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        if name.is_empty() || name.len() > 200 || !name.chars().all(is_plain) {
            return Err("must be 1 to 200 letters, digits and - _ . : /");
        }
        if millis > MAX_MILLIS {
            return Err("has a time that is too far in the future");
        }
        Ok(Self {
            name: name.to_owned(),
            millis,
        })
    }

    /// Its time, in milliseconds since 1970.
    #[must_use]
    pub fn millis(&self) -> u64 {
        self.millis
    }

    /// Bluesky's record key of a part, counted from 0: a TID (timestamp identifier) of its time, whose microseconds and
    /// clock are a hash of its name. Parts of one post have different ones, in their order.
    #[must_use]
    pub fn record_key(&self, part: usize) -> String {
        let hash = Sha256::digest(&self.name);
        let number = hash
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        let parts = MAX_PARTS as u64;
        let micros = self.millis * 1_000 + number % (1_000 - parts) + (part as u64).min(parts);
        let clock = (number >> 32) & 0x3ff;
        let tid = (micros << 10) | clock;
        (0..13_u32)
            .map(|place| {
                let digit = usize::try_from((tid >> (60 - 5 * place)) & 31).unwrap_or_default();
                char::from(DIGITS.get(digit).copied().unwrap_or(b'2'))
            })
            .collect()
    }

    /// Mastodon's `Idempotency-Key` of a part, counted from 0.
    #[must_use]
    pub fn idempotency_key(&self, part: usize) -> String {
        format!("{}-{}", self.name, part + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn key_is_that_of_a_drafts_id_alone() {
        let key = PostKey::of_draft("draft_01JDY3Q0000000000000000000").unwrap();
        assert_eq!(key.idempotency_key(0), "draft_01JDY3Q0000000000000000000-1");
        let ulid = Ulid::from_string("01JDY3Q0000000000000000000").unwrap();
        assert_eq!(key.millis(), ulid.timestamp_ms());
        for odd in [
            "",
            "draft_",
            "draft_x",
            "draft_01JDY3Q000000000000000000\n0",
            "draft_7ZZZZZZZZZ0000000000000000",
        ] {
            assert!(PostKey::of_draft(odd).is_err(), "{odd}");
        }
        assert!(PostKey::new("a b", 0).is_err());
    }

    /// An id of the example in the specification of TIDs has the time that it says.
    #[test]
    fn record_key_begins_with_its_time() {
        // 3jzfcijpj2z2a is of 2023-06-30: its first digits are those of any key of that hour.
        let of = |millis| PostKey::new("x", millis).unwrap().record_key(0);
        let (before, after) = (of(1_688_083_200_000), of(1_688_169_600_000));
        assert!(
            before.as_str() < "3jzfcijpj2z2a" && "3jzfcijpj2z2a" < after.as_str(),
            "{before} {after}"
        );
        assert_eq!(of(0).len(), 13);
    }

    proptest! {
        #[test]
        fn record_keys_are_tids_in_the_order_of_the_parts(name in "[a-z0-9_]{1,40}", millis in 0..MAX_MILLIS) {
            let key = PostKey::new(&name, millis).unwrap();
            let keys: Vec<String> = (0..MAX_PARTS).map(|part| key.record_key(part)).collect();
            for key in &keys {
                // The pattern of the lexicon.
                prop_assert_eq!(key.len(), 13);
                prop_assert!(b"234567abcdefghij".contains(&key.as_bytes()[0]));
                prop_assert!(key.bytes().all(|digit| DIGITS.contains(&digit)));
            }
            prop_assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
            let again = PostKey::new(&name, millis).unwrap();
            prop_assert_eq!(again.record_key(3), keys[3].clone());
            let later = PostKey::new(&name, millis + 1);
            prop_assert!(later.is_err() || later.unwrap().record_key(0) > keys[MAX_PARTS - 1]);
        }

        #[test]
        fn other_drafts_have_other_keys(a in "[a-z]{1,20}", b in "[a-z]{1,20}") {
            prop_assume!(a != b);
            let key = |name: &str| PostKey::new(name, 1_700_000_000_000).unwrap().idempotency_key(0);
            prop_assert_ne!(key(&a), key(&b));
        }
    }
}
