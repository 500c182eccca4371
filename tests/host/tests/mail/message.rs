//! What leaves is the message that was approved, byte for byte, on the built programs and real servers:
//! what the other mailbox receives is hashed here, and what is changed between the approval and the
//! sending stays.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use platinum_core::VaultPath;
use platinum_journal::{
    HeadSigner, HeadVerifier, Journal, JournalError, Receipt, State, approvals::Approval,
};
use platinum_repo::{Purpose, SigningKey};
use platinum_testkit::{
    mail::{CLIENT, OWNER},
    wait_for,
};
use platinum_vault::note::Note;
use sha2::{Digest, Sha256};

use crate::{
    approvals::Waiting,
    gate::cluster::{Cluster, SOON},
};

const OFFER: &str = "Inbox/attachments/offer.txt";

/// The owner's machine, as the log is signed by it.
struct Owner(SigningKey);

impl HeadVerifier for Owner {
    fn check(&self, _: &str, _: &str) -> Result<(), String> {
        Ok(())
    }
}

impl HeadSigner for Owner {
    fn sign(&self, head: &str) -> Result<String, String> {
        let signed = self.0.sign_text(Purpose::Journal, head);
        signed.map_err(|error| error.to_string())
    }
}

/// SHA-256 of a mail as it was submitted: without the headers that servers on its way put in front,
/// and without its `Date`.
fn hash_of(received: &str) -> String {
    let submitted = received
        .lines()
        .skip_while(|line| !line.starts_with("From:"));
    let (mut hasher, mut dates, mut is_header) = (Sha256::new(), 0, true);
    for line in submitted {
        is_header &= !line.is_empty();
        if is_header && line.starts_with("Date:") {
            dates += 1;
            continue;
        }
        hasher.update(format!("{line}\r\n"));
    }
    assert_eq!(dates, 1, "{received}");
    hex::encode(hasher.finalize())
}

fn held(seconds: u64) -> Cluster {
    let cluster = Cluster::set();
    let hold = format!("hold-seconds = {seconds}");
    cluster.change("local", &[("hold-seconds = 0", &hold)]);
    cluster
}

/// Changes the address of the owner's account in the mail file of the local host; answers the file.
fn change_address(cluster: &Cluster, to: &str) -> PathBuf {
    let file = cluster.mail_config("local", false);
    let text = fs::read_to_string(&file).unwrap();
    let changed = text.replace(
        &format!("address = {OWNER:?}"),
        &format!("address = {to:?}"),
    );
    assert_ne!(text, changed, "{text}");
    fs::write(&file, changed).unwrap();
    file
}

fn attach(cluster: &Cluster, draft: &Path, content: &str) {
    let file = cluster.vault("local").join(OFFER);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, content).unwrap();
    let text = fs::read_to_string(draft).unwrap();
    let text = text.replacen("---\n", &format!("---\nattachments: [{OFFER}]\n"), 1);
    fs::write(draft, text).unwrap();
}

fn approved_message(waiting: &Waiting, n: usize) -> (Approval, String) {
    let approval = waiting.approval(n).unwrap();
    let message = approval.binds.message.clone().unwrap();
    (approval, message.sha256)
}

fn receipt(waiting: &Waiting, n: usize) -> Receipt {
    let found = wait_for("the receipt in the journal", SOON, || {
        Ok(match waiting.journal().state(waiting.id(n))? {
            State::Done(_, receipt) => Some(receipt),
            _ => None,
        })
    });
    found.unwrap()
}

