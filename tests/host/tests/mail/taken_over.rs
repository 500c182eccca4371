//! A model or a cloud host that was taken over, on the built programs and real servers: what it hides
//! in a draft is held and shown, and what it commits stops nothing.

use std::fs;

use platinum_core::{Role, Timestamp};
use platinum_journal::approvals::How;
use platinum_repo::{CommitMeta, Oid, Repo, SigningKey};
use platinum_testkit::{git::hermetic, notes::as_note, wait_for};

use crate::{
    approvals::Waiting,
    gate::cluster::{Cluster, SOON},
};

/// Text that nobody sees, a recipient that nobody asked for, and a yes for ever: the move of the
/// file is held, everything is named and written out, and leaves once that was confirmed.
#[test]
fn hidden_text_is_held_and_shown_escaped() {
    let waiting = Waiting::new();
    let id = waiting.id(0).to_string();
    let text = fs::read_to_string(&waiting.drafts[0]).unwrap();
    let expires = text
        .lines()
        .find(|line| line.starts_with("expires: "))
        .unwrap();
    let selectors: String = b"pay"
        .iter()
        .filter_map(|byte| char::from_u32(0xE00F0 + u32::from(*byte)))
        .collect();
    let edited = text.replace(
        expires,
        "expires: 9999-01-01T00:00:00Z\nbcc:\n  - \"client@example.test <owner@example.test>\"",
    ) + &format!("Yes\u{202E}.\u{E0041}\u{E0042}{selectors}\n<!-- pay -->\n%%pay%%\n");
    fs::write(&waiting.drafts[0], edited).unwrap();
    fs::rename(&waiting.drafts[0], waiting.approved(0)).unwrap();
    let shown = waiting.wait_for_words("held; read it and confirm");
    assert!(!shown.contains(['\u{202E}', '\u{E0041}']), "{shown}");
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");
    // The note says so too, where its owner reads it.
    wait_for("the findings in the note", SOON, || {
        let note = fs::read_to_string(waiting.approved(0))?;
        let is_said = note.contains("\nheld:") && note.contains("not seen, U+202E");
        Ok(is_said.then_some(()))
    })
    .unwrap();

    let refused = waiting.cluster.try_platinum(&["approve", &id]);
    assert!(!refused.status.success());
    let printed = String::from_utf8(refused.stdout).unwrap();
    for words in [
        r"│ Yes\u{202e}.\u{e0041}\u{e0042}\u{e0160}\u{e0151}\u{e0169}",
        "│ <!-- pay -->",
        "│ %%pay%%",
        "bcc: the name `client@example.test` looks like an address, and is none",
        "bcc: owner@example.test did not write the mail that is answered, and you never wrote to it",
        "a character that is not seen, U+202E (turns the direction of writing)",
        "5 characters that are not seen, the first U+E0041 (tag)",
        "a comment, which is not shown",
        "expires: 9999-01-01T00:00:00Z is more than 90 days ahead",
    ] {
        assert!(printed.contains(words), "{words}\nis not in\n{printed}");
    }
    assert!(!printed.contains(['\u{202E}', '\u{E0041}']), "{printed}");
    assert_eq!(waiting.approval(0), None);
    let asked = String::from_utf8(refused.stderr).unwrap();
    let digest = asked.rsplit("--confirm ").next().unwrap().trim();
    // Other bytes than those that were shown are not confirmed.
    let held = fs::read_to_string(waiting.approved(0)).unwrap();
    fs::write(waiting.approved(0), format!("{held}And more.\n")).unwrap();
    let drifted = waiting
        .cluster
        .try_platinum(&["approve", &id, "--confirm", digest]);
    assert!(!drifted.status.success());
    // Changed there it comes back, and is what was shown once its owner has put that in again.
    wait_for("the changed draft to come back", SOON, || {
        Ok((waiting.drafts[0].exists() && !waiting.approved(0).exists()).then_some(()))
    })
    .unwrap();
    fs::write(&waiting.drafts[0], held).unwrap();
    fs::rename(&waiting.drafts[0], waiting.approved(0)).unwrap();
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");

    waiting
        .cluster
        .platinum(&["approve", &id, "--confirm", digest]);
    let sent = waiting.wait_for_mails(1);
    assert_eq!(sent.len(), 1);
    let approval = waiting.approval(0).unwrap();
    assert_eq!(approval.how, How::Confirmed);
    assert!(approval.confirmed.len() >= 6, "{:?}", approval.confirmed);
    // The log says whom it reached, not what the drafter said of it.
    let log = wait_for("the task in the log", SOON, || {
        let log = waiting.cluster.platinum(&["log"]);
        Ok(log.contains("sha256 ").then_some(log))
    })
    .unwrap();
    assert!(
        log.contains("to client@example.test, owner@example.test\n"),
        "{log}"
    );
    let message = approval.binds.message.unwrap().sha256;
    assert!(log.contains(&format!("sha256 {message}\n")), "{log}");
}

