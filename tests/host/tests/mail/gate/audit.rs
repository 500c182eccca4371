//! The log that the owner can check: what the hosts say of it, and that nobody changes it unnoticed.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use platinum_testkit::{
    mail::{CLIENT, OWNER},
    wait_for,
};
use rusqlite::Connection;

use crate::gate::{
    MAIL,
    cluster::{Cluster, SOON},
};

/// A cluster in which one mail was answered, and the cloud has seen the log since. Nothing runs.
fn answered() -> Cluster {
    let cluster = Cluster::set();
    let cloud = cluster.cloud();
    cluster.wait_for_line("cloud", "waiting for mail");
    let local = cluster.local();
    cluster.mail.deliver(OWNER, MAIL.as_bytes()).unwrap();
    approve(&cluster);
    wait_for("the answer in the other mailbox", SOON, || {
        Ok((cluster.mail.mailbox(CLIENT)?.len() == 1).then_some(()))
    })
    .unwrap();
    wait_for("the finished task on the remote", SOON, || {
        let done = cluster.on_remote("Done");
        Ok(done
            .iter()
            .any(|path| path.contains("/task_"))
            .then_some(()))
    })
    .unwrap();
    let second = MAIL
        .replace("<second@", "<third@")
        .replace("<first@", "<another@");
    cluster.mail.deliver(OWNER, second.as_bytes()).unwrap();
    // It claims and drafts, and says in those commits what it saw.
    wait_for("the second draft in the owner's vault", SOON, || {
        let drafts = cluster.notes("local", "Pending_Approval");
        Ok((drafts.len() == 1).then_some(()))
    })
    .unwrap();
    drop(cloud);
    drop(local);
    cluster
}

/// Fills in the gaps of the one draft that waits, and approves it.
fn approve(cluster: &Cluster) {
    let draft = cluster.wait_for_draft();
    let text = fs::read_to_string(&draft).unwrap();
    fs::write(&draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
    let id = draft.file_stem().unwrap().to_str().unwrap();
    cluster.platinum(&["approve", id]);
}

impl Cluster {
    fn journal(&self) -> PathBuf {
        self.state("local").join("journal.db")
    }

    /// What `platinum log verify` says of the log, which must not be as it was written.
    fn verify_error(&self) -> String {
        let output = self.try_platinum(&["log", "verify"]);
        assert!(!output.status.success(), "{output:?}");
        let printed = String::from_utf8(output.stderr).unwrap();
        printed.lines().next().unwrap_or_default().to_owned()
    }

    /// The newest value of a trailer on the remote.
    fn trailer(&self, key: &str) -> String {
        let format = format!("--format=%(trailers:key={key},valueonly)");
        let log = self.remote.git(&["log", &format, "main"]).unwrap();
        let newest = log.lines().find(|line| !line.is_empty());
        newest.unwrap_or_default().to_owned()
    }
}

/// A mail server with a tool that no role may have, to whichever lifecycle of MCP it is spoken to in.
const STRANGE_SERVER: &str = r#"#!/bin/sh
answer() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1"; }
while read -r line; do
  id=$(printf %s "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  [ -n "$id" ] || continue
  case $line in
    *'"initialize"'*) answer '"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"strange","version":"1"}}';;
    *'"tools/list"'*) answer '"result":{"tools":[{"name":"wipe_mailbox","inputSchema":{"type":"object"}}]}';;
    *) answer '"error":{"code":-32601,"message":"unknown method"}';;
  esac
done
"#;

/// What the gate refuses at the start is in the log, once, though the daemon does not run for it.
#[test]
fn refused_mail_server_is_in_the_log() {
    let cluster = Cluster::set();
    let server = cluster.folder().join("strange.sh");
    fs::write(&server, STRANGE_SERVER).unwrap();
    fs::set_permissions(&server, fs::Permissions::from_mode(0o755)).unwrap();
    cluster.configure("local", false, server.to_str().unwrap());
    for _ in 0..2 {
        let refused = cluster.try_platinum(&["run"]);
        assert!(!refused.status.success());
        let printed = String::from_utf8(refused.stderr).unwrap();
        assert!(
            printed.contains("role local refuses the MCP server `email`: it offers `wipe_mailbox`"),
            "{printed}"
        );
    }
    let log = cluster.platinum(&["log", "entries"]);
    let lines = log.lines().filter(|line| {
        line.contains("refused server email: role local refuses the MCP server `email`: it offers `wipe_mailbox`")
    });
    assert_eq!(lines.count(), 1, "{log}");
    cluster.platinum(&["log", "verify"]);
}

