//! Files that were renamed, perhaps edited too: few and many, and what is no move.

use std::collections::BTreeSet;

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{withheld::refused, *};

/// How many notes a script renames and edits at once.
fn notes() -> usize {
    let notes = std::env::var("PLATINUM_NOTES").ok();
    notes.and_then(|notes| notes.parse().ok()).unwrap_or(300)
}

/// A note as people write them: all share their properties, and each has its own text.
fn note(number: usize) -> String {
    format!(
        "---\nstatus: open\ntags: [project]\n---\n# Note {number}\n\nThe same greeting.\n\n\
         - call {number} back\n- pay {}\n",
        number * 7
    )
}

fn edited(number: usize) -> String {
    note(number).replace("status: open", "status: done") + "\nSeen by the script.\n"
}

/// A script that renames and edits most of a vault deletes nothing.
#[test]
fn guard_accepts_many_notes_renamed_and_edited() {
    let notes = notes();
    for is_watched in [false, true] {
        let mut fixture = Fixture::synced(&["Inbox/stays.md", "Plans/stays too.md"]);
        for number in 0..notes {
            fixture.write(&format!("Inbox/note {number}.md"), &note(number));
        }
        fixture.sync();
        if is_watched {
            fixture.watch();
        }
        for number in 0..notes {
            fs::remove_file(fixture.file(&format!("Inbox/note {number}.md"))).unwrap();
            fixture.write(&format!("Inbox/2026/{number} (note).md"), &edited(number));
        }
        let began = Instant::now();
        let mut gone = 0;
        while gone < notes {
            fixture.state.begin();
            let edits = fixture.scan().unwrap().files;
            gone += edits.values().filter(|blob| blob.is_none()).count();
            fixture.commit(&edits);
            assert!(began.elapsed() < 3 * DEADLINE, "{gone} are gone");
        }
        assert_eq!(gone, notes);
        eprintln!("{notes} notes took {:?}", began.elapsed());
    }
}

/// As many new files of other content make no deletion a move.
#[test]
fn guard_counts_new_notes_for_no_lost_ones() {
    let names: Vec<String> = (0..40).map(|n| format!("Inbox/{n}.md")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fixture = Fixture::watched(&all);
    for (number, name) in all[..30].iter().enumerate() {
        fs::remove_file(fixture.file(name)).unwrap();
        fixture.write(&format!("Plans/other {number}.md"), &note(number));
    }
    // One that was moved is not counted either.
    fs::rename(fixture.file(all[30]), fixture.file("Plans/moved.md")).unwrap();
    let message = refused(&mut fixture).to_string();
    assert!(message.starts_with("30 of the 40 files"), "{message}");
}

/// What a scan would find where these are gone and those are new.
fn found(repo: &Repo, gone: &[(VaultPath, Vec<u8>)], new: &[(VaultPath, Vec<u8>)]) -> ScanResult {
    let mut found = ScanResult::default();
    let mut batch = repo.batch();
    let mut store = |bytes: &[u8]| {
        let blob = Repo::blob_oid_of(bytes).unwrap();
        batch.write(blob, bytes).unwrap();
        blob
    };
    for (path, bytes) in gone {
        let blob = store(bytes);
        let missing = Missing {
            blob,
            replaced: false,
        };
        found.missing.insert(path.clone(), missing);
    }
    for (path, bytes) in new {
        found.edits.files.insert(path.clone(), Some(store(bytes)));
        found.added.insert(path.clone());
    }
    batch.flush().unwrap();
    found
}

/// Every file of which at least half is left is found where it is, and nothing else is.
#[test]
fn find_moves_finds_what_is_left_of_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(folder.path()).unwrap();
    for seed in 0..40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut gone, mut new, mut expected) = (Vec::new(), Vec::new(), BTreeMap::new());
        for number in 0..rng.random_range(1..60) {
            let from = path(&format!("Inbox/{number}.md"));
            let to = path(&format!("Plans/new {number}.md"));
            let mut lines: Vec<String> = (0..rng.random_range(4..40))
                .map(|_| format!("line {:08x}", rng.random::<u32>()))
                .collect();
            let text = |lines: &[String]| format!("the same in all\n{}\n", lines.join("\n"));
            let mut before = text(&lines).into_bytes();
            let mut is_there = true;
            let mut after = before.clone();
            match rng.random_range(0..6) {
                // As it is; a picture, too.
                0 => {}
                1 => {
                    before.push(0xff);
                    after.clone_from(&before);
                }
                // Less than half is edited, and something is put before it.
                2 | 3 => {
                    let edited = rng.random_range(0..lines.len().div_ceil(2));
                    for line in &mut lines[..edited] {
                        *line = format!("edited {:x}", rng.random::<u32>());
                    }
                    after = format!("---\nid: {number}\n---\n{}", text(&lines)).into_bytes();
                }
                // Something else is new; a picture is edited.
                4 => {
                    is_there = false;
                    after =
                        format!("the same in all\nother {}\n", rng.random::<u32>()).into_bytes();
                }
                _ => {
                    is_there = false;
                    before.push(0xff);
                    after.extend([0xff, 0xfe]);
                }
            }
            gone.push((from.clone(), before));
            new.push((to.clone(), after));
            if is_there {
                expected.insert(from, to);
            }
        }
        let moves = find_moves(&repo, &found(&repo, &gone, &new));
        assert_eq!(moves, expected, "seed {seed}");
    }
}

/// However alike the files are, each accounts for one, and it takes no time.
#[test]
fn find_moves_pairs_alike_files_once_in_bounded_time() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(folder.path()).unwrap();
    let count = 2 * notes();
    let file = |folder: &str, number: usize, text: String| {
        (path(&format!("{folder}/{number}.md")), text.into_bytes())
    };
    let alike = |n: usize| -> String {
        let lines = (0..60).map(|line| format!("line {line} of {}\n", n / 8));
        lines.collect()
    };
    let gone: Vec<_> = (0..count)
        .map(|n| file("Inbox", n, format!("{}old {n}\n", alike(n))))
        .collect();
    let new: Vec<_> = (0..count / 2)
        .map(|n| file("Plans", n + count, format!("{}new {n}\n", alike(n))))
        .collect();
    let found = found(&repo, &gone, &new);
    let began = Instant::now();
    let moves = find_moves(&repo, &found);
    eprintln!("{count} files took {:?}", began.elapsed());
    assert!(began.elapsed() < DEADLINE);
    assert_eq!(moves.len(), count / 2);
    assert_eq!(moves.values().collect::<BTreeSet<_>>().len(), count / 2);
}

/// Notes that were lost, and as many new ones from the same template.
#[test]
fn find_moves_template_in_common_is_no_move() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(folder.path()).unwrap();
    let template = "---\ntags: [meeting]\n---\n# Notes\n## Who was there\n## What was decided\n";
    let notes = |folder: &str, word: &str| -> Vec<_> {
        let note = |n| {
            let text = format!("{template}{word} {n}\n").into_bytes();
            (path(&format!("{folder}/{word} {n}.md")), text)
        };
        (0..30).map(note).collect()
    };
    let found = found(&repo, &notes("Inbox", "lost"), &notes("Plans", "new"));
    assert_eq!(find_moves(&repo, &found), BTreeMap::new());
}
