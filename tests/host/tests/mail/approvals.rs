//! What counts as the owner's yes, on the built programs and real servers: files that somebody else
//! put there, edits after the approval, commits from elsewhere; and how a yes is taken back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use platinum_core::{DraftId, Role, Timestamp, VaultPath, layout};
use platinum_journal::{
    Journal, State,
    approvals::{Approval, How},
};
use platinum_repo::{CommitMeta, Edit, Repo, SigningKey};
use platinum_testkit::{
    Child,
    git::Proxy,
    mail::{CLIENT, OWNER},
    wait_for,
};
use platinum_vault::Vault;

use crate::gate::{
    cluster::{Cluster, SOON},
    mail_of,
};

/// A running cluster with drafts that wait for the owner, their gaps filled.
pub(crate) struct Waiting {
    pub(crate) drafts: Vec<PathBuf>,
    pub(crate) local: Option<Child>,
    _cloud: Child,
    pub(crate) cluster: Cluster,
}

impl Waiting {
    pub(crate) fn new() -> Self {
        Self::of(Cluster::set(), 1)
    }

    pub(crate) fn of(cluster: Cluster, count: usize) -> Self {
        let cloud = cluster.cloud();
        cluster.wait_for_line("cloud", "waiting for mail");
        let local = cluster.local();
        for number in 1..=count {
            let mail = mail_of(number);
            cluster.mail.deliver(OWNER, mail.as_bytes()).unwrap();
        }
        let drafts = wait_for("the drafts in the owner's vault", SOON, || {
            let drafts = cluster.notes("local", "Pending_Approval");
            Ok((drafts.len() == count).then_some(drafts))
        })
        .unwrap();
        for draft in &drafts {
            // In place, as Obsidian writes.
            let text = fs::read_to_string(draft).unwrap();
            fs::write(draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
        }
        Self {
            drafts,
            local: Some(local),
            _cloud: cloud,
            cluster,
        }
    }

    pub(crate) fn id(&self, n: usize) -> DraftId {
        let stem = self.drafts[n].file_stem().unwrap();
        stem.to_str().unwrap().parse().unwrap()
    }

    pub(crate) fn approved(&self, n: usize) -> PathBuf {
        let name = self.drafts[n].file_name().unwrap();
        self.cluster.vault("local").join("Approved").join(name)
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open_copy(&self.cluster.state("local").join("journal.db")).unwrap()
    }

    pub(crate) fn approval(&self, n: usize) -> Option<Approval> {
        self.journal().approval(self.id(n)).unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        let mails = self.cluster.mail.mailbox(CLIENT).unwrap();
        mails
            .iter()
            .map(|mail| String::from_utf8_lossy(mail).into_owned())
            .collect()
    }

    /// Waits until so many mails have arrived.
    pub(crate) fn wait_for_mails(&self, count: usize) -> Vec<String> {
        let arrived = wait_for("the mails in the other mailbox", SOON, || {
            let sent = self.sent();
            Ok((sent.len() >= count).then_some(sent))
        });
        arrived.unwrap_or_else(|error| panic!("{error}; the log of local:\n{}", self.log()))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.cluster.log("local")).unwrap_or_default()
    }

    /// Waits until a draft is before the owner again, and answers what it says.
    pub(crate) fn wait_for_return(&self, path: &Path) -> String {
        let text = wait_for("the draft to come back", SOON, || {
            let text = fs::read_to_string(path).unwrap_or_default();
            Ok(text.contains("\nreturned: ").then_some(text))
        });
        text.unwrap_or_else(|error| panic!("{error}; the log of local:\n{}", self.log()))
    }

    /// Waits until `platinum approvals` says something.
    pub(crate) fn wait_for_words(&self, words: &str) -> String {
        let shown = wait_for(words, SOON, || {
            let shown = self.cluster.platinum(&["approvals"]);
            Ok(shown.contains(words).then_some(shown))
        });
        shown.unwrap_or_else(|error| panic!("{error}: {}", self.cluster.platinum(&["approvals"])))
    }
}

