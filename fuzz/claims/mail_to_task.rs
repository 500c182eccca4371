//! Any bytes taken as a mail become one bounded, harmless task note.
//!
//! What must hold of the note is `platinum_intake::mail::task::check`; the ordinary tests call it
//! too, over the corpus here and over generated mails.

/// The claim, of these bytes.
pub(super) fn check(mail: &[u8]) {
    if let Err(broken) = platinum_intake::mail::task::check(mail) {
        panic!("{broken}");
    }
}
