//! Any bytes as a file, a name and a message: they are judged without a panic, and what is said of them is a sentence
//! of the scanner's own that does not repeat them.

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
    let text = String::from_utf8_lossy(input);
    for finding in [
        scanner.content(input),
        scanner.message(&text),
        scanner.name(&text),
    ]
    .into_iter()
    .flatten()
    {
        let said = finding.to_string();
        assert!(!said.contains(KNOWN) && said.len() < 400, "{said}");
    }
    // What the machine holds is found behind and before anything at all.
    let around = [input, KNOWN.as_bytes(), input].concat();
    assert!(scanner.content(&around).is_some());
}
