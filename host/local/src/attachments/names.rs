//! Under which name a file of a mail is saved: pure.
//!
//! Invariants: only types on the list keep their ending; everything else, and whatever the system or Obsidian would run,
//! show or read as a note, gets `.bin` behind it; two names differ in more than their case.

use std::collections::BTreeSet;

use platinum_core::safe_file_name;

/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 120;
/// Endings of files that are only looked at.
const PLAIN: &[&str] = &[
    "pdf", "txt", "csv", "log", "png", "jpg", "jpeg", "gif", "webp", "heic", "bmp", "tif", "tiff",
    "docx", "xlsx", "pptx", "doc", "xls", "ppt", "odt", "ods", "odp", "rtf", "ics", "vcf", "eml",
    "xml", "json", "zip", "7z", "gz", "mp3", "m4a", "wav", "ogg", "flac", "mp4", "mov", "mkv",
    "webm", "asc", "sig", "p7s", "dwg", "dxf", "epub",
];
/// What a file without a name is called by its type.
const TYPES: &[(&str, &str)] = &[
    ("application/pdf", "pdf"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("message/rfc822", "eml"),
    ("text/calendar", "ics"),
    ("text/plain", "txt"),
];

/// The name of a file that a mail calls so.
pub(super) fn name_of(given: Option<&str>, media_type: &str) -> String {
    let by_type = TYPES.iter().find(|(known, _)| *known == media_type);
    let ending = by_type.map_or("bin", |(_, ending)| ending);
    let name = safe_file_name(given.unwrap_or_default(), MAX_NAME_BYTES);
    if name.is_empty() {
        return format!("file.{ending}");
    }
    match name.rsplit_once('.') {
        Some((_, end)) if PLAIN.contains(&end.to_ascii_lowercase().as_str()) => name,
        Some(_) => format!("{name}.bin"),
        None => format!("{name}.{ending}"),
    }
}

/// This name, with a number if it is taken; names are compared without their case.
pub(super) fn free_name(name: &str, taken: &BTreeSet<String>) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "bin"));
    let numbered = (2_u32..).map(|number| format!("{stem} ({number}).{ending}"));
    let mut all = std::iter::once(name.to_owned()).chain(numbered);
    all.find(|name| !taken.contains(&key(name)))
        .unwrap_or_default()
}

/// What of a name no other may share.
pub(super) fn key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_of_keeps_plain_types_alone() {
        for (given, media_type, name) in [
            (Some("offer.pdf"), "application/pdf", "offer.pdf"),
            (Some("Plan.DOCX"), "x/y", "Plan.DOCX"),
            (Some("run.exe"), "x/y", "run.exe.bin"),
            (
                Some("invoice.pdf.js"),
                "application/pdf",
                "invoice.pdf.js.bin",
            ),
            (Some("note.md"), "text/markdown", "note.md.bin"),
            (Some("page.html"), "text/html", "page.html.bin"),
            (Some("image.svg"), "image/svg+xml", "image.svg.bin"),
            (Some("board.canvas"), "x/y", "board.canvas.bin"),
            (Some("x.desktop"), "x/y", "x.desktop.bin"),
            (Some("report"), "application/pdf", "report.pdf"),
            (Some("report"), "x/y", "report.bin"),
            (Some("../.bashrc"), "x/y", "bashrc.bin"),
            (Some("\u{202e}fdp.exe"), "x/y", "fdp.exe.bin"),
            (None, "image/png", "file.png"),
            (None, "x/y", "file.bin"),
            (Some("///"), "x/y", "file.bin"),
        ] {
            assert_eq!(name_of(given, media_type), name, "{given:?}");
        }
        let long = name_of(Some(&format!("{}.sh", "x".repeat(4000))), "x/y");
        assert!(long.len() < 130 && long.ends_with(".sh.bin"), "{long}");
    }

    #[test]
    fn free_name_differs_in_more_than_case() {
        let mut taken = BTreeSet::new();
        let mut names = Vec::new();
        for name in ["a.pdf", "A.pdf", "a.PDF"] {
            let name = free_name(name, &taken);
            taken.insert(key(&name));
            names.push(name);
        }
        assert_eq!(names, ["a.pdf", "A (2).pdf", "a (3).PDF"]);
    }
}
