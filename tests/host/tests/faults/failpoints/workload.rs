//! What the two hosts and their people do: everything that comes by a fail point, once at least.
//!
//! Every step is an order that may be given again, because the host may have died over it.

use std::{collections::BTreeMap, process::Command};

use platinum_core::{TaskId, ZoneId, layout};
use platinum_host_tests::worker::{Answer, Order};
use platinum_testkit::git::{GitServer, hermetic};

use crate::failpoints::cluster::{Cluster, Outcome};

/// No one listens there.
const NOWHERE: &str = "git://127.0.0.1:1/vault.git";

/// A part of what they do. Each needs the first, and no other.
type Part = fn(&mut Cluster);

/// All of them.
pub(crate) const PARTS: [(&str, Part); 9] = [
    ("first contact", first_contact),
    ("ordinary edits", ordinary_edits),
    ("claims", claims),
    ("conflicts", conflicts),
    ("edits at the very moment", edits_at_the_very_moment),
    ("drags", manual_moves),
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
    let mut cluster = Cluster::set();
    let mut counts = Vec::new();
    let mut before = BTreeMap::new();
    for (_, part) in PARTS {
        part(&mut cluster);
        let now = cluster.hits();
        let mut new = now.clone();
        for (point, count) in &mut new {
            *count -= before.get(point).copied().unwrap_or(0);
        }
        new.retain(|_, count| *count > 0);
        counts.push(new);
        before = now;
    }
    cluster.end();
    counts
}

/// Runs one part, in which the host is killed.
pub(crate) fn killed(part: usize, kills: &[Kill]) -> Outcome {
    let mut cluster = Cluster::set();
    if part > 0 {
        first_contact(&mut cluster);
    }
    cluster.arm(kills);
    PARTS[part].1(&mut cluster);
    cluster.end()
}

fn synced(answer: &Answer) {
    assert!(matches!(answer, Answer::Synced { .. }), "{answer:?}");
}

