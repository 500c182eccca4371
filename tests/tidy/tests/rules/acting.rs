//! The cloud cannot act: a crate that acts says so in its manifest, no program of the cloud is
//! built with one, and the built programs hold none of their functions.
//!
//! A crate acts if it has a mail client that sends, serves a tool that the gate of `host/mcp` would keep
//! from a cloud host, drives a browser, or links an interface of `wit/` that uses up an approval. It says so by
//!
//! ```toml
//! [package.metadata.platinum]
//! acts = true
//! ```

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
};

use cargo_metadata::{DependencyKind, Package, PackageId};
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _};
use platinum_mcp::gate::{Class, classify};
use proc_macro2::{TokenStream, TokenTree};

use crate::{agree, files, folder_of, is_test, items::items, metadata, read, uses};

/// What runs on the cloud, or is started by it: the programs of the cloud host, of the sources of
/// tasks, and of every draft-only server.
fn cloud_programs() -> Vec<(&'static Package, &'static str)> {
    let packages = metadata().workspace_packages().into_iter();
    let cloud = packages.filter(|package| {
        let folder = folder_of(package);
        matches!(folder, "host/cloud" | "host/intake")
            || folder.starts_with("servers/") && folder.ends_with("/draft")
    });
    let programs: Vec<_> = cloud
        .flat_map(|package| {
            let programs = package.targets.iter().filter(|target| target.is_bin());
            programs.map(move |target| (package, target.name.as_str()))
        })
        .collect();
    for name in [
        "platinum-cloud",
        "platinum-email-draft",
        "platinum-intake",
        "platinum-odoo-draft",
        "platinum-social-draft",
    ] {
        assert!(
            programs.iter().any(|(_, program)| *program == name),
            "{name}"
        );
    }
    programs
}

/// Functions by which a mail leaves, or is filed as one that left.
const ACTING_FUNCTIONS: [&str; 2] = ["queue_outbox", "file_sent"];

/// What a crate that drives a browser calls.
const BROWSER_TOOL: &str = "\"browser_click\"";

/// Whether a crate says that it acts.
fn says_it_acts(package: &Package) -> bool {
    package.metadata["platinum"]["acts"] == true
}

/// Whether a crate of this name sends mail.
fn is_mail_client(name: &str) -> bool {
    matches!(name, "lettre" | "mail-send" | "samotop") || name.contains("smtp")
}

/// The tools of a source file that act, or are on no list: `#[tool(name = "…")]` and
/// `Tool::new("…")`, tests aside.
fn acting_tools(source: &str) -> Vec<String> {
    let mut tools = vec![];
    for item in items(source).iter().filter(|item| !item.in_test) {
        for attribute in &item.attributes {
            let tokens: Vec<TokenTree> = attribute.clone().into_iter().collect();
            let path: String = tokens
                .iter()
                .take_while(|token| !matches!(token, TokenTree::Group(_)))
                .map(ToString::to_string)
                .collect();
            if path.rsplit("::").next() != Some("tool") {
                continue;
            }
            let settings = match tokens.last() {
                Some(TokenTree::Group(group)) => group.stream(),
                _ => TokenStream::new(),
            };
            let name = setting(&settings, "name").unwrap_or_else(|| item.name.clone());
            let is_harmless = matches!(classify(&name), Class::Reads | Class::Drafts);
            let text = settings.to_string().replace(' ', "");
            if !is_harmless || text.contains("destructive_hint=true") {
                tools.push(name);
            }
        }
    }
    // What `servers/kit` registers, and what rmcp does without its macro; inline tests aside.
    let source = source
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or(source);
    let tokens = source.parse().expect("the items were read");
    tools.extend(acting_specs(tokens));
    for call in source.split("Tool::new(").skip(1) {
        let Some(name) = call.trim_start().strip_prefix('"') else {
            continue;
        };
        let name = name.split('"').next().unwrap_or_default().to_owned();
        if !matches!(classify(&name), Class::Reads | Class::Drafts) {
            tools.push(name);
        }
    }
    tools
}

