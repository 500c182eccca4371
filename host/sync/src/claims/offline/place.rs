//! Where a task is: what a tip says, with what was decided here and counts without the remote.

use platinum_core::{TaskId, layout};
use platinum_protocol::{
    TaskPlace,
    reconcile::{Intent, Replay, replay},
};
use platinum_repo::{Oid, RefName};

use crate::{SyncError, replica::Replica};

/// Where a tip has a task.
pub(crate) fn place_at(
    replica: &Replica,
    tip: Option<Oid>,
    task: TaskId,
) -> Result<TaskPlace, SyncError> {
    match tip {
        Some(tip) => Ok(platinum_tasks::find(&replica.repo, tip, task)?.place),
        None => Ok(TaskPlace::Absent),
    }
}

/// Where the last verified tip has a task, with what was decided here since and counts without the
/// remote.
pub(crate) fn place(replica: &Replica, task: TaskId) -> Result<TaskPlace, SyncError> {
    let place = place_at(replica, replica.repo.tip(RefName::Verified)?, task)?;
    let Some(intent) = replica.intents.get(task) else {
        return Ok(place);
    };
    let stands = matches!(replay(&intent, &place), Replay::Publish | Replay::UpToDate);
    let own = layout::in_progress(&replica.agent, task);
    Ok(match intent {
        _ if !stands => place,
        // For as long as its file is there: it may have been taken back by hand since.
        Intent::Own { record }
            if !matches!(place, TaskPlace::Owned(_)) && replica.vault.exists(&own)? =>
        {
            TaskPlace::Owned(record)
        }
        // Killed before it was filed: to be finished once more.
        Intent::Finish { record, .. } if replica.vault.exists(&own)? => TaskPlace::Owned(record),
        Intent::Finish { .. } => TaskPlace::Finished,
        Intent::Own { .. } | Intent::Claim { .. } => place,
    })
}