/// Writes a file as a synchroniser does: under another name first, then in its place.
fn put(path: &Path, text: &str) {
    let beside = path.with_extension("tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

/// A draft that never waited on this machine is put into `Approved/` by another program: it is put
/// before the owner, and nothing leaves.
#[test]
fn file_put_into_approved_is_no_approval() {
    let waiting = Waiting::new();
    let cluster = &waiting.cluster;
    let forged = DraftId::generate().to_string();
    let text = fs::read_to_string(&waiting.drafts[0]).unwrap();
    let text = text.replace(&waiting.id(0).to_string(), &forged);
    put(
        &cluster.vault("local").join(format!("Approved/{forged}.md")),
        &text,
    );
    let back = cluster
        .vault("local")
        .join(format!("Pending_Approval/{forged}.md"));
    let text = waiting.wait_for_return(&back);
    assert!(text.contains("without having waited"), "{text}");
    let shown = cluster.platinum(&["approvals"]);
    assert!(shown.contains("2 drafts wait for you."), "{shown}");
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");
    // What the owner approves leaves, and it alone.
    cluster.platinum(&["approve", &waiting.id(0).to_string()]);
    waiting.wait_for_mails(1);
    wait_for("Approved/ to be empty", SOON, || {
        Ok(cluster.notes("local", "Approved").is_empty().then_some(()))
    })
    .unwrap();
    assert_eq!(waiting.sent().len(), 1);
    let journal = waiting.journal();
    assert_eq!(
        journal.state(forged.parse().unwrap()).unwrap(),
        State::Absent
    );
}

/// Another device moves a draft that waits: it is held, and leaves once it is confirmed here.
#[test]
fn draft_moved_by_another_device_is_held() {
    let mut waiting = Waiting::new();
    // Also while this machine is off.
    waiting.local = None;
    let text = fs::read_to_string(&waiting.drafts[0]).unwrap();
    put(&waiting.approved(0), &text);
    fs::remove_file(&waiting.drafts[0]).unwrap();
    let local = waiting.cluster.local();
    waiting.wait_for_words("another device or program moved it");
    let id = waiting.id(0).to_string();
    let refused = waiting.cluster.try_platinum(&["approve", &id]);
    assert!(!refused.status.success());
    let printed = String::from_utf8(refused.stderr).unwrap();
    assert!(printed.contains("has to be confirmed"), "{printed}");
    let digest = printed.rsplit("--confirm ").next().unwrap().trim();
    let other = waiting
        .cluster
        .try_platinum(&["approve", &id, "--confirm", "0123456789ab"]);
    assert!(!other.status.success());
    assert_eq!(waiting.approval(0), None);
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");

    let shown = waiting
        .cluster
        .platinum(&["approve", &id, "--confirm", digest]);
    assert!(shown.contains("another device or program"), "{shown}");
    assert_eq!(waiting.wait_for_mails(1).len(), 1);
    assert_eq!(waiting.approval(0).unwrap().how, How::Confirmed);
    drop(local);
}

/// Who says so in the configuration approves on other devices.
#[test]
fn draft_moved_by_another_device_counts_if_configured() {
    let cluster = Cluster::set();
    cluster.change(
        "local",
        &[(
            "hold-seconds = 0",
            "hold-seconds = 0\nother-devices = \"accept\"",
        )],
    );
    let waiting = Waiting::of(cluster, 1);
    let text = fs::read_to_string(&waiting.drafts[0]).unwrap();
    put(&waiting.approved(0), &text);
    fs::remove_file(&waiting.drafts[0]).unwrap();
    assert_eq!(waiting.wait_for_mails(1).len(), 1);
}

/// The owner moves the file while the daemon is off: it is the same file, so it counts.
#[test]
fn draft_moved_while_the_daemon_is_off_is_sent() {
    let mut waiting = Waiting::new();
    waiting.local = None;
    fs::rename(&waiting.drafts[0], waiting.approved(0)).unwrap();
    let local = waiting.cluster.local();
    assert_eq!(waiting.wait_for_mails(1).len(), 1);
    assert_eq!(waiting.approval(0).unwrap().how, How::Moved);
    drop(local);
}

/// An editor that saves by a new file changes which file waits. The daemon notes it at once, so that its owner's
/// move of it counts, and what was saved is what leaves.
#[test]
fn draft_saved_as_a_new_file_is_noted_and_its_move_counts() {
    let waiting = Waiting::new();
    let (id, path) = (waiting.id(0), &waiting.drafts[0]);
    let vault = Vault::open(&waiting.cluster.vault("local")).unwrap();
    let at = layout::pending(id);
    for round in 1..=2 {
        let before = vault.identity(&at).unwrap();
        let text = fs::read_to_string(path).unwrap();
        put(path, &format!("{text}\nSaved {round} times.\n"));
        assert_ne!(vault.identity(&at).unwrap(), before);
        wait_for("the new file to be noted", SOON, || {
            let noted = waiting.journal().pending_file(id)?;
            let is_noted = noted.map(|file| file.identity) == vault.identity(&at)?;
            Ok(is_noted.then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}; the log of local:\n{}", waiting.log()));
    }
    fs::rename(path, waiting.approved(0)).unwrap();
    let sent = waiting.wait_for_mails(1);
    assert!(sent[0].contains("Saved 2 times."), "{}", sent[0]);
    assert_eq!(waiting.approval(0).unwrap().how, How::Moved);
}

/// An approval waits for the remote, and the file is edited meanwhile: the edit is not sent, and its
/// owner is asked again.
#[test]
fn draft_edited_after_its_approval_is_not_sent() {
    let cluster = Cluster::set();
    let line = Proxy::start(cluster.remote.port(), 1).unwrap();
    let through = cluster.remote.access_through(line.port()).address;
    cluster.change("local", &[(&cluster.remote.address(), &through)]);
    let waiting = Waiting::of(cluster, 1);
    line.cut();
    fs::rename(&waiting.drafts[0], waiting.approved(0)).unwrap();
    wait_for("the approval to be recorded", SOON, || {
        Ok(waiting.approval(0).is_some().then_some(()))
    })
    .unwrap();
    let text = fs::read_to_string(waiting.approved(0)).unwrap();
    let address = "client@example.test";
    assert!(text.contains(address), "{text}");
    let edited = text.replace(address, "somebody@example.test") + "\nAnd another thing.\n";
    fs::write(waiting.approved(0), edited).unwrap();
    let back = waiting.wait_for_return(&waiting.drafts[0]);
    assert!(back.contains("was changed after it was approved"), "{back}");
    wait_for("the approval to be taken back", SOON, || {
        Ok(waiting.approval(0).is_none().then_some(()))
    })
    .unwrap();

    // The remote is back; only what is approved anew leaves.
    line.heal();
    let text = back.replace("somebody@example.test", address);
    fs::write(&waiting.drafts[0], text).unwrap();
    waiting
        .cluster
        .platinum(&["approve", &waiting.id(0).to_string()]);
    let sent = waiting.wait_for_mails(1);
    assert_eq!(sent.len(), 1);
    assert!(sent[0].contains("And another thing."), "{}", sent[0]);
}

/// A commit that is signed with the owner's own key, but was made in another clone, moves a draft to
/// `Approved/`: sync brings no approval, and puts it before the owner again.
#[test]
fn approval_that_comes_by_sync_is_no_approval() {
    let waiting = Waiting::new();
    let cluster = &waiting.cluster;
    let name = waiting.drafts[0].file_name().unwrap().to_str().unwrap();
    // The filled gaps reach the remote first.
    wait_for("the edit on the remote", SOON, || {
        let shown = cluster
            .remote
            .git(&["show", &format!("main:Pending_Approval/{name}")])?;
        Ok((!shown.contains('✎')).then_some(()))
    })
    .unwrap();
    let text = fs::read_to_string(&waiting.drafts[0]).unwrap();
    let key = SigningKey::load(&cluster.state("local").join("signing_key")).unwrap();
    let path = |folder: &str| VaultPath::new(format!("{folder}/{name}")).unwrap();
    wait_for("the forged commit to land", SOON, || {
        let repo = Repo::open_or_init(&cluster.remote.repository())?.signing_with(key.clone());
        let edits = [
            (path("Pending_Approval"), Edit::Delete),
            (path("Approved"), Edit::Put(text.clone().into())),
        ];
        let meta = CommitMeta {
            agent: "local".parse()?,
            role: Role::Local,
            message: "Approve".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        let before = cluster.remote.git(&["rev-parse", "main"])?;
        let commit = repo.commit(Some(Repo::oid(&before)?), &edits, &meta)?;
        let landed = cluster.remote.git(&[
            "update-ref",
            "refs/heads/main",
            &commit.to_string(),
            &before,
        ]);
        Ok(landed.ok())
    })
    .unwrap();
    wait_for("the owner to be told", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board.contains("came by sync").then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}; the log of local:\n{}", waiting.log()));
    wait_for("the draft to wait again on the remote", SOON, || {
        let waits = cluster.on_remote("Pending_Approval").len() == 1;
        Ok((waits && cluster.on_remote("Approved").is_empty()).then_some(()))
    })
    .unwrap();
    assert!(waiting.drafts[0].exists());
    assert!(!waiting.approved(0).exists());
    assert_eq!(waiting.approval(0), None);
    assert_eq!(waiting.sent().len(), 0, "nothing was sent");
    // A key that is at work elsewhere stops all effects until the owner has seen to it.
    wait_for("the owner to be warned of the key", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board.contains("key is used elsewhere").then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}; the log of local:\n{}", waiting.log()));
    cluster.platinum(&["recover", "--this-machine"]);
    // The owner may say yes to it here.
    cluster.platinum(&["approve", &waiting.id(0).to_string()]);
    assert_eq!(waiting.wait_for_mails(1).len(), 1);
}

/// A yes is held for a moment, in which it is taken back, or everything is paused.
#[test]
fn approval_is_held_undone_and_paused() {
    let cluster = Cluster::set();
    cluster.change("local", &[("hold-seconds = 0", "hold-seconds = 3")]);
    let waiting = Waiting::of(cluster, 2);
    let cluster = &waiting.cluster;
    let (first, second) = (waiting.id(0).to_string(), waiting.id(1).to_string());
    let printed = cluster.platinum(&["approve", &first]);
    assert!(
        printed.contains("carries it out in 3 s; `platinum undo` takes it back."),
        "{printed}"
    );
    let printed = cluster.platinum(&["undo"]);
    assert!(
        printed.starts_with(&format!("Took back {first}. It waits again:")),
        "{printed}"
    );
    assert!(waiting.drafts[0].exists());

    // Paused, nothing leaves, and every command says so.
    cluster.platinum(&["pause", "--reason", "odd mails"]);
    let status = cluster.platinum(&["status"]);
    assert!(status.contains("nothing leaves since"), "{status}");
    fs::rename(&waiting.drafts[1], waiting.approved(1)).unwrap();
    let shown = waiting.wait_for_words("waits: everything is paused");
    assert!(shown.contains("(odd mails)"), "{shown}");
    wait_for("the dashboard to say so", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board.contains("nothing leaves until").then_some(()))
    })
    .unwrap();
    assert_eq!(waiting.sent().len(), 0);
    cluster.platinum(&["resume"]);
    assert_eq!(waiting.wait_for_mails(1).len(), 1, "and the first never");
    let intent = wait_for("the receipt in the journal", SOON, || {
        Ok(match waiting.journal().state(waiting.id(1))? {
            State::Done(intent, _) => Some(intent),
            _ => None,
        })
    })
    .unwrap();
    let held = intent.at - waiting.approval(1).unwrap().at;
    assert!(held.total(jiff::Unit::Second).unwrap() >= 3.0, "{held}");
    let error = cluster.try_platinum(&["undo", &second]);
    assert!(!error.status.success());
}
