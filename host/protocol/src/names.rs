//! [`conflict_name`]: where the version goes that does not keep the path.
//!
//! Invariant: the name follows from its arguments alone, so that two sides that set the same
//! version aside make the same file, and there is no conflict about conflicts.

use platinum_core::{
    AgentName, MAX_COMPONENT_BYTES, MAX_PATH_BYTES, PathError, Timestamp, VaultPath,
};

/// `<stem>.conflict-<agent>-<UTC to the millisecond>-<first 8 of the blob>.<extension>`, beside
/// the file. The same arguments give the same name. A stem that is too long is cut, and a folder
/// that leaves no room for the name is replaced by the one above it.
pub fn conflict_name(
    path: &VaultPath,
    agent: &AgentName,
    at_unix_ms: i64,
    blob_hex: &str,
) -> VaultPath {
    let oid: String = blob_hex
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let mut ending = format!(".conflict-{agent}-{}-{oid}", compact_utc(at_unix_ms));
    // An extension that is itself as long as a name is no extension anybody knows.
    if let Some(extension) = path.extension().filter(|extension| extension.len() <= 16) {
        ending.push('.');
        ending.push_str(extension);
    }
    let mut folders: Vec<&str> = path.components().rev().skip(1).collect();
    folders.reverse();
    loop {
        let folder_bytes: usize = folders.iter().map(|folder| folder.len() + 1).sum();
        let room = MAX_COMPONENT_BYTES
            .min(MAX_PATH_BYTES.saturating_sub(folder_bytes))
            .saturating_sub(ending.len());
        // Short stems fit as they are; long ones keep at least enough to be recognized.
        if room >= path.stem().len().min(16) || folders.len() <= 1 {
            // A stem that was cut can have become the name of a device; `note` never is one.
            return beside(&folders, cut(path.stem(), room), &ending)
                .unwrap_or_else(|_| certain(&folders, &ending));
        }
        folders.pop();
    }
}

fn beside(folders: &[&str], stem: &str, ending: &str) -> Result<VaultPath, PathError> {
    let mut text: String = folders.iter().flat_map(|folder| [*folder, "/"]).collect();
    text.push_str(stem);
    text.push_str(ending);
    VaultPath::new(text)
}

#[expect(
    clippy::expect_used,
    reason = "folders of a valid path and a short, plain name"
)]
fn certain(folders: &[&str], ending: &str) -> VaultPath {
    beside(folders, "note", ending).expect("a conflict name is a vault path")
}

/// At most `room` bytes of `stem`, at a character boundary.
fn cut(stem: &str, room: usize) -> &str {
    let mut end = stem.len().min(room);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    &stem[..end]
}

/// `20261120T184303123Z`: sorts by time and is allowed in file names everywhere.
fn compact_utc(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| unix_ms.unsigned_abs().to_string(),
        |at| {
            format!("{at:.3}")
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect()
        },
    )
}
