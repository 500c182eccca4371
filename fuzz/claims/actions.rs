//! Any bytes as the fields and the text of an action: they are refused in words, or are the same action when they
//! are read again.
//!
//! The first byte chooses the kind, so that the fuzzer need not find out first what kinds there are.

use platinum_core::ACTIONS;

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let Some((which, rest)) = input.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    let (fields, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let Ok(fields) = serde_norway::from_str(fields) else {
        return;
    };
    let spec = &ACTIONS[usize::from(*which) % ACTIONS.len()];
    let Ok(action) = spec.action(fields, body.to_owned()) else {
        return;
    };
    assert_eq!(action.kind(), spec.kind);
    let _ = action.files();
    let written = serde_norway::to_string(action.fields()).expect("an action is written");
    let again = serde_norway::from_str(&written).expect("what is written is read");
    assert_eq!(
        spec.action(again, action.text().to_owned()),
        Ok(action),
        "{written:?}"
    );
}
