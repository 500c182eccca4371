//! The mails that mail-parser's package brings for its own tests, read whole: no panic, no text that is lost, no
//! U+FFFD where a character can be read.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// Mails whose outer boundary ends their inner parts, too, because one boundary begins with the other.
const AMBIGUOUS: &[&str] = &["malformed/005.eml"];

/// Where cargo has the package's source.
fn package() -> PathBuf {
    let metadata = |options: &[&str]| {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .args(options)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        serde_json::from_slice::<serde_json::Value>(&output.stdout)
    };
    // Not every platform's packages need to be on this machine: ask the registry only then.
    let metadata = metadata(&["--offline"]).or_else(|_| metadata(&[])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let found = packages
        .iter()
        .find(|package| package["name"] == "mail-parser")
        .unwrap();
    Path::new(found["manifest_path"].as_str().unwrap())
        .parent()
        .unwrap()
        .to_path_buf()
}

fn mails(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            mails(&path, found);
        } else if path.extension().is_some_and(|end| end == "eml") {
            found.push(path);
        }
    }
}

/// The words of a text, without what layout adds.
fn words(text: &str) -> Vec<String> {
    let words = text
        .split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase);
    words.filter(|word| word.chars().count() > 3).collect()
}

#[test]
fn parse_reads_all_mails_of_the_parsers_package() {
    let mut all = Vec::new();
    mails(&package().join("resources/eml"), &mut all);
    all.sort();
    assert!(all.len() >= 100, "the package has {} mails", all.len());
    let mut faults = Vec::new();
    let mut read = 0;
    for path in &all {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).unwrap();
        let parsed = parse(&bytes);
        check(&parsed);
        if parsed.subject.contains('\u{fffd}') || parsed.text.contains('\u{fffd}') {
            faults.push(format!("{name}: characters are lost"));
        }
        let Some(reference) = mail_parser::MessageParser::new().parse(&bytes) else {
            continue;
        };
        // What the package's own reading takes for the text is in ours, too; what it could not read is its own.
        let expected = reference.body_text(0).map(|text| text.into_owned());
        let expected = expected.unwrap_or_default();
        let readable = |word: &&str| !word.contains('\u{fffd}');
        let expected: Vec<&str> = expected.split_whitespace().filter(readable).collect();
        let ours = words(&parsed.text);
        let expected = words(&expected.join(" ")).into_iter();
        let missing: Vec<_> = expected
            .filter(|word| !ours.contains(word))
            .take(5)
            .collect();
        let is_known = AMBIGUOUS.iter().any(|known| path.ends_with(known));
        if !missing.is_empty() && !parsed.cut && !is_known {
            faults.push(format!("{name}: misses {missing:?}"));
        }
        read += 1;
    }
    println!("{read} of {} mails read", all.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
