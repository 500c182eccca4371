//! The gate as the filter of the work tree: what holds a secret does not enter the repository.

use std::sync::Arc;

use platinum_core::VaultPath;
use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_verify::{Gate, gate::Published};
use platinum_worktree::{FileFilter, ScanFilter};

/// The gate as a [`FileFilter`].
pub(crate) struct GateFilter(Arc<Gate>);

impl GateFilter {
    pub(crate) fn new(gate: Arc<Gate>) -> Self {
        Self(gate)
    }
}

impl FileFilter for GateFilter {
    fn begin_scan<'a>(
        &'a self,
        repo: &'a Repo,
        base: Option<Oid>,
    ) -> Result<Box<dyn ScanFilter + 'a>, RepoError> {
        let verified = repo.tip(RefName::Verified)?;
        Ok(Box::new(GateScan {
            gate: &self.0,
            published: self.0.published(repo, verified, base),
        }))
    }
}

struct GateScan<'a> {
    gate: &'a Gate,
    /// What the remote has already.
    published: Published<'a>,
}

impl ScanFilter for GateScan<'_> {
    fn check(&self, path: &VaultPath, blob: Oid, bytes: &[u8]) -> Result<(), String> {
        match self.gate.check_file(path, (blob, bytes), &self.published) {
            Ok(None) => Ok(()),
            Ok(Some(finding)) => Err(finding.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn clear(&self, path: &VaultPath) {
        self.gate.clear_file(path);
    }
}
