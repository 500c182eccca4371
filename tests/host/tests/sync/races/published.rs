//! Secrets that the remote holds already: they stop no sync, no claim and no approval, the owner
//! hears of each once, and none that is new goes out beside them.

use std::{collections::BTreeSet, time::Duration};

use platinum_core::{TaskId, ZoneId, layout};
use platinum_protocol::Claimed;
use platinum_sync::Finish;
use platinum_testkit::{
    git::GitServer,
    notes::{as_note, draft_path, text_of},
};

use crate::races::{
    intruders::{cloud_does, cluster, messages},
    replica::{Replica, remote_files, side_knowing, task},
};

/// The number of a bank account, as a task or a draft has it.
const ACCOUNT: &str = "Please pay to DE89 3704 0044 0532 0130 00 by Friday.\n";
/// What nothing may give away.
const TOKEN: &str = "ghp_Zx8Kq2LmN4pRs6TuV0wYaBcDeFgHiJ1k3M5n";

fn on_remote(server: &GitServer, path: &str) -> Option<String> {
    let shown = server.git(&["show", &format!("main:{path}")]).ok();
    shown.map(|text| text_of(&(text + "\n")).to_owned())
}

/// Whether any object of the remote's history has this.
fn anywhere(server: &GitServer, text: &str) -> bool {
    let found = server.git(&["log", "--oneline", "-S", text, "main"]);
    !found.unwrap().is_empty()
}

fn violations(owner: &Replica) -> Vec<String> {
    let messages = messages(owner).into_iter();
    messages
        .filter(|messages| messages.contains("looks like a secret"))
        .collect()
}

fn sentence(path: &str, line: u32) -> String {
    format!(
        "The remote has what looks like a secret, and keeps it in its history: line {line} holds \
         the number of a bank account (IBAN), in {path} by cloud. If it gives access to anything, \
         change it"
    )
}

/// A task as the cloud puts it there, with an account in it.
fn bill(server: &GitServer, zone: ZoneId, n: u64) -> (TaskId, String) {
    let mut note = task(zone, n);
    note.body = ACCOUNT.to_owned();
    let path = layout::waiting(zone, note.id).to_string();
    cloud_does(server, &[(&path, Some(&note.render()))]);
    (note.id, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_with_an_account_that_a_cloud_takes_away_is_put_back() {
    for at_once in [false, true] {
        let server = GitServer::start().unwrap();
        let (owner, cloud) = cluster(&server).await;
        cloud_does(&server, &[("Plans/x.md", Some(ACCOUNT))]);
        if !at_once {
            owner.sync.sync().await.unwrap();
            assert_eq!(owner.read("Plans/x.md").as_deref(), Some(ACCOUNT));
        }
        cloud_does(&server, &[("Plans/x.md", None)]);
        owner.sync.sync().await.unwrap();
        assert_eq!(on_remote(&server, "Plans/x.md").as_deref(), Some(ACCOUNT));
        owner.write("Inbox/later.md", "later");
        owner.sync.sync().await.unwrap();
        cloud.sync.sync().await.unwrap();
        assert_eq!(cloud.read("Plans/x.md").as_deref(), Some(ACCOUNT));
        // The text of a plan begins there.
        assert_eq!(violations(&owner), [sentence("Plans/x.md", 9)]);
        let withheld = owner.sync.sync().await.unwrap().withheld;
        assert_eq!(withheld, []);
    }
}

/// A task with an account is claimed given back and filed and told of once.
#[tokio::test(flavor = "multi_thread")]
async fn task_with_a_secret_can_be_claimed_released_and_finished() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    let (id, path) = bill(&server, ZoneId::EMAIL, 1);
    owner.sync.sync().await.unwrap();
    let won = owner.sync.claim(id).await.unwrap();
    assert_eq!(won, Claimed::Won { epoch: 1 });
    owner.sync.release(id, "Not now.").await.unwrap();
    let won = owner.sync.claim(id).await.unwrap();
    assert_eq!(won, Claimed::Won { epoch: 2 });
    let error = owner
        .sync
        .finish(id, Finish::filed(&format!("See {TOKEN}")));
    let error = error.await.unwrap_err().to_string();
    assert!(error.contains("holds an access token (GitHub)"), "{error}");
    owner.sync.finish(id, Finish::filed("Paid.")).await.unwrap();
    owner.sync.sync().await.unwrap();
    let there = remote_files(&server);
    let is_done = |path: &String| path.starts_with("Done/") && path.contains(&id.to_string());
    assert!(there.iter().any(is_done), "{there:?}");
    // What a cloud does with it is no news either.
    assert_eq!(violations(&owner), [sentence(&path, 13)]);
    assert!(!anywhere(&server, TOKEN));
}

/// A task with an account is claimed although a thousand others have its name.
#[tokio::test(flavor = "multi_thread")]
async fn task_with_a_secret_is_claimed_among_a_thousand_namesakes() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    let (id, _) = bill(&server, ZoneId::EMAIL, 4);
    let decoys: Vec<_> = (0..1000)
        .map(|n| (format!("Plans/{n}/{id}.md"), format!("n: {n}\n")))
        .collect();
    let decoys: Vec<_> = decoys
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    cloud_does(&server, &decoys);
    owner.sync.sync().await.unwrap();
    let won = owner.sync.claim(id).await.unwrap();
    assert_eq!(won, Claimed::Won { epoch: 1 });
}

