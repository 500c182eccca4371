//! The path table, row by row, and properties of it.

use std::collections::BTreeSet;

use platinum_core::{AgentName, Role, VaultPath};
use proptest::prelude::*;

use crate::{Change, check};

const ALL: [Change; 3] = [Change::Create, Change::Modify, Change::Delete];

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn cloud() -> AgentName {
    "cloud".parse().unwrap()
}

fn judge(changes: &[(&str, Change)]) -> Result<(), Vec<String>> {
    let changes: Vec<_> = changes
        .iter()
        .map(|(text, change)| (path(text), *change))
        .collect();
    check(Role::Cloud, &cloud(), &changes)
        .map_err(|all| all.iter().map(ToString::to_string).collect())
}

/// Which of create, modify and delete the cloud may do at a path, alone.
fn check_one(text: &str) -> [bool; 3] {
    ALL.map(|change| judge(&[(text, change)]).is_ok())
}

/// The cloud may do to each path alone what the table says.
#[test]
fn check_cloud_follows_the_path_table() {
    let nothing = [false; 3];
    let create = [true, false, false];
    let all = [true; 3];
    for (text, expected) in [
        ("Needs_Action/email/task_1.md", create),
        ("Needs_Action/social/task_1.md", create),
        ("Needs_Action/accounting/task_1.md", create),
        ("Needs_Action/payments/task_1.md", create),
        ("Needs_Action/notes/task_1.md", create),
        ("Needs_Action/No_Zone/task_1.md", nothing),
        ("Needs_Action/task_1.md", nothing),
        ("Needs_Action/email/deep/task_1.md", nothing),
        ("In_Progress/cloud/task_1.md", all),
        ("In_Progress/cloud/deep/picture.png", all),
        ("In_Progress/local/task_1.md", nothing),
        ("In_Progress/cloud-2/task_1.md", nothing),
        ("In_Progress/cloud.md", nothing),
        ("Plans/plan_1.md", create),
        ("Pending_Approval/draft_1.md", create),
        ("Updates/cloud/update_1.md", create),
        ("Updates/local/update_1.md", nothing),
        ("Updates/update_1.md", nothing),
        ("Approved/draft_1.md", nothing),
        ("Rejected/draft_1.md", nothing),
        ("Inbox/idea.md", nothing),
        ("Dashboard.md", nothing),
        ("Company_Handbook.md", nothing),
        ("Done/2026/11/task_1.md", nothing),
        ("Notes/private.md", nothing),
        ("Plans", nothing),
        ("Pending_Approval", nothing),
        ("In_Progress", nothing),
        (".obsidian/plugins/x/main.js", nothing),
        ("plans/plan_1.md", nothing),
        // In a folder of its own, but nothing that is synced.
        ("In_Progress/cloud/.env", nothing),
        ("In_Progress/cloud/run.sh", nothing),
        ("Pending_Approval/.git/hooks/x.md", nothing),
    ] {
        assert_eq!(check_one(text), expected, "{text}: create, modify, delete");
    }
}

/// A real task's file name.
const TASK: &str = "task_01KAGP4Y00000000000000000A.md";
const OTHER: &str = "task_01KAGP4Y00000000000000000B.md";

/// A task comes by a claim and goes by its end and no other way.
#[test]
fn check_task_moves_only_by_claim_and_end() {
    let own = format!("In_Progress/cloud/{TASK}");
    let shared = format!("Needs_Action/email/{TASK}");
    let payments = format!("Needs_Action/payments/{TASK}");
    let done = format!("Done/2026/11/{TASK}");
    let other = format!("Needs_Action/email/{OTHER}");
    use Change::{Create, Delete, Modify};
    for (what, changes, is_right) in [
        ("claimed", vec![(&shared, Delete), (&own, Create)], true),
        ("worked on", vec![(&own, Modify)], true),
        ("finished", vec![(&own, Delete), (&done, Create)], true),
        ("released", vec![(&own, Delete), (&shared, Create)], true),
        ("made up as its own", vec![(&own, Create)], false),
        (
            "taken beside a claim of another",
            vec![(&other, Delete), (&own, Create)],
            false,
        ),
        (
            "taken from a zone of the owner's",
            vec![(&payments, Delete), (&own, Create)],
            false,
        ),
        (
            "doubled while the owner's waits",
            vec![(&own, Create), (&payments, Create)],
            false,
        ),
        (
            "finished and waiting",
            vec![(&own, Delete), (&done, Create), (&shared, Create)],
            false,
        ),
        (
            "made twice",
            vec![(&shared, Create), (&payments, Create)],
            false,
        ),
        ("dropped", vec![(&own, Delete)], false),
        (
            "dropped beside another",
            vec![(&own, Delete), (&other, Create)],
            false,
        ),
    ] {
        let changes: Vec<_> = changes
            .iter()
            .map(|(text, c)| (text.as_str(), *c))
            .collect();
        assert_eq!(judge(&changes).is_ok(), is_right, "{what}");
    }
    assert_eq!(
        judge(&[(&own, Create)]).unwrap_err(),
        [format!(
            "cloud agent cloud may not create {own}: a task arrives there by a claim, which \
             deletes it in a shared zone of Needs_Action with it"
        )]
    );
    assert_eq!(
        judge(&[(&own, Delete)]).unwrap_err(),
        [format!(
            "cloud agent cloud may not delete {own}: a task leaves there when it is finished or \
             released, which creates it in Done or Needs_Action with it"
        )]
    );
}

