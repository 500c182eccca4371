//! Names of conflict copies are paths, whatever they are made of.

use platinum_core::{AgentName, VaultPath};
use proptest::prelude::*;

use crate::{ConflictName, conflict_name};

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn local() -> AgentName {
    "local".parse().unwrap()
}

const AT: i64 = 1_795_200_183_123;

/// A conflict name keeps the type and fits every system.
#[test]
fn conflict_name_keeps_the_extension_and_fits() {
    let name =
        |text: &str| conflict_name(&path(text), &local(), AT, "0123456789abcdef").to_string();
    assert_eq!(
        name("Inbox/a.b.PDF"),
        "Inbox/a.b.conflict-local-20261120T184303123Z-01234567.PDF"
    );
    assert_eq!(
        name("Inbox/.x"),
        "Inbox/.x.conflict-local-20261120T184303123Z-01234567"
    );
    let long = format!("Inbox/{}.md", "ü".repeat(98));
    assert!(name(&long).ends_with("-01234567.md"));
    assert!(name(&long).starts_with("Inbox/üüüüüüüü"));
    let deep = format!(
        "Inbox/{}/{}/{}/x.md",
        "a".repeat(160),
        "b".repeat(160),
        "c".repeat(170)
    );
    assert!(name(&deep).starts_with("Inbox/aaa") && name(&deep).ends_with(".md"));
    let device = format!("Inbox/com1{}x.md", " ".repeat(150));
    assert!(name(&device).starts_with("Inbox/note.conflict-"));
    let odd = conflict_name(&path("x.md"), &local(), i64::MAX, "../../x");
    assert_eq!(odd.as_str(), "x.conflict-local-9223372036854775807-x.md");
}

#[test]
fn conflict_name_says_what_it_was_made_of() {
    let agent = "cloud-2".parse().unwrap();
    for original in [
        "Plans/a b.md",
        "x.conflict-y.md",
        "Inbox/.x",
        "Inbox/a.b.PDF",
    ] {
        let copy = conflict_name(&path(original), &agent, AT, "0123456789abcdef");
        assert_eq!(
            ConflictName::parse(&copy),
            Some(ConflictName {
                original: path(original),
                agent: "cloud-2".to_owned(),
                at: "2026-11-20 18:43 UTC".to_owned(),
                blob: "01234567".to_owned(),
            })
        );
    }
    for other in [
        "Plans/a.md",
        "Plans/a.conflict-x.md",
        "Plans/a.conflict-x-y.md",
    ] {
        assert_eq!(ConflictName::parse(&path(other)), None, "{other}");
    }
    let odd = conflict_name(&path("x.md"), &local(), i64::MAX, "unread");
    assert_eq!(ConflictName::parse(&odd).unwrap().at, "9223372036854775807");
}

/// A conflict of a conflict has a name too however often.
#[test]
fn conflict_name_of_a_conflict_stays_valid() {
    let mut at = path("Done/2026/11/note.md");
    for round in 0..20 {
        at = conflict_name(&at, &local(), AT + round, "0123456789abcdef");
        assert_eq!(at.extension(), Some("md"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// A conflict name is always a path in the same top folder.
    #[test]
    fn conflict_name_any_path_stays_in_its_top_folder(
        parts in prop::collection::vec("[a-zA-Zäöü.]{1,40}", 1..8),
        blob in "[0-9a-f]{40}",
        at in any::<i64>(),
    ) {
        if let Ok(from) = VaultPath::new(parts.join("/")) {
            let name = conflict_name(&from, &local(), at, &blob);
            prop_assert_eq!(name.components().count() > 1, from.components().count() > 1);
            if from.components().count() > 1 {
                prop_assert_eq!(name.top(), from.top());
            }
            prop_assert_eq!(name, conflict_name(&from, &local(), at, &blob));
        }
    }
}
