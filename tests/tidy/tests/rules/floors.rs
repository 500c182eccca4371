//! Who may depend on what: the floors of `host/`, one owner per outside library, what skills may
//! use, and what must not be in the binaries of the cloud.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::{agree, read, root};

/// The crates of `host/`, lowest floor first. A crate imports only lower floors.
const FLOORS: [&[&str]; 7] = [
    &["core"],
    &["policy", "protocol", "secrets"],
    &["vault", "watch", "repo", "mcp", "llm", "journal", "engine"],
    &["intake", "capabilities", "effects"],
    &["daemon"],
    &["api"],
    &["cloud", "local"],
];

/// Outside libraries that only these crates may use.
const OWNERS: [(&str, &[&str]); 9] = [
    (
        "wasmtime",
        &[
            "platinum-engine",
            "platinum-capabilities",
            "platinum-effects",
        ],
    ),
    ("wasmtime-wasi", &["platinum-engine"]),
    ("git2", &["platinum-repo"]),
    ("flate2", &["platinum-repo"]),
    ("cap-std", &["platinum-vault"]),
    ("notify", &["platinum-watch"]),
    (
        "rmcp",
        &["platinum-mcp", "platinum-email-draft", "platinum-email"],
    ),
    ("async-imap", &["platinum-mailbox"]),
    ("lettre", &["platinum-email"]),
];

/// What runs on the cloud, or is started by it: none of it may hold code that acts.
const DRAFTING: [&str; 4] = [
    "platinum-cloud",
    "platinum-email-draft",
    "platinum-mailbox",
    "platinum-intake",
];

fn metadata() -> Metadata {
    let command = |options: &[&str]| {
        MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .other_options(options.iter().map(ToString::to_string).collect::<Vec<_>>())
            .exec()
    };
    // Not every platform's packages need to be on this machine: ask the registry only then.
    command(&["--offline"])
        .or_else(|_| command(&[]))
        .expect("cargo metadata reads this workspace")
}

fn floor_of(package: &str) -> Option<usize> {
    let name = package.strip_prefix("platinum-")?;
    FLOORS.iter().position(|floor| floor.contains(&name))
}

/// Names of what `package` uses outside its tests.
fn uses(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
}

fn is_in(package: &Package, folder: &str) -> bool {
    package
        .manifest_path
        .as_std_path()
        .starts_with(root().join(folder))
}

#[test]
fn every_host_crate_has_a_floor_and_imports_only_lower_ones() {
    let metadata = metadata();
    let mut complaints = vec![];
    for package in metadata.workspace_packages() {
        let Some(floor) = floor_of(&package.name) else {
            if is_in(package, "host") {
                complaints.push(format!(
                    "{} has no floor in this test's table",
                    package.name
                ));
            }
            continue;
        };
        for used in uses(package) {
            if let Some(below) = floor_of(used)
                && below >= floor
            {
                complaints.push(format!(
                    "{} (floor {floor}) imports {used} (floor {below})",
                    package.name
                ));
            }
        }
    }
    agree("A crate of host/ imports only lower floors:", &complaints);
}

#[test]
fn only_the_local_binary_can_act() {
    let metadata = metadata();
    let users: BTreeSet<&str> = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| {
            package
                .dependencies
                .iter()
                .any(|d| d.name == "platinum-effects")
        })
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(
        users,
        BTreeSet::from(["platinum-api", "platinum-local"]),
        "crates that import platinum-effects"
    );
}

#[test]
fn every_outside_library_has_its_owners() {
    let metadata = metadata();
    let mut complaints = vec![];
    for package in metadata.workspace_packages() {
        for (library, owners) in OWNERS {
            if uses(package).any(|used| used == library) && !owners.contains(&package.name.as_str())
            {
                complaints.push(format!(
                    "{} uses {library}; it belongs to {}",
                    package.name,
                    owners.join(", ")
                ));
            }
        }
    }
    agree(
        "An outside library is used by its owners alone:",
        &complaints,
    );
}

#[test]
fn a_skill_depends_on_the_sdk_and_its_bindings_alone() {
    let metadata = metadata();
    let mut complaints = vec![];
    for package in metadata.workspace_packages() {
        let allowed: &[&str] = match package.name.as_str() {
            "platinum-sdk" => &["platinum-text", "wit-bindgen"],
            _ if is_in(package, "skills") => &["platinum-sdk", "wit-bindgen"],
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

/// The names of everything in a package's tree, its own included, tests and their tools aside.
fn tree(metadata: &Metadata, name: &str) -> BTreeMap<String, String> {
    let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| package.name == name);
    let start = start.unwrap_or_else(|| panic!("there is no package {name}"));
    let mut why = BTreeMap::from([(start.name.to_string(), start.name.to_string())]);
    let mut open = vec![&start.id];
    while let Some(id) = open.pop() {
        let way = why[metadata[id].name.as_str()].clone();
        for dependency in &nodes[id].deps {
            let only_tests = dependency
                .dep_kinds
                .iter()
                .all(|kind| kind.kind == DependencyKind::Development);
            let package = &metadata[&dependency.pkg];
            if !only_tests && !why.contains_key(package.name.as_str()) {
                why.insert(
                    package.name.to_string(),
                    format!("{way} -> {}", package.name),
                );
                open.push(&dependency.pkg);
            }
        }
    }
    why
}

#[test]
fn what_runs_in_the_cloud_holds_no_code_that_acts() {
    let metadata = metadata();
    let mut complaints = vec![];
    for name in DRAFTING {
        for (used, way) in tree(&metadata, name) {
            let sends = [
                "lettre",
                "mail-send",
                "samotop",
                "platinum-email",
                "platinum-effects",
            ]
            .contains(&used.as_str())
                || used.contains("smtp");
            if sends {
                complaints.push(way);
            }
        }
    }
    agree(
        "These can act or send, and are in a tree that only drafts:",
        &complaints,
    );
}

#[test]
fn the_tree_walk_would_find_code_that_acts() {
    let metadata = metadata();
    assert!(tree(&metadata, "platinum-local").contains_key("platinum-effects"));
    assert!(tree(&metadata, "platinum-email").contains_key("lettre"));
}

#[test]
fn every_crate_inherits_the_lints() {
    let complaints: Vec<_> = metadata()
        .workspace_packages()
        .into_iter()
        .filter(|package| {
            let manifest = package
                .manifest_path
                .strip_prefix(root())
                .expect("inside the tree");
            let manifest: toml::Table = read(manifest.as_str()).parse().expect("TOML");
            manifest
                .get("lints")
                .and_then(|lints| lints.get("workspace"))
                != Some(&toml::Value::Boolean(true))
        })
        .map(|package| format!("{} lacks `[lints] workspace = true`", package.name))
        .collect();
    agree("Every crate inherits the workspace's lints:", &complaints);
}
