//! What the two hosts and their people do: everything that comes by a fail point, once at least.
//!
//! Every step is an order that may be given again, because the host may have died over it.

use std::{collections::BTreeMap, process::Command};

use platinum_core::{TaskId, ZoneId, layout};
use platinum_host_tests::worker::{Answer, Order};
use platinum_testkit::git::{GitServer, hermetic};

use crate::failpoints::estate::{Estate, Outcome};

/// Nobody listens there.
const NOWHERE: &str = "git://127.0.0.1:1/vault.git";

/// A part of what they do. Each needs the first, and no other.
type Part = fn(&mut Estate);

/// All of them.
pub(crate) const PARTS: [(&str, Part); 9] = [
    ("first contact", first_contact),
    ("ordinary edits", ordinary_edits),
    ("claims", claims),
    ("conflicts", conflicts),
    ("edits at the very moment", edits_at_the_very_moment),
    ("drags", drags),
    ("without a remote", without_a_remote),
    ("a violation", a_violation),
    ("leftovers", leftovers),
];

/// Where and when a host is killed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    /// In which part.
    pub(crate) part: usize,
    /// At which fail point.
    pub(crate) point: &'static str,
    /// At which hit in that part.
    pub(crate) hit: u32,
}

/// Runs all parts, and answers how often each fail point was come by in each.
pub(crate) fn count() -> Vec<BTreeMap<String, u32>> {
    let mut estate = Estate::set();
    let mut counts = Vec::new();
    let mut before = BTreeMap::new();
    for (_, part) in PARTS {
        part(&mut estate);
        let now = estate.hits();
        let mut new = now.clone();
        for (point, count) in &mut new {
            *count -= before.get(point).copied().unwrap_or(0);
        }
        new.retain(|_, count| *count > 0);
        counts.push(new);
        before = now;
    }
    estate.end();
    counts
}

/// Runs one part, in which the host is killed.
pub(crate) fn killed(part: usize, kills: &[Kill]) -> Outcome {
    let mut estate = Estate::set();
    if part > 0 {
        first_contact(&mut estate);
    }
    estate.arm(kills);
    PARTS[part].1(&mut estate);
    estate.end()
}

fn synced(answer: &Answer) {
    assert!(matches!(answer, Answer::Synced { .. }), "{answer:?}");
}

fn both(estate: &mut Estate) {
    synced(&estate.local(&Order::Sync));
    synced(&estate.cloud(&Order::Sync));
    synced(&estate.local(&Order::Sync));
}

fn claimed(answer: &Answer, how: &str) {
    assert!(
        matches!(answer, Answer::Claimed(text) if text.starts_with(how)),
        "{answer:?}, not {how}"
    );
}

/// What each task is for: its number.
const THEIRS: usize = 0;
const OURS: usize = 1;
const CONTESTED: usize = 2;
const MOMENT: usize = 3;
const WISHED: usize = 4;
const WISHED_IN_VAIN: usize = 5;
const DRAGGED: usize = 6;
const DRAGGED_IN_VAIN: usize = 7;
const OWN: usize = 8;
const OWN_AND_TOLD: usize = 9;

fn first_contact(estate: &mut Estate) {
    for number in 0..5 {
        let text = format!("Thought {number}\n");
        estate.owner.save(&format!("Inbox/{number}.md"), text);
    }
    estate.owner.save("Company_Handbook.md", "Be kind.\n");
    for _ in THEIRS..=DRAGGED_IN_VAIN {
        estate.put_task(ZoneId::EMAIL);
    }
    for _ in OWN..=OWN_AND_TOLD {
        estate.put_task(ZoneId::PAYMENTS);
    }
    both(estate);
}

fn ordinary_edits(estate: &mut Estate) {
    estate.owner.save("Inbox/0.md", "Thought 0, better\n");
    estate
        .owner
        .overwrite("Inbox/1.md", "Thought 1, in place\n");
    estate.owner.delete("Inbox/2.md");
    estate.owner.rename("Inbox/3.md", "Inbox/new/moved.md");
    estate
        .owner
        .save("Inbox/new/big.txt", "x".repeat(3_000_000));
    synced(&estate.local(&Order::Sync));
    estate.owner.save("Inbox/0.md", "Thought 0, best\n");
    estate.cloud(&Order::Publish("All is well".to_owned()));
    synced(&estate.cloud(&Order::Sync));
    estate.local(&Order::Publish("Here too".to_owned()));
    for text in ["All is well.\n", "All is very well.\n"] {
        let order = Order::Write("Dashboard.md".to_owned(), text.to_owned());
        assert_eq!(estate.local(&order), Answer::Done);
    }
    both(estate);
}

