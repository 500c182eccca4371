//! The names of all fail points, and that they are the ones in the sources.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// Every place where a host can be made to die. To add one: put `fail::fail_point!("<name>")` into
/// the source and its name here; the workload has to come by it.
pub(crate) const POINTS: [&str; 56] = [
    "apply-before-removals",
    "apply-copies-written",
    "apply-set-aside",
    "claim-brought",
    "claim-decided-here",
    "claim-made",
    "claim-marked",
    "claim-won",
    "draft-confirmed",
    "drag-set-by",
    "end-decided",
    "end-filed-here",
    "end-landed",
    "end-told",
    "intent-kept",
    "intent-written",
    "keep-after",
    "keep-before",
    "lost-work-set-by",
    "move-committed",
    "move-done",
    "move-noted",
    "sweep-brought-back",
    "sweep-known",
    "sweep-unknown",
    "sync-after-push",
    "sync-before-push",
    "sync-bringing",
    "sync-committed",
    "sync-fetched",
    "sync-files-changed",
    "sync-landed-settled",
    "sync-landed-verified",
    "sync-outgoing-noted",
    "sync-prepared",
    "sync-taken-in",
    "sync-verified",
    "undo-landed",
    "undo-made",
    "vault-before-exchange",
    "vault-before-removal",
    "vault-created",
    "vault-edit-put-back",
    "vault-exchanged",
    "vault-exchanged-an-edit",
    "vault-folder-made",
    "vault-kept-beside",
    "vault-moved-aside",
    "vault-removal-undone",
    "vault-removed",
    "vault-renamed",
    "vault-renamed-and-settled",
    "vault-replaced",
    "vault-temp-made",
    "vault-temp-synced",
    "vault-temp-written",
];

/// Those that this workload does not come by, because it has no effects: each with the test that dies there.
pub(crate) const POINTS_OF_EFFECTS: [(&str, &str); 14] = [
    (
        "approval-findings-written",
        "act_that_dies_before_its_record_is_made_good",
    ),
    (
        "approval-moved",
        "act_that_dies_before_its_record_is_made_good",
    ),
    (
        "approval-returned",
        "act_that_dies_before_its_record_is_made_good",
    ),
    (
        "approval-undone",
        "act_that_dies_before_its_record_is_made_good",
    ),
    (
        "journal-appended",
        "crash_at_a_fail_point_keeps_the_log_whole",
    ),
    (
        "journal-signed",
        "crash_at_a_fail_point_keeps_the_log_whole",
    ),
    (
        "odoo-document-read",
        "crash_at_a_fail_point_of_odoo_acts_once",
    ),
    (
        "odoo-document-answered",
        "crash_at_a_fail_point_of_odoo_acts_once",
    ),
    (
        "odoo-payment-read",
        "crash_at_a_fail_point_of_odoo_acts_once",
    ),
    (
        "odoo-payment-answered",
        "crash_at_a_fail_point_of_odoo_acts_once",
    ),
    (
        "social-post-read",
        "crash_at_a_fail_point_of_a_post_publishes_once",
    ),
    (
        "social-post-answered",
        "crash_at_a_fail_point_of_a_post_publishes_once",
    ),
    (
        "whatsapp-chat-read",
        "crash_at_a_fail_point_of_whatsapp_sends_once",
    ),
    (
        "whatsapp-answered",
        "crash_at_a_fail_point_of_whatsapp_sends_once",
    ),
];

/// What a call of the macro begins with; put together, so that this file has none.
fn call() -> String {
    ["fail_point!", "(\""].concat()
}

#[test]
fn the_list_has_exactly_the_fail_points_of_the_sources() {
    let mut found = BTreeMap::new();
    let mut others: Vec<&str> = POINTS_OF_EFFECTS.iter().map(|(_, test)| *test).collect();
    for source in sources() {
        let text = fs::read_to_string(&source).unwrap();
        others.retain(|test| !text.contains(&format!("fn {test}()")));
        for (place, start) in text.match_indices(&call()) {
            let rest = &text[place + start.len()..];
            let name = rest.split('"').next().unwrap();
            let before = found.insert(name.to_owned(), source.clone());
            assert_eq!(before, None, "{name} is in {source} too");
        }
    }
    let found: Vec<_> = found.into_keys().collect();
    assert!(others.is_empty(), "no such tests: {others:?}");
    // Those on a mail's way out are met by `sending`.
    let mut listed = POINTS.to_vec();
    listed.extend(POINTS_OF_EFFECTS.iter().map(|(point, _)| *point));
    listed.extend(crate::sending::POINTS.map(|(_, name)| name));
    listed.push(crate::sending::OUTBOX_POINT);
    listed.push(crate::sending::ANSWERED_POINT);
    listed.sort_unstable();
    assert_eq!(found, listed);
}

fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut folders = vec![root.join("host"), root.join("servers")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[test]
fn a_program_that_is_built_to_be_used_has_no_fail_points() {
    assert!(fail::has_failpoints(), "in these tests they are there");
    for program in ["platinum-local", "platinum-cloud"] {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let tree = Command::new(cargo)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION")
            .args(["tree", "--offline", "--package", program])
            .args([
                "--edges", "normal", "--prefix", "none", "--format", "{p}|{f}",
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(tree.stdout).unwrap();
        let features: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("fail v")?.split_once('|'))
            .map(|(_, features)| features)
            .collect();
        assert!(
            !features.is_empty(),
            "{}",
            String::from_utf8_lossy(&tree.stderr)
        );
        assert!(
            features
                .iter()
                .all(|features| !features.contains("failpoints")),
            "{program}: {features:?}"
        );
    }
}