/// The hash in the approval, in the receipt and in the log is that of what the other side received,
/// whether a command or a move approved it, with an attachment and without.
#[test]
fn received_mail_has_the_hash_that_was_approved() {
    let waiting = Waiting::of(Cluster::set(), 2);
    let cluster = &waiting.cluster;
    attach(cluster, &waiting.drafts[1], "Our offer: 100 €\n");
    cluster.platinum(&["approve", &waiting.id(0).to_string()]);
    fs::rename(&waiting.drafts[1], waiting.approved(1)).unwrap();
    let sent = waiting.wait_for_mails(2);
    for n in 0..2 {
        let reference = receipt(&waiting, n).reference;
        let mail = sent.iter().find(|mail| mail.contains(&reference)).unwrap();
        assert_eq!(mail.contains("offer.txt"), n == 1, "{mail}");
        let (approval, sha256) = approved_message(&waiting, n);
        assert_eq!(hash_of(mail), sha256, "{mail}");
        let message = approval.binds.message.clone().unwrap();
        assert_eq!(
            (&*message.from, message.recipients),
            (OWNER, vec![CLIENT.to_owned()])
        );
        // In the finished task, and in the log before it left and when it was approved.
        let note = wait_for("the task in Done/", SOON, || {
            let done = cluster.notes("local", "Done").into_iter();
            let texts = done.map(|path| fs::read_to_string(path).unwrap_or_default());
            Ok(texts.into_iter().find(|text| {
                text.contains("outcome: ") && text.contains(&format!("reference: \"{reference}\""))
            }))
        })
        .unwrap();
        assert!(note.contains(&format!("sha256: \"{sha256}\"")), "{note}");
        let log = cluster.platinum(&["log", "entries", "-n", "100"]);
        let short = format!("bytes {}", &sha256[..12]);
        assert_eq!(log.matches(&short).count(), 2, "{short} {log}");
        let waited = receipt(&waiting, n).at - approval.at;
        println!(
            "FIGURE: approval recorded -> accepted by the submission server, no hold: {:.2} s",
            waited.total(jiff::Unit::Second).unwrap()
        );
    }
}

/// The account's address is changed while an approval is held: nothing leaves. Approved again, it is the
/// running mail server that has read the file before and refuses; started anew, it sends.
#[test]
fn account_changed_between_approval_and_sending_stops_it() {
    let mut waiting = Waiting::of(held(4), 1);
    let id = waiting.id(0).to_string();
    waiting.cluster.platinum(&["approve", &id]);
    let (approval, before) = approved_message(&waiting, 0);
    change_address(&waiting.cluster, "Somebody Else <owner@example.test>");
    let returned = |waiting: &Waiting| {
        let text = waiting.wait_for_return(&waiting.drafts[0]);
        let note = Note::parse(&text).unwrap();
        note.get_text("returned").unwrap().to_owned()
    };
    assert_eq!(
        returned(&waiting),
        format!(
            "the message that it leaves as is not the one that was approved at {:.0}: the name of \
             its account, or the program that composes it, was changed; read it, then approve it \
             again",
            approval.at
        )
    );
    wait_for("the dashboard to say so", SOON, || {
        let board = fs::read_to_string(waiting.cluster.vault("local").join("Dashboard.md"))?;
        Ok(board
            .contains("is not the one that was approved")
            .then_some(()))
    })
    .unwrap();
    assert_eq!(waiting.approval(0), None);
    assert!(waiting.sent().is_empty(), "nothing was sent");

    waiting.cluster.platinum(&["approve", &id]);
    let (_, after) = approved_message(&waiting, 0);
    assert_ne!(after, before);
    assert_eq!(
        returned(&waiting),
        format!(
            "nothing was handed over: the mail server does not compose the message that was \
             approved: its bytes have the SHA-256 {before}, and those approved have {after}; restart \
             the daemon if its mail file or its programs were changed, read it, then approve it again"
        )
    );
    assert!(waiting.sent().is_empty(), "nothing was sent");

    waiting.local = None;
    waiting.local = Some(waiting.cluster.local());
    waiting.cluster.platinum(&["approve", &id]);
    let sent = waiting.wait_for_mails(1);
    assert!(
        sent[0].contains("\"Somebody Else\" <owner@example.test>"),
        "{}",
        sent[0]
    );
    assert_eq!(hash_of(&sent[0]), after);
    assert_eq!(sent.len(), 1);
}

