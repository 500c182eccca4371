//! The cloud half cut off from the remote, or killed, with a task in its hands: what it drafts
//! meanwhile reaches the owner once, or not at all, and nothing is lost.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use platinum_host_tests::hosts::daemon;
use platinum_testkit::{
    Child,
    git::Proxy,
    mail::{CLIENT, OWNER},
    wait_for,
};

use crate::gate::{
    MAIL,
    cluster::{Cluster, SOON},
};

const WAITING: &str = "Needs_Action/email";
const DRAFTS: &str = "Pending_Approval";

/// A stage whose cloud reaches the remote through a line that can be cut.
fn with_a_line() -> (Cluster, Proxy) {
    let cluster = Cluster::set();
    let line = Proxy::start(cluster.remote.port(), 1).unwrap();
    let through = cluster.remote.access_through(line.port()).address;
    cluster.change("cloud", &[(&cluster.remote.address(), &through)]);
    (cluster, line)
}

/// Works in email, and looks often.
fn working(cluster: &Cluster, role: &str) {
    cluster.change(
        role,
        &[("zones = []", "zones = [\"email\"]\nevery-seconds = 2")],
    );
}

/// The one note below a folder of a host's vault.
fn the_note(cluster: &Cluster, role: &str, folder: &str) -> PathBuf {
    let what = format!("a note in {folder} of {role}");
    let note = wait_for(&what, SOON, || {
        Ok(cluster.notes(role, folder).into_iter().next())
    });
    note.unwrap_or_else(|error| {
        let printed = fs::read_to_string(cluster.log(role)).unwrap_or_default();
        panic!("{error}; its log:\n{printed}")
    })
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// Every path that any commit of the remote ever changed below a folder.
fn ever_on_remote(cluster: &Cluster, folder: &str) -> Vec<String> {
    let log = ["log", "--name-only", "--format=", "main", "--", folder];
    let mut paths: Vec<String> = cluster
        .remote
        .git(&log)
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

/// What is drafted while the line is cut stays there and reaches the owner once it is whole.
#[test]
fn draft_made_offline_reaches_the_owner_when_online() {
    let (cluster, line) = with_a_line();
    let _local = cluster.local();
    let _cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    line.cut();
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let draft = the_note(&cluster, "cloud", DRAFTS);
    assert!(read(&draft).contains("epoch: 0\n"), "{}", read(&draft));
    // The claim is no more than a wish: the task waits where it was, and nothing has left.
    let task = stem(&the_note(&cluster, "cloud", WAITING));
    assert_eq!(ever_on_remote(&cluster, WAITING), <[String; 0]>::default());
    assert_eq!(ever_on_remote(&cluster, DRAFTS), <[String; 0]>::default());
    assert!(cluster.notes("local", DRAFTS).is_empty());

    line.heal();
    let arrived = the_note(&cluster, "local", DRAFTS);
    assert_eq!(arrived.file_name(), draft.file_name());
    assert!(read(&arrived).contains("epoch: 1\n"), "{}", read(&arrived));
    let of_the_cloud = format!("In_Progress/cloud/{task}.md");
    assert_eq!(cluster.on_remote("In_Progress"), [of_the_cloud]);
    // In a note, until that is on the dashboard.
    wait_for("the owner to be notified", SOON, || {
        let mut places = cluster.notes("local", "Updates");
        places.push(cluster.vault("local").join("Dashboard.md"));
        let mut texts = places
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok());
        Ok(texts
            .any(|text| text.contains("The claim of a task is confirmed"))
            .then_some(()))
    })
    .unwrap();

    // It is as good as any other: approved, it is sent, once.
    cluster.platinum(&["approve", &stem(&draft), "--with-gaps"]);
    wait_for("the task in Done/ on the remote", SOON, || {
        let done = cluster.on_remote("Done");
        Ok(done.iter().any(|path| path.contains(&task)).then_some(()))
    })
    .unwrap();
    assert_eq!(cluster.mail.mailbox(CLIENT).unwrap().len(), 1, "sent once");
    let name = draft.file_name().unwrap().to_str().unwrap();
    assert_eq!(
        ever_on_remote(&cluster, DRAFTS),
        [format!("{DRAFTS}/{name}")]
    );
}

/// What was drafted while the line was cut is kept aside if another was faster with the task.
#[test]
fn offline_draft_of_a_lost_claim_is_preserved() {
    let (cluster, line) = with_a_line();
    // The task is known to all before anybody works in its zone.
    cluster.change("cloud", &[("zones = [\"email\"]", "zones = []")]);
    let cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    wait_for("the task on the remote", SOON, || {
        Ok((cluster.on_remote(WAITING).len() == 1).then_some(()))
    })
    .unwrap();
    drop(cloud);
    let task = stem(&the_note(&cluster, "cloud", WAITING));

    line.cut();
    working(&cluster, "cloud");
    let _cloud = cluster.cloud();
    let in_vain = the_note(&cluster, "cloud", DRAFTS);
    let text = read(&in_vain);
    assert!(text.contains("epoch: 0\n"), "{text}");
    working(&cluster, "local");
    let _local = cluster.local();
    let draft = the_note(&cluster, "local", DRAFTS);
    assert!(read(&draft).contains("epoch: 1\n"), "{}", read(&draft));
    wait_for("its draft on the remote", SOON, || {
        Ok((cluster.on_remote(DRAFTS).len() == 1).then_some(()))
    })
    .unwrap();

    line.heal();
    wait_for("what was made in vain, beside the updates", SOON, || {
        let aside = format!("{task}.conflict-cloud-");
        let notes = cluster.notes("local", "Updates").into_iter();
        let mut kept = notes.filter(|path| stem(path).starts_with(&aside));
        // Every byte of it.
        Ok(kept.any(|path| read(&path) == text).then_some(()))
    })
    .unwrap();
    let alone = wait_for("the owner's draft alone in the cloud's vault", SOON, || {
        let drafts = cluster.notes("cloud", DRAFTS);
        let names: Vec<_> = drafts.iter().map(|path| path.file_name()).collect();
        Ok((names == [draft.file_name()]).then_some(()))
    });
    if let Err(error) = alone {
        let there = cluster.notes("cloud", "");
        panic!(
            "{error}: {there:?}; its log:\n{}",
            read(&cluster.log("cloud"))
        );
    }
    // At no time did the other one reach the remote as a draft.
    let name = draft.file_name().unwrap().to_str().unwrap();
    assert_eq!(
        ever_on_remote(&cluster, DRAFTS),
        [format!("{DRAFTS}/{name}")]
    );
    assert_eq!(cluster.notes("local", DRAFTS), [draft]);
    assert_eq!(
        cluster.on_remote("In_Progress"),
        [format!("In_Progress/local/{task}.md")]
    );
    assert!(cluster.mail.mailbox(CLIENT).unwrap().is_empty());
}

/// A cloud that is killed with a task in its hands is stood in for by the owners machine.
#[test]
fn lease_expiry_lets_local_take_over_a_killed_clouds_task() {
    let cluster = Cluster::set();
    // A model that takes the question and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}/v1", silent.local_addr().unwrap());
    let mut settings = read(&cluster.config("cloud"));
    settings.push_str(&format!(
        "\n[model]\nprovider = \"openai\"\nmodel = \"silent\"\nbase-url = {address:?}\n"
    ));
    fs::write(cluster.config("cloud"), settings).unwrap();
    let (cloud, id) = killable(&cluster);
    cluster.wait_for_line("cloud", "waiting for mail");
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let claimed = wait_for("the claim on the remote", SOON, || {
        Ok(cluster.on_remote("In_Progress").into_iter().next())
    })
    .unwrap();
    assert!(claimed.starts_with("In_Progress/cloud/"), "{claimed}");
    let killed = Command::new("kill").args(["-9", &id]).status().unwrap();
    assert!(killed.success());
    drop(cloud);

    working(&cluster, "local");
    cluster.change("local", &[("[sync]\n", "[sync]\nlease-seconds = 15\n")]);
    let _local = cluster.local();
    // It must have looked for a whole lease itself.
    let draft = wait_for("a draft by the owner's machine", SOON * 3, || {
        Ok(cluster.notes("local", DRAFTS).into_iter().next())
    });
    let draft = draft.unwrap_or_else(|error| panic!("{error}:\n{}", read(&cluster.log("local"))));
    let text = read(&draft);
    assert!(text.contains("by: \"local/"), "{text}");
    assert!(text.contains("epoch: 2\n"), "{text}");
    let task = claimed.trim_start_matches("In_Progress/cloud/");
    assert_eq!(
        cluster.on_remote("In_Progress"),
        [format!("In_Progress/local/{task}")]
    );
    drop(silent);
}

/// A cloud, and the number of its process.
fn killable(cluster: &Cluster) -> (Child, String) {
    let program = daemon("cloud");
    let file = cluster.folder().join("cloud.pid");
    let script = format!(
        "echo $$ >'{}' && exec '{}' run --config '{}'",
        file.display(),
        program.display(),
        cluster.config("cloud").display()
    );
    let cloud = Child::start("sh", ["-c", &script], &cluster.log("cloud"), None).unwrap();
    let id = wait_for("its number", SOON, || {
        let id = fs::read_to_string(&file).unwrap_or_default();
        Ok(id.ends_with('\n').then(|| id.trim().to_owned()))
    });
    (cloud, id.unwrap())
}
