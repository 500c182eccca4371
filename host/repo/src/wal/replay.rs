//! Making again, from the write-ahead log, what the files of the repository lack of it.
//!
//! Invariant: what is whole in the files, and a ref that another program moved meanwhile, is left.

use std::{collections::BTreeMap, fs, io};

use git2::{ErrorCode, ObjectType, Oid, Repository};

use super::{
    Wal, failed,
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
        Ok(())
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
