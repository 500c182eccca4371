//! Rows of the merge table, and that nothing is lost whatever the trees are.

use std::collections::BTreeMap;

use platinum_core::{AgentName, VaultPath};
use proptest::prelude::*;

use crate::{
    conflict_name,
    hlc::Stamp,
    merge::{Conflict, Displaced, Keeper, Plan, Sides, Tree, Version, plan},
};

fn path(text: &str) -> VaultPath {
    VaultPath::new(text).unwrap()
}

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn tree(files: &[(&str, &str)]) -> Tree {
    files
        .iter()
        .map(|(at, blob)| (path(at), (*blob).to_owned()))
        .collect()
}

const AT: i64 = 1_795_200_183_123;

fn version(who: &str, later: i64) -> Version {
    Version {
        stamp: Stamp {
            wall_ms: AT + later,
            count: 0,
        },
        agent: agent(who),
        trusted: true,
    }
}

/// A merge in which all of ours was made by `ours`, and all of theirs by `theirs`.
fn merged(base: &Tree, ours: (&Tree, &Version), theirs: (&Tree, &Version)) -> Plan {
    plan(&Sides {
        base,
        ours: ours.0,
        theirs: theirs.0,
        our_version: &|_| ours.1.clone(),
        their_version: &|_| theirs.1.clone(),
        may_overwrite: &|_| true,
        unchanged: &|_| None,
    })
}

/// As local, at one moment, with the cloud having been earlier.
fn as_local(base: &Tree, ours: &Tree, theirs: &Tree) -> Plan {
    let (local, cloud) = (version("local", 0), version("cloud", -1));
    merged(base, (ours, &local), (theirs, &cloud))
}

