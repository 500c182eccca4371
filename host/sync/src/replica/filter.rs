//! The gate as the filter of the work tree: what holds a secret does not enter the repository.

use std::sync::Arc;

use platinum_core::{Role, VaultPath};
use platinum_policy::is_lfs_pointer;
use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_secrets::Finding;
use platinum_verify::{Gate, gate::Published};
use platinum_worktree::{FileFilter, ScanFilter};

/// Why a Git LFS pointer is withheld: everywhere else it would take the place of the file.
const LFS_POINTER: &str = "it is a Git LFS pointer and not the file itself; get the file with `git lfs pull` where the vault is a clone, or from where it is whole";

/// What a host is told of a finding: the owner's machine, how to allow it where it is.
pub(super) fn sentence(role: Role, path: &str, finding: &Finding) -> String {
    match role {
        Role::Local => finding.at(path),
        Role::Cloud => finding.to_string(),
    }
}

/// The gate as a [`FileFilter`].
pub(crate) struct GateFilter {
    gate: Arc<Gate>,
    role: Role,
}

impl GateFilter {
    pub(crate) fn new(gate: Arc<Gate>, role: Role) -> Self {
        Self { gate, role }
    }
}

impl FileFilter for GateFilter {
    fn begin_scan<'a>(
        &'a self,
        repo: &'a Repo,
        base: Option<Oid>,
    ) -> Result<Box<dyn ScanFilter + 'a>, RepoError> {
        self.gate.refresh_places(repo);
        let verified = repo.tip(RefName::Verified)?;
        Ok(Box::new(GateScan {
            gate: &self.gate,
            role: self.role,
            published: self.gate.published(repo, verified, base),
        }))
    }
}

struct GateScan<'a> {
    gate: &'a Gate,
    role: Role,
    /// What the remote has already.
    published: Published<'a>,
}

impl ScanFilter for GateScan<'_> {
    fn look_through(&self, files: &[(Oid, &[u8])]) {
        self.gate.look_through(files);
    }

    fn check(&self, path: &VaultPath, blob: Oid, bytes: &[u8]) -> Result<(), String> {
        if is_lfs_pointer(path, bytes) {
            return Err(LFS_POINTER.to_owned());
        }
        match self.gate.check_file(path, (blob, bytes), &self.published) {
            Ok(None) => Ok(()),
            Ok(Some(finding)) => Err(sentence(self.role, path.as_str(), &finding)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn clear(&self, path: &VaultPath) {
        self.gate.clear_file(path);
    }
}
