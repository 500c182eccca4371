//! How files are told apart: [`FileIdentity`], which one it is, whatever it is called and whatever it holds;
//! [`sha256_hex`], what it holds, where only a digest of that is kept.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Which file of a file system it is. It stays through a move and an edit in place; a file that
/// is written anew in its place, as synchronisers and many editors do, has another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// Its number in the file system. A number is given again once its file is gone.
    pub inode: u64,
    /// When it was made, in nanoseconds since 1970, where the file system says: it tells two files
    /// of one number apart.
    pub born: Option<i64>,
}

impl FileIdentity {
    /// Whether this certainly is the same file: the same number, and the same known birth.
    pub fn is_certainly(self, other: Self) -> bool {
        self == other && self.born.is_some()
    }
}

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