/// The names in literals of the kit's `ToolSpec` that act.
fn acting_specs(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut tools = vec![];
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let before = at.checked_sub(1).map(|before| tokens[before].to_string());
        let name =
            setting(&group.stream(), "name").filter(|_| before.as_deref() == Some("ToolSpec"));
        if let Some(name) = name {
            let is_harmless = matches!(classify(&name), Class::Reads | Class::Drafts);
            let text = group.stream().to_string().replace(' ', "");
            if !is_harmless || text.contains("Access::Acts") {
                tools.push(name);
            }
        } else {
            tools.extend(acting_specs(group.stream()));
        }
    }
    tools
}

/// The text after `key =` or `key:` in the arguments of an attribute.
fn setting(arguments: &TokenStream, key: &str) -> Option<String> {
    let tokens: Vec<TokenTree> = arguments.clone().into_iter().collect();
    tokens.windows(3).find_map(|three| {
        let [TokenTree::Ident(name), _, TokenTree::Literal(text)] = three else {
            return None;
        };
        (name == key).then(|| text.to_string().trim_matches('"').to_owned())
    })
}

/// The interfaces of `wit/` that use up an approval: `email/send`.
fn acting_interfaces() -> BTreeSet<String> {
    let contract = files().into_iter().filter_map(|file| {
        let interface = file.strip_prefix("wit/")?.strip_suffix(".wit")?.to_owned();
        let takes_approval =
            interface != "approvals/queue" && read(&file).contains("approved-action");
        takes_approval.then_some(interface)
    });
    contract.collect()
}

/// Why a crate acts: what it uses, and what is in its sources.
fn reasons<'a>(
    used: impl Iterator<Item = &'a str>,
    sources: &[String],
    interfaces: &BTreeSet<String>,
) -> Vec<String> {
    let clients = used.filter(|used| is_mail_client(used));
    let mut reasons: Vec<String> = clients.map(|used| format!("uses {used}")).collect();
    for source in sources {
        let tools = acting_tools(source);
        reasons.extend(tools.iter().map(|tool| format!("serves the tool {tool}")));
        // The tool by which a page is acted on; its name in quotation marks is a call or a list of calls.
        let is_driven = source
            .split("\n#[cfg(test)]\nmod ")
            .next()
            .is_some_and(|code| code.contains(BROWSER_TOOL));
        reasons.extend(is_driven.then(|| "drives a browser".to_owned()));
        let linked = interfaces
            .iter()
            .filter(|interface| source.contains(&format!("import platinum:{interface}@")));
        reasons.extend(linked.map(|interface| format!("links {interface}")));
    }
    reasons
}

#[test]
fn crates_that_act_say_so_in_their_manifest() {
    let interfaces = acting_interfaces();
    assert!(interfaces.contains("email/send"), "{interfaces:?}");
    let files = files();
    let mut complaints = vec![];
    for package in metadata().workspace_packages() {
        let folder = format!("{}/src/", folder_of(package));
        // Skills only ask; what is linked is decided in host/.
        if folder.starts_with("skills/") || folder.starts_with("tests/") || folder == "sdk/src/" {
            continue;
        }
        let sources: Vec<String> = files
            .iter()
            .filter(|file| file.starts_with(&folder) && file.ends_with(".rs") && !is_test(file))
            .map(|file| read(file))
            .collect();
        let reasons = reasons(uses(package), &sources, &interfaces);
        match (says_it_acts(package), reasons.is_empty()) {
            (false, false) => complaints.push(format!("{}: {}", package.name, reasons.join(", "))),
            (true, true) => complaints.push(format!("{}: nothing in it acts", package.name)),
            _ => {}
        }
    }
    agree(
        "`[package.metadata.platinum] acts = true` is in the manifest of what acts:",
        &complaints,
    );
}

