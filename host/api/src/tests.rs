//! `status`, `approvals` and the dashboard count the same vault alike.

use std::{collections::BTreeMap, fs, path::Path};

use platinum_capabilities::dashboard;
use platinum_core::{Action, DraftId, Role, SocialPublish, TaskId, Timestamp};
use platinum_daemon::Config;
use platinum_vault::{
    Vault,
    note::{DraftNote, Note},
};
use proptest::prelude::*;

use crate::{Approvals, Status, approval_policy};

fn now() -> Timestamp {
    "2026-11-20T20:00:00Z".parse().unwrap()
}

/// Where a file may be.
const FOLDERS: [&str; 12] = [
    "Inbox",
    "Needs_Action",
    "Needs_Action/email",
    "Needs_Action/social",
    "In_Progress/cloud",
    "In_Progress/local",
    "Pending_Approval",
    "Pending_Approval/old",
    "Approved",
    "Rejected",
    "Done/2026/10",
    "Done/2026/11",
];

/// A file by a name that is a task's, a draft's, or neither.
fn file() -> impl Strategy<Value = String> {
    let name = (0_u8..5, 1_u128..30).prop_map(|(kind, n)| match kind {
        0 => format!("{}.md", TaskId::from_parts(1, n)),
        1 => format!("{}.md", DraftId::from_parts(1, n)),
        2 => format!("{}.conflict-cloud-{n}.md", TaskId::from_parts(1, n)),
        3 => format!("{}.pdf", DraftId::from_parts(1, n)),
        _ => format!("note {n}.md"),
    });
    (0..FOLDERS.len(), name).prop_map(|(folder, name)| format!("{}/{name}", FOLDERS[folder]))
}

fn config(folder: &Path) -> Config {
    let path = folder.join("local.toml");
    fs::write(&path, "[vault]\npath = \"vault\"\nstate = \"state\"\n").unwrap();
    Config::load(&path, Role::Local).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn status_approvals_and_dashboard_agree(files in prop::collection::btree_set(file(), 0..40)) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("vault")).unwrap();
        for file in &files {
            let path = folder.path().join("vault").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let config = config(folder.path());
        let vault = Vault::open(&config.vault.path).unwrap();
        let agent = config.agent(Role::Local).unwrap();
        let policy = approval_policy(&config, &agent);
        let status = Status::read(&config, &vault, agent, Role::Local, now()).unwrap();
        let approvals = Approvals::read(&vault, &config.vault.state, &policy, now()).unwrap();
        let board = dashboard::count(&vault, now()).unwrap();

        let total = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        prop_assert_eq!(total(&status.tasks.waiting), u64::from(board.waiting));
        prop_assert_eq!(total(&status.tasks.in_progress), u64::from(board.in_progress));
        prop_assert_eq!(status.tasks.done_this_month, u64::from(board.done));
        prop_assert_eq!(status.drafts.pending, u64::from(board.pending));
        prop_assert_eq!(status.drafts.approved, u64::from(board.approved));
        prop_assert_eq!(approvals.pending.len() as u64, status.drafts.pending);
        prop_assert_eq!(approvals.approved.len() as u64, status.drafts.approved);
        // Every file here says `x`, which is not a draft.
        prop_assert_eq!(status.drafts.unreadable, status.drafts.pending);

        // Counted another way: by what the names are.
        let named = |folder: &str, kind: &str| {
            let prefix = format!("{folder}/{kind}_");
            let is_note = |file: &&String| file.starts_with(&prefix) && file.ends_with(".md");
            let notes = files.iter().filter(is_note);
            notes.filter(|file| !file.contains(".conflict-")).count() as u64
        };
        prop_assert_eq!(
            total(&status.tasks.waiting),
            named("Needs_Action/email", "task") + named("Needs_Action/social", "task")
        );
        prop_assert_eq!(
            total(&status.tasks.in_progress),
            named("In_Progress/cloud", "task") + named("In_Progress/local", "task")
        );
        prop_assert_eq!(status.drafts.pending, named("Pending_Approval", "draft"));
        prop_assert_eq!(status.tasks.done_this_month, named("Done/2026/11", "task"));
        let conflicts = files.iter().filter(|file| file.contains(".conflict-")).count();
        prop_assert_eq!(status.conflicts.len(), conflicts);
    }
}

/// What the daemon noted of the servers of zones counts while it runs, and is a line of its own.
#[test]
fn status_names_a_server_that_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["vault", "state"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let config = config(folder.path());
    let vault = Vault::open(&config.vault.path).unwrap();
    let read = || {
        let agent = config.agent(Role::Local).unwrap();
        let status = Status::read(&config, &vault, agent, Role::Local, now()).unwrap();
        let email = status.zones.iter().find(|zone| zone.zone == "email");
        let down = email.unwrap().server_down.clone();
        let lines = status
            .checks()
            .into_iter()
            .filter(|one| one.name == "email");
        (down, lines.map(|one| one.sentence()).collect::<Vec<_>>())
    };
    let file = folder.path().join("state/servers-down.json");
    fs::write(&file, r#"{"email":"it ended at once"}"#).unwrap();
    assert_eq!(read(), (None, vec![]), "no daemon runs");
    let lock = fs::File::create(folder.path().join("state/lock")).unwrap();
    lock.lock().unwrap();
    let reason = "it ended at once".to_owned();
    let line = format!("its server does not run: {reason}; `platinum doctor` tries it anew");
    assert_eq!(read(), (Some(reason), vec![line]));
    fs::write(&file, "[").unwrap();
    let (unknown, _) = read();
    let unknown = unknown.unwrap();
    assert!(
        unknown.starts_with("whether it runs cannot be read: "),
        "{unknown}"
    );
    fs::remove_file(&file).unwrap();
    assert_eq!(read(), (None, vec![]));
}

/// As its note has it, for as long as it is there.
#[test]
fn approvals_say_why_a_draft_came_back() {
    let folder = tempfile::tempdir().unwrap();
    let pending = folder.path().join("vault/Pending_Approval");
    fs::create_dir_all(&pending).unwrap();
    let config = config(folder.path());
    let vault = Vault::open(&config.vault.path).unwrap();
    let post = SocialPublish {
        account: "sky".to_owned(),
        text: "We open on Monday".to_owned(),
        ..SocialPublish::default()
    };
    let draft = DraftNote {
        id: DraftId::from_parts(1, 1),
        created: now(),
        by: "cloud".to_owned(),
        task: TaskId::from_parts(1, 1),
        epoch: Some(1),
        action: Action::new(&post),
        summary: "Post as ada".to_owned(),
        reason: "You dropped a note".to_owned(),
        expires: "2026-11-30T20:00:00Z".parse().unwrap(),
        doubts: vec![],
    };
    let why = "it cannot be published as it is: 60 too many";
    for returned in [None, Some(why)] {
        let mut note = Note::parse(&draft.render()).unwrap();
        if let Some(why) = returned {
            note.set("returned", why).unwrap();
        }
        fs::write(pending.join(format!("{}.md", draft.id)), note.to_text()).unwrap();
        let agent = config.agent(Role::Local).unwrap();
        let policy = approval_policy(&config, &agent);
        let approvals = Approvals::read(&vault, &config.vault.state, &policy, now()).unwrap();
        let shown = approvals.pending[0].draft.as_ref().unwrap();
        assert_eq!(shown.returned.as_deref(), returned);
    }
}
