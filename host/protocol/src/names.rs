//! [`conflict_name`]: where the version goes that does not keep the path; [`ConflictName`] reads such a name.
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
    let mut ending = format!("{MARK}{agent}-{}-{oid}", compact_utc(at_unix_ms));
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

/// The text in a name by which a conflict copy is known.
const MARK: &str = ".conflict-";

/// What the name of a conflict copy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictName {
    /// The path that the version did not keep. A stem that was cut stays so.
    pub original: VaultPath,
    /// Who made the version.
    pub agent: String,
    /// When, as `2026-11-20 18:43 UTC`, or as the name says it.
    pub at: String,
    /// The start of the version's blob: it tells copies apart.
    pub blob: String,
}

impl ConflictName {
    /// Reads a path that [`conflict_name`] made; nothing of another.
    pub fn parse(path: &VaultPath) -> Option<Self> {
        let (stem, rest) = path.file_name().rsplit_once(MARK)?;
        let (middle, extension) = match rest.split_once('.') {
            Some((middle, extension)) => (middle, format!(".{extension}")),
            None => (rest, String::new()),
        };
        let mut parts = middle.rsplitn(3, '-');
        let (blob, at, agent) = (parts.next()?, parts.next()?, parts.next()?);
        let name = format!("{stem}{extension}");
        let original = match path.parent() {
            Some(folder) => folder.join(&name),
            None => VaultPath::new(name),
        };
        Some(Self {
            original: original.ok()?,
            agent: agent.to_owned(),
            at: minute(at).unwrap_or_else(|| at.to_owned()),
            blob: blob.to_owned(),
        })
    }
}

/// `20261120T184303123Z` as people read it.
fn minute(compact: &str) -> Option<String> {
    let (day, time) = compact.strip_suffix('Z')?.split_once('T')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if day.len() != 8 || time.len() < 4 || !digits(day) || !digits(time) {
        return None;
    }
    let (year, month, day) = (day.get(..4)?, day.get(4..6)?, day.get(6..)?);
    let (hour, minute) = (time.get(..2)?, time.get(2..4)?);
    Some(format!("{year}-{month}-{day} {hour}:{minute} UTC"))
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
