//! The mail servers of the test kit, used as an ordinary client would. curl speaks both protocols.

use std::{path::Path, process::Command, time::Duration};

use platinum_testkit::{
    mail::{CLIENT, MailServers, OWNER, Submission},
    wait_for,
};

/// What curl printed, or what it complained of.
fn curl(servers: &MailServers, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--cacert"])
        .arg(servers.ca_path())
        .args(arguments)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn send(servers: &MailServers, url: &str, password: &str, mail: &Path) -> Result<String, String> {
    curl(
        servers,
        &[
            url,
            "--ssl-reqd",
            "--mail-from",
            OWNER,
            "--mail-rcpt",
            CLIENT,
            "--user",
            &format!("{OWNER}:{password}"),
            "--upload-file",
            mail.to_str().unwrap(),
        ],
    )
}

/// A mail goes through submission and delivery into the other mailbox.
#[test]
fn submitted_mail_arrives_in_the_other_mailbox() {
    if !MailServers::present().unwrap() {
        return;
    }
    let servers = MailServers::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("mail");
    std::fs::write(
        &mail,
        "From: owner@example.test\r\nSubject: hello\r\n\r\ntext\r\n",
    )
    .unwrap();
    let tls = format!("smtps://localhost:{}", servers.smtps_port());
    let starttls = format!("smtp://localhost:{}", servers.submission_port());

    send(&servers, &tls, &servers.password(OWNER), &mail).unwrap();
    send(&servers, &starttls, &servers.password(OWNER), &mail).unwrap();
    let mails = wait_for("two mails", Duration::from_secs(10), || {
        let mails = servers.mailbox(CLIENT)?;
        Ok((mails.len() == 2).then_some(mails))
    })
    .unwrap_or_else(|why| panic!("{why}\n{}", servers.logs()));
    assert!(
        mails
            .iter()
            .all(|m| String::from_utf8_lossy(m).contains("Subject: hello"))
    );

    assert!(
        send(&servers, &tls, "wrong", &mail).is_err(),
        "a wrong password was accepted"
    );
}

#[test]
fn a_delivered_mail_is_seen_by_imap_and_survives_a_restart() {
    if !MailServers::present().unwrap() {
        return;
    }
    let mut servers = MailServers::start_imap().unwrap();
    servers
        .deliver(OWNER, b"Subject: dots\n\n.\n..\nend")
        .unwrap();
    let url = format!(
        "imaps://localhost:{}/INBOX;MAILINDEX=1",
        servers.imap_port()
    );
    let login = format!("{OWNER}:{}", servers.password(OWNER));
    let read = |servers: &MailServers| curl(servers, &[&url, "--user", &login]).unwrap();
    assert!(read(&servers).ends_with("\r\n\r\n.\r\n..\r\nend\r\n"));
    servers.stop_imap();
    servers.resume_imap().unwrap();
    assert!(read(&servers).contains("Subject: dots"));

    let config =
        std::fs::read_to_string(servers.config("owner", Submission::None).unwrap()).unwrap();
    assert!(
        config.contains("backend = \"imap\"") && !config.contains("smtp"),
        "{config}"
    );
}
