//! The ways that take several steps: what is on the remote already, what two sides do, what a task
//! carries, and what the owner hears of it.

use std::time::Duration;

use platinum_core::{TaskId, Timestamp, ZoneId, layout};
use platinum_protocol::Claimed;
use platinum_secrets::Scanner;
use platinum_sync::Finish;
use platinum_testkit::git::GitServer;
use platinum_vault::note::TaskNote;
use platinum_verify::gate::allow_place;

use crate::leaks::{
    fixture::{HELD, Host, host, objects, owner},
    values,
};

fn token(seed: u64) -> String {
    format!("ghp_{}", values::key_letters(36, 5000 + seed))
}

/// The notes to the owner in a vault.
fn messages(host: &Host) -> Vec<String> {
    let folders = ["Updates/local", "Updates/cloud"];
    folders
        .iter()
        .flat_map(|folder| host.vault.list(folder).unwrap())
        .map(|entry| host.read(entry.path.as_str()).unwrap())
        .collect()
}

/// A note that gains a secret keeps its older version there and goes out once it is clean.
#[tokio::test(flavor = "multi_thread")]
async fn note_that_gains_a_secret_is_withheld_until_it_is_clean() {
    let server = GitServer::start().unwrap();
    let (owner, _) = owner(&server);
    owner.write("Inbox/note.md", "first\n");
    owner.sync_until_quiet().await;
    let secret = token(1);
    owner.write("Inbox/note.md", &format!("first\nsecond\n{secret}\n"));
    owner.write("Inbox/other.md", "goes on\n");
    let report = owner.sync_until_quiet().await;
    let held: Vec<_> = report
        .withheld
        .iter()
        .map(|held| format!("{}: {}", held.path, held.reason))
        .collect();
    assert_eq!(
        held,
        [
            "Inbox/note.md: line 3 holds an access token (GitHub); take it out, and the file is synced by itself (if it is no secret: platinum allow Inbox/note.md:3)"
        ]
    );
    assert_eq!(
        server.git(&["show", "main:Inbox/note.md"]).unwrap(),
        "first"
    );
    assert_eq!(
        server.git(&["show", "main:Inbox/other.md"]).unwrap(),
        "goes on"
    );
    assert!(owner.read("Inbox/note.md").unwrap().contains(&secret));

    owner.write("Inbox/note.md", "first\nsecond\n");
    let report = owner.sync_until_quiet().await;
    assert_eq!(report.withheld, []);
    assert_eq!(
        server.git(&["show", "main:Inbox/note.md"]).unwrap(),
        "first\nsecond"
    );
    assert!(!objects(&server).has(secret.as_bytes()));
    let messages = messages(&owner);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("Inbox/note.md stays on this machine alone"),
        "{messages:?}"
    );
    assert!(!messages[0].contains(&secret[4..]));
}

