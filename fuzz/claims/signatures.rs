//! Any bytes taken as a commit, and any text as a list of signers: nothing panics, and nothing is
//! read for more than it is.
//!
//! The input is also put in place of the signature of a commit that is otherwise good
//! (`signed_commit`): so the fuzzer need not find out first what a commit looks like.

use platinum_repo::{Signature, Signers};

const GOOD: &str = include_str!("signed_commit");
/// Its key.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM3OhZknIkQWMHbp+a0qB6vb82F/Nyry7cl8BVTAkOVO";

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    check_commit(input);
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(signers) = Signers::parse(text) {
        let again = Signers::parse(&signers.to_string());
        assert_eq!(again, Ok(signers), "another list is read from {text:?}");
    }
    // In place of the signature, and of the message that it signs.
    let (head, rest) = GOOD.split_once("gpgsig ").unwrap_or_default();
    let (_, message) = rest.split_once("\n\n").unwrap_or_default();
    check_commit(format!("{head}gpgsig {}\n\n{message}", text.replace('\n', "\n ")).as_bytes());
    let signed = GOOD.strip_suffix(message).unwrap_or_default();
    if text != message {
        let changed = format!("{signed}{text}");
        assert!(
            !matches!(Signature::of_commit(changed.as_bytes()), Signature::By(_)),
            "a changed message passes: {text:?}"
        );
    }
}

/// Nobody but the owner of the key signs with it.
fn check_commit(commit: &[u8]) {
    if let Signature::By(key) = Signature::of_commit(commit)
        && key.to_string() == KEY
    {
        let message = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.split_once("\n\n")
                .map(|(_, message)| message.to_owned())
        };
        assert_eq!(
            message(commit),
            message(GOOD.as_bytes()),
            "a forged commit passes"
        );
    }
}
