//! Searching in bytes.

/// Where a word starts.
pub(super) fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let first = *word.first()?;
    let mut at = 0;
    while let Some(next) = text.get(at..)?.iter().position(|b| *b == first) {
        at += next;
        if text.get(at..)?.starts_with(word) {
            return Some(at);
        }
        at += 1;
    }
    None
}
