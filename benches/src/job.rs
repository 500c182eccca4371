//! The main job on real servers: Dovecot over TLS, Postfix, git daemon, both daemons as processes.
//!
//! Most of the time goes to servers, git and file events, not to our own code. The peer of the first row is Dovecot itself: how long
//! its IDLE takes to say that there is mail is part of every mail program's time.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use platinum_testkit::{
    Child, add_skills, exchange_keys,
    git::GitServer,
    mail::{CLIENT, MailServers, OWNER, Submission},
    program, wait_for,
};

const SOON: Duration = Duration::from_secs(60);

/// Sends so many mails, one after the other, and prints two rows.
pub(crate) fn run(mails: usize) -> anyhow::Result<()> {
    if let Err(missing) = MailServers::available() {
        println!("the main job on real servers: not measured, {missing}");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let remote = GitServer::start()?;
    let mail = MailServers::start()?;
    for (role, zones, watch, submission) in [
        ("cloud", "\"email\"", true, Submission::None),
        ("local", "", false, Submission::Tls),
    ] {
        let accounts = mail.config("owner", submission)?;
        fs::create_dir_all(folder.path().join(role).join("vault"))?;
        let text = format!(
            "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n[sync]\nremote = {:?}\n\
             every-seconds = 1\n[approvals]\nhold-seconds = 0\n[work]\nskills = {:?}\nzones = [{zones}]\n[zones.email]\n\
             account = \"owner\"\nconfig = {accounts:?}\nwatch = {watch}\n",
            remote.address(),
            folder.path().join("skills"),
        );
        fs::write(folder.path().join(format!("{role}.toml")), text)?;
    }
    exchange_keys(
        &folder.path().join("cloud.toml"),
        &folder.path().join("local.toml"),
    )?;
    add_skills(&folder.path().join("local.toml"))?;
    let daemon = |package: &str, name: &str, role: &str| -> anyhow::Result<Child> {
        let program = program(package, name)?;
        let config = folder.path().join(format!("{role}.toml"));
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        let log = folder.path().join(format!("{role}.log"));
        Child::start(&program.to_string_lossy(), arguments, &log, None)
    };
    let _cloud = daemon("platinum-cloud", "platinum-cloud", "cloud")?;
    let _local = daemon("platinum-local", "platinum", "local")?;
    let log = folder.path().join("cloud.log");
    wait_for("the watcher", SOON, || {
        Ok(fs::read_to_string(&log)
            .unwrap_or_default()
            .contains("waiting for mail")
            .then_some(()))
    })?;

    let vault = folder.path().join("local/vault");
    let (mut drafted, mut sent) = (Vec::new(), Vec::new());
    for number in 0..mails {
        let text = format!(
            "From: Clara <{CLIENT}>\r\nTo: {OWNER}\r\nSubject: Question {number}\r\n\
             Date: Fri, 20 Nov 2026 17:42:00 +0100\r\nMessage-ID: <{number}@client.example>\r\n\
             \r\nWould the third week suit you?\r\n"
        );
        mail.deliver(OWNER, text.as_bytes())?;
        let arrived = Instant::now();
        wait_for("the draft on the remote", SOON, || {
            let listed = remote.git(&[
                "ls-tree",
                "-r",
                "--name-only",
                "main",
                "--",
                "Pending_Approval",
            ]);
            Ok((!listed.unwrap_or_default().trim().is_empty()).then_some(()))
        })?;
        drafted.push(arrived.elapsed());
        let draft = wait_for("the draft in the owner's vault", SOON, || {
            first(&vault.join("Pending_Approval"))
        })?;
        let approved = vault
            .join("Approved")
            .join(draft.file_name().context("no name")?);
        fs::create_dir_all(vault.join("Approved"))?;
        // The owner fills in the gaps; a draft whose gaps are open would wait.
        let text = fs::read_to_string(&draft)?;
        fs::write(&draft, platinum_testkit::notes::fill_gaps(&text))?;
        fs::rename(&draft, approved)?;
        let approved = Instant::now();
        wait_for("the answer in the other mailbox", SOON, || {
            Ok((mail.mailbox(CLIENT)?.len() > number).then_some(()))
        })?;
        sent.push(approved.elapsed());
        wait_for("the end of the task", SOON, || {
            let listed = remote.git(&["ls-tree", "-r", "--name-only", "main", "--", "Done"]);
            Ok((listed.unwrap_or_default().lines().count() == 2 * (number + 1)).then_some(()))
        })?;
    }
    println!(
        "{:<52} {:>10} {:>10} {:>10}",
        "the main job, ms", "median", "best", "worst"
    );
    row(
        "mail arrives (IMAP) -> draft on the remote (git)",
        &mut drafted,
    );
    row(
        "approval (file moved) -> in the other mailbox (SMTP)",
        &mut sent,
    );
    Ok(())
}

fn row(name: &str, times: &mut [Duration]) {
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{name:<52} {:>10.0} {:>10.0} {:>10.0}",
        ms(times[times.len() / 2]),
        ms(times[0]),
        ms(times[times.len() - 1])
    );
}

fn first(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(None);
    };
    Ok(entries
        .flatten()
        // A file that is being written has a hidden name until it is whole.
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "md")))
}
