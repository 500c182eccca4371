//! Module docs, size budgets, and no path of a developer's machine.

use std::collections::BTreeMap;

use crate::{agree, files, is_test, read};

/// A file this long, its inline tests aside, is read with effort: split it or give a reason.
const MAX_LINES: usize = 800;
/// `lib.rs` and `mod.rs` hold docs, module lines, re-exports and a type: not a subject.
const MAX_ROOF_LINES: usize = 200;
/// A skill's `lib.rs` is glue.
const MAX_SKILL_LINES: usize = 60;
/// More files than this are two subjects.
const MAX_FOLDER_FILES: usize = 12;

/// Files and folders over their budget, each with the reason.
const OVER_BUDGET: [(&str, &str); 6] = [
    ("fuzz/claims", "a file for each target"),
    ("fuzz/fuzz_targets", "a file for each target"),
    (
        "host/core/src/actions/mod.rs",
        "an action, its trait and its error, over a file for each zone",
    ),
    (
        "host/daemon/src/config/mod.rs",
        "one type and its steps, over a file for each part of the configuration",
    ),
    (
        "host/local/src/commands",
        "a file for each command of the owner",
    ),
    (
        "host/repo/src",
        "one type whose methods are a file for each subject",
    ),
];

fn sources() -> impl Iterator<Item = String> {
    files().into_iter().filter(|file| file.ends_with(".rs"))
}

fn is_allowed(path: &str) -> bool {
    OVER_BUDGET.iter().any(|(allowed, _)| *allowed == path)
}

/// Lines before the inline tests.
fn own_lines(text: &str) -> usize {
    let inline = ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(test)]\n#[expect"];
    let end = inline
        .iter()
        .filter_map(|mark| text.find(mark))
        .min()
        .unwrap_or(text.len());
    text[..end].lines().count()
}

#[test]
fn source_files_open_with_a_module_doc() {
    let complaints: Vec<_> = sources()
        .filter(|file| {
            let text = read(file);
            let doc = text
                .lines()
                .next()
                .and_then(|line| line.strip_prefix("//! "));
            doc.is_none_or(|doc| doc.trim().len() < 10)
        })
        .collect();
    agree("A source file opens with `//! <what it is>`:", &complaints);
}

#[test]
fn source_files_stay_within_their_line_budget() {
    let mut complaints = vec![];
    for file in sources().filter(|file| !is_allowed(file)) {
        let name = file.rsplit('/').next().unwrap_or(&file);
        let budget = match name {
            _ if is_test(&file) => MAX_LINES,
            "lib.rs" if file.starts_with("skills/") => MAX_SKILL_LINES,
            "lib.rs" | "mod.rs" => MAX_ROOF_LINES,
            _ => MAX_LINES,
        };
        let lines = own_lines(&read(&file));
        if lines > budget {
            complaints.push(format!("{file}: {lines} lines, {budget} is the most"));
        }
    }
    agree(
        "Split the file, or put it on the list with a reason:",
        &complaints,
    );
}

#[test]
fn folders_hold_at_most_12_source_files() {
    let mut folders: BTreeMap<String, usize> = BTreeMap::new();
    for file in sources() {
        if let Some((folder, _)) = file.rsplit_once('/') {
            *folders.entry(folder.to_owned()).or_default() += 1;
        }
    }
    let complaints: Vec<_> = folders
        .into_iter()
        .filter(|(folder, count)| *count > MAX_FOLDER_FILES && !is_allowed(folder))
        .map(|(folder, count)| format!("{folder}: {count} files, {MAX_FOLDER_FILES} is the most"))
        .collect();
    agree(
        "Give a part of it a folder, or put it on the list with a reason:",
        &complaints,
    );
}

#[test]
fn budget_exceptions_exist_and_have_a_reason() {
    let files = files();
    let gone: Vec<_> = OVER_BUDGET
        .iter()
        .filter(|(path, reason)| {
            let exists = files.iter().any(|file| {
                file == path
                    || file
                        .strip_prefix(path)
                        .is_some_and(|rest| rest.starts_with('/'))
            });
            !exists || reason.len() < 20
        })
        .map(|(path, _)| (*path).to_owned())
        .collect();
    agree("Gone, or without a real reason:", &gone);
}

#[test]
fn files_name_no_path_of_a_developers_machine() {
    let mut complaints = vec![];
    for file in files() {
        let Ok(text) = std::fs::read_to_string(crate::root().join(&file)) else {
            continue; // Not text.
        };
        for (number, line) in text.lines().enumerate() {
            if let Some(path) = machine_path(line) {
                complaints.push(format!("{file}:{}: {path}", number + 1));
            }
        }
    }
    agree(
        "Say where it is without naming a machine's folder:",
        &complaints,
    );
}

/// The start of an absolute path that exists on one machine alone. `/home/example` and
/// `/home/owner` are placeholders.
fn machine_path(line: &str) -> Option<&str> {
    let starts = |place: usize| {
        let before = line[..place].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '}')))
    };
    for folder in ["root", "work", "home", "Users"] {
        let start = format!("/{folder}/");
        for (place, found) in line.match_indices(&start) {
            let rest = &line[place + found.len()..];
            let owner = rest
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            let named = !owner.is_empty() && !matches!(owner, "example" | "owner");
            if starts(place) && (named || matches!(folder, "root" | "work")) {
                return Some(&line[place..place + found.len() + owner.len()]);
            }
        }
    }
    None
}

#[test]
fn machine_path_finds_home_folders_and_nothing_else() {
    // Put together here, so that this file does not name one itself.
    let path = |parts: &[&str]| format!("see `/{}`", parts.join("/"));
    for found in [
        &["root", ".cargo"][..],
        &["work", "x"],
        &["home", "jane", "Mail"],
    ] {
        assert!(machine_path(&path(found)).is_some(), "{found:?}");
    }
    for fine in [
        &["home", "owner", "Mail"][..],
        &["home", "", "x"],
        &["etc", "root", "x"],
    ] {
        assert!(machine_path(&path(fine)).is_none(), "{fine:?}");
    }
    assert!(machine_path("Inbox/work/plan.md and target/root/x").is_none());
}