/// A file that is attached is changed while the approval is held.
#[test]
fn attachment_changed_between_approval_and_sending_stops_it() {
    let waiting = Waiting::of(held(4), 1);
    let cluster = &waiting.cluster;
    attach(cluster, &waiting.drafts[0], "Our offer: 100 €\n");
    let id = waiting.id(0).to_string();
    cluster.platinum(&["approve", &id]);
    let (_, before) = approved_message(&waiting, 0);
    fs::write(cluster.vault("local").join(OFFER), "Our offer: 1 €\n").unwrap();
    let text = waiting.wait_for_return(&waiting.drafts[0]);
    assert!(text.contains("or a file that it attaches, was changed after it was approved"));
    assert!(waiting.sent().is_empty(), "nothing was sent");
    cluster.platinum(&["approve", &id]);
    let sent = waiting.wait_for_mails(1);
    let (_, after) = approved_message(&waiting, 0);
    assert_ne!(after, before);
    assert_eq!(hash_of(&sent[0]), after);
}

/// What is approved while its account cannot be read is neither lost nor approved as something unknown.
#[test]
fn approval_without_a_readable_account_waits_for_it() {
    let waiting = Waiting::of(Cluster::set(), 2);
    let cluster = &waiting.cluster;
    let file = cluster.mail_config("local", false);
    let away = file.with_extension("away");
    fs::rename(&file, &away).unwrap();
    let refused = cluster.try_platinum(&["approve", &waiting.id(0).to_string()]);
    assert!(!refused.status.success());
    let why = format!(
        "the message cannot be composed: the mail file {} cannot be read: No such file or directory",
        file.display()
    );
    let printed = String::from_utf8(refused.stderr).unwrap();
    assert!(
        printed.contains(&format!("not approved: {why}")),
        "{printed}"
    );
    assert!(waiting.drafts[0].exists());
    fs::rename(&waiting.drafts[1], waiting.approved(1)).unwrap();
    waiting.wait_for_words("it is not approved yet: the message cannot be composed:");
    assert_eq!((waiting.approval(0), waiting.approval(1)), (None, None));
    assert!(waiting.sent().is_empty(), "nothing was sent");
    // It is there again: the move counts, once something is looked at.
    fs::rename(&away, &file).unwrap();
    let wake = VaultPath::new("Inbox/attachments/wake.txt").unwrap();
    fs::create_dir_all(cluster.vault("local").join("Inbox/attachments")).unwrap();
    fs::write(cluster.vault("local").join(wake.as_str()), "x").unwrap();
    let sent = waiting.wait_for_mails(1);
    let (_, sha256) = approved_message(&waiting, 1);
    assert_eq!(hash_of(&sent[0]), sha256);
    assert_eq!(waiting.approval(0), None);
}

/// An approval that an earlier version recorded says nothing of the message: its owner is asked again.
#[test]
fn approval_of_an_earlier_version_is_asked_for_again() {
    let mut waiting = Waiting::of(held(600), 1);
    let id = waiting.id(0);
    waiting.cluster.platinum(&["approve", &id.to_string()]);
    waiting.local = None;
    let state = waiting.cluster.state("local");
    let key = SigningKey::load(&state.join("signing_key")).unwrap();
    let journal = Journal::open_signed(&state.join("journal.db"), Arc::new(Owner(key))).unwrap();
    let mut old = waiting.approval(0).unwrap();
    assert!(old.binds.message.take().is_some());
    let recorded: Result<(), JournalError> = journal.decide(|decision| decision.approve(&old));
    recorded.unwrap();
    drop(journal);
    waiting
        .cluster
        .change("local", &[("hold-seconds = 600", "hold-seconds = 0")]);
    waiting.local = Some(waiting.cluster.local());
    let text = waiting.wait_for_return(&waiting.drafts[0]);
    assert!(
        text.contains("without the message that it leaves as, by an earlier version"),
        "{text}"
    );
    assert!(waiting.sent().is_empty(), "nothing was sent");
    waiting.cluster.platinum(&["approve", &id.to_string()]);
    let (_, sha256) = approved_message(&waiting, 0);
    assert_eq!(hash_of(&waiting.wait_for_mails(1)[0]), sha256);
}
