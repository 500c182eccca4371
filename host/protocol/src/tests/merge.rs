//! Rows of the merge table, and that nothing is lost whatever the trees are.

use std::collections::BTreeMap;

use platinum_core::{AgentName, VaultPath};
use proptest::prelude::*;

use crate::merge::{Conflict, Plan, Tree, conflict_name, plan};

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn local() -> AgentName {
    "local".parse().unwrap()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files
        .iter()
        .map(|(at, blob)| (path(at), (*blob).to_owned()))
        .collect()
}

const AT: i64 = 1_795_200_183_123;

#[test]
fn each_row_of_the_table_comes_out_as_it_says() {
    let side = |blob: &str| {
        if blob.is_empty() {
            tree(&[])
        } else {
            tree(&[("Plans/x.md", blob)])
        }
    };
    for (base, ours, theirs, take, keep, conflicts) in [
        ("a", "a", "a", None, None, 0),
        ("a", "b", "b", None, None, 0),
        ("a", "", "", None, None, 0),
        ("", "b", "b", None, None, 0),
        ("a", "a", "b", Some("b"), None, 0),
        ("a", "a", "", Some(""), None, 0),
        ("", "", "b", Some("b"), None, 0),
        ("a", "b", "a", None, Some("b"), 0),
        ("a", "", "a", None, Some(""), 0),
        ("", "b", "", None, Some("b"), 0),
        ("a", "b", "", None, Some("b"), 0),
        ("a", "", "b", Some("b"), None, 0),
        ("a", "b", "c", None, None, 1),
        ("", "b", "c", None, None, 1),
    ] {
        let plan = plan(&side(base), &side(ours), &side(theirs), &local(), AT);
        let row = format!("base {base:?}, ours {ours:?}, theirs {theirs:?}");
        let one = |part: &BTreeMap<VaultPath, Option<String>>| {
            part.values()
                .next()
                .map(|blob| blob.clone().unwrap_or_default())
        };
        assert_eq!(one(&plan.take_theirs).as_deref(), take, "{row}");
        assert_eq!(one(&plan.keep_ours).as_deref(), keep, "{row}");
        assert_eq!(plan.conflicts.len(), conflicts, "{row}");
        assert_eq!(
            plan.is_empty(),
            take.is_none() && keep.is_none() && conflicts == 0,
            "{row}"
        );
    }
}

#[test]
fn in_a_conflict_theirs_stays_and_ours_goes_beside_it() {
    let ours = tree(&[("Plans/x.md", "0123456789abcdef")]);
    let theirs = tree(&[("Plans/x.md", "ffff")]);
    let plan = plan(&Tree::new(), &ours, &theirs, &local(), AT);
    assert_eq!(
        plan.conflicts,
        [Conflict {
            path: path("Plans/x.md"),
            copy: path("Plans/x.conflict-local-20261120T184303123Z-01234567.md"),
            ours: "0123456789abcdef".into(),
            theirs: "ffff".into(),
        }]
    );
}

#[test]
fn a_conflict_name_keeps_the_type_and_fits_every_system() {
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
fn a_conflict_of_a_conflict_has_a_name_too_however_often() {
    let mut at = path("Done/2026/11/note.md");
    for round in 0..20 {
        at = conflict_name(&at, &local(), AT + round, "0123456789abcdef");
        assert_eq!(at.extension(), Some("md"));
    }
}

#[test]
fn a_copy_never_takes_the_place_of_another_file() {
    let first = conflict_name(&path("x.md"), &local(), AT, "aaaaaaaa");
    let ours = Tree::from([(path("x.md"), "aaaaaaaa".into())]);
    let theirs = Tree::from([(path("x.md"), "b".into()), (first.clone(), "other".into())]);
    let plan = plan(&Tree::new(), &ours, &theirs, &local(), AT);
    assert_ne!(plan.conflicts[0].copy, first);
}

/// What the tree is after the plan was done.
fn done(plan: &Plan, theirs: &Tree) -> Tree {
    let mut result = theirs.clone();
    for (path, blob) in plan.take_theirs.iter().chain(&plan.keep_ours) {
        match blob {
            Some(blob) => result.insert(path.clone(), blob.clone()),
            None => result.remove(path),
        };
    }
    for conflict in &plan.conflicts {
        result.insert(conflict.path.clone(), conflict.theirs.clone());
        result.insert(conflict.copy.clone(), conflict.ours.clone());
    }
    result
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let name = prop::sample::select(vec!["a.md", "b.md", "c.md", "d/e.md"]);
    let blob = prop::sample::select(vec!["11111111", "22222222", "33333333", "44444444"]);
    prop::collection::btree_map(name.prop_map(path), blob.prop_map(str::to_owned), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_version_that_either_side_made_is_in_the_result(
        base in any_tree(), ours in any_tree(), theirs in any_tree(),
    ) {
        let plan = plan(&base, &ours, &theirs, &local(), AT);
        let result = done(&plan, &theirs);
        for (side, other) in [(&ours, &theirs), (&theirs, &ours)] {
            for (path, blob) in side {
                let changed = base.get(path) != Some(blob);
                if !changed {
                    continue;
                }
                let at_path = result.get(path) == Some(blob);
                let in_copy = plan.conflicts.iter()
                    .any(|c| c.path == *path && result.get(&c.copy) == Some(blob));
                prop_assert!(at_path || in_copy, "{path}: {blob} is lost, other side {:?}", other.get(path));
            }
        }
        // Nothing appears that no side had.
        for (path, blob) in &result {
            let known = ours.get(path) == Some(blob) || theirs.get(path) == Some(blob)
                || plan.conflicts.iter().any(|c| c.copy == *path && c.ours == *blob);
            prop_assert!(known);
        }
    }

    #[test]
    fn doing_it_again_changes_nothing(base in any_tree(), ours in any_tree(), theirs in any_tree()) {
        let first = plan(&base, &ours, &theirs, &local(), AT);
        prop_assert_eq!(&first, &plan(&base, &ours, &theirs, &local(), AT));
        // Once both sides have the result, there is nothing left to merge.
        let result = done(&first, &theirs);
        prop_assert!(plan(&theirs, &result, &result, &local(), AT).is_empty());
    }

    #[test]
    fn without_a_conflict_it_does_not_matter_who_merges(
        base in any_tree(), ours in any_tree(), theirs in any_tree(),
    ) {
        let here = plan(&base, &ours, &theirs, &local(), AT);
        let there = plan(&base, &theirs, &ours, &local(), AT);
        prop_assert_eq!(&here.take_theirs, &there.keep_ours);
        prop_assert_eq!(&here.keep_ours, &there.take_theirs);
        let paths = |plan: &Plan| plan.conflicts.iter().map(|c| c.path.clone()).collect::<Vec<_>>();
        prop_assert_eq!(paths(&here), paths(&there));
    }

    #[test]
    fn a_conflict_name_is_always_a_path_in_the_same_top_folder(
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
