//! Ten thousand ordinary notes, of which next to none may be held back.
//!
//! The notes are made in `notes` from a seed: prose, mails, invoices, what programmers paste. Their
//! words are those the rules look for, their numbers and letters those that look like secrets. `mails` has what mails and
//! office work bring, `archive` makes files of the notes.
//!
//! For other scanners the notes are written into a folder, those of `src/content/tests/lines.rs` too:
//!
//!     PLATINUM_NOTES=3000 PLATINUM_NOTES_DIR=/tmp/notes cargo test -p platinum-secrets
//!     pip install detect-secrets==1.5.0
//!     for corpus in ordinary ordinary-lines secret-lines; do
//!         cd /tmp/notes/$corpus; detect-secrets scan --all-files | jq '.results | length'
//!     done

mod archive;
mod mails;
mod notes;
mod words;

use std::time::{Duration, Instant};

use platinum_secrets::{Finding, Place, Scanner};

/// How many notes there are; `PLATINUM_NOTES` says otherwise.
const NOTES: u64 = 10_000;
/// The target is one false hold in so many notes.
const PER_FALSE_HOLD: u64 = 10_000;

#[test]
fn ordinary_notes_at_most_one_of_10000_is_withheld() {
    let scanner = Scanner::default();
    let mut held = Vec::new();
    let mut bytes = 0;
    let mut took = Duration::ZERO;
    // Another range of seeds is another ten thousand.
    let number = |name: &str| Some(std::env::var(name).ok()?.parse::<u64>().unwrap());
    let first = number("PLATINUM_SEED").unwrap_or(0);
    let notes = number("PLATINUM_NOTES").unwrap_or(NOTES);
    let folder = std::env::var_os("PLATINUM_NOTES_DIR");
    let folder = folder.map(|folder| std::path::PathBuf::from(folder).join("ordinary"));
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).unwrap();
    }
    for seed in first..first + notes {
        let note = notes::note(seed);
        // Some are files of an office program, too, some of those in a mail.
        let packed = seed
            .is_multiple_of(4)
            .then(|| archive::file(seed, &note.text));
        if let Some(folder) = &folder {
            std::fs::write(folder.join(format!("{seed}.md")), &note.text).unwrap();
        }
        bytes += note.text.len() + packed.as_ref().map_or(0, Vec::len);
        let began = Instant::now();
        let finding = scanner
            .name(&note.path)
            .or_else(|| scanner.content(note.text.as_bytes()))
            .or_else(|| {
                let found = scanner.content(packed.as_ref()?)?;
                Some(Finding {
                    place: Place::Archive,
                    ..found
                })
            })
            .or_else(|| scanner.message(&format!("Sync {}", note.path)));
        took += began.elapsed();
        if let Some(finding) = finding {
            let line = match finding.place {
                Place::Line(line) => note.text.lines().nth(line - 1),
                _ => Some(note.path.as_str()),
            };
            let line: String = line.unwrap_or_default().chars().take(300).collect();
            held.push(format!("note {seed}: {finding}: {line}"));
        }
    }
    println!(
        "FIGURE: {notes} ordinary notes, {} KiB: {} held back; {} KiB/s",
        bytes / 1024,
        held.len(),
        bytes as u128 * 1000 / 1024 / took.as_millis().max(1)
    );
    let shown: Vec<_> = held.iter().take(40).cloned().collect();
    let allowed = notes.div_ceil(PER_FALSE_HOLD);
    assert!(held.len() as u64 <= allowed, "{}", shown.join("\n"));
}

#[test]
fn note_generator_is_deterministic_per_seed() {
    assert_eq!(notes::note(7).text, notes::note(7).text);
    assert_ne!(notes::note(7).text, notes::note(8).text);
}
