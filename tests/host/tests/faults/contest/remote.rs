//! What the remote holds in the end, read by plain git: where each task is, and every claim that
//! ever landed.

use std::{collections::BTreeMap, path::Path};

use platinum_core::layout;
use platinum_testkit::git::git_in;

use crate::contest::{
    WORKERS,
    history::{Operation, Outcome},
    linear::Register,
    worker::{self, name, zone},
};

/// A claim that landed: whose, and its epoch.
pub(crate) type Claim = (usize, u64);

/// Every claim that landed, by task, oldest first.
pub(crate) fn claims(repository: &Path) -> BTreeMap<usize, Vec<Claim>> {
    let trailer = |key: &str| format!("%(trailers:key={key},valueonly,separator=%x20)");
    let format = format!(
        "--format=%x00{}%x09{}",
        trailer("Platinum-Agent"),
        trailer("Platinum-Epoch")
    );
    let log = git_in(
        repository,
        &[
            "log",
            "--reverse",
            "--name-only",
            "--no-renames",
            &format,
            "main",
        ],
    )
    .unwrap();
    let by_id = (0..WORKERS).map(|number| (name(number), number));
    let workers: BTreeMap<_, _> = by_id.collect();
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for commit in log.split('\0') {
        let mut lines = commit.lines();
        let Some((agent, epoch)) = lines.next().and_then(|head| head.split_once('\t')) else {
            continue;
        };
        let Ok(epoch) = epoch.parse() else {
            continue;
        };
        let to = lines.find(|path| path.starts_with("In_Progress/")).unwrap();
        let worker = workers[agent];
        found
            .entry(number_in(to))
            .or_default()
            .push((worker, epoch));
    }
    found
}

/// Where each task is in the end.
pub(crate) fn last(repository: &Path, tasks: usize) -> Vec<Register> {
    let files = git_in(repository, &["ls-tree", "-r", "--name-only", "main"]).unwrap();
    let mut owners = vec![None; tasks];
    for path in files.lines().filter(|path| is_task(path)) {
        let task = number_in(path);
        let id = worker::task(task);
        let owner = (0..WORKERS).find(|worker| {
            path == layout::in_progress(&name(*worker).parse().unwrap(), id).as_str()
        });
        let is_waiting = path == layout::waiting(zone(task), id).as_str();
        assert!(
            owner.is_some() || is_waiting,
            "{path} is no place for a task"
        );
        let before = owners[task].replace(owner);
        assert_eq!(before, None, "task {task} is in two places");
    }
    let log = claims(repository);
    let epoch = |task| log.get(&task).and_then(|it| it.last()).map_or(0, |it| it.1);
    owners
        .into_iter()
        .enumerate()
        .map(|(task, owner)| Register {
            owner: owner.unwrap_or_else(|| panic!("task {task} is gone")),
            epoch: epoch(task),
        })
        .collect()
}

/// Each epoch of the task was won once, one after another; and what a worker was told that it won,
/// it did.
pub(crate) fn agrees(task: usize, operations: &[Operation], claims: &[Claim], last: Register) {
    let epochs: Vec<_> = claims.iter().map(|claim| claim.1).collect();
    let in_order: Vec<_> = (1..=claims.len() as u64).collect();
    assert_eq!(epochs, in_order, "the epochs of task {task}");
    if let Some(owner) = last.owner {
        let winner = claims.last().map(|claim| claim.0);
        assert_eq!(
            winner,
            Some(owner),
            "task {task} is with somebody who did not win it"
        );
    }
    for it in operations {
        if let Outcome::Won(epoch) = it.outcome {
            let claim = (it.worker, epoch);
            assert!(
                claims.contains(&claim),
                "task {task}: the remote has no {claim:?}: {it:?}"
            );
        }
    }
}

/// Copies that a host kept beside a task. No one edits tasks here, and a file that is merely behind
/// the remote is no edit: there is nothing to keep.
pub(crate) fn copies(repository: &Path) -> usize {
    let files = git_in(repository, &["ls-tree", "-r", "--name-only", "main"]).unwrap();
    files
        .lines()
        .filter(|path| path.contains(".conflict-"))
        .count()
}

fn is_task(path: &str) -> bool {
    path.contains("/task_") && !path.contains(".conflict-")
}

/// The task that a path names.
fn number_in(path: &str) -> usize {
    let id = path.rsplit('/').next().unwrap().trim_end_matches(".md");
    let id: platinum_core::TaskId = id.parse().unwrap();
    // Its random part is its number.
    let number = (0..100_000).find(|number| worker::task(*number) == id);
    number.unwrap()
}
