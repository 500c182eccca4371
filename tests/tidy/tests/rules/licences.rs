//! Licences, banned crates and sources of everything that is built: `deny.toml` against
//! `cargo metadata`.
//!
//! The file keeps the format of cargo-deny, so that the tool can be run beside this test. A setting
//! that is not checked here is refused, so that none is believed to hold and does not.
//! Not checked: advisories, which would have to be downloaded.

use std::collections::{BTreeSet, HashMap};

use cargo_metadata::{DependencyKind, PackageId};
use serde::Deserialize;
use spdx::{Expression, LicenseReq, Licensee, ParseMode};

use crate::{agree, metadata, read, root};

/// What of `deny.toml` is known here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    graph: GraphRules,
    licenses: LicenceRules,
    bans: BanRules,
    sources: SourceRules,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct GraphRules {
    all_features: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LicenceRules {
    version: u8,
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<LicenceException>,
}

/// More licences for one crate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenceException {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Lint {
    Allow,
    Warn,
    Deny,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BanRules {
    multiple_versions: Lint,
    wildcards: Lint,
    allow_wildcard_paths: bool,
    deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    /// Crates that may depend on it all the same.
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SourceRules {
    unknown_registry: Lint,
    unknown_git: Lint,
    allow_registry: Vec<String>,
}

/// A crate of the graph.
#[derive(Debug, Clone)]
struct Crate {
    name: String,
    version: String,
    licence: Option<String>,
    /// `registry+https://…`, `git+https://…`; nothing for a folder.
    source: Option<String>,
    /// Whether it is in this repository.
    is_ours: bool,
    /// What its manifest asks for, the tests of others' crates aside.
    requirements: Vec<Requirement>,
    /// Names of what it is built with, its tests included.
    uses: Vec<String>,
}

#[derive(Debug, Clone)]
struct Requirement {
    name: String,
    version: String,
    is_path: bool,
}

fn rules() -> Rules {
    parse(&read("deny.toml")).unwrap_or_else(|error| panic!("deny.toml: {error}"))
}

fn parse(text: &str) -> Result<Rules, String> {
    let rules: Rules = toml::from_str(text).map_err(|error| error.to_string())?;
    if !rules.graph.all_features || rules.licenses.version != 2 {
        return Err("all features and version 2 of [licenses] are what is checked here".into());
    }
    Ok(rules)
}

fn crates() -> Vec<Crate> {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
    let uses: HashMap<&PackageId, Vec<String>> = resolve
        .nodes
        .iter()
        .map(|node| {
            let used = node.deps.iter();
            let names = used.map(|used| metadata[&used.pkg].name.to_string());
            (&node.id, names.collect())
        })
        .collect();
    let packages = metadata.packages.iter();
    packages
        .map(|package| {
            let is_ours = package.manifest_path.starts_with(root());
            let asked = package.dependencies.iter();
            Crate {
                name: package.name.to_string(),
                version: package.version.to_string(),
                licence: package.license.clone(),
                source: package.source.as_ref().map(|source| source.repr.clone()),
                is_ours,
                requirements: asked
                    .filter(|asked| is_ours || asked.kind != DependencyKind::Development)
                    .map(|asked| Requirement {
                        name: asked.name.clone(),
                        version: asked.req.to_string(),
                        is_path: asked.path.is_some(),
                    })
                    .collect(),
                uses: uses.get(&package.id).cloned().unwrap_or_default(),
            }
        })
        .collect()
}

/// Whether a licence of the list gives what an expression requires: the same licence with the same
/// exception.
fn gives(listed: &[Licensee], required: &LicenseReq) -> bool {
    listed.iter().any(|listed| listed.satisfies(required))
}

fn licensees(names: &[String]) -> Vec<Licensee> {
    let parse = |name: &String| {
        Licensee::parse(name).unwrap_or_else(|error| panic!("deny.toml: licence {name}: {error}"))
    };
    names.iter().map(parse).collect()
}

fn licence_violations(rules: &LicenceRules, crates: &[Crate]) -> Vec<String> {
    let allowed = licensees(&rules.allow);
    let mut needed: BTreeSet<usize> = BTreeSet::new();
    let mut violations = vec![];
    for it in crates {
        let Some(text) = &it.licence else {
            violations.push(format!("{} {} names no licence", it.name, it.version));
            continue;
        };
        // `MIT/Apache-2.0` is how crates wrote `MIT OR Apache-2.0` before SPDX.
        let expression = match Expression::parse_mode(text, ParseMode::LAX) {
            Ok(expression) => expression,
            Err(error) => {
                violations.push(format!("{} {}: `{text}`: {error}", it.name, it.version));
                continue;
            }
        };
        for required in expression.requirements() {
            let listed = allowed.iter().enumerate();
            needed.extend(
                listed
                    .filter(|(_, listed)| listed.satisfies(&required.req))
                    .map(|(at, _)| at),
            );
        }
        let more: Vec<Licensee> = rules
            .exceptions
            .iter()
            .filter(|exception| exception.name == it.name)
            .flat_map(|exception| licensees(&exception.allow))
            .collect();
        if !expression.evaluate(|required| gives(&allowed, required) || gives(&more, required)) {
            violations.push(format!("{} {} is under `{text}`", it.name, it.version));
        }
    }
    let listed = rules.allow.iter().enumerate();
    let unused = listed.filter(|(at, _)| !needed.contains(at));
    violations.extend(unused.map(|(_, name)| format!("{name} is allowed and nothing is under it")));
    let is_there = |name: &str| crates.iter().any(|it| it.name == name);
    let gone = rules.exceptions.iter().filter(|it| !is_there(&it.name));
    violations.extend(gone.map(|it| format!("{} has an exception and is not there", it.name)));
    violations
}

fn ban_violations(rules: &BanRules, crates: &[Crate]) -> Vec<String> {
    let mut violations = vec![];
    for it in crates {
        for used in &it.requirements {
            let may_be_any = used.is_path && it.is_ours && rules.allow_wildcard_paths;
            if rules.wildcards == Lint::Deny && used.version == "*" && !may_be_any {
                violations.push(format!("{} takes any version of {}", it.name, used.name));
            }
        }
        let Some(ban) = rules.deny.iter().find(|ban| ban.name == it.name) else {
            continue;
        };
        let users = crates.iter().filter(|user| user.uses.contains(&it.name));
        let refused: Vec<&str> = users
            .map(|user| user.name.as_str())
            .filter(|user| !ban.wrappers.iter().any(|wrapper| wrapper == user))
            .collect();
        if ban.wrappers.is_empty() || !refused.is_empty() {
            violations.push(format!(
                "{} {} ({}) is used by {}",
                it.name,
                it.version,
                ban.reason,
                refused.join(", ")
            ));
        }
    }
    if rules.multiple_versions == Lint::Deny {
        let mut versions: Vec<_> = crates.iter().map(|it| (&it.name, &it.version)).collect();
        versions.sort();
        violations.extend(
            versions
                .windows(2)
                .filter(|pair| pair[0].0 == pair[1].0)
                .map(|pair| format!("{} is there as {} and {}", pair[0].0, pair[0].1, pair[1].1)),
        );
    }
    violations
}

fn source_violations(rules: &SourceRules, crates: &[Crate]) -> Vec<String> {
    let is_allowed = |it: &&Crate| match &it.source {
        // A folder outside this repository is not there for anybody else.
        None => it.is_ours,
        Some(source) => match source.strip_prefix("registry+") {
            Some(registry) => {
                rules.unknown_registry != Lint::Deny
                    || rules.allow_registry.iter().any(|known| known == registry)
            }
            None => rules.unknown_git != Lint::Deny && source.starts_with("git+"),
        },
    };
    crates
        .iter()
        .filter(|it| !is_allowed(it))
        .map(|it| {
            let source = it.source.as_deref().unwrap_or("a folder outside the tree");
            format!("{} {} comes from {source}", it.name, it.version)
        })
        .collect()
}

#[test]
fn licences_of_all_crates_are_on_the_list() {
    let crates = crates();
    assert!(crates.len() > 100, "{} crates", crates.len());
    agree(
        "deny.toml, [licenses]:",
        &licence_violations(&rules().licenses, &crates),
    );
}

#[test]
fn bans_of_deny_toml_hold_for_all_crates() {
    agree(
        "deny.toml, [bans]:",
        &ban_violations(&rules().bans, &crates()),
    );
}

#[test]
fn sources_of_all_crates_are_the_registry_or_this_tree() {
    agree(
        "deny.toml, [sources]:",
        &source_violations(&rules().sources, &crates()),
    );
}

/// A crate of the registry without dependencies.
fn a_crate(name: &str, licence: Option<&str>) -> Crate {
    Crate {
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        licence: licence.map(str::to_owned),
        source: Some("registry+https://github.com/rust-lang/crates.io-index".to_owned()),
        is_ours: false,
        requirements: vec![],
        uses: vec![],
    }
}

fn using(mut it: Crate, name: &str, version: &str, is_path: bool) -> Crate {
    it.uses.push(name.to_owned());
    it.requirements.push(Requirement {
        name: name.to_owned(),
        version: version.to_owned(),
        is_path,
    });
    it
}

#[test]
fn licence_expression_passes_only_with_allowed_terms() {
    let mut rules = rules().licenses;
    rules.allow = vec!["MIT".into(), "Apache-2.0 WITH LLVM-exception".into()];
    let passes = |licence| {
        // The second crate needs what the first may not, so that nothing on the list is unused.
        let all = "MIT AND Apache-2.0 WITH LLVM-exception";
        let crates = [a_crate("it", licence), a_crate("other", Some(all))];
        licence_violations(&rules, &crates).is_empty()
    };
    for allowed in ["MIT", "MIT OR GPL-3.0-only", "GPL-2.0/MIT", "(MIT) AND MIT"] {
        assert!(passes(Some(allowed)), "{allowed}");
    }
    for refused in [
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "Apache-2.0",
        "MPL-2.0 OR AGPL-3.0-only",
        "no licence at all",
        "",
    ] {
        assert!(!passes(Some(refused)), "{refused}");
    }
    assert!(!passes(None));
}

#[test]
fn licence_list_without_use_is_refused() {
    let mut rules = rules().licenses;
    rules.allow = vec!["MIT".into(), "ISC".into()];
    assert_eq!(
        licence_violations(&rules, &[a_crate("it", Some("MIT"))]),
        ["ISC is allowed and nothing is under it"]
    );
}

#[test]
fn licence_exception_holds_for_its_crate_alone() {
    let mut rules = rules().licenses;
    rules.allow = vec!["MIT".into()];
    rules.exceptions = vec![LicenceException {
        name: "one".into(),
        allow: vec!["MPL-2.0".into()],
    }];
    let mut crates = vec![
        a_crate("one", Some("MPL-2.0")),
        a_crate("plain", Some("MIT")),
    ];
    assert_eq!(licence_violations(&rules, &crates), [""; 0]);
    crates[0].name = "two".into();
    assert_eq!(
        licence_violations(&rules, &crates),
        [
            "two 1.0.0 is under `MPL-2.0`",
            "one has an exception and is not there"
        ]
    );
}

#[test]
fn banned_crate_is_refused_outside_its_wrappers() {
    let rules = rules().bans;
    let lettre = || a_crate("lettre", Some("MIT"));
    let user = |name| using(a_crate(name, Some("MIT")), "lettre", "^0.11", false);
    assert_eq!(
        ban_violations(&rules, &[user("platinum-email"), lettre()]),
        [""; 0]
    );
    let refused = ban_violations(&rules, &[user("platinum-cloud"), lettre()]);
    assert!(refused[0].contains("lettre 1.0.0") && refused[0].contains("platinum-cloud"));
    assert_eq!(
        ban_violations(&rules, &[a_crate("openssl", Some("MIT"))]).len(),
        1
    );
}

#[test]
fn wildcard_version_is_refused_unless_it_is_our_path() {
    let rules = rules().bans;
    let ours = Crate {
        is_ours: true,
        ..a_crate("platinum-core", Some("MIT"))
    };
    let count = |it| ban_violations(&rules, &[it]).len();
    assert_eq!(count(using(ours.clone(), "platinum-vault", "*", true)), 0);
    assert_eq!(count(using(ours.clone(), "serde", "^1", false)), 0);
    assert_eq!(count(using(ours, "serde", "*", false)), 1);
    assert_eq!(count(using(a_crate("other", None), "x", "*", true)), 1);
}

#[test]
fn multiple_versions_are_refused_only_on_demand() {
    let mut rules = rules().bans;
    let mut crates = [a_crate("syn", None), a_crate("syn", None)];
    crates[1].version = "2.0.0".into();
    assert_eq!(ban_violations(&rules, &crates), [""; 0]);
    rules.multiple_versions = Lint::Deny;
    assert_eq!(
        ban_violations(&rules, &crates),
        ["syn is there as 1.0.0 and 2.0.0"]
    );
}

#[test]
fn source_outside_the_registry_is_refused() {
    let rules = rules().sources;
    let from = |source: Option<&str>, is_ours| {
        let it = Crate {
            source: source.map(str::to_owned),
            is_ours,
            ..a_crate("it", None)
        };
        source_violations(&rules, &[it]).len()
    };
    assert_eq!(from(None, true), 0);
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    assert_eq!(from(Some(registry), false), 0);
    for refused in [
        None,
        Some("git+https://github.com/rust-lang/crates.io-index"),
        Some("registry+https://example.test/index"),
        Some("sparse+https://example.test/index"),
    ] {
        assert_eq!(from(refused, false), 1, "{refused:?}");
    }
}

#[test]
fn setting_that_is_not_checked_is_refused() {
    let text = read("deny.toml");
    assert!(parse(&text).is_ok());
    for (line, with) in [
        ("[sources]", "[sources]\nrequired-git-spec = \"rev\""),
        ("version = 2", "version = 2\ninclude-dev = false"),
        ("all-features = true", "all-features = false"),
        ("[graph]", "[advisories]\n[graph]"),
    ] {
        assert!(text.contains(line));
        assert!(parse(&text.replacen(line, with, 1)).is_err(), "{with}");
    }
}
