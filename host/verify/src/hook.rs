//! The pre-receive hook of a server: the same checks, before anything gets there.
//!
//! Git starts it with what was pushed in a quarantine; only if it agrees, refs move.
//! Lives elsewhere: installing it is a command of `local`.
//! Invariants: only the one branch moves, only forwards; everything in the push is signed by a
//! key of the list and passes the path table; what holds a secret does not get in, even if no
//! commit leads to it, unless it is there already. Anything that cannot be read is refused.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use platinum_repo::{BRANCH, Oid, Repo, Signers};
use platinum_secrets::{Allowances, KnownSecrets, Scanner};

use crate::{
    gate::{self, ItemKind, Published},
    verifier::{Perspective, Verifier},
    walk::BATCH,
};

/// Where a server keeps whose signatures count, below the repository.
pub const SIGNERS: &str = "platinum/allowed_signers";

/// Where it keeps what may pass although it looks like a secret, a line each, as `[secrets] allow`
/// in a configuration. Without the file nothing may.
pub const ALLOWED: &str = "platinum/secrets_allowed";

/// More reasons than this are counted, not printed.
const MAX_REASONS: usize = 20;

/// Verifies a push: `lines` is what git passes to the hook, `<old> <new> <ref>` each.
///
/// # Errors
/// With a sentence for each thing that is refused.
pub fn pre_receive(lines: &str) -> Result<(), Vec<String>> {
    let lines_of = |error: &dyn std::fmt::Display| vec![error.to_string()];
    let repo = Repo::open_in_hook().map_err(|error| lines_of(&error))?;
    let signers = read_signers(repo.git_dir())?;
    let scanner = read_scanner(repo.git_dir())?;
    let quarantine = quarantine(repo.git_dir());
    let came = match &quarantine {
        Some((sent, before)) => gate::inspect_sent(&repo, &scanner, sent, before),
        None => Ok(Vec::new()),
    };
    let came = came.map_err(|error| lines_of(&error))?;
    // Only if all of them are known, the others were there before.
    let sent = (quarantine.is_some() && came.len() <= gate::MAX_FOUND).then(|| {
        let contents = came.iter().filter(|item| item.kind == ItemKind::Content);
        contents.map(|item| item.within).collect::<BTreeSet<_>>()
    });
    let mut refused = Vec::new();
    let mut published = Vec::new();
    for line in lines.lines().filter(|line| !line.trim().is_empty()) {
        match verify_ref(&repo, &signers, &scanner, sent.clone(), line) {
            Ok(there) => published.push(there),
            Err(more) => refused.extend(more),
        }
    }
    if refused.is_empty() {
        if came.len() > gate::MAX_FOUND {
            refused.push(format!(
                "more than {} things in it look like secrets; push it in parts",
                gate::MAX_FOUND
            ));
        }
        for item in came {
            let mut is_published = false;
            for there in &published {
                is_published |= match item.kind {
                    ItemKind::Content => there.was_excused(item.within),
                    ItemKind::Name => there
                        .has_name(&item.raw)
                        .map_err(|error| lines_of(&error))?,
                    ItemKind::Text | ItemKind::Foreign => false,
                };
            }
            if !is_published {
                refused.push(item.to_string());
            }
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    // A sentence names paths, and a secret may stand in one.
    for sentence in &mut refused {
        if let Some(finding) = scanner.message(sentence) {
            *sentence = format!("a name in it is refused, and is not repeated here: {finding}");
        }
    }
    if let more @ 1.. = refused.len().saturating_sub(MAX_REASONS) {
        refused.truncate(MAX_REASONS);
        refused.push(format!("and {more} more"));
    }
    Err(refused)
}

/// The server holds no secrets of its own: it knows their shapes.
fn read_scanner(git_dir: &Path) -> Result<Scanner, Vec<String>> {
    let path = git_dir.join(ALLOWED);
    let failed = |why: String| vec![format!("{}: {why}", path.display())];
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(error.to_string())),
    };
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let allowances = Allowances::parse(&lines).map_err(|error| failed(error.to_string()))?;
    Ok(Scanner::new(KnownSecrets::default(), allowances))
}

fn read_signers(git_dir: &Path) -> Result<Signers, Vec<String>> {
    let path = git_dir.join(SIGNERS);
    let failed = |why: String| vec![format!("{}: {why}", path.display())];
    let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    Signers::parse(&text).map_err(|error| failed(error.to_string()))
}

/// Where what was sent is, and what was there before.
fn quarantine(git_dir: &Path) -> Option<(PathBuf, PathBuf)> {
    let sent = std::env::var_os("GIT_QUARANTINE_PATH")?;
    Some((PathBuf::from(sent), git_dir.join("objects")))
}

/// Verifies what is pushed to one ref; returns what was there already.
fn verify_ref<'a>(
    repo: &'a Repo,
    signers: &Signers,
    scanner: &'a Scanner,
    sent: Option<BTreeSet<Oid>>,
    line: &str,
) -> Result<Published<'a>, Vec<String>> {
    let one = |text: String| vec![text];
    let words: Vec<&str> = line.split(' ').collect();
    let [old, new, name] = words.as_slice() else {
        return Err(one(
            "git passed the hook a line that is not `<old> <new> <ref>`".to_owned(),
        ));
    };
    let shown: String = name.escape_debug().take(100).collect();
    if *name != BRANCH {
        return Err(one(format!("{shown}: only {BRANCH} is kept here")));
    }
    let oid = |hex: &str| -> Result<Option<Oid>, Vec<String>> {
        let oid = Repo::oid(hex).map_err(|error| one(error.to_string()))?;
        Ok((!oid.is_zero()).then_some(oid))
    };
    let (old, Some(new)) = (oid(old)?, oid(new)?) else {
        return Err(one(format!("{shown} may not be deleted")));
    };
    let failed = |error: &dyn std::fmt::Display| one(error.to_string());
    if let Some(old) = old
        && !repo.is_ancestor(old, new).map_err(|error| failed(&error))?
    {
        return Err(one(format!(
            "{shown} may not be rewritten: the push no longer has commit {old}"
        )));
    }
    let report = Verifier {
        repo,
        perspective: Perspective::Server,
        signers,
        own: None,
        batch: BATCH,
    }
    .verify(old, new)
    .map_err(|error| failed(&error))?;
    // Reverted or not: a violation does not get here at all.
    let mut refused: Vec<String> = report
        .reverted
        .iter()
        .chain(&report.open)
        .map(|violation| violation.refusal())
        .collect();
    let published = Published::of_commits(repo, scanner, old)
        .for_push(old, new)
        .except_pushed(sent);
    if refused.is_empty() {
        let item = gate::inspect_range(repo, scanner, (old, new), &published, &|_| false);
        let item = item.map_err(|error| failed(&error))?;
        refused.extend(item.iter().map(ToString::to_string));
    }
    match refused.is_empty() {
        true => Ok(published),
        false => Err(refused),
    }
}
