//! [`sha256_hex`]: how files and records are compared where only a digest of them is kept.

use sha2::{Digest as _, Sha256};

/// SHA-256 of bytes, in 64 hexadecimal digits.
pub fn sha256_hex(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of FIPS 180-2.
    #[test]
    fn sha256_hex_of_abc_is_the_standards() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_hex("abc"), digest);
    }
}
