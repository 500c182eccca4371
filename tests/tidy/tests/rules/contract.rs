//! `wit/` against `policy`: one interface = one grant, documented item by item, errors as
//! variants, frozen once it is released.

use std::{collections::BTreeMap, fs, path::PathBuf};

use platinum_core::{Capability, Role};
use sha2::{Digest, Sha256};
use wit_parser::{
    Docs, InterfaceId, Resolve, Stability, Type, TypeDefKind, UnresolvedPackageGroup,
};

use crate::{agree, read, root};

/// Where the hashes of the released packages are.
const FROZEN: &str = "tests/tidy/wit.sha256";

fn packages() -> Vec<PathBuf> {
    let wit = fs::read_dir(root().join("wit")).expect("wit/ is there");
    let mut folders: Vec<_> = wit
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn contract() -> Resolve {
    let mut groups: Vec<_> = packages()
        .into_iter()
        .map(|folder| {
            UnresolvedPackageGroup::parse_dir(&folder)
                .unwrap_or_else(|error| panic!("{}: {error:#}", folder.display()))
        })
        .collect();
    let main = groups.pop().expect("wit/ has packages");
    let mut resolve = Resolve::default();
    resolve
        .push_groups(main, groups)
        .unwrap_or_else(|error| panic!("wit/: {error:?}"));
    assert_eq!(
        resolve.packages.len(),
        packages().len(),
        "every package of wit/ is parsed"
    );
    resolve
}

/// Every interface with its full name.
fn interfaces(resolve: &Resolve) -> BTreeMap<String, InterfaceId> {
    resolve
        .interfaces
        .iter()
        .filter_map(|(id, _)| Some((resolve.id_of(id)?, id)))
        .collect()
}

/// Whether importing (or exporting) it is a grant: `types` holds records, the handler is exported.
fn is_grant(name: &str) -> bool {
    !name.contains("/types@") && name != "platinum:skill/handler@0.1.0"
}

#[test]
fn interfaces_and_capabilities_correspond_one_to_one() {
    let resolve = contract();
    let written: Vec<String> = interfaces(&resolve)
        .into_keys()
        .filter(|name| is_grant(name))
        .collect();
    let mut granted: Vec<String> = Capability::ALL
        .iter()
        .map(|capability| capability.interface().to_owned())
        .collect();
    granted.sort();
    assert_eq!(written, granted, "left: wit/, right: core's capabilities");
}

#[test]
fn types_interfaces_have_no_functions() {
    let resolve = contract();
    let complaints: Vec<_> = interfaces(&resolve)
        .into_iter()
        .filter(|(name, id)| {
            name.contains("/types@") && !resolve.interfaces[*id].functions.is_empty()
        })
        .map(|(name, _)| name)
        .collect();
    agree("`types` holds records only:", &complaints);
}

#[test]
fn wit_files_hold_one_interface_of_their_name() {
    let mut complaints = vec![];
    for folder in packages() {
        for file in fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).unwrap();
            let held: Vec<_> = text
                .lines()
                .filter_map(|line| line.strip_prefix("interface "))
                .map(|rest| rest.trim_end_matches('{').trim().to_owned())
                .collect();
            let worlds = text.lines().any(|line| line.starts_with("world "));
            if !(held == [stem] || (worlds && held.is_empty())) {
                complaints.push(format!("{}: holds {held:?}", file.display()));
            }
        }
    }
    agree(
        "A file of wit/ holds the one interface it is named after:",
        &complaints,
    );
}

#[test]
fn wit_items_have_documentation_and_since() {
    let resolve = contract();
    let mut complaints = vec![];
    for (name, id) in interfaces(&resolve) {
        let interface = &resolve.interfaces[id];
        let mut item = |what: String, docs: &Docs, since: Option<&Stability>| {
            if docs
                .contents
                .as_deref()
                .unwrap_or_default()
                .trim()
                .is_empty()
            {
                complaints.push(format!("{name}: {what} has no documentation"));
            }
            if since.is_some_and(Stability::is_unknown) {
                complaints.push(format!("{name}: {what} has no @since"));
            }
        };
        item(
            "the interface".into(),
            &interface.docs,
            Some(&interface.stability),
        );
        for (function, it) in &interface.functions {
            item(function.clone(), &it.docs, Some(&it.stability));
        }
        for (ty, id) in &interface.types {
            let it = &resolve.types[*id];
            if matches!(it.kind, TypeDefKind::Type(Type::Id(_))) {
                continue; // A name that is used from elsewhere.
            }
            item(ty.clone(), &it.docs, Some(&it.stability));
            match &it.kind {
                TypeDefKind::Record(record) => {
                    for field in &record.fields {
                        item(format!("{ty}.{}", field.name), &field.docs, None);
                    }
                }
                TypeDefKind::Variant(variant) if ty.contains("error") => {
                    for case in &variant.cases {
                        item(format!("{ty}.{}", case.name), &case.docs, None);
                    }
                }
                _ => {}
            }
        }
    }
    agree(
        "The contract is the first thing a skill author reads:",
        &complaints,
    );
}