/// A draft whose text was emptied is no mail: refused by the command and by the move alike.
#[test]
fn emptied_draft_is_refused_with_words() {
    const WHY: &str = "it has no text; write one, or reject the draft";
    let waiting = Waiting::new();
    let text = fs::read_to_string(&waiting.drafts[0]).unwrap();
    let end = text[4..].find("\n---\n").unwrap() + 4 + "\n---\n".len();
    let emptied = format!("{}\n \u{200B}\n", &text[..end]);
    fs::write(&waiting.drafts[0], emptied).unwrap();
    let id = waiting.id(0).to_string();
    let refused = waiting.cluster.try_platinum(&["approve", &id]);
    assert!(!refused.status.success());
    let printed = String::from_utf8(refused.stderr).unwrap();
    assert!(printed.contains(WHY), "{printed}");
    fs::rename(&waiting.drafts[0], waiting.approved(0)).unwrap();
    waiting.wait_for_words(WHY);
    assert_eq!(waiting.approval(0), None);
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");
}

/// Commits by the cloud's own key that no vault can hold, or that would run in the owner's editor:
/// both are taken out by name, and the vaults go on.
#[test]
fn commits_of_a_taken_over_cloud_stop_nothing() {
    let cluster = Cluster::set();
    fs::create_dir_all(cluster.vault("local").join("Inbox")).unwrap();
    fs::write(cluster.vault("local").join("Inbox/first.md"), "first\n").unwrap();
    let _cloud = cluster.cloud();
    let _local = cluster.local();
    let arrives = |name: &str| {
        // Not a place from which files are taken in as tasks.
        let path = format!("Plans/{name}.md");
        fs::create_dir_all(cluster.vault("local").join("Plans")).unwrap();
        fs::write(cluster.vault("local").join(&path), "text\n").unwrap();
        let there = cluster.vault("cloud").join(&path);
        wait_for(name, SOON, || Ok(there.exists().then_some(()))).unwrap_or_else(|error| {
            let log = fs::read_to_string(cluster.log("local")).unwrap_or_default();
            panic!("{error}; the log of local:\n{log}")
        });
    };
    arrives("before");
    let deep: String = (0..40).map(|n| format!("d{n}/")).collect();
    const BLOCK: &str = "```dataviewjs\ndv.x()\n```\n";
    let plan = as_note("Plans/x.md", BLOCK);
    let waiting = "Needs_Action/email/task_01KA0000000000000000000001.md";
    let task = as_note(waiting, BLOCK);
    for (number, (path, text)) in [
        (format!("Plans/{deep}x.md"), "text\n"),
        ("Plans/x.md".to_owned(), plan.as_str()),
        (waiting.to_owned(), task.as_str()),
    ]
    .iter()
    .enumerate()
    {
        commit_as_cloud(&cluster, path, text);
        wait_for("the commit to be reverted", SOON, || {
            let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
            Ok((board.matches("Reverted: commit").count() > number).then_some(()))
        })
        .unwrap_or_else(|error| {
            let log = fs::read_to_string(cluster.log("local")).unwrap_or_default();
            panic!("{error}; the log of local:\n{log}")
        });
        let top = path.split('/').next().unwrap();
        assert!(!cluster.on_remote(top).contains(path));
        arrives(&format!("after_{number}"));
        assert!(!cluster.vault("local").join(path).exists());
    }
    // It can be looked at, too.
    cluster.platinum(&["status"]);
}

/// Puts one file more on the remote's tip, whatever its path, signed by the cloud's key.
fn commit_as_cloud(cluster: &Cluster, path: &str, text: &str) {
    let key = SigningKey::load(&cluster.state("cloud").join("signing_key")).unwrap();
    wait_for("the commit to land", SOON, || {
        let dir = cluster.remote.repository();
        let index = dir.join("index-of-a-test");
        let git = |args: &[&str]| -> anyhow::Result<String> {
            let output = hermetic("git")
                .env("GIT_DIR", &dir)
                .env("GIT_INDEX_FILE", &index)
                .args(args)
                .output()?;
            anyhow::ensure!(output.status.success(), "git {args:?}: {output:?}");
            Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        let file = dir.join("text-of-a-test");
        fs::write(&file, text)?;
        let before = git(&["rev-parse", "main"])?;
        git(&["read-tree", &before])?;
        let blob = git(&["hash-object", "-w", &file.to_string_lossy()])?;
        let entry = format!("100644,{blob},{path}");
        git(&["update-index", "--add", "--cacheinfo", &entry])?;
        let tree = git(&["write-tree"])?;
        let raw = git(&["commit-tree", &tree, "-p", &before, "-m", "x"])?;
        let oid = |hex: &str| -> anyhow::Result<Oid> { Ok(Repo::oid(hex)?) };
        let repo = Repo::open_or_init(&dir)?.signing_with(key.clone());
        let meta = CommitMeta {
            agent: "cloud".parse()?,
            role: Role::Cloud,
            message: "Forged".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        let commit = repo.commit_over(Some(oid(&before)?), Some(oid(&raw)?), &[], &meta)?;
        let landed = git(&[
            "update-ref",
            "refs/heads/main",
            &commit.to_string(),
            &before,
        ]);
        Ok(landed.ok())
    })
    .unwrap();
}