/// What an attacker with the clouds key would try is refused.
#[test]
fn check_attacks_with_the_clouds_key_are_refused() {
    use Change::{Create, Delete, Modify};
    let copy = "conflict-cloud-20261120T184303123Z-0123abcd";
    for (what, changes) in [
        ("approve", vec![("Approved/draft_1.md".to_owned(), Create)]),
        (
            "move a draft to where it is approved",
            vec![
                ("Pending_Approval/draft_1.md".to_owned(), Delete),
                ("Approved/draft_1.md".to_owned(), Create),
            ],
        ),
        (
            "change what was approved",
            vec![("Approved/draft_1.md".to_owned(), Modify)],
        ),
        (
            "a copy beside it",
            vec![(format!("Approved/draft_1.{copy}.md"), Create)],
        ),
        (
            "below it",
            vec![("Approved/deep/draft_1.md".to_owned(), Create)],
        ),
        (
            "another spelling",
            vec![("approved/draft_1.md".to_owned(), Create)],
        ),
        ("unreject", vec![("Rejected/draft_1.md".to_owned(), Delete)]),
        (
            "edit a draft that waits",
            vec![("Pending_Approval/draft_1.md".to_owned(), Modify)],
        ),
        (
            "take a draft back",
            vec![("Pending_Approval/draft_1.md".to_owned(), Delete)],
        ),
        ("the dashboard", vec![("Dashboard.md".to_owned(), Modify)]),
        (
            "a copy of the dashboard",
            vec![(format!("Dashboard.{copy}.md"), Create)],
        ),
        (
            "the handbook",
            vec![("Company_Handbook.md".to_owned(), Modify)],
        ),
        (
            "a copy of the handbook",
            vec![(format!("Company_Handbook.{copy}.md"), Create)],
        ),
        (
            "a folder for the dashboard",
            vec![("Dashboard.md/x.md".to_owned(), Create)],
        ),
        (
            "speak for local",
            vec![("Updates/local/update_1.md".to_owned(), Create)],
        ),
        (
            "speak for a name like its own",
            vec![("Updates/cloud-2/u.md".to_owned(), Create)],
        ),
        (
            "rewrite its update",
            vec![("Updates/cloud/update_1.md".to_owned(), Modify)],
        ),
        (
            "delete its update",
            vec![("Updates/cloud/update_1.md".to_owned(), Delete)],
        ),
        (
            "delete what is done",
            vec![("Done/2026/11/task_1.md".to_owned(), Delete)],
        ),
        (
            "rewrite what is done",
            vec![("Done/2026/11/task_1.md".to_owned(), Modify)],
        ),
        (
            "drop a task",
            vec![("Needs_Action/email/task_1.md".to_owned(), Delete)],
        ),
        (
            "rewrite a task",
            vec![("Needs_Action/email/task_1.md".to_owned(), Modify)],
        ),
        (
            "delete the owner's idea",
            vec![("Inbox/idea.md".to_owned(), Delete)],
        ),
        ("plant an idea", vec![("Inbox/idea.md".to_owned(), Create)]),
        (
            "a plugin",
            vec![(".obsidian/plugins/x/main.js".to_owned(), Create)],
        ),
        (
            "a plugin in its own folder",
            vec![("In_Progress/cloud/.obsidian/x.md".to_owned(), Create)],
        ),
        ("rules of git", vec![(".gitattributes".to_owned(), Create)]),
        (
            "a program",
            vec![("Pending_Approval/run.sh".to_owned(), Create)],
        ),
        (
            "a page with a script",
            vec![("Pending_Approval/page.html".to_owned(), Create)],
        ),
    ] {
        // Alone, and hidden among what it may do.
        for hidden in [false, true] {
            let mut all: Vec<(&str, Change)> = changes
                .iter()
                .map(|(path, c)| (path.as_str(), *c))
                .collect();
            if hidden {
                all.insert(0, ("Plans/plan_1.md", Create));
                all.push(("Pending_Approval/draft_9.md", Create));
            }
            assert!(judge(&all).is_err(), "{what}");
        }
    }
}

