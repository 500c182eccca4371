//! Ways to sneak a secret out of a vault, hundreds of them, against a real remote.
//!
//! Each way is a case of its own folder: `Inbox/leak-0123/`. All are put into one vault, which is
//! synced with git's daemon until nothing changes; then every object of the remote is searched,
//! whether or not anything leads to it. `files` and `accidents` have the cases that are a file, `values`
//! the ways to write a secret, `links` what is no ordinary file; `stories` are the ways that take several
//! steps, `pusher` those of a client that is not ours, against the hook.

mod accidents;
mod files;
mod fixture;
mod links;
mod pusher;
mod stories;
mod values;

use std::collections::BTreeSet;

use platinum_testkit::git::GitServer;

use fixture::{objects, owner};

#[tokio::test(flavor = "multi_thread")]
async fn no_way_out_leads_to_the_remote() {
    let server = GitServer::start().unwrap();
    let (owner, _) = owner(&server);
    let mut cases = files::names();
    cases.extend(files::tokens());
    cases.extend(files::keys_and_numbers());
    cases.extend(files::known());
    cases.extend(files::disguises());
    cases.extend(accidents::lists());
    cases.extend(accidents::archives());
    let hows: BTreeSet<_> = cases.iter().map(|case| case.how.clone()).collect();
    assert_eq!(hows.len(), cases.len(), "two cases of one name");

    for (n, case) in cases.iter().enumerate() {
        let folder = owner.root().join(format!("Inbox/leak-{n:04}"));
        let file = folder.join(&case.name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &case.bytes).unwrap();
        owner.write(&format!("Inbox/fine-{n:04}/note.md"), "Nothing secret.\n");
    }
    let linked = links::put(&owner, cases.len());
    let report = owner.sync_until_quiet().await;

    let remote = objects(&server);
    let mut out = Vec::new();
    for (n, case) in cases.iter().enumerate() {
        if remote.has_name(&format!("leak-{n:04}")) {
            out.push(format!("{}: its folder is there", case.how));
        }
        if !case.needle.is_empty() && remote.has(&case.needle) {
            out.push(format!("{}: its secret is there", case.how));
        }
        assert!(
            remote.has_name(&format!("fine-{n:04}")),
            "{} keeps another file away",
            case.how
        );
    }
    for (n, how) in &linked {
        if remote.has_name(&format!("leak-{n:04}")) {
            out.push(format!("{how}: it is there"));
        }
    }
    assert!(
        !remote.has(links::CONTENT.as_bytes()),
        "a link was followed"
    );
    assert!(out.is_empty(), "{}", out.join("\n"));

    // What is said of them does not give them away either.
    let reasons = report.withheld.iter().map(|held| held.reason.as_str());
    let printed: String = reasons.collect();
    for case in cases.iter().filter(|case| case.needle.len() >= 12) {
        if let Ok(needle) = std::str::from_utf8(&case.needle) {
            assert!(!printed.contains(needle), "{} is repeated", case.how);
        }
    }
    println!(
        "FIGURE: {} ways to sneak a secret out by a file, {} by a link; {} objects of the remote searched: none",
        cases.len(),
        linked.len(),
        remote.count
    );
    assert!(cases.len() + linked.len() >= 300);
}
