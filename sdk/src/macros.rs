//! [`skill!`](crate::skill): the lines between a skill's `run` and the component's export.
//!
//! Lives elsewhere: the text of the macro is `skill_macro.rs.in`, in which `build.rs` puts where this
//! crate's `wit/` is on this machine: a skill can be in any folder. The imports' bindings are in
//! [`bindings`](crate::bindings), shared by all.
//! Invariants: the component-type section comes from the skill's own `wit/world.wit` alone.

include!(concat!(env!("OUT_DIR"), "/skill_macro.rs"));

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    fn files(folder: &Path) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for package in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            if !package.file_type().unwrap().is_dir() {
                continue;
            }
            for file in fs::read_dir(package.path()).unwrap() {
                let path = file.unwrap().path();
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
        found
    }

    /// A skill outside the repository is built against this crate's copy of the contract.
    #[test]
    fn contract_copy_equals_the_contract() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR"));
        let contract = files(&sdk.join("../wit"));
        assert!(contract.len() > 40, "{} files", contract.len());
        assert_eq!(
            files(&sdk.join("wit")),
            contract,
            "run `cp -r wit/*/ sdk/wit/`"
        );
    }

    /// The macro names every package, so that a skill may import any of them, and each after those
    /// that it uses.
    #[test]
    fn skill_macro_names_every_package_of_the_contract() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = include_str!(concat!(env!("OUT_DIR"), "/skill_macro.rs"));
        for package in fs::read_dir(sdk.join("wit")).unwrap() {
            let path = package.unwrap().path();
            assert!(text.contains(&format!("{path:?}")), "{}", path.display());
        }
    }
}
