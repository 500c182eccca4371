//! Texts of a test as the notes that a cloud host may put before the owner.

/// What tells such a note from others.
const BY: &str = "\nby: \"testkit\"\n";

/// The task that all drafts of [`as_note`] answer, each under a claim of its own: see [`drafted_task`].
const TASK: &str = "task_00000000000000000000000001";

/// The file that a vault needs before a cloud host may put drafts of [`as_note`] into it: their task, which was
/// claimed more often than any of them says, and is finished.
#[must_use]
pub fn drafted_task() -> (String, String) {
    let front = format!(
        "id: {TASK}\nkind: task\ncreated: 2026-11-20T18:43:03Z{BY}zone: email\nsource: \"maildir:owner\"\n\
         from: \"Ada\"\nsubject: \"Tea\"\nlast-epoch: {}\n",
        u64::MAX
    );
    let path = format!("Done/2026/11/{TASK}.md");
    (path, format!("---\n{front}---\nTea?\n"))
}

/// The path of a draft that is called so in a test.
#[must_use]
pub fn draft_path(name: &str) -> String {
    format!("Pending_Approval/draft_{:026}.md", number_of(&[name]))
}

/// FNV-1a: as digits, which are letters of an id too.
fn number_of(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The text as a note of the kind of its folder, where a cloud host may create only those: each
/// path and text has an id, and a draft a claim, of its own; that of a draft is the one in its path, if
/// there is one. Elsewhere, and if it is a note already, the text itself.
#[must_use]
pub fn as_note(path: &str, text: &str) -> String {
    if !path.ends_with(".md") || text.starts_with("---\n") {
        return text.to_owned();
    }
    let number = number_of(&[path, text]);
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
        Some("Pending_Approval") => {
            let name = path.rsplit('/').next().unwrap_or(path);
            let own = name.strip_prefix("draft_").and_then(|rest| rest.get(..26));
            let id = own.unwrap_or(&id);
            format!(
                "id: draft_{id}\nkind: draft\ncreated: {created}{BY}task: {TASK}\nepoch: {}\n\
                 action: email-send\nfrom-account: \"owner\"\nto:\n  - \"ada@example.test\"\n\
                 subject: \"Re: Tea\"\nsummary: \"Answer Ada\"\nreason: \"She asked\"\n\
                 expires: 2027-01-20T18:43:03Z\n",
                number.max(1)
            )
        }
        Some("Needs_Action") => format!(
            "id: task_{id}\nkind: task\ncreated: {created}{BY}zone: email\n\
             source: \"maildir:owner\"\nfrom: \"Ada\"\nsubject: \"Tea\"\n"
        ),
        _ => return text.to_owned(),
    };
    format!("---\n{front}---\n{text}")
}

/// A note whose first line that begins so is another one.
#[must_use]
pub fn with_line(note: &str, begin: &str, line: &str) -> String {
    let old = note.lines().find(|line| line.starts_with(begin));
    old.map_or_else(|| note.to_owned(), |old| note.replacen(old, line, 1))
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
