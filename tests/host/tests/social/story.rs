//! The main way: a note that is dropped on the owner's machine is drafted on the cloud, for each account by its limits,
//! approved by the owner, and published once by the owner's machine.

use std::{fs, path::Path};

use platinum_host_tests::hosts::{Hosts, notes};
use platinum_testkit::social::{FediverseServer as _, Pds, Snac};
use serde_json::json;

use crate::section;

/// A text for both, too long for one of them: emoji of several code points, a mark that combines, and an address.
fn note() -> String {
    let long = "There is cake for all of you, and cafe\u{301} as well. ".repeat(8);
    format!(
        "---\nzone: social\nlanguage: en\n---\nWe open on Monday 👩‍👩‍👧‍👦! {long}More: https://example.test/opening\n"
    )
}

#[test]
fn dropped_note_is_drafted_on_the_cloud_and_published_once() {
    if !(Pds::present().unwrap() && Snac::present().unwrap()) {
        return;
    }
    let (pds, snac) = (Pds::shared().unwrap(), Snac::shared().unwrap());
    let (sky, fedi) = (
        pds.create_account("adastory").unwrap(),
        snac.create_account("adastory").unwrap(),
    );
    let programs = [
        "platinum-intake",
        "platinum-social",
        "platinum-social-draft",
    ];
    let hosts = Hosts::set(&programs, &["social"], |role, home: &Path| {
        let acts = role == "local";
        // Tokens of snac have no scopes: the cloud has none.
        let token = acts.then_some(fedi.token.as_str());
        let accounts = [
            sky.section("sky", &pds.url(), home, acts).unwrap(),
            fedi.section("fedi", &snac.url(), home, token).unwrap(),
        ];
        section(home, &accounts.concat())
    });
    let local = &hosts.local;
    let _running = (hosts.cloud.start(""), local.start(""));
    // What is in Inbox/ before is left alone.
    let is_watched = "the folder watcher: waiting for dropped files";
    hosts.wait("the folder watcher", || {
        Ok(local.log().contains(is_watched).then_some(()))
    });
    fs::write(local.vault().join("Inbox/opening.md"), note()).unwrap();

    let drafts = hosts.await_drafts(2);
    let listed = local.shows(&["approvals", "--full"]);
    println!("{listed}");
    assert!(listed.contains("Shortened by rule from "), "{listed}");
    for (_, note) in local.drafts() {
        println!("{note}");
    }
    assert!(pds.posts(&sky).unwrap().is_empty() && snac.posts(&fedi).unwrap().is_empty());

    for draft in &drafts {
        local.approve(draft.id);
    }
    for draft in &drafts {
        local.await_done(draft.id);
    }
    let on_pds = pds.posts(&sky).unwrap();
    assert_eq!(on_pds.len(), 1, "{on_pds:?}");
    let record = &on_pds[0]["value"];
    let text = record["text"].as_str().unwrap();
    assert!(
        text.starts_with("We open on Monday 👩‍👩‍👧‍👦! There is cake"),
        "{text}"
    );
    assert!(text.ends_with("\n\nhttps://example.test/opening"), "{text}");
    assert_eq!(record["langs"], json!(["en"]));
    // An address is one that readers can follow: by its place in bytes.
    let link = &record["facets"][0];
    let (start, end) = (&link["index"]["byteStart"], &link["index"]["byteEnd"]);
    let range = usize::try_from(start.as_u64().unwrap()).unwrap()
        ..usize::try_from(end.as_u64().unwrap()).unwrap();
    assert_eq!(&text[range], "https://example.test/opening");
    let on_snac = snac.posts(&fedi).unwrap();
    assert_eq!(on_snac.len(), 1, "{on_snac:?}");
    let html = on_snac[0]["content"].as_str().unwrap();
    assert!(
        html.contains("We open on Monday") && html.contains("More:"),
        "{html}"
    );

    // The task is over when both are out, with both receipts.
    let done = hosts.wait("the task in Done/", || {
        let done = notes(&local.vault().join("Done"));
        Ok(done.into_iter().find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("task_")
        }))
    });
    println!("{}", fs::read_to_string(done).unwrap());
    println!("{}", local.shows(&["log"]));
}
