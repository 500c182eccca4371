//! Both daemons run, and a person drops files: each is claimed by one of them, soon, and ends in a
//! draft or a question to the owner.
//!
//! Lives elsewhere: many files and many agents are in `sync::dropped`, what becomes of one file in
//! the tests of `intake`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::{Duration, Instant},
};

use crate::crashes::cluster::Cluster;

const SOON: Duration = Duration::from_secs(60);

/// A plain note that names somebody, one with frontmatter, a PDF, an odd name, and a note with an address.
const FILES: [(&str, &[u8]); 5] = [
    ("Inbox/Call Bob.md", b"Ask Bob for the keys.\n"),
    (
        "Needs_Action/front.md",
        b"---\ntitle: Rent of May\nzone: email\n---\nAsk whether it came.\n",
    ),
    ("Needs_Action/email/scan.pdf", b"%PDF-1.7\n\0\xff"),
    ("Inbox/why: really?.md", b"Who knows.\n"),
    (
        "Inbox/to Clara.md",
        b"---\nto: Clara <clara@example.test>\n---\nAsk Clara for tea.\n",
    ),
];
/// Those that end in a question.
const QUESTIONS: usize = 4;
/// Those that end in a draft: to Clara.
const DRAFTS: usize = 1;
/// As the dashboard shows them: Markdown is escaped.
const SUBJECTS: [&str; 4] = ["Call Bob", "Rent of May", "scan", r"why\_ really\_"];

#[test]
fn dropped_files_end_in_a_question_or_a_draft() {
    let mut cluster = Cluster::set();
    let config = cluster.vault("local").join("../../local.toml");
    let text = fs::read_to_string(&config).unwrap();
    // Both claim.
    fs::write(&config, text.replace("zones = []", "zones = [\"email\"]")).unwrap();
    for role in ["cloud", "local"] {
        cluster.start(role);
        cluster.wait_for_line(role, "waiting for dropped files");
    }
    let dropped = Instant::now();
    for (path, bytes) in FILES {
        let path = cluster.vault("local").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut last_claim = None;
    let mut watch = |cluster: &Cluster| {
        for path in cluster.paths() {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if !name.starts_with("task_") || folder.starts_with("Needs_Action") {
                continue;
            }
            let owners = owners.entry(name.to_owned()).or_default();
            if let Some(owner) = folder.strip_prefix("In_Progress/") {
                owners.insert(owner.to_owned());
            }
        }
        if owners.len() == FILES.len() && last_claim.is_none() {
            last_claim = Some(dropped.elapsed());
        }
        cluster.done() == QUESTIONS && cluster.drafts().len() == DRAFTS
    };
    let outcome = cluster.wait("every file to be dealt with", SOON, |cluster| {
        watch(cluster)
    });
    assert!(outcome.is_ok(), "{outcome:?}\n{}", cluster.picture());
    let last_claim = last_claim.unwrap();
    println!(
        "FIGURE: the last of {} dropped files was claimed after {:.1} s",
        FILES.len(),
        last_claim.as_secs_f32()
    );
    assert!(
        owners.values().all(|owners| owners.len() <= 1),
        "{owners:?}"
    );

    let outcome = cluster.wait("the draft in the owner's vault", SOON, |cluster| {
        let paths = cluster.paths().into_iter();
        let drafts = paths.filter(|path| path.contains("/draft_"));
        let read = |path| fs::read_to_string(cluster.vault("local").join(path)).unwrap_or_default();
        let drafts: Vec<String> = drafts.map(read).collect();
        drafts
            .iter()
            .any(|draft| draft.contains("clara@example.test"))
    });
    assert!(outcome.is_ok(), "{outcome:?}\n{}", cluster.picture());

    let dashboard = cluster.vault("local").join("Dashboard.md");
    let outcome = cluster.wait("the questions on the dashboard", SOON, |_| {
        let text = fs::read_to_string(&dashboard).unwrap_or_default();
        text.matches("Who should this go to?").count() >= QUESTIONS
            && SUBJECTS.iter().all(|subject| text.contains(subject))
    });
    let shown = fs::read_to_string(&dashboard);
    assert!(outcome.is_ok(), "{shown:?}\n{}", cluster.picture());
}
