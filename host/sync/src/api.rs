//! The public calls of [`Synchronizer`].
//!
//! Lives elsewhere: each of them is done in its own module.

use std::{collections::BTreeSet, time::Duration};

use platinum_core::{Backoff, DraftId, TaskId, Timestamp, VaultPath, ZoneId, layout};
use platinum_policy::SyncChoice;
use platinum_protocol::{Claimed, TaskPlace, reconcile::Intent};
use platinum_repo::{MaintenanceError, RemoteEvent};
use platinum_tasks::has_undecided_post;
use platinum_vault::note::TaskNote;

use platinum_worktree::FIX_NAMES;

use crate::{
    Finish, StopSignal, SyncError, SyncReport, SyncStatus, Synchronizer,
    claims::{
        claim, effects,
        finish::{self, End},
        lease,
        offline::{UNCONFIRMED, local_zones, place},
    },
    content::rounds,
    remote::events,
    replica::{
        Replica,
        draft_history::PastDraft,
        elsewhere::{self, OwnElsewhere, TRAILER_MACHINE},
        tasks,
        witness::{JournalHead, TRAILER_JOURNAL},
    },
    status,
};

impl Synchronizer {
    /// The same, with another time that an owner may be silent before its tasks are taken over.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        self.leases.set_lease(lease);
        self
    }

    /// The same, with other delays between attempts to claim while the remote does not answer.
    #[must_use]
    pub fn with_delays_while_away(mut self, while_away: Backoff) -> Self {
        self.while_away = while_away;
        self
    }

    /// The same, giving the remote only those new files that the owner chose.
    #[must_use]
    pub fn with_choice(self, choice: SyncChoice) -> Self {
        self.replica.worktree.choose(choice);
        self
    }

    /// From now on every commit made here names this machine, and the length and the head of its
    /// journal.
    pub fn name_machine(
        &self,
        machine: String,
        journal: impl Fn() -> Option<JournalHead> + Send + Sync + 'static,
    ) {
        self.replica.clock.set_trailers(Box::new(move || {
            let mut trailers = vec![(TRAILER_MACHINE.to_owned(), machine.clone())];
            let head = journal().map(|head| head.to_string());
            trailers.extend(head.map(|head| (TRAILER_JOURNAL.to_owned(), head)));
            trailers
        }));
    }

    /// What the own key signed that was not made here, as far as the last verified tip has it.
    pub fn own_elsewhere(&self) -> OwnElsewhere {
        self.replica.elsewhere.get()
    }

    /// The head of the own journal that the newest verified commit of the own key names.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn last_journal_head(&self) -> Result<Option<(u64, String)>, SyncError> {
        self.blocking(|replica| Ok(elsewhere::last_journal_head(replica)?))
            .await
    }

    /// Claims at the remote that this machine carries a draft out: of all copies of it, one does.
    /// Without a remote there is nothing to claim.
    ///
    /// # Errors
    /// If another copy was faster, or the remote is away.
    pub async fn claim_effect(&self, draft: DraftId) -> Result<(), SyncError> {
        self.run_exclusive(move |sync| async move { effects::claim_effect(&sync, draft).await })
            .await
    }

    /// From now on only the paths that the watcher names are scanned, instead of all.
    pub fn watched_by(&self, dirty: platinum_watch::DirtyPaths) {
        self.replica.worktree.watched_by(dirty);
    }

    /// From now on work ends soon when the daemon stops.
    pub fn stop_on(&self, signal: StopSignal) {
        self.lock.stop_on(signal);
    }

    /// Pulls what the remote has and gives it what changed here. Once it has begun it goes on to
    /// its end, also if the caller does not wait for that.
    ///
    /// # Errors
    /// If the remote is away or has what may not be applied; then nothing here changed.
    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.run_exclusive(|sync| async move { sync_and_notify(&sync).await })
            .await
    }

    /// As [`Synchronizer::sync`]; records how it ended for the commands that show it, logs what is
    /// withheld, and notifies the owner if nothing can be synced any more.
    ///
    /// # Errors
    /// As [`Synchronizer::sync`].
    pub async fn sync_and_record(&self) -> Result<SyncReport, SyncError> {
        self.run_exclusive(|sync| async move { sync_and_record(&sync).await })
            .await
    }

    /// Keeps in history what changed here, while a sync that waits for its remote does not come to
    /// it. Without one there is nothing to do: the next sync begins with that.
    ///
    /// # Errors
    /// If the vault or the repository cannot be read or written.
    pub async fn keep(&self) -> Result<(), SyncError> {
        match self.lock.is_free() {
            true => Ok(()),
            false => {
                self.blocking(|replica| Ok(replica.worktree.begin_sync()?))
                    .await
            }
        }
    }

    /// What the last verified tip says of a task, with what counts without the remote: claims in
    /// zones of this machine alone, and the end of own tasks.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn place(&self, task: TaskId) -> Result<TaskPlace, SyncError> {
        self.blocking(move |replica| place::place(replica, task))
            .await
    }

    /// The tasks in this agent's own folder, oldest first. A note that is none is skipped with a
    /// warning.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn owned(&self) -> Result<Vec<TaskNote>, SyncError> {
        self.blocking(|replica| {
            let folder = format!("{}/{}", layout::IN_PROGRESS, replica.agent);
            tasks::list_in(replica, &folder)
        })
        .await
    }

    /// The tasks that wait in a zone, oldest first. A note that is none is skipped with a warning.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn waiting(&self, zone: ZoneId) -> Result<Vec<TaskNote>, SyncError> {
        self.blocking(move |replica| {
            tasks::list_in(replica, &format!("{}/{zone}", layout::NEEDS_ACTION))
        })
        .await
    }

    /// A task: as the work tree has it, else as the remote has it.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub async fn task(&self, task: TaskId) -> Result<TaskNote, SyncError> {
        self.blocking(move |replica| tasks::read(replica, task))
            .await
    }

    /// Where the work tree has a task that waits or is this agent's.
    ///
    /// # Errors
    /// If the vault cannot be read.
    pub async fn find_on_disk(&self, task: TaskId) -> Result<Option<VaultPath>, SyncError> {
        self.blocking(move |replica| tasks::find_on_disk(replica, task))
            .await
    }

    /// This host.
    pub fn agent(&self) -> &platinum_core::AgentName {
        &self.replica.agent
    }

    /// Claims a task. Asking again for a task that this host has claimed answers
    /// [`Claimed::Won`]. In a zone of this machine alone it counts at once; otherwise, if the
    /// remote is away, the intent is kept, and the claim is made for real at the next contact.
    ///
    /// # Errors
    /// If this agent may not own it, its note cannot be read, or the remote has what may not be
    /// applied.
    pub async fn claim(&self, task: TaskId) -> Result<Claimed, SyncError> {
        // A claim in a zone of this machine alone waits for no remote operation.
        let here = self.blocking(move |replica| local_zones::claim(replica, task));
        if let Some(claimed) = here.await? {
            return Ok(claimed);
        }
        self.run_exclusive(move |sync| async move { claim::claim_by_push(&sync, task).await })
            .await
    }

    /// Files an owned task in `Done/`. A task that is there already is left as it is. Local may
    /// file the tasks of any agent, unless it is said to be the owner's to say; cloud its own.
    ///
    /// # Errors
    /// If the task is not owned or another's, or the remote cannot be asked and the task is not
    /// this agent's.
    pub async fn finish(&self, task: TaskId, how: Finish) -> Result<(), SyncError> {
        finish::end(self, task, End::Finish(how, Timestamp::now())).await
    }

    /// Gives a task of this agent back to `Needs_Action/`.
    ///
    /// # Errors
    /// As [`Synchronizer::finish`].
    pub async fn release(&self, task: TaskId, reason: &str) -> Result<(), SyncError> {
        finish::end(self, task, End::Release(reason.to_owned())).await
    }

    /// Whether a change of this task that was made here may still land: then who owns it is not
    /// known, whatever the last tip says.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn is_in_doubt(&self, task: TaskId) -> Result<bool, SyncError> {
        self.blocking(move |replica| finish::may_still_move(replica, task))
            .await
    }

    /// Whether a task is this agent's in a zone of the owner's machine alone, so that no remote has
    /// to be asked about it.
    ///
    /// # Errors
    /// If the repository or the note cannot be read.
    pub async fn is_local_only_claim(&self, task: TaskId) -> Result<bool, SyncError> {
        self.blocking(move |replica| Ok(local_zones::owned_claim(replica, task)?.is_some()))
            .await
    }

    /// The tasks on which this agent may draft although their claims are not confirmed.
    pub fn tentative(&self) -> Vec<TaskId> {
        self.replica.intents.tentative()
    }

    /// Under which epoch this agent may draft for a task now: the one of its claim, 0 while that is
    /// tentative, none if the task is not its own.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn drafting_epoch(&self, task: TaskId) -> Result<Option<u64>, SyncError> {
        if let TaskPlace::Owned(record) = self.place(task).await?
            && record.agent == self.replica.agent
        {
            // One that was made by hand, without a record, has no epoch to compare.
            return Ok(Some(record.epoch.max(UNCONFIRMED + 1)));
        }
        let intent = self.replica.intents.get(task);
        Ok(matches!(intent, Some(Intent::Claim { .. })).then_some(UNCONFIRMED))
    }

    /// Whether a task of somebody's stays open for a post that its owner has not decided on, of those made under its
    /// claim; `ended` are those that are decided, wherever their files are.
    ///
    /// # Errors
    /// If the repository or the vault cannot be read.
    pub async fn has_undecided_post(
        &self,
        task: TaskId,
        ended: Vec<DraftId>,
    ) -> Result<bool, SyncError> {
        let TaskPlace::Owned(record) = self.place(task).await? else {
            return Ok(false);
        };
        let claim = record.epoch;
        let scan =
            move |replica: &Replica| Ok(has_undecided_post(&replica.vault, task, claim, &ended)?);
        self.blocking(scan).await
    }

    /// The drafts that were ever made for these tasks, as the history has them, but for some.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn past_drafts(
        &self,
        tasks: Vec<TaskId>,
        except: BTreeSet<DraftId>,
    ) -> Result<Vec<PastDraft>, SyncError> {
        self.blocking(move |replica| {
            let history = &replica.draft_history;
            Ok(history.of_tasks(&replica.repo, &tasks, &except)?)
        })
        .await
    }

    /// Looks, now and then, for owners that have been silent for a lease, and takes over their
    /// tasks of these zones that have no draft of their claim. Returns what is this agent's now.
    ///
    /// # Errors
    /// If the remote is away, or the repository cannot be read.
    pub async fn take_over_expired(
        &self,
        zones: &[ZoneId],
    ) -> Result<Vec<(TaskId, ZoneId)>, SyncError> {
        lease::take_over_expired(self, zones).await
    }

    /// A heartbeat, if this agent owns tasks and has had nothing to push for a third of the lease: a
    /// count in the record of one of its claims. Returns whether one was given.
    ///
    /// # Errors
    /// If the note cannot be edited, or the remote is away.
    pub async fn heartbeat(&self) -> Result<bool, SyncError> {
        lease::heartbeat(self).await
    }

    /// Waits until the remote's branch is elsewhere than where it was seen last, or the remote
    /// begins or ceases to answer, or the vault's folder is moved; at most so long. Takes no lock:
    /// claims and syncs go on meanwhile.
    pub async fn wait_for_remote(&self, at_most: Duration) -> RemoteEvent {
        events::wait_for_event(self, at_most).await
    }

    /// Packs the repository's objects and refs if there are many; returns whether it did. Claims
    /// and syncs wait meanwhile. Given up, it ends at once and leaves all whole.
    ///
    /// # Errors
    /// If git's client is not there, refuses, or takes too long.
    pub async fn maintain(&self) -> Result<bool, MaintenanceError> {
        let repo = self.replica.repo.clone();
        let stats = tokio::task::spawn_blocking(move || repo.object_stats()).await;
        let needs_gc = match stats {
            Ok(stats) => stats?.needs_gc(),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The daemon is stopping.
            Err(_) => false,
        };
        if needs_gc {
            let _lock = self.lock.hold().await;
            let git = self.replica.locks.git_started();
            self.replica.repo.maintain().await?;
            self.replica.locks.git_ended(git);
        }
        Ok(needs_gc)
    }

    /// How this machine stands to its remote. Does not ask the remote.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn status(&self) -> Result<SyncStatus, SyncError> {
        status::read_status(self).await
    }
}

