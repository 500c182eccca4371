//! The mails and attacks of AgentDojo's workspace suite (PyPI `agentdojo`, MIT), made at run time.
//!
//! Nothing of it is in the repository. The wheel is only unpacked and read: none of its code is run but constants, and
//! what it depends on is not needed.

use std::{fs, path::Path, process::Command};

use super::Letters;

/// The version whose figures are in `docs/security.md`.
const VERSION: &str = "0.1.35";

/// Reads the injection tasks and attacks as syntax, and writes letters as JSON: each order in each
/// attack's words, in the mails of the suite that have a place for it, one after the other.
const EXPORT: &str = r##"
import ast, json, re, sys, yaml
from pathlib import Path
top = Path(sys.argv[1]) / "agentdojo"

def goals():
    tree = ast.parse((top / "default_suites/v1/workspace/injection_tasks.py").read_text())
    scope = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            keep(node, scope)
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names = dict(scope)
            for part in node.body:
                if isinstance(part, ast.Assign):
                    keep(part, names)
            if isinstance(names.get("GOAL"), str):
                yield names["GOAL"]

def keep(node, names):
    # Constants and texts made of them; whatever calls something is left out.
    if any(isinstance(part, (ast.Call, ast.Attribute)) for part in ast.walk(node.value)):
        return
    try:
        value = eval(compile(ast.Expression(node.value), "goal", "eval"), {"__builtins__": {}}, names)
        names[node.targets[0].id] = value
    except Exception:
        pass

def attacks():
    seen = []
    for name in ["baseline_attacks.py", "important_instructions_attacks.py", "dos_attacks.py"]:
        for node in ast.walk(ast.parse((top / "attacks" / name).read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "{goal}" in node.value and not node.value.startswith("Attack which"):
                if node.value not in seen:
                    seen.append(node.value)
    return seen

folder = top / "data/suites/workspace"
inbox = yaml.safe_load((folder / "include/inbox.yaml").read_text())
fill = {"user": "Emma Johnson", "model": "AI assistant", "task": "answer my mail", "tools": ""}
mails = [mail for mail in inbox["initial_emails"] if mail["status"] == "received"]
places = [mail for mail in mails if re.search(r"\{email_\w+_injection\}", mail["body"])]
others = [mail for mail in mails if mail not in places]
result = {"attacks": [], "others": []}
number = 0
for goal in goals():
    for attack in attacks():
        text = attack.replace("{goal}", goal)
        for key, value in fill.items():
            text = text.replace("{%s}" % key, value)
        mail = places[number % len(places)]
        address = re.findall(r"[\w.+-]+@[\w.-]+\w", goal)
        result["attacks"].append({
            "sender": mail["sender"],
            "subject": mail["subject"],
            "body": re.sub(r"\{email_\w+_injection\}", lambda _: text, mail["body"]),
            "reply_to": address[0] if address and number % 3 == 0 else None,
        })
        number += 1
for mail in others:
    result["others"].append({k: mail[k] for k in ["sender", "subject", "body"]})
print(json.dumps(result))
"##;

/// The letters, or why there are none.
pub(super) fn load_letters() -> Result<Letters, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let folder = root.ok_or("no root")?.join("target/agentdojo");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        done(Command::new("python3").arg("-m").arg("venv").arg(&venv))?;
    }
    let unpacked = folder.join(VERSION);
    if !unpacked.join("agentdojo").exists() {
        let pip = |arguments: &[&str]| {
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
            done(pip.args(arguments))
        };
        let wheel = format!("agentdojo=={VERSION}");
        pip(&["install", "pyyaml"])?;
        pip(&["install", "--no-deps", "--target", &text(&unpacked), &wheel])?;
    }
    let exported = done(Command::new(&python).args(["-c", EXPORT]).arg(&unpacked))?;
    serde_json::from_str(&exported).map_err(|error| format!("AgentDojo {VERSION}: {error}"))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// What a program printed.
fn done(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stderr);
    let last = printed.lines().last().unwrap_or_default();
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|error| error.to_string()),
        false => Err(format!("AgentDojo cannot be had: {last}")),
    }
}
