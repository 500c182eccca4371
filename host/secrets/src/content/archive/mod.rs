//! What is compressed: gzip, zip and what office programs make of it, and the streams of a PDF.
//!
//! Lives here: [`each`], which hands on what comes out, and the [`Budget`] that one file has.
//! Not read: what is encrypted; what is compressed in another way than deflate (bzip2, xz,
//! zstd, 7z, rar); pictures, and letters that a PDF only draws; what is nested more than twice,
//! or beyond the bounds of the budget. That is no finding: the file is synced.
//! Invariants: no more comes out than the budget has, whatever goes in; what is broken is read up
//! to where it breaks, and is no error.

mod bytes;
mod gzip;
mod inflate;
mod markup;
mod pdf;
mod zip;

use std::cell::Cell;

/// Archives within archives.
pub(super) const MAX_NESTED: u32 = 2;
/// What comes out of one file at most.
const MOST: usize = 64 * 1024 * 1024;
/// And so many times its own length, beside the first mebibyte.
const RATIO: usize = 64;
const FREE: usize = 1024 * 1024;
/// Members and streams of one file.
const MAX_MEMBERS: usize = 10_000;

/// What may come out of one file. Shared by all archives in it.
pub(super) struct Budget {
    bytes: Cell<usize>,
    members: Cell<usize>,
}

impl Budget {
    /// That of a file of this length.
    pub(super) fn of(len: usize) -> Self {
        let bytes = len.saturating_mul(RATIO).saturating_add(FREE).min(MOST);
        Self {
            bytes: Cell::new(bytes),
            members: Cell::new(MAX_MEMBERS),
        }
    }

    fn left(&self) -> usize {
        self.bytes.get()
    }

    fn spend(&self, bytes: usize) {
        self.bytes.set(self.bytes.get().saturating_sub(bytes));
    }

    /// Takes one member more; whether there may be one.
    fn member(&self) -> bool {
        let left = self.members.get();
        self.members.set(left.saturating_sub(1));
        left > 0 && self.left() > 0
    }
}

/// Takes what came out, and whether it is the source of a text that is handed on as well; answers
/// whether to go on.
type Visitor<'a> = dyn FnMut(&[u8], bool) -> bool + 'a;

/// Hands on the members of the archive that these bytes are, until `visit` answers no.
pub(super) fn each(bytes: &[u8], budget: &Budget, visit: &mut Visitor<'_>) {
    if zip::matches_magic(bytes) {
        zip::each(bytes, budget, visit);
    } else if gzip::matches_magic(bytes) {
        gzip::each(bytes, budget, visit);
    } else if pdf::matches_magic(bytes) {
        pdf::each(bytes, budget, visit);
    }
}
