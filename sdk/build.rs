//! Writes what follows from the folders of `wit/`: the bindings of every interface, and the text of
//! the macro `skill!`, which has to know where `wit/` is on this machine.
//!
//! A new package or interface in `wit/` needs no line here.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// Not an interface that a skill imports.
const NOT_IMPORTED: [&str; 2] = ["world", "handler"];

/// A folder of `wit/`.
struct Package {
    interfaces: Vec<String>,
    text: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src/skill_macro.rs.in");
    println!("cargo::rerun-if-changed=src/bindings.rs.in");
    println!("cargo::rerun-if-changed=wit");
    let wit = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("wit");
    let packages = packages(&wit)?;
    let folders: String = in_order(&packages)?
        .iter()
        .map(|name| format!("{:?},", wit.join(name)))
        .collect();
    let imports: String = packages
        .iter()
        .flat_map(|(name, package)| package.interfaces.iter().map(move |it| (name, it)))
        .map(|(name, interface)| format!("import platinum:{name}/{interface}@0.1.0;\n"))
        .collect();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for file in ["skill_macro.rs", "bindings.rs"] {
        let text = fs::read_to_string(format!("src/{file}.in"))?;
        let text = text.replace("@FOLDERS@", &folders);
        fs::write(out.join(file), text.replace("@IMPORTS@", &imports))?;
    }
    Ok(())
}

fn packages(wit: &Path) -> Result<BTreeMap<String, Package>, Box<dyn Error>> {
    let mut packages = BTreeMap::new();
    for folder in fs::read_dir(wit)? {
        let folder = folder?.path();
        let mut package = Package {
            interfaces: Vec::new(),
            text: String::new(),
        };
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            package.text.push_str(&fs::read_to_string(&file)?);
            let stem = name_of(file.with_extension("").as_path());
            if !NOT_IMPORTED.contains(&stem.as_str()) {
                package.interfaces.push(stem);
            }
        }
        package.interfaces.sort();
        packages.insert(name_of(&folder), package);
    }
    Ok(packages)
}

/// Each after those that it uses, as wit-bindgen reads them.
fn in_order(packages: &BTreeMap<String, Package>) -> Result<Vec<&String>, Box<dyn Error>> {
    let mut ordered: Vec<&String> = Vec::new();
    while ordered.len() < packages.len() {
        let next = packages.iter().find(|(name, package)| {
            let is_ready = |other: &String| {
                other == *name
                    || ordered.contains(&other)
                    || !package.text.contains(&format!("platinum:{other}/"))
            };
            !ordered.contains(name) && packages.keys().all(is_ready)
        });
        let (name, _) = next.ok_or("the packages of wit/ use each other in a circle")?;
        ordered.push(name);
    }
    Ok(ordered)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