/// A claim by the cloud is not told of again and its task can be taken over.
#[tokio::test(flavor = "multi_thread")]
async fn cloud_claim_with_a_secret_is_reported_once() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    let (id, path) = bill(&server, ZoneId::EMAIL, 2);
    let waits = server.git(&["show", &format!("main:{path}")]).unwrap() + "\n";
    let claim = "claim:\n  id: claim_00000000000000000000000001\n  agent: cloud\n  epoch: 1\n  at: \
                 2026-11-20T18:43:03Z\n  base: \"\"\n";
    let claimed = waits.replacen("\n---\n", &format!("\n{claim}---\n"), 1);
    let own = format!("In_Progress/cloud/{id}.md");
    cloud_does(&server, &[(&path, None), (&own, Some(&claimed))]);
    let sync = owner.sync.clone().with_lease(Duration::from_secs(2));
    sync.sync().await.unwrap();
    for _ in 0..600 {
        let taken = sync.take_over_expired(&[ZoneId::EMAIL]).await;
        if !taken.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(remote_files(&server).contains(&format!("In_Progress/local/{id}.md")));
    assert_eq!(violations(&owner), [sentence(&path, 13)]);
}

/// A bill in the owners own zone is worked on and the remote learns of it.
#[tokio::test(flavor = "multi_thread")]
async fn task_with_a_secret_in_a_local_zone_reaches_the_remote() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    let (id, path) = bill(&server, ZoneId::PAYMENTS, 3);
    owner.sync.sync().await.unwrap();
    let won = owner.sync.claim(id).await.unwrap();
    assert_eq!(won, Claimed::Won { epoch: 1 });
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.withheld, []);
    let there = remote_files(&server);
    assert!(
        there.contains(&format!("In_Progress/local/{id}.md")),
        "{there:?}"
    );
    assert!(!there.contains(&path));
}

