//! A daemon runs the skills that the owner added, and no others: both programs, with the folder of
//! installed skills changed behind the owner's back.

use std::{fs, path::Path, time::Duration};

use platinum_core::Role;
use platinum_host_tests::hosts::daemon;
use platinum_testkit::{Child, add_skills, wait_for};
use platinum_verify::Identity;

/// How long a daemon may take to start on a busy machine.
const SOON: Duration = Duration::from_secs(60);

fn configure(folder: &Path, name: &str, role: Role) -> Identity {
    let home = folder.join(name);
    fs::create_dir_all(home.join("vault")).unwrap();
    platinum_daemon::make_state_folder(&home.join("state")).unwrap();
    let text = format!(
        "[vault]\npath = \"{name}/vault\"\nstate = \"{name}/state\"\n\n\
         [work]\nskills = \"skills\"\nzones = []\n",
    );
    fs::write(folder.join(format!("{name}.toml")), text).unwrap();
    Identity::open(&home.join("state"), &name.parse().unwrap(), role).unwrap()
}

/// Starts a daemon and gives its log as far as until it is up.
fn log_of_start(folder: &Path, name: &str) -> String {
    let program = daemon(name);
    let config = folder.join(format!("{name}.toml"));
    let log = folder.join(format!("{name}.log"));
    fs::remove_file(&log).ok();
    let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
    let _daemon = Child::start(program.to_str().unwrap(), arguments, &log, None).unwrap();
    wait_for("the daemon", SOON, || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        Ok(text.contains("is up").then_some(text))
    })
    .unwrap()
}

/// The attack: the component of the skill that acts is replaced. It is refused by name, the others
/// run; a cloud host that has no key of the owner's machine runs none.
#[test]
fn skill_that_was_replaced_is_refused_by_both_programs() {
    let folder = tempfile::tempdir().unwrap();
    let local = configure(folder.path(), "local", Role::Local);
    let cloud = configure(folder.path(), "cloud", Role::Cloud);
    add_skills(&folder.path().join("local.toml")).unwrap();
    let replaced = folder
        .path()
        .join("skills/local-execute-approved/skill.wasm");
    let another = folder.path().join("skills/sync-vault/skill.wasm");
    let refusal = format!(
        "its skill.wasm is not the one that the owner added; put the former one back, or see what \
         is new with `platinum skill add {}`",
        replaced.parent().unwrap().display()
    );

    let log = log_of_start(folder.path(), "local");
    assert!(!log.contains("the owner"), "{log}");
    fs::copy(another, &replaced).unwrap();
    let log = log_of_start(folder.path(), "local");
    assert!(log.contains(&refusal), "{log}");

    let log = log_of_start(folder.path(), "cloud");
    assert!(log.contains("No skill is run: "), "{log}");
    assert!(
        log.contains("which is not that of an owner's machine trusted here"),
        "{log}"
    );
    cloud.trust(&local.line(), false).unwrap();
    let log = log_of_start(folder.path(), "cloud");
    assert!(!log.contains("No skill is run"), "{log}");
    assert!(log.contains(&refusal), "{log}");
}