/// Local may change everything.
#[test]
fn check_local_may_change_everything() {
    let local = "local".parse().unwrap();
    for text in [
        "Needs_Action/payments/task_1.md",
        "In_Progress/cloud/task_1.md",
        "Plans/plan_1.md",
        "Pending_Approval/draft_1.md",
        "Updates/cloud/update_1.md",
        "Approved/draft_1.md",
        "Dashboard.md",
        "Done/2026/11/task_1.md",
        "Notes/private.md",
    ] {
        for change in ALL {
            assert_eq!(check(Role::Local, &local, &[(path(text), change)]), Ok(()));
        }
    }
}

/// A claim moves a task into the own folder.
#[test]
fn check_claim_moves_a_task_of_a_shared_zone() {
    let zones = crate::BUILT_IN_ZONES.iter().map(|spec| spec.id);
    for zone in zones.chain(["notes".parse().unwrap()]) {
        let waiting = format!("Needs_Action/{zone}/task_01KAGP4Y00000000000000000A.md");
        let claim = [
            (waiting.as_str(), Change::Delete),
            (
                "In_Progress/cloud/task_01KAGP4Y00000000000000000A.md",
                Change::Create,
            ),
        ];
        assert_eq!(judge(&claim).is_ok(), !crate::is_local_only(zone), "{zone}");
    }
}

/// What only looks like a claim is refused.
#[test]
fn check_false_claim_is_refused() {
    for (what, changes) in [
        (
            "nothing arrives",
            vec![(
                "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                Change::Delete,
            )],
        ),
        (
            "another file arrives",
            vec![
                (
                    "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                    Change::Delete,
                ),
                (
                    "In_Progress/cloud/task_01KAGP4Y00000000000000000B.md",
                    Change::Create,
                ),
            ],
        ),
        (
            "it overwrites a task that is there",
            vec![
                (
                    "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                    Change::Delete,
                ),
                (
                    "In_Progress/cloud/task_01KAGP4Y00000000000000000A.md",
                    Change::Modify,
                ),
            ],
        ),
        (
            "it arrives in a deeper folder",
            vec![
                (
                    "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                    Change::Delete,
                ),
                (
                    "In_Progress/cloud/deep/task_01KAGP4Y00000000000000000A.md",
                    Change::Create,
                ),
            ],
        ),
        (
            "two tasks become one",
            vec![
                (
                    "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                    Change::Delete,
                ),
                (
                    "Needs_Action/social/task_01KAGP4Y00000000000000000A.md",
                    Change::Delete,
                ),
                (
                    "In_Progress/cloud/task_01KAGP4Y00000000000000000A.md",
                    Change::Create,
                ),
            ],
        ),
        (
            "it goes to another agent",
            vec![
                (
                    "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                    Change::Delete,
                ),
                (
                    "In_Progress/cloud-2/task_01KAGP4Y00000000000000000A.md",
                    Change::Create,
                ),
            ],
        ),
    ] {
        assert!(judge(&changes).is_err(), "{what}");
    }
}

/// What is no task is neither claimed nor finished.
#[test]
fn check_other_notes_are_not_claimed_or_finished() {
    use Change::{Create, Delete};
    let copy = "conflict-local-20261120T184303123Z-0123abcd";
    let copy = TASK.replace(".md", &format!(".{copy}.md"));
    for name in ["idea.md", "task_1.md", "scan.pdf", &copy] {
        let waiting = format!("Needs_Action/email/{name}");
        let own = format!("In_Progress/cloud/{name}");
        let done = format!("Done/2026/11/{name}");
        let no_task = "only a task is claimed or finished, and the file of a task is task_<id>.md";
        for (bad, change, what) in [
            (&waiting, Delete, [(&waiting, Delete), (&own, Create)]),
            (&done, Create, [(&own, Delete), (&done, Create)]),
        ] {
            let what = what.map(|(path, change)| (path.as_str(), change));
            let all = judge(&what).unwrap_err();
            let expected = format!("cloud agent cloud may not {change} {bad}: {no_task}");
            assert!(all.contains(&expected), "{all:?}");
        }
    }
}

