//! The main way: a note that is dropped on the owner's machine is drafted on the cloud, for each account by its limits,
//! approved by the owner, and published once by the owner's machine.

use std::{fs, path::Path};

use platinum_testkit::social::{FediverseServer as _, Pds, Snac};
use serde_json::json;

use crate::machines::{Halves, SOON, notes};

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
    let halves = Halves::set(|role, folder: &Path| {
        let acts = role == "local";
        let sections = [
            sky.section("sky", &pds.url(), folder, acts).unwrap(),
            // Tokens of snac have no scopes: the cloud has none.
            fedi.section(
                "fedi",
                &snac.url(),
                folder,
                acts.then_some(fedi.token.as_str()),
            )
            .unwrap(),
        ];
        sections.concat()
    });
    let _cloud = halves.start("cloud");
    let _local = halves.start("local");
    let inbox = halves.vault("local").join("Inbox");
    // What is in Inbox/ before is left alone.
    let is_watched = "the folder watcher: waiting for dropped files";
    platinum_testkit::wait_for("the folder watcher", SOON, || {
        Ok(halves.log_of("local").contains(is_watched).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", halves.log()));
    fs::write(inbox.join("opening.md"), note()).unwrap();

    let drafts = halves.await_drafts(2);
    let listed = halves.shows(&["approvals", "--full"]);
    println!("{listed}");
    assert!(listed.contains("Shortened by rule from "), "{listed}");
    for draft in &drafts {
        let path = format!("Pending_Approval/{draft}.md");
        println!(
            "{}",
            fs::read_to_string(halves.vault("local").join(path)).unwrap()
        );
    }
    assert!(pds.posts(&sky).unwrap().is_empty() && snac.posts(&fedi).unwrap().is_empty());

    for draft in &drafts {
        halves.shows(&["approve", &draft.to_string()]);
    }
    for draft in &drafts {
        halves.await_done(*draft);
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
    let done = platinum_testkit::wait_for("the task in Done/", SOON, || {
        let done = notes(&halves.vault("local").join("Done"));
        Ok(done.into_iter().find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("task_")
        }))
    });
    let done = done.unwrap_or_else(|error| panic!("{error:#}\n{}", halves.log()));
    println!("{}", fs::read_to_string(done).unwrap());
    println!("{}", halves.shows(&["log"]));
}
