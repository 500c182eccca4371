//! Texts of a test as the notes that a cloud host may put before the owner.

/// What tells such a note from others.
const BY: &str = "\nby: \"testkit\"\n";

/// The text as a note of the kind of its folder, where a cloud host may create only those: each
/// path and text has an id, and a draft a task, of its own. Elsewhere, and if it is a note
/// already, the text itself.
#[must_use]
pub fn as_note(path: &str, text: &str) -> String {
    if !path.ends_with(".md") || text.starts_with("---\n") {
        return text.to_owned();
    }
    // FNV-1a, as digits, which are letters of an id too.
    let number = path
        .bytes()
        .chain(text.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let id = format!("{number:026}");
    let created = "2026-11-20T18:43:03Z";
    let front = match path.split('/').next() {
        Some("Plans") => format!(
            "id: plan_{id}\nkind: plan\ncreated: {created}{BY}task: task_{id}\ntitle: \"A plan\"\n"
        ),
        Some("Updates") => {
            format!(
                "id: update_{id}\nkind: update\ncreated: {created}{BY}headline: \"An update\"\n"
            )
        }
        Some("Pending_Approval") => format!(
            "id: draft_{id}\nkind: draft\ncreated: {created}{BY}task: task_{id}\nepoch: 1\n\
             action: email-send\nfrom-account: \"owner\"\nto:\n  - \"ada@example.test\"\n\
             subject: \"Re: Tea\"\nsummary: \"Answer Ada\"\nreason: \"She asked\"\n\
             expires: 2027-01-20T18:43:03Z\n"
        ),
        Some("Needs_Action") => format!(
            "id: task_{id}\nkind: task\ncreated: {created}{BY}zone: email\n\
             source: \"maildir:owner\"\nfrom: \"Ada\"\nsubject: \"Tea\"\n"
        ),
        _ => return text.to_owned(),
    };
    format!("---\n{front}---\n{text}")
}

/// The text of a note that [`as_note`] made; any other one as it is.
#[must_use]
pub fn text_of(note: &str) -> &str {
    match note.split_once("\n---\n") {
        Some((front, text)) if front.contains(BY.trim_end()) => text,
        _ => note,
    }
}

/// The text of a draft's note with its gaps filled, as far as a draft without a model needs it.
#[must_use]
pub fn fill_gaps(note: &str) -> String {
    note.replace("[✎ ", "[")
}