#[test]
fn wit_errors_are_variants() {
    let resolve = contract();
    let mut complaints = vec![];
    for (name, id) in interfaces(&resolve) {
        for (function, it) in &resolve.interfaces[id].functions {
            let Some(Type::Id(result)) = it.result else {
                continue;
            };
            let TypeDefKind::Result(result) = &resolve.types[result].kind else {
                continue;
            };
            if !result.err.is_some_and(|error| is_variant(&resolve, error)) {
                complaints.push(format!("{name}: {function}"));
            }
        }
    }
    agree(
        "An error is a documented variant, never a bare string:",
        &complaints,
    );
}

fn is_variant(resolve: &Resolve, ty: Type) -> bool {
    let Type::Id(id) = ty else { return false };
    match &resolve.types[id].kind {
        TypeDefKind::Variant(_) => true,
        TypeDefKind::Type(used) => is_variant(resolve, *used),
        _ => false,
    }
}

/// Rows of a table of `wit/README.md` whose second cell names an interface.
fn readme_rows() -> Vec<(String, String, String)> {
    read("wit/README.md")
        .lines()
        .filter_map(|line| {
            let cells: Vec<_> = line
                .trim()
                .trim_matches('|')
                .split('|')
                .map(str::trim)
                .collect();
            let [package, interface, grants, roles] = cells.as_slice() else {
                return None;
            };
            let name = package.strip_prefix('`')?.strip_suffix("@0.1.0`")?;
            let interface = interface.trim_matches('`');
            let full = format!("{name}/{interface}@0.1.0");
            Some((full, (*grants).to_owned(), (*roles).to_owned()))
        })
        .collect()
}

#[test]
fn wit_readme_grants_match_policy() {
    let rows = readme_rows();
    let mut complaints = vec![];
    for &capability in Capability::ALL {
        let allowed: Vec<_> = Role::ALL
            .into_iter()
            .filter(|&role| platinum_policy::allows(role, capability))
            .map(Role::as_str)
            .collect();
        let found: Vec<_> = rows
            .iter()
            .filter(|(name, ..)| name == capability.interface())
            .collect();
        match found.as_slice() {
            [(_, grants, roles)] if *roles == allowed.join(", ") && grants.len() > 5 => {}
            [(_, _, roles)] => complaints.push(format!(
                "{}: says `{roles}`, policy says `{}`",
                capability.short(),
                allowed.join(", ")
            )),
            _ => complaints.push(format!("{}: {} rows", capability.short(), found.len())),
        }
    }
    let unknown = rows
        .iter()
        .filter(|(name, ..)| name.parse::<Capability>().is_err());
    complaints.extend(unknown.map(|(name, ..)| format!("{name}: names no capability")));
    agree(
        "The table of wit/README.md and the ceiling in policy agree:",
        &complaints,
    );
}

/// The hash of each package: names and contents of its files, in order.
fn hashes() -> String {
    let mut lines = String::new();
    for folder in packages() {
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let mut hash = Sha256::new();
        for file in files {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read(&file).unwrap();
            hash.update(format!("{name}\0{}\0", text.len()));
            hash.update(text);
        }
        let package = folder.file_name().unwrap().to_string_lossy().into_owned();
        lines += &format!(
            "{}  platinum:{package}@0.1.0\n",
            hex::encode(hash.finalize())
        );
    }
    lines
}

#[test]
fn wit_packages_match_their_frozen_hashes() {
    let now = hashes();
    if std::env::var_os("PLATINUM_FREEZE_WIT").is_some() {
        fs::write(root().join(FROZEN), &now).unwrap();
    }
    let frozen = read(FROZEN);
    let complaints: Vec<_> = now
        .lines()
        .filter(|line| !frozen.lines().any(|old| old == *line))
        .chain(
            frozen
                .lines()
                .filter(|old| !now.lines().any(|line| line == *old)),
        )
        .filter_map(|line| line.split_whitespace().last())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(str::to_owned)
        .collect();
    agree(
        &format!(
            "These packages of wit/ are not what {FROZEN} froze. Components in the field are built \
             against them.\nUntil the first release, freeze the change on purpose with\n\n    \
             PLATINUM_FREEZE_WIT=1 cargo test -p platinum-tidy wit_packages_match\n\nand commit the \
             file. After a release do not: add a package of a new version beside the old one.\n"
        ),
        &complaints,
    );
}

#[test]
fn base_world_imports_nothing_that_acts() {
    let resolve = contract();
    let (_, base) = resolve
        .worlds
        .iter()
        .find(|(_, world)| world.name == "base")
        .expect("base");
    for item in base.imports.values() {
        let wit_parser::WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let name = resolve.id_of(*id).unwrap_or_default();
        let fine = name.contains("/types@")
            || name
                .parse()
                .is_ok_and(|c| platinum_policy::allows(Role::Cloud, c));
        assert!(fine, "{name}");
    }
}