/// A line that the owner allows goes out with the next sync of the same daemon, and nothing else does.
#[tokio::test(flavor = "multi_thread")]
async fn allowed_line_goes_out_at_once_and_is_held_when_it_changes() {
    let server = GitServer::start().unwrap();
    let (owner, _) = owner(&server);
    let note = |secret: &str| format!("first\n{secret}\n");
    owner.write("Inbox/note.md", &note(&token(2)));
    owner.write("Inbox/other.md", &note(&token(4)));
    let report = owner.sync_until_quiet().await;
    assert_eq!(report.withheld.len(), 2, "{:?}", report.withheld);

    let scanner = Scanner::default();
    let found = scanner.findings("Inbox/note.md", note(&token(2)).as_bytes());
    let place = found[0].1.unwrap();
    let git_dir = owner.outside().join("state/vault.git");
    allow_place(&git_dir, &place, "Inbox/note.md:2").unwrap();
    let report = owner.sync_until_quiet().await;
    let held: Vec<_> = report
        .withheld
        .iter()
        .map(|held| held.path.as_str())
        .collect();
    assert_eq!(held, ["Inbox/other.md"]);
    assert_eq!(
        server.git(&["show", "main:Inbox/note.md"]).unwrap(),
        note(&token(2)).trim_end()
    );

    owner.write("Inbox/note.md", &note(&token(3)));
    let report = owner.sync_until_quiet().await;
    assert_eq!(report.withheld.len(), 2, "{:?}", report.withheld);
    assert!(!objects(&server).has(token(3).as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_came_and_went_is_in_no_history_there() {
    let server = GitServer::start().unwrap();
    let (owner, _) = owner(&server);
    for n in 0..10 {
        let secret = token(100 + n);
        owner.write("Inbox/note.md", &format!("round {n}\n{secret}\n"));
        owner.sync.sync().await.unwrap();
        owner.write(&format!("Inbox/moved-{n}.md"), &format!("{secret}\n"));
        owner.sync.sync().await.unwrap();
        std::fs::remove_file(owner.root().join(format!("Inbox/moved-{n}.md"))).unwrap();
        owner.write("Inbox/note.md", &format!("round {n}\n"));
        owner.sync_until_quiet().await;
    }
    let remote = objects(&server);
    for n in 0..10 {
        assert!(!remote.has(token(100 + n).as_bytes()), "round {n}");
    }
    assert_eq!(
        server.git(&["show", "main:Inbox/note.md"]).unwrap(),
        "round 9"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_does_not_carry_a_secret_out() {
    let server = GitServer::start().unwrap();
    let ((owner, _), (cloud, _)) = (owner(&server), host(&server, "cloud"));
    owner.write("In_Progress/cloud/note.md", "first\n");
    owner.sync_until_quiet().await;
    cloud.sync_until_quiet().await;
    let (ours, theirs) = (token(200), token(201));
    owner.write(
        "In_Progress/cloud/note.md",
        &format!("the owner's {ours}\n"),
    );
    cloud.write("In_Progress/cloud/note.md", "the cloud's\n");
    cloud.sync_until_quiet().await;
    owner.sync_until_quiet().await;
    cloud.write(
        "In_Progress/cloud/note.md",
        &format!("again the cloud's {theirs}\n"),
    );
    owner.sync_until_quiet().await;
    cloud.sync_until_quiet().await;
    owner.sync_until_quiet().await;
    // Nothing was lost here, and nothing got there.
    let everywhere: String = owner
        .vault
        .walk()
        .unwrap()
        .iter()
        .filter_map(|entry| owner.read(entry.path.as_str()))
        .collect();
    assert!(everywhere.contains(&ours), "{everywhere}");
    let remote = objects(&server);
    assert!(!remote.has(ours.as_bytes()) && !remote.has(theirs.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_gives_nothing_away_by_its_move_or_its_end() {
    let server = GitServer::start().unwrap();
    let (owner, _) = owner(&server);
    let ids: Vec<TaskId> = (0..4)
        .map(|n| put_task(&owner, n, "A question.\n"))
        .collect();
    owner.sync_until_quiet().await;
    for id in &ids {
        let claimed = owner.sync.claim(*id).await.unwrap();
        assert_eq!(claimed, Claimed::Won { epoch: 1 });
    }
    let secrets: Vec<String> = (0..3).map(|n| token(300 + n)).collect();
    let summary = format!("sent with {}", secrets[0]);
    let error = owner
        .sync
        .finish(ids[0], Finish::done(&summary, Vec::new()))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(text.contains("holds an access token (GitHub)"), "{text}");
    assert!(!text.contains(&secrets[0]));
    let error = owner
        .sync
        .release(ids[1], &format!("see {}", secrets[1]))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("holds an access token (GitHub)"),
        "{error}"
    );
    // An edit of an own task.
    let path = layout::in_progress(&owner.agent, ids[2]);
    let note = owner.read(path.as_str()).unwrap();
    owner.write(path.as_str(), &format!("{note}\n{}\n", secrets[2]));
    owner.sync_until_quiet().await;
    // Without one they end as ever.
    owner
        .sync
        .finish(ids[3], Finish::done("all is well", Vec::new()))
        .await
        .unwrap();
    let remote = objects(&server);
    for secret in &secrets {
        assert!(!remote.has(secret.as_bytes()));
    }
}

fn put_task(host: &Host, n: u64, body: &str) -> TaskId {
    let task = TaskNote {
        id: TaskId::from_parts(1_795_000_000_000 + n, u128::from(n)),
        zone: ZoneId::EMAIL,
        source: "maildir:owner".to_owned(),
        from: "Someone <someone@example.test>".to_owned(),
        subject: format!("Question {n}"),
        received: None,
        created: Timestamp::from_second(1_795_000_000).unwrap(),
        by: "intake".to_owned(),
        facts: Vec::new(),
        claim: None,
        body: body.to_owned(),
    };
    let path = layout::waiting(ZoneId::EMAIL, task.id);
    host.vault.create(&path, task.render().as_bytes()).unwrap();
    task.id
}

/// The owner hears once of what the cloud holds back and not what it is.
#[tokio::test(flavor = "multi_thread")]
async fn owner_is_notified_once_of_withheld_files_without_content() {
    let server = GitServer::start().unwrap();
    let ((owner, _), (cloud, _)) = (owner(&server), host(&server, "cloud"));
    cloud.write("Updates/cloud/x.md", &format!("The key is {}\n", HELD[1]));
    cloud.write(&format!("Updates/cloud/{}.md", HELD[0]), "A name.\n");
    cloud.sync_until_quiet().await;
    cloud.sync_until_quiet().await;
    owner.sync_until_quiet().await;
    let messages = messages(&owner);
    assert_eq!(messages.len(), 2, "{messages:?}");
    let all = messages.join("\n");
    assert!(
        all.contains("Updates/cloud/x.md stays on the cloud's machine alone"),
        "{all}"
    );
    assert!(
        all.contains("a file in Updates/cloud stays on the cloud's machine alone"),
        "{all}"
    );
    let remote = objects(&server);
    for secret in HELD {
        assert!(
            !all.contains(secret) && !remote.has(secret.as_bytes()),
            "{secret}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_machine_learns_later_is_held_from_then_on() {
    let server = GitServer::start().unwrap();
    let (owner, scanner) = owner(&server);
    let mut known = crate::leaks::fixture::known();
    assert!(known.add(b"a new password of words"));
    scanner.know(known);
    owner.write("Inbox/a.md", "It is: a new password of words.\n");
    let report = owner.sync_until_quiet().await;
    assert_eq!(report.withheld.len(), 1, "{report:?}");
    // It is no password any more: the file goes by itself.
    scanner.know(crate::leaks::fixture::known());
    owner.sync_until_quiet().await;
    assert_eq!(
        server.git(&["show", "main:Inbox/a.md"]).unwrap(),
        "It is: a new password of words."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_secrets_does_not_keep_the_rest_waiting() {
    let server = GitServer::start().unwrap();
    let (owner, _) = owner(&server);
    for n in 0..200 {
        owner.write(&format!("Inbox/s{n}.md"), &token(1000 + n));
        owner.write(&format!("Inbox/n{n}.md"), "fine\n");
    }
    let began = std::time::Instant::now();
    let report = owner.sync_until_quiet().await;
    assert_eq!(report.withheld.len(), 200);
    assert!(began.elapsed() < Duration::from_secs(60));
    let there = server
        .git(&["ls-tree", "-r", "--name-only", "main", "Inbox"])
        .unwrap();
    assert_eq!(there.lines().count(), 200);
    // One note tells of them all.
    let messages = messages(&owner);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("200 files stay on this machine alone"),
        "{messages:?}"
    );
}
