//! Puts where `wit/` is into the text of the macro `skill!`.

use std::{env, fs, path::PathBuf};

/// The folders of `wit/`; one comes after those it uses.
const FOLDERS: [&str; 17] = [
    "skill",
    "actions",
    "tasks",
    "plans",
    "updates",
    "model",
    "vault",
    "approvals",
    "email",
    "social",
    "odoo",
    "payments",
    "browser",
    "whatsapp",
    "sync",
    "health",
    "dashboard",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/skill_macro.rs.in");
    let wit = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("wit");
    let folders = FOLDERS.map(|folder| format!("{:?},", wit.join(folder)));
    let text = fs::read_to_string("src/skill_macro.rs.in")?;
    let macro_file = PathBuf::from(env::var("OUT_DIR")?).join("skill_macro.rs");
    fs::write(macro_file, text.replace("@FOLDERS@", &folders.concat()))?;
    Ok(())
}