/// A draft that is dragged to approved goes whole and what is pasted on the way is held.
#[tokio::test(flavor = "multi_thread")]
async fn approved_draft_is_pushed_and_a_pasted_secret_withheld() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    let path_of = |n: u32| draft_path(&n.to_string());
    let approved = |n: u32| path_of(n).replace("Pending_Approval", "Approved");
    let draft = |n: u32, front: &str, more: &str| {
        let note = as_note(&path_of(n), ACCOUNT) + more;
        note.replacen("---\n", &format!("---\n{front}"), 1)
    };
    for n in 1..=4 {
        cloud_does(&server, &[(&path_of(n), Some(&draft(n, "", "")))]);
    }
    owner.sync.sync().await.unwrap();
    let drag = |n: u32, text: Option<String>| {
        let [from, to] = [path_of(n), approved(n)].map(|path| owner.root().join(path));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(from, &to).unwrap();
        if let Some(text) = text {
            std::fs::write(to, text).unwrap();
        }
    };
    let password = format!("token: {TOKEN}\n");
    // Moved; moved and a word in the frontmatter; a secret pasted into either part.
    drag(1, None);
    drag(2, Some(draft(2, "read: yes\n", "")));
    drag(3, Some(draft(3, &password, "")));
    drag(4, Some(draft(4, "", &format!("{TOKEN}\n"))));
    let report = owner.sync.sync().await.unwrap();
    let report = match report.withheld.len() {
        2 => report,
        _ => owner.sync.sync().await.unwrap(),
    };
    let held: BTreeSet<_> = report
        .withheld
        .iter()
        .map(|held| held.path.to_string())
        .collect();
    assert_eq!(held, BTreeSet::from([approved(3), approved(4)]));
    let there = remote_files(&server);
    for n in [1, 2] {
        assert!(there.contains(&approved(n)), "{there:?}");
    }
    assert!(!anywhere(&server, TOKEN));
    // They go out once that is taken out again.
    for n in [3, 4] {
        owner.write(&approved(n), &draft(n, "", ""));
    }
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.sync.sync().await.unwrap().withheld, []);
    assert!(remote_files(&server).contains(&approved(4)));
}

/// What is new in a file with a secrets name is held although the file is there.
#[tokio::test(flavor = "multi_thread")]
async fn new_content_under_a_secret_name_is_withheld() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    let path = "Plans/credentials.md";
    let old = as_note(path, "Ask Clara.\n").replacen("---\n", "---\nfor: the printer\n", 1);
    let old = old.as_str();
    cloud_does(&server, &[(path, Some(old))]);
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.read(path).as_deref(), Some(text_of(old)));
    owner.write(path, &old.replace("for:", "word: blue horse\nfor:"));
    let held = owner.sync.sync().await.unwrap().withheld;
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!(held[0].path.as_str(), path);
    assert!(!anywhere(&server, "blue horse"));
    // As it is there it may be moved.
    std::fs::remove_file(owner.root().join(path)).unwrap();
    owner.write("Inbox/credentials.md", old);
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.sync.sync().await.unwrap().withheld, []);
    assert_eq!(
        on_remote(&server, "Inbox/credentials.md").as_deref(),
        Some(text_of(old))
    );
}

/// A new machine joins although an approval there has an account in it.
#[tokio::test(flavor = "multi_thread")]
async fn new_machine_joins_despite_a_secret_in_an_approval() {
    let server = GitServer::start().unwrap();
    let (owner, _) = cluster(&server).await;
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    let pending = draft_path("1");
    let approved = pending.replace("Pending_Approval", "Approved");
    cloud_does(&server, &[(&pending, Some(ACCOUNT))]);
    owner.sync.sync().await.unwrap();
    let root = owner.root();
    std::fs::create_dir_all(root.join("Approved")).unwrap();
    std::fs::rename(root.join(&pending), root.join(&approved)).unwrap();
    owner.sync.sync().await.unwrap();
    assert!(remote_files(&server).contains(&approved));
    drop(owner);
    let new = side_knowing(&server, "local'", &["cloud"]);
    new.sync.sync().await.unwrap();
    assert_eq!(new.read(&pending).as_deref(), Some(ACCOUNT));
    let there = remote_files(&server);
    assert!(there.contains(&pending), "{there:?}");
    assert!(!there.contains(&approved), "{there:?}");
    // What the old machine told is in the vault; at a first contact it is told what the tip holds.
    let (old, now): (Vec<_>, Vec<_>) = violations(&new)
        .into_iter()
        .partition(|messages| messages.ends_with(&sentence(&pending, 17)));
    assert_eq!((old.len(), now.len()), (1, 1), "{now:?}");
    assert!(now[0].contains(&format!("in {approved} by an agent before this machine")));
    assert_eq!(new.sync.sync().await.unwrap().withheld, []);
}
