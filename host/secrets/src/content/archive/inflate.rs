//! Deflate, with bounds. What comes out before a stream breaks or a bound is met is of use too.

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{
        DecompressorOxide, decompress,
        inflate_flags::{
            TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER,
            TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
        },
    },
};

/// What a stream begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// Nothing: zip and gzip have frames of their own.
    Bare,
    /// Two bytes, as in a PDF.
    Zlib,
}

/// What came out of a stream.
pub(super) struct Inflated {
    pub(super) bytes: Vec<u8>,
    /// So many bytes went in.
    pub(super) used: usize,
    /// Whether that was all of it.
    pub(super) whole: bool,
}

/// Inflates at most `most` bytes.
pub(super) fn inflate(input: &[u8], wrapper: Wrapper, most: usize) -> Inflated {
    let mut flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_IGNORE_ADLER32;
    if wrapper == Wrapper::Zlib {
        flags |= TINFL_FLAG_PARSE_ZLIB_HEADER;
    }
    let mut state = Box::<DecompressorOxide>::default();
    let mut bytes = vec![0; most.min(4096.max(input.len().min(256 * 1024) * 2))];
    let (mut used, mut filled) = (0, 0);
    loop {
        let rest = input.get(used..).unwrap_or_default();
        let (status, read, written) = decompress(&mut state, rest, &mut bytes, filled, flags);
        used += read;
        filled += written;
        if status != TINFLStatus::HasMoreOutput || bytes.len() >= most {
            bytes.truncate(filled);
            return Inflated {
                bytes,
                used,
                whole: status == TINFLStatus::Done,
            };
        }
        bytes.resize(bytes.len().saturating_mul(2).min(most), 0);
    }
}

/// Whether bytes start as a zlib stream does.
pub(super) fn is_zlib(bytes: &[u8]) -> bool {
    match bytes {
        [first, second, ..] => {
            first & 0x0F == 8 && (u32::from(*first) * 256 + u32::from(*second)).is_multiple_of(31)
        }
        _ => false,
    }
}
