//! A skill that is no part of the repository: `cargo xtask skills` builds `tests/outside` as somebody
//! with the sdk alone does; here it is installed as a folder, and two lines of configuration let it work.

use std::{fs, path::Path, time::Duration};

use platinum_testkit::add_skills_of;

use crate::crashes::cluster::Cluster;

const SOON: Duration = Duration::from_secs(60);
/// What the owner drops: by its folder and by its frontmatter of the zone `notes`.
const FILES: [(&str, &str); 2] = [
    (
        "Needs_Action/notes/garden.md",
        "Garden:\n* Water the roses\n* Mow the lawn\n",
    ),
    ("Inbox/trip.md", "---\nzone: notes\n---\n* Book the train\n"),
];
const STEPS: [&str; 3] = ["Book the train", "Mow the lawn", "Water the roses"];

#[test]
fn outside_skill_plans_and_finishes_dropped_notes() {
    let mut cluster = Cluster::set();
    let folder = cluster.vault("local").join("../..");
    let added = folder.join("added");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/skills");
    let outside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../outside/note-taker");
    put(
        &added.join("note-taker"),
        &fs::read(outside.join("SKILL.md")).unwrap(),
        &built.join("outside/note-taker.wasm"),
    );
    // An observer of the source, which says in the log that it was run.
    put(
        &added.join("observer"),
        b"---\nname: observer\ndescription: x\nmetadata:\n  platinum.on: source:folder\n---\nx\n",
        &built.join("guests/answers-failed.wasm"),
    );
    add_skills_of(&added, &folder.join("local.toml")).unwrap();
    let config = folder.join("local.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "\n[zones.notes]\n").unwrap();

    cluster.start("local");
    cluster.wait_for_line("local", "waiting for dropped files");
    for (path, text) in FILES {
        let path = cluster.vault("local").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let outcome = cluster.wait("both notes to be finished", SOON, |cluster| {
        cluster.done() == FILES.len()
    });
    assert!(outcome.is_ok(), "{outcome:?}\n{}", cluster.picture());

    let plans = fs::read_dir(cluster.vault("local").join("Plans")).unwrap();
    let texts: Vec<String> = plans
        .map(|plan| fs::read_to_string(plan.unwrap().path()).unwrap())
        .collect();
    assert_eq!(texts.len(), FILES.len(), "{texts:?}");
    let mut steps: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.strip_prefix("- [ ] "))
        .collect();
    steps.sort_unstable();
    assert_eq!(steps, STEPS);
    for text in &texts {
        assert!(text.contains("by: \"local/note-taker\"") || text.contains("by: local/note-taker"));
    }
    assert!(cluster.drafts().is_empty(), "{}", cluster.picture());
    cluster.wait_for_line("local", "skill observer failed");
}

fn put(folder: &Path, manifest: &[u8], component: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("SKILL.md"), manifest).unwrap();
    let copied = fs::copy(component, folder.join("skill.wasm"));
    copied.unwrap_or_else(|error| {
        panic!(
            "run `cargo xtask skills` first: {}: {error}",
            component.display()
        )
    });
}
