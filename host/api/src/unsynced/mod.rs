//! What stays on this machine because of where it is or what type it is, and what cannot be read, in
//! words.
//!
//! Lives elsewhere: what would leave instead is in `preview`; counting is `platinum_vault::UnsyncedFiles`; what is withheld although it would be
//! synced is in `sync`.

pub(crate) mod preview;

use std::collections::BTreeMap;

use platinum_core::VaultPath;
use platinum_daemon::Config;
use platinum_repo::{RefName, Repo};
use platinum_vault::{Unreadable, UnsyncedFiles};

use crate::{
    Check, Level,
    text::{count, plain},
};

/// At most so many folders and types are named.
const NAMED: usize = 8;

/// What says whether a file that could be synced stays here because the owner chose so: it is not chosen, and the
/// remote has it not already.
pub(crate) fn by_choice(config: &Config) -> Box<dyn Fn(&VaultPath) -> bool> {
    // It was checked when the configuration was read.
    let choice = config.sync.choice().unwrap_or_default();
    let git_dir = config.vault.state.join("vault.git");
    let shared = git_dir.exists().then(|| {
        // A repository that cannot be read is an error in the row of the sync.
        let repo = Repo::open_or_init(&git_dir).ok()?;
        let base = repo.tip(RefName::Applied).ok()??;
        Some((repo, base))
    });
    let shared = shared.flatten();
    Box::new(move |path| {
        let is_shared = || {
            let (repo, base) = shared.as_ref()?;
            repo.blob_at(*base, path).ok()?
        };
        !choice.includes(path) && is_shared().is_none()
    })
}

/// Beside "in sync": how many files that does not speak of.
pub(crate) fn beside(files: &UnsyncedFiles) -> Option<String> {
    let stay = count(
        files.total(),
        "file stays on this machine",
        "files stay on this machine",
    );
    let elsewhere: u64 = files.elsewhere.values().sum();
    let types: u64 = files.types.values().sum();
    let left_out: u64 = files.left_out.values().sum();
    let why = [
        (elsewhere, "outside of the synced folders"),
        (types, "of types that are not synced"),
        (left_out, "left out by your choice"),
    ];
    let why: Vec<_> = why.into_iter().filter(|(n, _)| *n > 0).collect();
    let why = match why.as_slice() {
        [] => return None,
        [(_, why)] => (*why).to_owned(),
        all => {
            let all: Vec<String> = all.iter().map(|(n, why)| format!("{n} {why}")).collect();
            all.join(", ")
        }
    };
    Some(format!("{stay} ({why})"))
}

/// Where they are and of which types.
pub(crate) fn check(files: &UnsyncedFiles) -> Option<Check> {
    let folders = named(&files.elsewhere, |folder| match folder {
        "" => "at the top".to_owned(),
        folder => format!("in {}/", plain(folder, 60)),
    });
    let types = named(&files.types, |extension| match extension {
        "" => "without an extension".to_owned(),
        extension => format!(".{}", plain(extension, 20)),
    });
    let left_out = named(&files.left_out, |folder| {
        format!("left out in {}/", plain(folder, 60))
    });
    let parts: Vec<String> = [folders, types, left_out].concat();
    (!parts.is_empty()).then(|| Check::new("not synced", Level::Dim, parts.join(", ")))
}

/// The most frequent, and how many files the others are.
fn named(counts: &BTreeMap<String, u64>, name: impl Fn(&str) -> String) -> Vec<String> {
    let mut all: Vec<(&String, &u64)> = counts.iter().collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let (first, others) = all.split_at(all.len().min(NAMED));
    let mut parts: Vec<String> = first
        .iter()
        .map(|(key, n)| format!("{n} {}", name(key)))
        .collect();
    if !others.is_empty() {
        let more: u64 = others.iter().map(|(_, n)| **n).sum();
        parts.push(format!("{more} more"));
    }
    parts
}

/// A row for each folder that cannot be read.
pub fn unreadable_checks(folders: &[Unreadable]) -> Vec<Check> {
    let rows = folders.iter().take(NAMED).map(|folder| {
        let reason = plain(&folder.reason, 300);
        Check::warn(
            "unreadable",
            format!("{reason}: what is in it is neither synced nor counted"),
        )
        .remedy("let the user that Platinum runs as read it (`chmod u+rwX`)")
    });
    let mut rows: Vec<Check> = rows.collect();
    let more = folders.len().saturating_sub(NAMED);
    if more > 0 {
        let text = format!("and {}", count(more, "more folder", "more folders"));
        rows.push(Check::warn("unreadable", text));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsynced_words_name_folders_and_types() {
        let mut files = UnsyncedFiles::default();
        assert_eq!((beside(&files), check(&files)), (None, None));
        files.elsewhere.insert("Journal".to_owned(), 12);
        files.elsewhere.insert(String::new(), 1);
        assert_eq!(
            beside(&files).as_deref(),
            Some("13 files stay on this machine (outside of the synced folders)")
        );
        for n in 1..=9 {
            files.types.insert(format!("x{n}"), n);
        }
        assert_eq!(
            beside(&files).as_deref(),
            Some(
                "58 files stay on this machine (13 outside of the synced folders, 45 of types that are not synced)"
            )
        );
        assert_eq!(
            check(&files).unwrap().text,
            "12 in Journal/, 1 at the top, 9 .x9, 8 .x8, 7 .x7, 6 .x6, 5 .x5, 4 .x4, 3 .x3, 2 .x2, 1 more"
        );
    }
}