/// Only the owner changes or removes a conflict copy.
#[test]
fn check_conflict_copy_is_the_owners_alone() {
    for agent in ["local", "cloud", "cloud-2"] {
        let copy = format!("conflict-{agent}-20261120T184303123Z-0123abcd");
        for path in [
            format!("In_Progress/cloud/note.{copy}.md"),
            format!("In_Progress/cloud/deep/picture.{copy}.png"),
            format!(
                "In_Progress/cloud/{}",
                TASK.replace("md", &format!("{copy}.md"))
            ),
        ] {
            assert_eq!(check_one(&path), [true, false, false], "{path}");
        }
    }
}

/// A task is in no folder below the agents own.
#[test]
fn check_task_below_the_agents_folder_is_refused() {
    for folder in ["x", "x/y", "email"] {
        let path = format!("In_Progress/cloud/{folder}/{TASK}");
        // Taking away what an older version let in does no harm.
        assert_eq!(check_one(&path), [false, false, true], "{path}");
    }
    // Nor is a folder in a task's place.
    for below in ["x.md", "y/z.md"] {
        let path = format!("In_Progress/cloud/{TASK}/{below}");
        assert_eq!(check_one(&path), [false, false, true], "{path}");
    }
}

/// A release is the way back.
#[test]
fn check_release_moves_the_task_back() {
    assert_eq!(
        judge(&[
            (
                "In_Progress/cloud/task_01KAGP4Y00000000000000000A.md",
                Change::Delete
            ),
            (
                "Needs_Action/email/task_01KAGP4Y00000000000000000A.md",
                Change::Create
            ),
        ]),
        Ok(())
    );
}

/// Only an own task is finished and only once.
#[test]
fn check_finish_is_of_an_own_task_once() {
    let finish = [
        (
            "In_Progress/cloud/task_01KAGP4Y00000000000000000A.md",
            Change::Delete,
        ),
        (
            "Done/2026/11/task_01KAGP4Y00000000000000000A.md",
            Change::Create,
        ),
    ];
    assert_eq!(judge(&finish), Ok(()));
    for bad in [
        "Done/task_01KAGP4Y00000000000000000A.md",
        "Done/2026/task_01KAGP4Y00000000000000000A.md",
        "Done/2026/13/task_01KAGP4Y00000000000000000A.md",
        "Done/2026/00/task_01KAGP4Y00000000000000000A.md",
        "Done/26/11/task_01KAGP4Y00000000000000000A.md",
        "Done/2026/11/x/task_01KAGP4Y00000000000000000A.md",
        "Done/2026/11/task_01KAGP4Y00000000000000000B.md",
        // It is looked for from a month before it was made on, and was made in November 2025.
        "Done/2025/09/task_01KAGP4Y00000000000000000A.md",
    ] {
        assert!(judge(&[finish[0], (bad, Change::Create)]).is_err(), "{bad}");
    }
    assert!(judge(&[finish[0], (finish[1].0, Change::Modify)]).is_err());
    assert!(
        judge(&[
            finish[0],
            finish[1],
            (
                "Done/2026/12/task_01KAGP4Y00000000000000000A.md",
                Change::Create
            )
        ])
        .is_err()
    );
    let others = [
        (
            "In_Progress/local/task_01KAGP4Y00000000000000000A.md",
            Change::Delete,
        ),
        finish[1],
    ];
    assert_eq!(judge(&others).unwrap_err().len(), 2);
}

