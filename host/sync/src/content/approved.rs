//! What comes for `Approved/` by sync: it is no approval, whoever signed it, and waits for the owner.
//!
//! An approval is an act on this machine. A file that a commit puts below `Approved/` was put there
//! somewhere else: by another clone with this host's key, or by a machine that was restored. It is
//! never written there. It is put before the owner again, here and on the remote.
//!
//! Invariant: the work tree gets nothing new and nothing changed below `Approved/`; what goes away
//! on the remote goes away here.

use platinum_core::{Role, Timestamp, VaultPath, layout};
use platinum_policy::Change;
use platinum_protocol::conflict_name;
use platinum_repo::{Edit, Oid};
use platinum_vault::VaultError;
use platinum_worktree::WorktreeUpdate;

use super::prepared::{PlannedEdit, Prepared};
use crate::{SyncError, replica::Replica};

/// Whether sync may not write here.
pub(super) fn is_owners_alone(replica: &Replica, path: &VaultPath) -> bool {
    replica.role == Role::Local && path.is_within(layout::APPROVED)
}

/// Puts what came for `Approved/` before the owner. To be called when everything else is planned.
pub(super) fn ask_again(
    replica: &Replica,
    tip: Option<Oid>,
    came: Vec<(VaultPath, Oid)>,
    edits: &mut Vec<PlannedEdit>,
    prepared: &mut Prepared,
) -> Result<(), SyncError> {
    for (path, blob) in came {
        let name = path.as_str().strip_prefix(layout::APPROVED);
        let mut to = VaultPath::new(format!(
            "{}{}",
            layout::PENDING_APPROVAL,
            name.unwrap_or_default()
        ))
        .map_err(VaultError::from)?;
        let at_tip = tip.map(|tip| replica.repo.blob_at(tip, &to)).transpose()?;
        let mut at_tip = at_tip.flatten();
        let is_edited = edits.iter().any(|(edited, ..)| *edited == to);
        if is_edited || at_tip.is_some_and(|there| there != blob) {
            let at = Timestamp::now().as_millisecond();
            to = conflict_name(&to, &replica.agent, at, &blob.to_string());
            at_tip = None;
        }
        if at_tip.is_none() {
            edits.push((to.clone(), Edit::PutBlob(blob), Change::Create));
        }
        // It was moved there: then it would be taken away here.
        prepared.updates.retain(|update| update.path != to);
        let expected = replica.worktree.blob_on_disk(&to)?;
        if expected != Some(blob) {
            prepared.updates.push(WorktreeUpdate {
                path: to,
                expected,
                new: Some(blob),
            });
        }
        prepared.asked_again.push(path);
    }
    Ok(())
}

/// What the owner is told of them.
pub(super) fn message(paths: &[VaultPath]) -> Option<String> {
    let first = paths.first()?;
    let more = match paths.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{first}{more} came by sync. It was not approved on this machine, so it waits in {} again; if \
         you did not approve it elsewhere, someone else has a key of yours",
        layout::PENDING_APPROVAL
    ))
}
