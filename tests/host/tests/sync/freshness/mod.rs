//! What one half writes is soon in the vault of the other, though their timers are far away: both
//! daemons as processes, over git's daemon and over ssh.

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use platinum_core::Role;
use platinum_host_tests::hosts::daemon;
use platinum_sync::RemoteHealth;
use platinum_testkit::{
    Child, add_skills, compiled_skills,
    git::{GitServer, SshOptions, SshServer, bare_repository},
    notes::as_note,
    wait_for,
};
use platinum_verify::Identity;

/// How long a daemon may take to start on a busy machine.
const STARTED: Duration = Duration::from_secs(60);
/// How long 95 of 100 notes may take from one vault to the other.
const SOON: Duration = Duration::from_secs(5);
/// How many notes make the way.
const NOTES: usize = 20;

/// Two hosts whose timers do not matter here.
struct Cluster {
    folder: tempfile::TempDir,
    _daemons: Vec<Child>,
}

impl Cluster {
    /// `path` stands before the daemons' own `PATH`.
    fn start(remote: &str, path: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identities = [("cloud", Role::Cloud), ("local", Role::Local)].map(|(name, role)| {
            let home = folder.path().join(name);
            fs::create_dir_all(home.join("vault/Plans")).unwrap();
            platinum_daemon::make_state_folder(&home.join("state")).unwrap();
            let text = format!(
                "[vault]\npath = \"{name}/vault\"\nstate = \"{name}/state\"\n\n\
                 [sync]\nremote = {remote:?}\nevery-seconds = 3600\n\n\
                 [work]\ncompiled = {:?}\nskills = {:?}\nevery-seconds = 3600\nzones = []\n",
                compiled_skills(),
                folder.path().join("skills"),
            );
            fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
            Identity::open(&home.join("state"), &name.parse().unwrap(), role).unwrap()
        });
        let [cloud, local] = &identities;
        cloud.trust(&local.line(), false).unwrap();
        local.trust(&cloud.line(), false).unwrap();
        add_skills(&folder.path().join("local.toml")).unwrap();
        let daemons = ["cloud", "local"].map(|role| {
            let mut words: Vec<OsString> = Vec::new();
            if let Some(path) = path {
                let own = std::env::var("PATH").unwrap();
                words.push(format!("PATH={}:{own}", path.display()).into());
            }
            words.push(daemon(role).into());
            words.extend(["run".into(), "--config".into()]);
            words.push(folder.path().join(format!("{role}.toml")).into());
            let log = folder.path().join(format!("{role}.log"));
            Child::start("env", words, &log, None).unwrap()
        });
        Self {
            folder,
            _daemons: daemons.into(),
        }
    }

    fn note(&self, name: &str, number: usize) -> PathBuf {
        let vault = self.folder.path().join(name).join("vault");
        vault.join(format!("Plans/plan-{number}.md"))
    }

    fn logs(&self) -> String {
        ["cloud", "local"]
            .map(|role| {
                let log = self.folder.path().join(format!("{role}.log"));
                format!("{role}:\n{}", fs::read_to_string(log).unwrap_or_default())
            })
            .concat()
    }

    /// Writes a note in one vault and waits for it in the other.
    fn carry(&self, from: &str, to: &str, number: usize) -> Duration {
        let path = format!("Plans/plan-{number}.md");
        let text = as_note(&path, &format!("# Plan {number}\n\nWritten by {from}.\n"));
        let began = Instant::now();
        fs::write(self.note(from, number), &text).unwrap();
        let arrived = wait_for("the note", STARTED, || {
            let there = fs::read_to_string(self.note(to, number));
            Ok(there.is_ok_and(|there| there == text).then_some(()))
        });
        if let Err(error) = arrived {
            panic!("{error}; {}", self.logs());
        }
        began.elapsed()
    }

    /// Both ways, again and again, after a first note each way that waits for the start.
    fn measure(&self, way: &str) {
        self.carry("cloud", "local", 900);
        self.carry("local", "cloud", 901);
        for (from, to, first) in [("cloud", "local", 0), ("local", "cloud", 100)] {
            let mut took: Vec<_> = (0..NOTES)
                .map(|number| self.carry(from, to, first + number))
                .collect();
            took.sort();
            let p95 = took[(NOTES * 95).div_ceil(100) - 1];
            println!(
                "FIGURE: {way}, {from} to {to}: p50 {:?}, p95 {p95:?}, worst {:?}",
                took[NOTES / 2],
                took[NOTES - 1]
            );
            assert!(p95 < SOON, "{way}: {took:?}; {}", self.logs());
        }
    }
}

#[test]
fn over_gits_daemon_a_note_is_in_the_other_vault_within_seconds() {
    let server = GitServer::start().unwrap();
    Cluster::start(&server.address(), None).measure("git daemon");
}

#[test]
fn over_ssh_a_note_is_in_the_other_vault_within_seconds() {
    let platinum = daemon("local");
    let server = SshServer::start_with(SshOptions {
        programs: platinum.parent().map(Path::to_owned),
        ..SshOptions::default()
    })
    .unwrap();
    // The daemons find an ssh with this server's key, as an owner has it by a configuration.
    let folder = tempfile::tempdir().unwrap();
    let ssh = folder.path().join("ssh");
    let options = server.ssh();
    let options = options.strip_prefix("ssh ").unwrap();
    fs::write(
        &ssh,
        format!("#!/bin/sh\nexec /usr/bin/ssh {options} \"$@\"\n"),
    )
    .unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let cluster = Cluster::start(&server.address(), Some(folder.path()));
    cluster.measure("ssh");
    assert!(
        !cluster.logs().contains("it is asked for news by git"),
        "{}",
        cluster.logs()
    );
}

#[test]
fn a_remote_that_was_away_is_synced_with_as_soon_as_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let (bare, away) = (folder.path().join("vault.git"), folder.path().join("away"));
    bare_repository(&bare).unwrap();
    let cluster = Cluster::start(bare.to_str().unwrap(), None);
    cluster.carry("cloud", "local", 0);

    fs::rename(&bare, &away).unwrap();
    for name in ["cloud", "local"] {
        let state = cluster.folder.path().join(name).join("state");
        // No one touched anything: each finds out by itself, and can tell the owner.
        wait_for("word of the trouble", SOON * 4, || {
            Ok(RemoteHealth::read(&state).trouble.map(drop))
        })
        .unwrap();
    }
    let text = as_note("Plans/plan-1.md", "Written while the remote was away.\n");
    fs::write(cluster.note("cloud", 1), &text).unwrap();
    // Long enough for pauses that are longer than what is asked for below.
    let gone = Instant::now();
    wait_for("a while", Duration::from_secs(60), || {
        Ok((gone.elapsed() > Duration::from_secs(25)).then_some(()))
    })
    .unwrap();
    fs::rename(&away, &bare).unwrap();
    let back = Instant::now();
    let arrived = wait_for("the note", STARTED, || {
        let there = fs::read_to_string(cluster.note("local", 1));
        Ok(there.is_ok_and(|there| there == text).then_some(()))
    });
    assert!(arrived.is_ok(), "{}", cluster.logs());
    println!("FIGURE: after the remote was back: {:?}", back.elapsed());
    assert!(
        back.elapsed() < SOON,
        "{:?}; {}",
        back.elapsed(),
        cluster.logs()
    );
}