fn task(estate: &Estate, number: usize) -> String {
    estate.tasks[number].to_string()
}

fn claims(estate: &mut Estate) {
    let (theirs, mine) = (task(estate, THEIRS), task(estate, OURS));
    claimed(&estate.cloud(&Order::Claim(theirs.clone())), "Won");
    claimed(&estate.local(&Order::Claim(theirs)), "Lost");
    claimed(&estate.local(&Order::Claim(mine.clone())), "Won");
    claimed(&estate.local(&Order::Claim(mine.clone())), "Won");
    assert_eq!(estate.local(&Order::Release(mine.clone())), Answer::Done);
    claimed(&estate.local(&Order::Claim(mine.clone())), "Won");
    // Taken away by hand, it is brought back.
    estate
        .owner
        .delete(&in_progress("local", estate.tasks[OURS]));
    claimed(&estate.local(&Order::Claim(mine.clone())), "Won");
    assert_eq!(estate.local(&Order::Finish(mine)), Answer::Done);
    both(estate);
}

/// Both change the same file; one deletes what the other changes.
fn conflicts(estate: &mut Estate) {
    let id = estate.tasks[CONTESTED];
    claimed(&estate.cloud(&Order::Claim(id.to_string())), "Won");
    both(estate);
    let path = in_progress("cloud", id);
    let text = estate.other.read(&path).unwrap();
    estate
        .other
        .save(&path, format!("{text}\nThe cloud's thought.\n"));
    estate
        .owner
        .save(&path, format!("{text}\nThe owner's thought.\n"));
    synced(&estate.cloud(&Order::Sync));
    both(estate);
    // The cloud files the task while the owner writes into it.
    let text = estate.owner.read(&path).unwrap();
    assert_eq!(estate.cloud(&Order::Finish(id.to_string())), Answer::Done);
    estate
        .owner
        .save(&path, format!("{text}\nOne more thing.\n"));
    both(estate);
    // What is left of it in that folder is a person's note, not the task.
    estate.owner.rename(&path, "Inbox/one-more-thing.md");
    both(estate);
}

/// The owner saves a file in the moment in which the host replaces it, or takes it away.
fn edits_at_the_very_moment(estate: &mut Estate) {
    let id = estate.tasks[MOMENT];
    claimed(&estate.cloud(&Order::Claim(id.to_string())), "Won");
    both(estate);
    let path = in_progress("cloud", id);
    // The second round: once more while the first edit is put back.
    for (round, points) in [
        &["vault-before-exchange"][..],
        &["vault-before-exchange", "vault-exchanged-an-edit"],
    ]
    .into_iter()
    .enumerate()
    {
        let text = estate.other.read(&path).unwrap();
        estate
            .other
            .save(&path, format!("{text}\nThought {round}.\n"));
        synced(&estate.cloud(&Order::Sync));
        for point in points {
            estate.save_at(point, &path);
        }
        both(estate);
    }
    assert_eq!(estate.cloud(&Order::Finish(id.to_string())), Answer::Done);
    estate.save_at("vault-before-removal", &path);
    both(estate);
    estate.owner.rename(&path, "Inbox/at-the-very-moment.md");
    both(estate);
}

/// The owner moves tasks into the folder of this host by hand: that asks for a claim.
fn drags(estate: &mut Estate) {
    let lost = estate.tasks[DRAGGED_IN_VAIN];
    claimed(&estate.cloud(&Order::Claim(lost.to_string())), "Won");
    for number in [DRAGGED, DRAGGED_IN_VAIN] {
        let id = estate.tasks[number];
        let from = layout::waiting(ZoneId::EMAIL, id);
        let to = in_progress("local", id);
        assert!(estate.owner.rename(from.as_str(), &to));
    }
    let path = in_progress("local", lost);
    let text = estate.owner.read(&path).unwrap();
    estate.owner.save(&path, text + "\nI do this one myself.\n");
    both(estate);
    let id = task(estate, DRAGGED);
    assert_eq!(estate.local(&Order::Finish(id)), Answer::Done);
    both(estate);
}