#[test]
fn reasons_name_clients_tools_and_linked_interfaces() {
    let interfaces = BTreeSet::from(["email/send".to_owned()]);
    let why = |used: &[&str], source: &str| {
        reasons(used.iter().copied(), &[source.to_owned()], &interfaces)
    };
    assert_eq!(why(&["lettre", "serde"], ""), ["uses lettre"]);
    assert_eq!(why(&["async-smtp"], ""), ["uses async-smtp"]);
    assert_eq!(
        why(&[], r#"fn a() { call("browser_click") }"#),
        ["drives a browser"]
    );
    for (acting, name) in [
        (
            r#"#[tool(description = "x", name = "send_email")] async fn a() {}"#,
            "send_email",
        ),
        (
            r#"#[rmcp::tool(description = "x")] async fn publish_post() {}"#,
            "publish_post",
        ),
        (r#"#[tool(name = "frobnicate")] fn a() {}"#, "frobnicate"),
        (
            r#"#[tool(name = "get_x", annotations(destructive_hint = true))] fn a() {}"#,
            "get_x",
        ),
        (r#"fn a() { Tool::new("pay", "Pay.", schema) }"#, "pay"),
        (
            r#"const A: ToolSpec = ToolSpec { name: "pay", access: Access::Reads };"#,
            "pay",
        ),
        (
            r#"fn a() { with(ToolSpec { name: "get_x", access: Access::Acts }) }"#,
            "get_x",
        ),
    ] {
        assert_eq!(
            why(&[], acting),
            [format!("serves the tool {name}")],
            "{acting}"
        );
    }
    assert_eq!(
        why(
            &[],
            r#"bindgen!({ inline: "import platinum:email/send@0.1.0;" });"#
        ),
        ["links email/send"]
    );
    let harmless = r#"
        #[tool(name = "draft_email", annotations(destructive_hint = false))] fn a() {}
        #[tool_router] impl A {}
        const B: ToolSpec = ToolSpec { name: "get_x", access: Access::Reads };
        bindgen!({ inline: "import platinum:email/search@0.1.0;" });
#[cfg(test)]
mod tests {
        #[tool(name = "send_email")] fn b() {}
        const C: ToolSpec = ToolSpec { name: "pay" };
}
    "#;
    assert_eq!(why(&["mail-parser"], harmless), [""; 0]);
}

/// Everything in a package's tree, its own included, tests and their tools aside; each with the way
/// that leads there.
fn tree(name: &str) -> BTreeMap<&'static PackageId, String> {
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
    let nodes: HashMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata
        .workspace_packages()
        .into_iter()
        .find(|package| package.name == name);
    let start = start.unwrap_or_else(|| panic!("there is no package {name}"));
    let mut ways = BTreeMap::from([(&start.id, start.name.to_string())]);
    let mut open = vec![&start.id];
    while let Some(id) = open.pop() {
        let way = ways[id].clone();
        for dependency in &nodes[id].deps {
            let is_for_tests = dependency
                .dep_kinds
                .iter()
                .all(|kind| kind.kind == DependencyKind::Development);
            if !is_for_tests && !ways.contains_key(&dependency.pkg) {
                let name = &metadata[&dependency.pkg].name;
                ways.insert(&dependency.pkg, format!("{way} -> {name}"));
                open.push(&dependency.pkg);
            }
        }
    }
    ways
}

/// The ways from a package to what acts.
fn ways_to_acting(name: &str) -> Vec<String> {
    let acts = |id: &PackageId| {
        let package = &metadata()[id];
        says_it_acts(package) || is_mail_client(&package.name)
    };
    let ways = tree(name).into_iter().filter(|(id, _)| acts(id));
    ways.map(|(_, way)| way).collect()
}

#[test]
fn cloud_programs_depend_on_nothing_that_acts() {
    let complaints: Vec<_> = cloud_programs()
        .into_iter()
        .flat_map(|(package, _)| ways_to_acting(&package.name))
        .collect();
    agree("Code that acts is in a tree that only drafts:", &complaints);
}

#[test]
fn dependency_walk_finds_what_acts_in_local_programs() {
    let ways = ways_to_acting("platinum-local");
    assert!(
        ways.contains(&"platinum-local -> platinum-effects".to_owned()),
        "{ways:?}"
    );
    let ways = ways_to_acting("platinum-email");
    assert!(
        ways.contains(&"platinum-email -> lettre".to_owned()),
        "{ways:?}"
    );
}

#[test]
fn acting_host_crates_are_used_by_the_local_program_alone() {
    let users = |library: &str| -> BTreeSet<&str> {
        let packages = metadata().workspace_packages().into_iter();
        packages
            .filter(|package| package.dependencies.iter().any(|used| used.name == library))
            .map(|package| package.name.as_str())
            .collect()
    };
    // The read model of approvals is a part of the program that acts on them.
    assert_eq!(
        users("platinum-effects"),
        BTreeSet::from(["platinum-api", "platinum-local"])
    );
    assert_eq!(users("platinum-api"), BTreeSet::from(["platinum-local"]));
    // The tests look at what is read of a page.
    let near = BTreeSet::from(["platinum-effects", "platinum-host-tests", "platinum-local"]);
    assert!(users("platinum-browser").is_subset(&near));
}

/// What of a program's symbols, or of the names in its debug information, is one of `wanted`. A
/// name has its length before it in a mangled symbol, so `platinum_email` is not found in
/// `platinum_email_draft`.
fn acting_symbols(program: &Path, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let bytes =
        std::fs::read(program).unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let elf = object::read::elf::ElfFile64::<Endianness>::parse(&*bytes)
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut names: Vec<&str> = elf
        .symbols()
        .chain(elf.dynamic_symbols())
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    assert!(
        names.len() > 1000,
        "{} has its symbols stripped",
        program.display()
    );
    // Functions that were inlined everywhere have no symbol, but are named here.
    let debug = elf
        .section_by_name(".debug_str")
        .map(|section| section.data().expect("the section is in the file"))
        .unwrap_or_default();
    let debug = debug.split(|byte| *byte == 0);
    names.extend(debug.filter_map(|name| std::str::from_utf8(name).ok()));
    wanted
        .iter()
        .filter(|wanted| {
            let mangled = format!("{}{wanted}", wanted.len());
            let mut names = names.iter();
            names.any(|name| name == wanted || name.contains(&mangled))
        })
        .cloned()
        .collect()
}

/// The names that must not be in a program of the cloud: the crates that act, and their functions.
fn acting_names() -> BTreeSet<String> {
    let packages = metadata().packages.iter();
    let crates = packages
        .filter(|package| says_it_acts(package) || is_mail_client(&package.name))
        .map(|package| package.name.replace('-', "_"));
    crates.chain(ACTING_FUNCTIONS.map(str::to_owned)).collect()
}

fn program(name: &str) -> std::path::PathBuf {
    let metadata = metadata();
    let mut packages = metadata.workspace_packages().into_iter();
    let package = packages.find(|package| {
        let mut targets = package.targets.iter();
        targets.any(|target| target.is_bin() && target.name == name)
    });
    let package = package.unwrap_or_else(|| panic!("no package has a program {name}"));
    platinum_testkit::program(&package.name, name).expect("the program is built")
}

#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "reads the symbols of an ELF program"
)]
fn cloud_programs_hold_no_symbol_of_what_acts() {
    let wanted = acting_names();
    let mut complaints = vec![];
    for (_, name) in cloud_programs() {
        let found = acting_symbols(&program(name), &wanted);
        complaints.extend(found.iter().map(|symbol| format!("{name}: {symbol}")));
    }
    agree(
        "A program of the cloud holds functions that act:",
        &complaints,
    );
}

#[test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "reads the symbols of an ELF program"
)]
fn symbols_of_the_acting_programs_are_found() {
    let wanted = acting_names();
    let found = acting_symbols(&program("platinum-email"), &wanted);
    for name in ["platinum_email", "lettre", "queue_outbox", "file_sent"] {
        assert!(found.contains(name), "{name} is not among {found:?}");
    }
    let found = acting_symbols(&program("platinum-odoo"), &wanted);
    assert!(found.contains("platinum_odoo"), "{found:?}");
    let found = acting_symbols(&program("platinum-social"), &wanted);
    assert!(found.contains("platinum_social"), "{found:?}");
    let found = acting_symbols(&program("platinum"), &wanted);
    assert!(found.contains("platinum_effects"), "{found:?}");
    assert!(
        !found.contains("lettre"),
        "the owner's program sends through its server alone"
    );
}
