//! Who may depend on what: the tables of `ARCHITECTURE.md` against `cargo metadata`. The floors of
//! `host/`, one owner per outside library, and what a skill may use.
//!
//! Lives elsewhere: what acts is in `acting`, licences and banned crates are in `licences`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::Package;

use crate::{agree, folder_of, metadata, read, uses};

/// Where the tables are.
const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// The cells of the rows of the table in `text` that begins with the header `header`.
fn table(text: &str, header: &[&str]) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Option<Vec<String>> {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(
            inner
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect(),
        )
    };
    let mut lines = text
        .lines()
        .skip_while(|line| cells(line).is_none_or(|cells| cells != header));
    assert!(
        lines.next().is_some(),
        "{ARCHITECTURE} has no table `| {} |`",
        header.join(" | ")
    );
    // The line of dashes under the header.
    lines.skip(1).map_while(cells).collect()
}

/// The texts between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The floor of each folder of `host/`, as the table says.
fn floors(text: &str) -> BTreeMap<String, usize> {
    let mut floors = BTreeMap::new();
    for row in table(text, &["floor", "crate", "what lives there"]) {
        let [floor, crates, _] = row.as_slice() else {
            panic!("{ARCHITECTURE}: a row of floors has {} cells", row.len());
        };
        for folder in quoted(crates).filter(|folder| folder.starts_with("host/")) {
            let floor = floor
                .parse()
                .unwrap_or_else(|_| panic!("{ARCHITECTURE}: {folder} has no floor: `{floor}`"));
            let earlier = floors.insert(folder.to_owned(), floor);
            assert!(earlier.is_none(), "{ARCHITECTURE}: {folder} is there twice");
        }
    }
    floors
}

/// What of the crates of `host/` and of the table does not fit together. A crate is its folder and
/// the folders of what it uses.
fn misplaced(floors: &BTreeMap<String, usize>, crates: &[(&str, Vec<&str>)]) -> Vec<String> {
    let mut complaints = vec![];
    for (folder, used) in crates {
        let Some(floor) = floors.get(*folder) else {
            complaints.push(format!("{folder} is not in the table"));
            continue;
        };
        for used in used {
            match floors.get(*used) {
                Some(below) if below >= floor => {
                    complaints.push(format!(
                        "{folder} (floor {floor}) imports {used} (floor {below})"
                    ));
                }
                _ => {}
            }
        }
    }
    let folders: BTreeSet<&str> = crates.iter().map(|(folder, _)| *folder).collect();
    let missing = floors
        .keys()
        .filter(|folder| !folders.contains(folder.as_str()));
    complaints.extend(missing.map(|folder| format!("{folder} is in the table and is no crate")));
    complaints
}

#[test]
fn host_crates_match_the_floors_of_architecture_md() {
    let packages = metadata().workspace_packages();
    let folders: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package.name.as_str(), folder_of(package)))
        .collect();
    let crates: Vec<(&str, Vec<&str>)> = packages
        .iter()
        .map(|package| {
            let used = uses(package).filter_map(|used| folders.get(used).copied());
            (folder_of(package), used.collect())
        })
        .filter(|(folder, _)| folder.starts_with("host/"))
        .collect();
    assert!(crates.len() > 10, "{} crates in host/", crates.len());
    agree(
        &format!("A crate of host/ imports lower floors only, as {ARCHITECTURE} lists them:"),
        &misplaced(&floors(&read(ARCHITECTURE)), &crates),
    );
}

#[test]
fn misplaced_names_upward_unlisted_and_missing_crates() {
    let text = "\
| floor | crate | what lives there |
|---|---|---|
| – | `wit/` | the contract |
| 0 | `host/core` | ids |
| 1 | `host/vault`, `host/watch` | files |
| 2 | `host/gone` | nothing |

| other | table |
|---|---|
| 9 | `host/other` |
";
    let floors = floors(text);
    assert_eq!(floors.len(), 4);
    let crates = [
        ("host/core", vec!["host/vault"]),
        ("host/vault", vec!["host/core", "host/watch"]),
        ("host/watch", vec!["servers/kit"]),
        ("host/new", vec![]),
    ];
    assert_eq!(
        misplaced(&floors, &crates),
        [
            "host/core (floor 0) imports host/vault (floor 1)",
            "host/vault (floor 1) imports host/watch (floor 1)",
            "host/new is not in the table",
            "host/gone is in the table and is no crate",
        ]
    );
}

#[test]
fn outside_libraries_are_used_by_their_owners_alone() {
    let architecture = read(ARCHITECTURE);
    let rows = table(&architecture, &["library", "owners"]);
    assert!(rows.len() > 5, "{} libraries have owners", rows.len());
    let packages = metadata().workspace_packages();
    let mut complaints = vec![];
    for row in &rows {
        let [libraries, owners] = row.as_slice() else {
            panic!("{ARCHITECTURE}: a row of owners has {} cells", row.len());
        };
        for library in quoted(libraries) {
            let users: BTreeSet<&str> = packages
                .iter()
                .filter(|package| uses(package).any(|used| used == library))
                .map(|package| folder_of(package))
                .collect();
            let owners: BTreeSet<&str> = quoted(owners).collect();
            for user in users.difference(&owners) {
                complaints.push(format!("{user} uses {library} and is no owner of it"));
            }
            for owner in owners.difference(&users) {
                complaints.push(format!("{owner} owns {library} and does not use it"));
            }
        }
    }
    agree(
        &format!("An outside library is used by its owners alone, as {ARCHITECTURE} lists them:"),
        &complaints,
    );
}

#[test]
fn skills_depend_on_the_sdk_and_wit_bindgen_alone() {
    let mut complaints = vec![];
    for package in metadata().workspace_packages() {
        let allowed: &[&str] = match folder_of(package) {
            "sdk" => &["platinum-text", "wit-bindgen"],
            "sdk/invoice" => &["platinum-text", "rust_decimal", "thiserror"],
            folder if folder.starts_with("skills/") => {
                &["platinum-invoice", "platinum-sdk", "wit-bindgen"]
            }
            _ => continue,
        };
        for used in uses(package).filter(|used| !allowed.contains(used)) {
            complaints.push(format!("{} uses {used}", package.name));
        }
    }
    agree(
        "A skill's authority is its imports; it depends on nothing else:",
        &complaints,
    );
}

#[test]
fn crates_inherit_the_workspace_lints() {
    let has_lints = |package: &&&Package| {
        let manifest: toml::Table = read(&format!("{}/Cargo.toml", folder_of(package)))
            .parse()
            .expect("TOML");
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        lints == Some(&toml::Value::Boolean(true))
    };
    let packages = metadata().workspace_packages();
    let complaints: Vec<_> = packages
        .iter()
        .filter(|package| !has_lints(package))
        .map(|package| format!("{} lacks `[lints] workspace = true`", package.name))
        .collect();
    agree("Every crate inherits the workspace's lints:", &complaints);
}