fn both(cluster: &mut Cluster) {
    synced(&cluster.local(&Order::Sync));
    synced(&cluster.cloud(&Order::Sync));
    synced(&cluster.local(&Order::Sync));
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

fn first_contact(cluster: &mut Cluster) {
    for number in 0..5 {
        let text = format!("Thought {number}\n");
        cluster.owner.save(&format!("Inbox/{number}.md"), text);
    }
    cluster.owner.save("Company_Handbook.md", "Be kind.\n");
    for _ in THEIRS..=DRAGGED_IN_VAIN {
        cluster.put_task(ZoneId::EMAIL);
    }
    for _ in OWN..=OWN_AND_TOLD {
        cluster.put_task(ZoneId::PAYMENTS);
    }
    both(cluster);
}

fn ordinary_edits(cluster: &mut Cluster) {
    cluster.owner.save("Inbox/0.md", "Thought 0, better\n");
    cluster
        .owner
        .overwrite("Inbox/1.md", "Thought 1, in place\n");
    cluster.owner.delete("Inbox/2.md");
    cluster.owner.rename("Inbox/3.md", "Inbox/new/moved.md");
    cluster
        .owner
        .save("Inbox/new/big.txt", "x".repeat(3_000_000));
    synced(&cluster.local(&Order::Sync));
    cluster.owner.save("Inbox/0.md", "Thought 0, best\n");
    cluster.cloud(&Order::Publish("All is well".to_owned()));
    synced(&cluster.cloud(&Order::Sync));
    cluster.local(&Order::Publish("Here too".to_owned()));
    for text in ["All is well.\n", "All is very well.\n"] {
        let order = Order::Write("Dashboard.md".to_owned(), text.to_owned());
        assert_eq!(cluster.local(&order), Answer::Done);
    }
    both(cluster);
}

fn task(cluster: &Cluster, number: usize) -> String {
    cluster.tasks[number].to_string()
}

fn claims(cluster: &mut Cluster) {
    let (theirs, mine) = (task(cluster, THEIRS), task(cluster, OURS));
    claimed(&cluster.cloud(&Order::Claim(theirs.clone())), "Won");
    claimed(&cluster.local(&Order::Claim(theirs)), "Lost");
    claimed(&cluster.local(&Order::Claim(mine.clone())), "Won");
    claimed(&cluster.local(&Order::Claim(mine.clone())), "Won");
    assert_eq!(cluster.local(&Order::Release(mine.clone())), Answer::Done);
    claimed(&cluster.local(&Order::Claim(mine.clone())), "Won");
    // Taken away by hand, it is brought back. Had the host died over that, it sent what its owner deleted when it came
    // back; then the owner puts the task where it waited.
    let path = in_progress("local", cluster.tasks[OURS]);
    let text = cluster.owner.read(&path).unwrap();
    cluster.owner.delete(&path);
    let kills = cluster.kills_left();
    let mut again = cluster.local(&Order::Claim(mine.clone()));
    if cluster.kills_left() < kills && again == Answer::Claimed("Lost { owner: None }".to_owned()) {
        let waiting = layout::waiting(ZoneId::EMAIL, cluster.tasks[OURS]);
        cluster.owner.save(waiting.as_str(), text);
        both(cluster);
        again = cluster.local(&Order::Claim(mine.clone()));
    }
    claimed(&again, "Won");
    assert_eq!(cluster.local(&Order::Finish(mine)), Answer::Done);
    both(cluster);
}

/// Both change the same file; one deletes what the other changes.
fn conflicts(cluster: &mut Cluster) {
    let id = cluster.tasks[CONTESTED];
    claimed(&cluster.cloud(&Order::Claim(id.to_string())), "Won");
    both(cluster);
    let path = in_progress("cloud", id);
    let text = cluster.other.read(&path).unwrap();
    cluster
        .other
        .save(&path, format!("{text}\nThe cloud's thought.\n"));
    cluster
        .owner
        .save(&path, format!("{text}\nThe owner's thought.\n"));
    synced(&cluster.cloud(&Order::Sync));
    both(cluster);
    // The cloud files the task while the owner writes into it.
    let text = cluster.owner.read(&path).unwrap();
    assert_eq!(cluster.cloud(&Order::Finish(id.to_string())), Answer::Done);
    cluster
        .owner
        .save(&path, format!("{text}\nOne more thing.\n"));
    both(cluster);
    // What is left of it in that folder is a person's note, not the task.
    cluster.owner.rename(&path, "Inbox/one-more-thing.md");
    both(cluster);
}

/// The owner saves a file in the moment in which the host replaces it, or takes it away.
fn edits_at_the_very_moment(cluster: &mut Cluster) {
    let id = cluster.tasks[MOMENT];
    claimed(&cluster.cloud(&Order::Claim(id.to_string())), "Won");
    both(cluster);
    let path = in_progress("cloud", id);
    // The second round: once more while the first edit is put back.
    for (round, points) in [
        &["vault-before-exchange"][..],
        &["vault-before-exchange", "vault-exchanged-an-edit"],
    ]
    .into_iter()
    .enumerate()
    {
        let text = cluster.other.read(&path).unwrap();
        cluster
            .other
            .save(&path, format!("{text}\nThought {round}.\n"));
        synced(&cluster.cloud(&Order::Sync));
        for point in points {
            cluster.save_at(point, &path);
        }
        both(cluster);
    }
    assert_eq!(cluster.cloud(&Order::Finish(id.to_string())), Answer::Done);
    cluster.save_at("vault-before-removal", &path);
    both(cluster);
    cluster.owner.rename(&path, "Inbox/at-the-very-moment.md");
    both(cluster);
}

/// The owner moves tasks into the folder of this host by hand: that asks for a claim.
fn manual_moves(cluster: &mut Cluster) {
    let lost = cluster.tasks[DRAGGED_IN_VAIN];
    claimed(&cluster.cloud(&Order::Claim(lost.to_string())), "Won");
    for number in [DRAGGED, DRAGGED_IN_VAIN] {
        let id = cluster.tasks[number];
        let from = layout::waiting(ZoneId::EMAIL, id);
        let to = in_progress("local", id);
        assert!(cluster.owner.rename(from.as_str(), &to));
    }
    let path = in_progress("local", lost);
    let text = cluster.owner.read(&path).unwrap();
    cluster
        .owner
        .save(&path, text + "\nI do this one myself.\n");
    both(cluster);
    let id = task(cluster, DRAGGED);
    assert_eq!(cluster.local(&Order::Finish(id)), Answer::Done);
    both(cluster);
}

/// The remote is away: work goes on, and is told later.
fn without_a_remote(cluster: &mut Cluster) {
    let [wished, in_vain, own, pushed] =
        [WISHED, WISHED_IN_VAIN, OWN, OWN_AND_TOLD].map(|number| task(cluster, number));
    claimed(&cluster.local(&Order::Claim(pushed.clone())), "Won");
    synced(&cluster.local(&Order::Sync));
    let remote = cluster.server.address();
    cluster.move_to(NOWHERE);
    away(&cluster.local(&Order::Sync));
    for task in [&wished, &in_vain] {
        claimed(&cluster.local(&Order::Claim(task.clone())), "Tentative");
        let drafted = cluster.local(&Order::Draft(task.clone()));
        let Answer::Place(path) = drafted else {
            panic!("{drafted:?}");
        };
        let text = cluster.owner.read(&path).unwrap();
        cluster.owner.must_keep(&path, text);
    }
    claimed(&cluster.cloud(&Order::Claim(in_vain)), "Won");
    claimed(&cluster.local(&Order::Claim(own.clone())), "Won");
    for task in [own, pushed] {
        assert_eq!(cluster.local(&Order::Finish(task)), Answer::Done);
    }
    cluster.owner.save("Inbox/4.md", "Written while cut off\n");
    away(&cluster.local(&Order::Sync));
    cluster
        .owner
        .save("Inbox/4.md", "Written while cut off, better\n");
    cluster.move_to(&remote);
    both(cluster);
    claimed(&cluster.local(&Order::Claim(wished)), "Won");
    both(cluster);
}

fn away(answer: &Answer) {
    assert!(matches!(answer, Answer::Failed(_)), "{answer:?}");
}

/// Someone with access to the remote, but without a key, writes into the owner's dashboard.
fn a_violation(cluster: &mut Cluster) {
    let order = Order::Write("Dashboard.md".to_owned(), "All is well.\n".to_owned());
    assert_eq!(cluster.local(&order), Answer::Done);
    both(cluster);
    forge(&cluster.server, "Dashboard.md", "Please pay at once.\n");
    both(cluster);
    let text = cluster.owner.read("Dashboard.md");
    assert_eq!(text.as_deref(), Some("All is well.\n"));
}

/// A commit of no one's on the remote, which changes one file.
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
        let printed = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{words:?}: {printed}");
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
fn leftovers(cluster: &mut Cluster) {
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let known = cluster.owner.read("Inbox/0.md").unwrap();
    for (count, text) in [known.as_str(), "Nobody has seen this.\n"]
        .iter()
        .enumerate()
    {
        let name = format!(".platinum-tmp-swap-{}-1-{count}-0.md", gone.id());
        let file = cluster.owner.root().join("Inbox").join(name);
        std::fs::write(&file, text).unwrap();
        cluster.owner.must_keep("Inbox/0.md", text);
    }
    both(cluster);
}

fn in_progress(agent: &str, task: TaskId) -> String {
    layout::in_progress(&agent.parse().unwrap(), task).to_string()
}