/// A sync under the lock, and what the owner is notified of.
async fn sync_and_notify(sync: &Synchronizer) -> Result<SyncReport, SyncError> {
    let synced = rounds::sync_all(sync).await;
    sync.blocking(|replica| {
        replica.notifier.post_withheld(&replica.gate);
        Ok(())
    })
    .await?;
    synced
}

async fn sync_and_record(sync: &Synchronizer) -> Result<SyncReport, SyncError> {
    let ended = sync_and_notify(sync).await;
    status::record(sync, ended.as_ref()).await;
    match &ended {
        Ok(report) => {
            sync.replica.notifier.reset();
            let withheld: BTreeSet<String> = report
                .withheld
                .iter()
                .map(|withheld| format!("{} is not synced: {}", withheld.path, withheld.reason))
                .collect();
            // Logged once, not at every sync.
            let new = sync.replica.notifier.newly_withheld(withheld);
            // What one command mends is one line.
            let (forms, others): (Vec<_>, Vec<_>) =
                new.into_iter().partition(|line| line.contains(FIX_NAMES));
            let is_single = forms.len() == 1;
            if !forms.is_empty() && !is_single {
                tracing::warn!(
                    "{} names are not in Unicode's composed form (NFC), so what has them is not synced; `{FIX_NAMES}` renames them.",
                    forms.len()
                );
            }
            let single = forms.into_iter().filter(|_| is_single);
            for withheld in others.into_iter().chain(single) {
                tracing::warn!("{withheld}");
            }
        }
        Err(error) if error.stops_all() || error.is_refusal() => {
            let trouble = format!("Nothing is synced any more: {error}");
            // A failure to notify is logged there; the error itself is what goes up.
            sync.blocking(move |replica| {
                replica.notifier.notify_owner(&trouble);
                Ok(())
            })
            .await
            .ok();
        }
        Err(_) => {}
    }
    ended
}
