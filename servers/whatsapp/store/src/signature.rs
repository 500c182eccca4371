//! Whether a webhook is Meta's: `X-Hub-Signature-256`, a keyed hash over the body as it came.
//!
//! Invariants: the body is not read before; how long the comparison takes says nothing of where two hashes differ.

use ring::hmac::{HMAC_SHA256, Key, sign, verify};

/// The name of the header.
pub const HEADER: &str = "x-hub-signature-256";

/// Whether `header` is the signature of `body` under the app secret.
#[must_use]
pub fn is_signed(secret: &str, header: Option<&str>, body: &[u8]) -> bool {
    let Some(digest) = header.and_then(|text| text.strip_prefix("sha256=")) else {
        return false;
    };
    let Ok(digest) = hex::decode(digest) else {
        return false;
    };
    verify(&Key::new(HMAC_SHA256, secret.as_bytes()), body, &digest).is_ok()
}

/// Whether two words are the same; compared as hashes, so that the time says nothing of either.
#[must_use]
pub fn is_same_word(one: &str, other: &str) -> bool {
    let key = Key::new(HMAC_SHA256, b"the same word");
    let hash = sign(&key, other.as_bytes());
    verify(&key, one.as_bytes(), hash.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Python's `hmac`, an implementation of somebody else's.
    const SIGNED: &str = "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    const BODY: &[u8] = b"The quick brown fox jumps over the lazy dog";

    #[test]
    fn signature_holds_for_its_body_and_secret_alone() {
        assert!(is_signed("key", Some(SIGNED), BODY));
        let upper = SIGNED.to_uppercase().replace("SHA256", "sha256");
        assert!(is_signed("key", Some(&upper), BODY));
        for (secret, header, body) in [
            ("key", None, BODY),
            ("kez", Some(SIGNED), BODY),
            ("", Some(SIGNED), BODY),
            ("key", Some(&SIGNED[7..]), BODY),
            ("key", Some("sha256="), BODY),
            ("key", Some("sha256=f7bc"), BODY),
            ("key", Some(&SIGNED[..SIGNED.len() - 2]), BODY),
            ("key", Some(SIGNED), &BODY[1..]),
        ] {
            assert!(!is_signed(secret, header, body), "{secret} {header:?}");
        }
        let sha1 = SIGNED.replace("sha256", "sha1");
        assert!(!is_signed("key", Some(&sha1), BODY));
    }

    #[test]
    fn words_are_the_same_only_whole() {
        assert!(is_same_word("a word", "a word"));
        for other in ["", "a wor", "a word ", "A word"] {
            assert!(!is_same_word("a word", other));
        }
    }
}