/// Bytes of every file that holds the log.
fn bytes(cluster: &Cluster) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(cluster.state("local"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("journal.db"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// What an attacker does to the log, and what `platinum log verify` says then: how that begins, and how
/// it ends. `<n>` is the number of entries.
const CHANGES: [(&str, &str, &str); 4] = [
    (
        "UPDATE entries SET data = replace(data, 'example', 'elsewhere') WHERE event = 'intent'",
        "platinum: the journal was tampered with or damaged at entry ",
        ": its text is not the one that was written",
    ),
    (
        "DELETE FROM entries WHERE seq > 2;
         UPDATE head SET seq = 2, hash = (SELECT hash FROM entries WHERE seq = 2), signature = NULL",
        "platinum: the journal was cut: entry 3 is missing; commit ",
        " saw <n>, and there are 2",
    ),
    (
        "DELETE FROM entries; UPDATE head SET seq = 0, signature = NULL, hash =
         '0000000000000000000000000000000000000000000000000000000000000000'",
        "platinum: the journal was cut: entry 1 is missing; commit ",
        " saw <n>, and there are none",
    ),
    (
        "UPDATE head SET signature = NULL",
        "platinum: the journal was cut or rewritten: its end, entry <n>, is not signed by this machine's \
         key (commit ",
        " saw it signed)",
    ),
];

#[test]
fn changed_cut_emptied_or_deleted_log_is_found() {
    let cluster = answered();
    let head = cluster.trailer("Platinum-Journal");
    let witness = cluster.trailer("Platinum-Witness");
    assert_eq!(
        witness,
        format!("local {head}"),
        "the cloud says what it saw"
    );
    let entries = head.split(' ').next().unwrap();

    // As it was written.
    let before = bytes(&cluster);
    let verified = cluster.platinum(&["log", "verify"]);
    let holds = format!("the chain holds, its end is signed, seen up to entry {entries}");
    assert!(verified.contains(&holds), "{verified}");
    for agent in ["cloud", "local"] {
        let seen = format!(" by {agent}, which saw {entries} entries\n");
        assert!(verified.contains(&seen), "{verified}");
    }
    let listed = cluster.platinum(&["log", "entries"]);
    for words in [
        "admitted skill local-execute-approved, component ",
        "skill local-execute-approved used email/send for draft_",
        "attempts email-send of draft_",
        " happened: ",
    ] {
        assert!(listed.contains(words), "{words} is not in\n{listed}");
    }
    for command in [&["status"][..], &["approvals"], &["log"]] {
        cluster.platinum(command);
    }
    assert_eq!(bytes(&cluster), before, "showing writes nothing");

    let journal = fs::read(cluster.journal()).unwrap();
    for (sql, starts, ends) in CHANGES {
        let connection = Connection::open(cluster.journal()).unwrap();
        connection
            .execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain;")
            .unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let error = cluster.verify_error();
        let starts = starts.replace("<n>", entries);
        let ends = ends.replace("<n>", entries);
        assert!(
            error.starts_with(&starts) && error.ends_with(&ends),
            "{sql}: {error}"
        );
        let status = cluster.platinum(&["status"]);
        assert!(status.contains(&error["platinum: ".len()..]), "{status}");
        fs::write(cluster.journal(), &journal).unwrap();
        cluster.platinum(&["log", "verify"]);
    }

    fs::remove_file(cluster.journal()).unwrap();
    let error = cluster.verify_error();
    let starts = format!(
        "platinum: the journal {} is missing: commit ",
        cluster.journal().display()
    );
    let ends = format!(" saw {entries} entries");
    assert!(
        error.starts_with(&starts) && error.ends_with(&ends),
        "{error}"
    );
    // Even without the repository.
    fs::remove_dir_all(cluster.state("local").join("vault.git")).unwrap();
    let error = cluster.verify_error();
    assert!(error.contains("is missing: Done/"), "{error}");
    assert!(error.ends_with(" has a receipt"), "{error}");
}

/// Nothing is sent on a log that is not as it was written, and the owner is notified.
#[test]
fn changed_log_sends_nothing() {
    let cluster = answered();
    let connection = Connection::open(cluster.journal()).unwrap();
    connection
        .execute_batch(&format!("DROP TRIGGER entries_stay; {}", CHANGES[0].0))
        .unwrap();
    drop(connection);
    let local = cluster.local();
    cluster.wait_for_line("local", "The local half is up");
    cluster.wait_for_line(
        "local",
        "Nothing is sent: the journal was tampered with or damaged at entry ",
    );
    let draft = cluster.notes("local", "Pending_Approval").remove(0);
    let text = fs::read_to_string(&draft).unwrap();
    fs::write(&draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
    let id = draft.file_stem().unwrap().to_str().unwrap();
    // Whether it can be approved is another matter.
    let _ = cluster.try_platinum(&["approve", id]);
    wait_for("the dashboard to say so", SOON, || {
        let board = fs::read_to_string(cluster.vault("local").join("Dashboard.md"))?;
        Ok(board.contains("Nothing is sent: the journal").then_some(()))
    })
    .unwrap();
    drop(local);
    assert_eq!(
        cluster.mail.mailbox(CLIENT).unwrap().len(),
        1,
        "the first alone"
    );
}