/// Each refusal is a sentence that says what where and why.
#[test]
fn violation_text_says_what_where_and_why() {
    let task = "Needs_Action/email/task_01KAGP4Y00000000000000000A.md";
    for (text, change, expected) in [
        (
            task,
            Change::Delete,
            "cloud agent cloud may not delete Needs_Action/email/task_01KAGP4Y00000000000000000A.md: a task leaves \
             Needs_Action by a claim, which creates In_Progress/cloud/task_01KAGP4Y00000000000000000A.md with it",
        ),
        (
            task,
            Change::Modify,
            "cloud agent cloud may not modify Needs_Action/email/task_01KAGP4Y00000000000000000A.md: only new files are \
             allowed there",
        ),
        (
            "Needs_Action/payments/task_01KAGP4Y00000000000000000A.md",
            Change::Delete,
            "cloud agent cloud may not delete Needs_Action/payments/task_01KAGP4Y00000000000000000A.md: tasks of zone \
             payments belong to the owner's machine",
        ),
        (
            "Needs_Action/task_01KAGP4Y00000000000000000A.md",
            Change::Create,
            "cloud agent cloud may not create Needs_Action/task_01KAGP4Y00000000000000000A.md: a task is at \
             Needs_Action/<zone>/<file>",
        ),
        (
            "In_Progress/local/task_01KAGP4Y00000000000000000A.md",
            Change::Create,
            "cloud agent cloud may not create In_Progress/local/task_01KAGP4Y00000000000000000A.md: the folder belongs to \
             agent local",
        ),
        (
            "Approved/draft_1.md",
            Change::Create,
            "cloud agent cloud may not create Approved/draft_1.md: only the owner's machine \
             changes it",
        ),
        (
            "Done/2026/11/task_01KAGP4Y00000000000000000A.md",
            Change::Create,
            "cloud agent cloud may not create Done/2026/11/task_01KAGP4Y00000000000000000A.md: a task is finished by its \
             owner, which deletes In_Progress/cloud/task_01KAGP4Y00000000000000000A.md with it",
        ),
        (
            "Done/task_01KAGP4Y00000000000000000A.md",
            Change::Create,
            "cloud agent cloud may not create Done/task_01KAGP4Y00000000000000000A.md: a finished task is at \
             Done/<year>/<month>/<file>",
        ),
        (
            "Plans/run.sh",
            Change::Create,
            "cloud agent cloud may not create Plans/run.sh: it is not a note or attachment in a \
             folder that is synced",
        ),
    ] {
        assert_eq!(judge(&[(text, change)]).unwrap_err(), [expected]);
    }
}

/// Every violation of a commit is reported.
#[test]
fn check_reports_every_violation() {
    let all = judge(&[
        ("Approved/draft_1.md", Change::Create),
        ("Plans/plan_1.md", Change::Create),
        ("Dashboard.md", Change::Modify),
    ]);
    assert_eq!(all.unwrap_err().len(), 2);
}

fn any_change() -> impl Strategy<Value = (VaultPath, Change)> {
    let top = prop::sample::select(vec![
        "Inbox",
        "Needs_Action/email",
        "Needs_Action/payments",
        "In_Progress/cloud",
        "In_Progress/local",
        "Plans",
        "Pending_Approval",
        "Approved",
        "Rejected",
        "Done/2026/11",
        "Updates/cloud",
        "Updates/local",
        "Notes",
    ]);
    let name = prop::sample::select(vec![TASK, OTHER, "a.md"]);
    (top, name, prop::sample::select(ALL.to_vec()))
        .prop_map(|(top, name, change)| (path(&format!("{top}/{name}")), change))
}

proptest! {
    /// No accepted commit of the cloud touches what is the owners.
    #[test]
    fn check_accepted_commits_leave_the_owners_paths(
        changes in prop::collection::vec(any_change(), 0..8),
    ) {
        if check(Role::Cloud, &cloud(), &changes).is_ok() {
            for (path, change) in &changes {
                let own = path.is_within("In_Progress/cloud");
                let claimed = path.is_within("Needs_Action/email");
                let owners = ["Inbox", "Approved", "Rejected", "Notes", "In_Progress/local", "Updates/local"];
                prop_assert!(owners.iter().all(|folder| !path.is_within(folder)));
                prop_assert!(own || *change != Change::Modify);
                prop_assert!(own || claimed || *change == Change::Create);
            }
            let count = |folder: &str, wanted: Change| changes.iter()
                .filter(|(path, change)| path.is_within(folder) && *change == wanted).count();
            // No task disappears from the waiting ones without arriving, none is finished unowned.
            let names = |folder: &str, wanted: Change| changes.iter()
                .filter(|(path, change)| path.is_within(folder) && *change == wanted)
                .map(|(path, _)| path.file_name().to_owned())
                .collect::<BTreeSet<_>>();
            prop_assert!(names("Needs_Action/email", Change::Delete).is_subset(&names("In_Progress/cloud", Change::Create)));
            prop_assert!(names("Done", Change::Create).is_subset(&names("In_Progress/cloud", Change::Delete)));
            prop_assert!(count("Done", Change::Create) <= count("In_Progress/cloud", Change::Delete));
        }
    }

    /// The order of the changes does not matter.
    #[test]
    fn check_order_of_changes_does_not_matter(
        changes in prop::collection::vec(any_change(), 0..6),
    ) {
        let mut turned = changes.clone();
        turned.reverse();
        prop_assert_eq!(
            check(Role::Cloud, &cloud(), &changes).is_ok(),
            check(Role::Cloud, &cloud(), &turned).is_ok()
        );
    }
}
