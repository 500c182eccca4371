//! What a cloud host refuses, word for word.

use std::process::Command;

use platinum_testkit::program;

use crate::gate::cluster::{Cluster, built};

/// A cloud host beside a full mail server does not start and says why.
#[test]
fn cloud_beside_a_sending_mail_server_refuses_to_start() {
    let cluster = Cluster::set();
    let full = program("platinum-email", "platinum-email").unwrap();
    cluster.configure("cloud", true, full.to_str().unwrap());
    let output = Command::new(program("platinum-cloud", "platinum-cloud").unwrap())
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
         acts on the outside world; run its draft-only build (platinum-email-draft) instead"
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