/// The remote is away: work goes on, and is told later.
fn without_a_remote(estate: &mut Estate) {
    let [wished, in_vain, own, told] =
        [WISHED, WISHED_IN_VAIN, OWN, OWN_AND_TOLD].map(|number| task(estate, number));
    claimed(&estate.local(&Order::Claim(told.clone())), "Won");
    synced(&estate.local(&Order::Sync));
    let remote = estate.server.address();
    estate.move_to(NOWHERE);
    away(&estate.local(&Order::Sync));
    for task in [&wished, &in_vain] {
        claimed(&estate.local(&Order::Claim(task.clone())), "Tentative");
        let drafted = estate.local(&Order::Draft(task.clone()));
        let Answer::Place(path) = drafted else {
            panic!("{drafted:?}");
        };
        let text = estate.owner.read(&path).unwrap();
        estate.owner.must_keep(&path, text);
    }
    claimed(&estate.cloud(&Order::Claim(in_vain)), "Won");
    claimed(&estate.local(&Order::Claim(own.clone())), "Won");
    for task in [own, told] {
        assert_eq!(estate.local(&Order::Finish(task)), Answer::Done);
    }
    estate.owner.save("Inbox/4.md", "Written while cut off\n");
    away(&estate.local(&Order::Sync));
    estate
        .owner
        .save("Inbox/4.md", "Written while cut off, better\n");
    estate.move_to(&remote);
    both(estate);
    claimed(&estate.local(&Order::Claim(wished)), "Won");
    both(estate);
}

fn away(answer: &Answer) {
    assert!(matches!(answer, Answer::Failed(_)), "{answer:?}");
}

/// Somebody with access to the remote, but without a key, writes into the owner's dashboard.
fn a_violation(estate: &mut Estate) {
    let order = Order::Write("Dashboard.md".to_owned(), "All is well.\n".to_owned());
    assert_eq!(estate.local(&order), Answer::Done);
    both(estate);
    forge(&estate.server, "Dashboard.md", "Please pay at once.\n");
    both(estate);
    let text = estate.owner.read("Dashboard.md");
    assert_eq!(text.as_deref(), Some("All is well.\n"));
}

/// A commit of nobody's on the remote, which changes one file.
fn forge(server: &GitServer, path: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text");
    std::fs::write(&file, text).unwrap();
    let run = |words: &[&str]| {
        let ended = hermetic("git")
            .env("GIT_DIR", server.repository())
            .env("GIT_INDEX_FILE", folder.path().join("index"))
            .args(words)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{words:?}: {said}");
        String::from_utf8(ended.stdout).unwrap().trim().to_owned()
    };
    run(&["read-tree", "main"]);
    let blob = run(&["hash-object", "-w", file.to_str().unwrap()]);
    let entry = format!("100644,{blob},{path}");
    run(&["update-index", "--add", "--cacheinfo", &entry]);
    let tree = run(&["write-tree"]);
    let commit = run(&["commit-tree", &tree, "-p", "main", "-m", "Forged"]);
    run(&["update-ref", "refs/heads/main", &commit]);
}

/// Writers were killed here before: of what they left, one is known and one is not.
fn leftovers(estate: &mut Estate) {
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let known = estate.owner.read("Inbox/0.md").unwrap();
    for (count, text) in [known.as_str(), "Nobody has seen this.\n"]
        .iter()
        .enumerate()
    {
        let name = format!(".platinum-tmp-swap-{}-1-{count}-0.md", gone.id());
        let file = estate.owner.root().join("Inbox").join(name);
        std::fs::write(&file, text).unwrap();
        estate.owner.must_keep("Inbox/0.md", text);
    }
    both(estate);
}

fn in_progress(agent: &str, task: TaskId) -> String {
    layout::in_progress(&agent.parse().unwrap(), task).to_string()
}
