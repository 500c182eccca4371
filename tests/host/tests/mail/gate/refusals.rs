//! What a cloud host refuses, word for word.

use std::{fs, process::Command};

use platinum_host_tests::hosts::daemon;
use platinum_testkit::program;

use crate::gate::cluster::{Cluster, built};

/// A cloud host beside a full mail server does not start and says why.
#[test]
fn cloud_beside_a_sending_mail_server_refuses_to_start() {
    let cluster = Cluster::set();
    let full = program("platinum-email", "platinum-email").unwrap();
    cluster.configure("cloud", true, full.to_str().unwrap());
    let output = Command::new(daemon("cloud"))
        .arg("run")
        .arg("--config")
        .arg(cluster.config("cloud"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stderr).unwrap();
    let last = printed.lines().last().unwrap();
    assert_eq!(
        last,
        "platinum-cloud: role cloud refuses the MCP server `email`: it offers `send_email`, which \
         acts on the outside world, and `close_email`, `list_attachments`, `prepare_email`, \
         `read_attachment` and 1 more, which are not on the list of this role; run its draft-only build (platinum-email-draft) instead"
    );
}

/// A cloud that is given the owner's whole mail file does not start.
#[test]
fn cloud_with_a_way_to_send_in_its_mail_file_is_refused() {
    let cluster = Cluster::set();
    let refusal = || {
        let output = Command::new(daemon("cloud"))
            .arg("run")
            .arg("--config")
            .arg(cluster.config("cloud"))
            .output()
            .unwrap();
        assert!(!output.status.success());
        let printed = String::from_utf8(output.stderr).unwrap();
        printed.lines().last().unwrap().to_owned()
    };
    let own = cluster.mail_config("cloud", true);
    let whole = cluster.mail_config("local", false);
    cluster.change("cloud", &[(own.to_str().unwrap(), whole.to_str().unwrap())]);
    assert_eq!(
        refusal(),
        format!(
            "platinum-cloud: role cloud refuses the zone `email`: {} has [account.owner.smtp], and a \
             cloud holds nothing that can send; give it a mail file of its own without that \
             (docs/security.md, \"The cloud's credential\")",
            whole.display()
        )
    );
    let maildir = cluster.folder().join("Mail");
    fs::create_dir_all(maildir.join(".Outbox/new")).unwrap();
    fs::write(
        &whole,
        format!("[account.owner]\naddress = \"o@example.test\"\nbackend = \"maildir\"\npath = {maildir:?}\n"),
    )
    .unwrap();
    let refused = refusal();
    let expected = format!(
        "has the account `owner`, whose Maildir has the outbox {}/.Outbox, and a cloud",
        maildir.display()
    );
    assert!(refused.contains(&expected), "{refused}");
}

/// Two daemons on one vault would each carry out its approvals, whatever state folder they have.
#[test]
fn second_daemon_on_one_vault_is_refused() {
    let cluster = Cluster::set();
    let _local = cluster.local();
    cluster.wait_for_line("local", "The local half is up");
    let other = cluster.folder().join("other.toml");
    let text = fs::read_to_string(cluster.config("local")).unwrap();
    let text = text.replace("state = \"local/state\"", "state = \"other/state\"");
    fs::write(&other, text).unwrap();
    let output = Command::new(daemon("local"))
        .arg("run")
        .arg("--config")
        .arg(&other)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        printed.lines().last().unwrap(),
        format!(
            "platinum: the vault {} cannot be used: another daemon is using it, with another state \
             folder; stop that one first",
            cluster.vault("local").display()
        )
    );
}

/// One password that reads and sends is named, and one that only reads is not.
#[test]
fn doctor_warns_of_a_cloud_credential_that_can_send() {
    let cluster = Cluster::set();
    let cloud_mail = cluster.mail_config("cloud", true);
    let cloud_file = cloud_mail.to_str().unwrap();
    let row = |arguments: &[&str]| {
        let printed = String::from_utf8(cluster.try_platinum(arguments).stdout).unwrap();
        let row = printed
            .lines()
            .find(|line| line.split_whitespace().nth(1) == Some("cloud"));
        row.map_or_else(
            || panic!("{printed}"),
            |line| line.split_whitespace().collect::<Vec<_>>().join(" "),
        )
    };
    let server = format!("127.0.0.1:{}", cluster.mail.smtps_port());
    assert!(
        row(&["doctor", "--cloud-mail", cloud_file]).starts_with(&format!(
            "warn cloud the cloud's credential for `owner` can send, too: {server} lets it in;"
        ))
    );
    assert!(
        row(&["doctor"])
            .starts_with("warn cloud the credential that reads for `owner` can send, too:")
    );
    // One that the submission server does not know.
    let text = fs::read_to_string(&cloud_mail).unwrap();
    let narrow = text.replace("user = \"owner@", "user = \"reader@");
    assert_ne!(text, narrow);
    fs::write(&cloud_mail, narrow).unwrap();
    assert_eq!(
        row(&["doctor", "--cloud-mail", cloud_file]),
        format!("ok cloud the cloud's credential cannot send: {server} refuses it")
    );
}

#[test]
fn skill_check_says_which_components_the_cloud_refuses_and_why() {
    let cluster = Cluster::set();
    let guest = built("guests/asks-email-send.wasm");
    let output =
        cluster.try_platinum(&["skill", "check", "--role", "cloud", guest.to_str().unwrap()]);
    assert!(!output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let refusal =
        "role cloud does not grant platinum:approvals/queue@0.1.0, platinum:email/send@0.1.0";
    assert!(printed.contains(refusal), "{printed}");

    let output = cluster.try_platinum(&["skill", "check", "--role", "cloud"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    for links in [
        "check-claimed",
        "claim-task",
        "cloud-draft-email",
        "cloud-write-update",
        "sync-vault",
    ] {
        let line = printed.lines().find(|line| line.contains(links)).unwrap();
        assert!(line.contains("links"), "{line}");
    }
    assert!(printed.contains(refusal), "{printed}");
    assert!(
        printed.contains(
            "role cloud does not grant platinum:dashboard/board@0.1.0, platinum:updates/collect@0.1.0"
        ),
        "{printed}"
    );

    let output = cluster.try_platinum(&["skill", "check", "--role", "local"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