#[test]
fn merge_every_row_of_the_table_matches() {
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
        let plan = as_local(&side(base), &side(ours), &side(theirs));
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

/// One conflict at `Plans/x.md`, ours `0123456789abcdef`, theirs `ffffffff0000`.
fn conflict(ours: &Version, theirs: &Version, may_overwrite: bool) -> Conflict {
    let plan = plan(&Sides {
        base: &Tree::new(),
        ours: &tree(&[("Plans/x.md", "0123456789abcdef")]),
        theirs: &tree(&[("Plans/x.md", "ffffffff0000")]),
        our_version: &|_| ours.clone(),
        their_version: &|_| theirs.clone(),
        may_overwrite: &|_| may_overwrite,
        unchanged: &|_| None,
    });
    assert!(plan.take_theirs.is_empty() && plan.keep_ours.is_empty());
    plan.conflicts.into_iter().next().unwrap()
}

/// The later edit keeps the path and the earlier goes beside it.
#[test]
fn merge_later_edit_wins_and_earlier_is_a_copy() {
    let ours = conflict(&version("local", 0), &version("cloud", -1), true);
    assert_eq!(
        ours,
        Conflict {
            path: path("Plans/x.md"),
            keeper: Keeper::Ours,
            copy: path("Plans/x.conflict-cloud-20261120T184303122Z-ffffffff.md"),
            ours: "0123456789abcdef".into(),
            theirs: "ffffffff0000".into(),
        }
    );
    assert_eq!(
        (ours.kept(), ours.set_aside()),
        ("0123456789abcdef", "ffffffff0000")
    );
    let theirs = conflict(&version("local", 0), &version("cloud", 1), true);
    assert_eq!(theirs.keeper, Keeper::Theirs);
    assert_eq!(
        theirs.copy,
        path("Plans/x.conflict-local-20261120T184303123Z-01234567.md")
    );
    assert_eq!(
        (theirs.kept(), theirs.set_aside()),
        ("ffffffff0000", "0123456789abcdef")
    );
}

#[test]
fn merge_equal_stamps_compare_agent_names() {
    let keeper = |ours, theirs| conflict(&version(ours, 0), &version(theirs, 0), true).keeper;
    assert_eq!(keeper("local", "cloud"), Keeper::Ours);
    assert_eq!(keeper("cloud", "local"), Keeper::Theirs);
    // One agent twice, set up anew in between: by content, so that it is never undecided.
    assert_eq!(keeper("local", "local"), Keeper::Theirs);
}

/// Without two trusted stamps what the remote has keeps the path.
#[test]
fn merge_untrusted_stamp_keeps_the_remote_version() {
    let distrusted = |version: Version| Version {
        trusted: false,
        ..version
    };
    let (later, earlier) = (version("local", 9), version("cloud", 0));
    for (ours, theirs) in [
        (distrusted(later.clone()), earlier.clone()),
        (later.clone(), distrusted(earlier.clone())),
        (distrusted(later.clone()), distrusted(earlier.clone())),
    ] {
        assert_eq!(conflict(&ours, &theirs, true).keeper, Keeper::Theirs);
    }
    assert_eq!(conflict(&later, &earlier, true).keeper, Keeper::Ours);
}

/// What this side may not overwrite keeps its path however old it is.
#[test]
fn merge_protected_path_keeps_the_remote_version() {
    let kept = conflict(&version("local", 9), &version("cloud", 0), false);
    assert_eq!(kept.keeper, Keeper::Theirs);
    assert_eq!(kept.set_aside(), "0123456789abcdef");
}

#[test]
fn merge_copy_never_replaces_a_file() {
    let cloud = version("cloud", -1);
    let name = |blob| conflict_name(&path("x.md"), &cloud.agent, cloud.stamp.wall_ms, blob);
    let ours = tree(&[("x.md", "aaaaaaaa")]);
    let mut theirs = tree(&[("x.md", "bbbbbbbb")]);
    let free = as_local(&Tree::new(), &ours, &theirs).conflicts.remove(0);
    assert_eq!(free.copy, name("bbbbbbbb"));
    // Another file of the other side.
    theirs.insert(free.copy.clone(), "other".into());
    let other = as_local(&Tree::new(), &ours, &theirs).conflicts.remove(0);
    assert_ne!(other.copy, free.copy);
    // The very same copy, made by the other side already.
    theirs.insert(free.copy.clone(), "bbbbbbbb".into());
    let same = as_local(&Tree::new(), &ours, &theirs).conflicts.remove(0);
    assert_eq!(same.copy, free.copy);
    // The same copy, but our side deletes it in this very merge.
    let base = tree(&[(free.copy.as_str(), "bbbbbbbb")]);
    let deleted = as_local(&base, &ours, &theirs).conflicts.remove(0);
    assert_ne!(deleted.copy, free.copy);
    // A file that neither side changed.
    let (local, theirs) = (version("local", 0), tree(&[("x.md", "bbbbbbbb")]));
    let beside = |unchanged: &str| {
        plan(&Sides {
            base: &Tree::new(),
            ours: &ours,
            theirs: &theirs,
            our_version: &|_| local.clone(),
            their_version: &|_| cloud.clone(),
            may_overwrite: &|_| true,
            unchanged: &|at| (*at == free.copy).then(|| unchanged.to_owned()),
        })
    };
    assert_ne!(beside("edited").conflicts[0].copy, free.copy);
    assert_eq!(beside("bbbbbbbb").conflicts[0].copy, free.copy);
}

/// A file against a folder of its name, from either side: the folder keeps the name, both sides
/// say where the file goes, and where theirs may not be moved it stays.
#[test]
fn merge_file_against_a_folder_sets_the_file_aside() {
    let (file, folder) = (
        tree(&[("a.md", "11111111")]),
        tree(&[("a.md/b.md", "22222222")]),
    );
    let (local, cloud) = (version("local", 0), version("cloud", 5));
    let none = Tree::new();
    let as_ours = merged(&none, (&file, &local), (&folder, &cloud));
    let copy = conflict_name(&path("a.md"), &agent("local"), AT, "11111111");
    let displaced = |owner| Displaced {
        path: path("a.md"),
        owner,
        copy: copy.clone(),
        blob: "11111111".to_owned(),
    };
    assert_eq!(as_ours.displaced, [displaced(Keeper::Ours)]);
    assert!(as_ours.keep_ours.is_empty());
    let as_theirs = merged(&none, (&folder, &cloud), (&file, &local));
    assert_eq!(as_theirs.displaced, [displaced(Keeper::Theirs)]);
    assert!(as_theirs.take_theirs.is_empty());
    assert_eq!(done(&as_ours, &folder), done(&as_theirs, &file));
    // Edited here while it became a folder there.
    let edited = tree(&[("a.md", "33333333")]);
    let plan = merged(&file, (&edited, &local), (&folder, &cloud));
    assert_eq!(plan.displaced[0].blob, "33333333");
    let kept = plan_of_a_guest(&folder, &file);
    assert_eq!(kept.displaced, []);
    assert_eq!(kept.take_theirs.len(), 1);
    assert_eq!(kept.keep_ours.len(), 1);
}

/// The plan of an agent that may not change what is there.
fn plan_of_a_guest(ours: &Tree, theirs: &Tree) -> Plan {
    let version = version("cloud", 0);
    plan(&Sides {
        base: &Tree::new(),
        ours,
        theirs,
        our_version: &|_| version.clone(),
        their_version: &|_| version.clone(),
        may_overwrite: &|_| false,
        unchanged: &|_| None,
    })
}

/// What a tree that has `theirs` is after the plan was done.
fn done(plan: &Plan, theirs: &Tree) -> Tree {
    let mut result = theirs.clone();
    for (path, blob) in plan.take_theirs.iter().chain(&plan.keep_ours) {
        match blob {
            Some(blob) => result.insert(path.clone(), blob.clone()),
            None => result.remove(path),
        };
    }
    for conflict in &plan.conflicts {
        result.insert(conflict.path.clone(), conflict.kept().to_owned());
        result.insert(conflict.copy.clone(), conflict.set_aside().to_owned());
    }
    for displaced in &plan.displaced {
        if displaced.owner == Keeper::Theirs {
            result.remove(&displaced.path);
        }
        result.insert(displaced.copy.clone(), displaced.blob.clone());
    }
    result
}

/// Whether no file is where another one has a folder.
fn is_a_tree(files: &Tree) -> bool {
    let mut folders = files
        .keys()
        .flat_map(|path| std::iter::successors(path.parent(), VaultPath::parent));
    folders.all(|folder| !files.contains_key(&folder))
}

/// Names of notes, and of the conflict copies that merging them makes, so that copies are edited,
/// deleted and in conflict themselves.
fn any_name() -> impl Strategy<Value = VaultPath> {
    let mut names: Vec<VaultPath> = ["a.md", "b.md", "d/e.md", "b.md/c.md", "b.md/d.md"]
        .into_iter()
        .map(path)
        .collect();
    for (who, later) in [("local", 0), ("cloud", 0), ("cloud", -1)] {
        for blob in ["11111111", "22222222"] {
            names.push(conflict_name(&path("a.md"), &agent(who), AT + later, blob));
            names.push(conflict_name(&path("b.md"), &agent(who), AT + later, blob));
        }
    }
    let of_copy = conflict_name(&names[3], &agent("local"), AT, "22222222");
    names.push(of_copy);
    prop::sample::select(names)
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let blob = prop::sample::select(vec!["11111111", "22222222", "33333333"]);
    prop::collection::btree_map(any_name(), blob.prop_map(str::to_owned), 0..9).prop_map(
        |mut files: Tree| {
            if files.contains_key(&path("b.md")) {
                files.retain(|file, _| !file.as_str().starts_with("b.md/"));
            }
            files
        },
    )
}

fn any_version(who: &'static str) -> impl Strategy<Value = Version> {
    (-1_i64..2).prop_map(move |later| version(who, later))
}

/// That nothing either side made since the base is lost by the plan.
fn nothing_lost(base: &Tree, ours: &Tree, theirs: &Tree, plan: &Plan) -> Result<(), TestCaseError> {
    let result = done(plan, theirs);
    for (side, other) in [(ours, theirs), (theirs, ours)] {
        for (path, blob) in side {
            if base.get(path) == Some(blob) {
                continue;
            }
            let at_path = result.get(path) == Some(blob);
            let mut copies = plan.conflicts.iter().map(|c| (&c.path, &c.copy));
            let mut displaced = plan.displaced.iter().map(|d| (&d.path, &d.copy));
            let is_one =
                |(of, copy): (&VaultPath, &VaultPath)| of == path && result.get(copy) == Some(blob);
            let in_copy = copies.any(is_one) || displaced.any(is_one);
            let other = other.get(path);
            prop_assert!(
                at_path || in_copy,
                "{path}: {blob} is lost, other side {other:?}"
            );
        }
    }
    // Nothing appears that no side had.
    for (path, blob) in &result {
        let known = ours.get(path) == Some(blob)
            || theirs.get(path) == Some(blob)
            || plan
                .conflicts
                .iter()
                .any(|c| c.copy == *path && c.set_aside() == blob)
            || plan
                .displaced
                .iter()
                .any(|d| d.copy == *path && d.blob == *blob);
        prop_assert!(known);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Every version that either side made is in the result.
    #[test]
    fn merge_keeps_every_version_of_both_sides(
        base in any_tree(), ours in any_tree(), theirs in any_tree(),
        local in any_version("local"), cloud in any_version("cloud"),
        trusted in any::<bool>(), may_overwrite in any::<bool>(),
    ) {
        let local = Version { trusted, ..local };
        let plan = plan(&Sides {
            base: &base,
            ours: &ours,
            theirs: &theirs,
            our_version: &|_| local.clone(),
            their_version: &|_| cloud.clone(),
            may_overwrite: &|_| may_overwrite,
            unchanged: &|_| None,
        });
        nothing_lost(&base, &ours, &theirs, &plan)?;
        prop_assert!(!may_overwrite || is_a_tree(&done(&plan, &theirs)));
        let ours_kept = plan.conflicts.iter().any(|c| c.keeper == Keeper::Ours);
        prop_assert!(!ours_kept || (trusted && may_overwrite));
    }

    #[test]
    fn merge_from_both_sides_gives_one_tree(
        base in any_tree(), one in any_tree(), other in any_tree(),
        local in any_version("local"), cloud in any_version("cloud"),
    ) {
        let here = merged(&base, (&one, &local), (&other, &cloud));
        let there = merged(&base, (&other, &cloud), (&one, &local));
        prop_assert_eq!(done(&here, &other), done(&there, &one));
    }

    #[test]
    fn merge_again_changes_nothing(base in any_tree(), ours in any_tree(), theirs in any_tree()) {
        let first = as_local(&base, &ours, &theirs);
        prop_assert_eq!(&first, &as_local(&base, &ours, &theirs));
        // Once both sides have the result, there is nothing left to merge; and a side that did
        // its part, but does not know that the other has it, makes no second copy.
        let result = done(&first, &theirs);
        prop_assert!(as_local(&theirs, &result, &result).is_empty());
        prop_assert!(as_local(&base, &result, &result).is_empty());
    }

    #[test]
    fn merge_edit_beats_delete(
        base in any_tree(), ours in any_tree(), theirs in any_tree(), name in any_name(),
    ) {
        let (mut base, mut ours, mut theirs) = (base, ours, theirs);
        for side in [&mut base, &mut ours, &mut theirs] {
            side.retain(|path, _| !path.is_within(name.as_str()) && !name.is_within(path.as_str()));
        }
        base.insert(name.clone(), "00000000".into());
        ours.insert(name.clone(), "99999999".into());
        theirs.remove(&name);
        for (one, other) in [(&ours, &theirs), (&theirs, &ours)] {
            let plan = as_local(&base, one, other);
            let result = done(&plan, other);
            prop_assert_eq!(result.get(&name).map(String::as_str), Some("99999999"));
        }
    }

    /// Two sides edit, and merge through one remote, again and again: they always come to the
    /// same, and every version that was ever stable on a side was either known to those who
    /// replaced it, or is still there.
    #[test]
    fn merge_repeated_edits_of_copies_converge(
        rounds in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_u32..4, 0_u32..4, -3_i64..4), 1..25),
    ) {
        let mut base = tree(&[("a.md", "00000000"), ("b.md", "00000001")]);
        let mut fresh = 2_u32;
        for (index, here, there, skew) in rounds {
            let names: Vec<VaultPath> = base.keys().cloned().collect();
            let mut edit = |side: &mut Tree, how: u32| {
                let Some(name) = names.get(index.index(names.len().max(1))) else {
                    return;
                };
                fresh += 1;
                match how {
                    0 => {}
                    1 => drop(side.remove(name)),
                    2 => drop(side.insert(name.clone(), format!("{fresh:08x}"))),
                    _ => drop(side.insert(path("a.md"), format!("{fresh:08x}"))),
                }
            };
            let (mut one, mut other) = (base.clone(), base.clone());
            edit(&mut one, here);
            edit(&mut other, there);
            let (local, cloud) = (version("local", 0), version("cloud", skew));
            // One side pushes first, and the other merges with that; then the first takes it in.
            let plan = merged(&base, (&one, &local), (&other, &cloud));
            nothing_lost(&base, &one, &other, &plan)?;
            let result = done(&plan, &other);
            let back = merged(&other, (&other, &cloud), (&result, &local));
            prop_assert!(back.keep_ours.is_empty() && back.conflicts.is_empty());
            prop_assert_eq!(&done(&back, &result), &result);
            base = result;
        }
    }
}
