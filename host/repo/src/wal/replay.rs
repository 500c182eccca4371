//! Making again, from the write-ahead log, what the files of the repository lack of it.
//!
//! Invariant: what is whole in the files, and a ref that another program moved meanwhile, is left.

use std::{collections::BTreeMap, fs, io, path::Path};

use git2::{ErrorCode, ObjectType, Oid, Repository};

use super::{
    OUR_FOLDER, Wal, failed,
    files::{is_whole, loose},
    record::Record,
};
use crate::RepoError;

impl Wal {
    pub(super) fn replay(&mut self, git: &Repository, records: &[Record]) -> Result<(), RepoError> {
        let mut made_again = 0_usize;
        let mut values: BTreeMap<&str, Vec<Option<Oid>>> = BTreeMap::new();
        for record in records {
            for (kind, bytes) in &record.objects {
                let (oid, was_lost) = self.restore(git, *kind, bytes)?;
                made_again += usize::from(was_lost);
                self.known.insert(oid);
            }
            for (name, to) in &record.refs {
                values.entry(name).or_default().push(*to);
            }
        }
        for (name, values) in values {
            made_again += usize::from(self.restore_ref(git, name, &values)?);
        }
        if made_again > 0 {
            tracing::warn!(
                "Recovered {made_again} objects and refs of the repository from its write-ahead log, after a \
                 power failure or crash."
            );
        }
        remove_torn(git, &self.git_dir.join(OUR_FOLDER))
    }

    /// Makes an object again if it is not whole; whether it was not.
    fn restore(
        &self,
        git: &Repository,
        kind: ObjectType,
        bytes: &[u8],
    ) -> Result<(Oid, bool), RepoError> {
        let doing = "making an object again";
        let oid = Oid::hash_object(kind, bytes).map_err(RepoError::git(doing))?;
        let file = loose(&self.git_dir, oid);
        let odb = git.odb().map_err(RepoError::git(doing))?;
        let is_there = match is_whole(&file, kind, bytes).map_err(failed(doing))? {
            Some(whole) => whole,
            // In a pack, and packs are waited for.
            None => odb.exists(oid),
        };
        if is_there {
            return Ok((oid, false));
        }
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(doing)(error));
            }
            _ => {}
        }
        odb.write(kind, bytes).map_err(RepoError::git(doing))?;
        Ok((oid, true))
    }

    /// Gives a ref its last value if it has an earlier one, or none that can be read; whether it
    /// had.
    fn restore_ref(
        &self,
        git: &Repository,
        name: &str,
        values: &[Option<Oid>],
    ) -> Result<bool, RepoError> {
        let doing = "making a ref again";
        let Some(last) = values.last().copied() else {
            return Ok(false);
        };
        let (now, is_whole) = match git.refname_to_id(name) {
            Ok(oid) => (Some(oid), git.odb().is_ok_and(|odb| odb.exists(oid))),
            Err(error) if error.code() == ErrorCode::NotFound => (None, true),
            Err(_) => (None, false),
        };
        if is_whole && (now == last || !(values.contains(&now) || now.is_none())) {
            return Ok(false);
        }
        if let Some(to) = last
            && !git.odb().is_ok_and(|odb| odb.exists(to))
        {
            tracing::warn!("Cannot recover the ref {name}: the commit {to} is missing.");
            return Ok(false);
        }
        if !is_whole {
            fs::remove_file(self.git_dir.join(name)).ok();
        }
        match last {
            Some(to) => git.reference(name, to, true, "").map(drop),
            None => match git.find_reference(name) {
                Ok(mut reference) => reference.delete(),
                Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
                Err(error) => Err(error),
            },
        }
        .map_err(RepoError::git(doing))?;
        Ok(true)
    }
}

/// Removes the refs in a folder that cannot be read and of which no record says a value: what was fetched
/// last, which is fetched again, and what need not have lasted. One that stayed would end every fetch.
fn remove_torn(git: &Repository, folder: &Path) -> Result<(), RepoError> {
    let doing = "removing a torn ref";
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed(doing))?,
    };
    for entry in entries {
        let path = entry.map_err(failed(doing))?.path();
        if path.is_dir() {
            remove_torn(git, &path)?;
            continue;
        }
        let name = path.strip_prefix(git.path()).ok().and_then(Path::to_str);
        let is_torn = name.is_some_and(|name| match git.refname_to_id(name) {
            Ok(_) => false,
            Err(error) => error.code() != ErrorCode::NotFound,
        });
        if is_torn {
            fs::remove_file(&path).map_err(failed(doing))?;
            tracing::warn!(
                "Removed the ref {}, which a power failure tore.",
                path.display()
            );
        }
    }
    Ok(())
}
