//! Any bytes behind the start of a zip, a gzip or a PDF, and as what such a file holds: they are judged without a panic
//! and in a bounded time, and a secret that this machine holds is found in what they are packed with.
//!
//! The starts are given, so that the fuzzer need not find out first what they look like.

use std::sync::OnceLock;

use platinum_secrets::{Allowances, KnownSecrets, Scanner};

const KNOWN: &str = "rosebud-in-the-snow";

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    static SCANNER: OnceLock<Scanner> = OnceLock::new();
    let scanner = SCANNER.get_or_init(|| {
        let mut known = KnownSecrets::new([7; 32]);
        assert!(known.add(KNOWN.as_bytes()));
        Scanner::new(known, Allowances::default())
    });
    for start in [
        b"PK\x03\x04\x14\0\0\0\x08\0".as_slice(),
        b"PK\x03\x04\x14\0\x08\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0x",
        b"\x1F\x8B\x08\0\0\0\0\0\0\x03",
        b"%PDF-1.7\n1 0 obj\n<< /Filter /FlateDecode >>\nstream\n\x78\x9C",
        b"%PDF-1.7\n1 0 obj\n<< >>\nstream\n1 beginbfrange <01> <05> <0041>\nendstream\nstream\nBT Tj ",
    ] {
        let _ = scanner.content(&[start, input].concat());
    }
    // Stored in one block, which any inflater gives back as it is; before it is what the fuzzer likes.
    let text = [
        input.get(..60_000).unwrap_or(input),
        b"\n",
        KNOWN.as_bytes(),
    ]
    .concat();
    if let Ok(len) = u16::try_from(text.len()) {
        let head = [
            b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x01".as_slice(),
            &len.to_le_bytes(),
            &(!len).to_le_bytes(),
        ]
        .concat();
        let file = [head, text].concat();
        assert!(scanner.content(&file).is_some());
    }
}
