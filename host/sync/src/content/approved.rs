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
use platinum_repo::{Edit, Oid};
use platinum_verify::revert::{is_in_the_way, waiting_places};
use platinum_worktree::{Withheld, WorktreeUpdate};

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
        let Some((to, is_there)) = find_place(replica, tip, (&path, blob), edits)? else {
            // It stays on the remote, where it approves nothing.
            edits.retain(|(edited, ..)| *edited != path);
            prepared.withheld.push(Withheld {
                path,
                reason: "it came by sync, and there is no place for it in Pending_Approval/"
                    .to_owned(),
            });
            continue;
        };
        if !is_there {
            edits.push((to.clone(), Edit::PutBlob(blob), Change::Create));
        }
        // It was moved there: then it would be taken away here.
        prepared.updates.retain(|update| update.path != to);
        if replica.worktree.blob_on_disk(&to)? != Some(blob) {
            prepared.updates.push(WorktreeUpdate {
                path: to,
                expected: None,
                new: Some(blob),
            });
        }
        prepared.asked_again.push(path);
    }
    Ok(())
}

/// Where a file can wait, here and on the remote, without taking the place of anything; and whether
/// the remote has it there already.
fn find_place(
    replica: &Replica,
    tip: Option<Oid>,
    (path, blob): (&VaultPath, Oid),
    edits: &[PlannedEdit],
) -> Result<Option<(VaultPath, bool)>, SyncError> {
    let at = Timestamp::now().as_millisecond();
    let Ok(places) = waiting_places(path, &replica.agent, at, blob) else {
        return Ok(None);
    };
    for place in places {
        let at_tip = tip
            .map(|tip| replica.repo.blob_at(tip, &place))
            .transpose()?;
        let at_tip = at_tip.flatten();
        if at_tip.is_some_and(|there| there != blob)
            || edits.iter().any(|(edited, ..)| *edited == place)
        {
            continue;
        }
        if let Some(tip) = tip
            && is_in_the_way(&replica.repo, tip, &place)?
        {
            continue;
        }
        // A link, a folder or anything else that is no such file keeps its place.
        match replica.worktree.blob_on_disk(&place) {
            Ok(None) => {}
            Ok(Some(there)) if there == blob => {}
            Ok(Some(_)) | Err(_) => continue,
        }
        return Ok(Some((place, at_tip.is_some())));
    }
    Ok(None)
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
