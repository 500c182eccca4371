//! [`FileIdentity`]: which file it is, whatever it is called and whatever it holds.

use serde::{Deserialize, Serialize};

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
