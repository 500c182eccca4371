//! What the interfaces of the floor below need: [`TaskStore`] and [`Syncer`], by [`Synchronizer`].

use async_trait::async_trait;
use platinum_capabilities::{
    sync::{SyncReport as Report, SyncRunError, Syncer},
    tasks::{Owner, TaskError, TaskStore},
};
use platinum_core::{Role, TaskId, Timestamp, UpdateId, VaultPath, ZoneId, layout, text::one_line};
use platinum_protocol::{Claimed, TaskPlace};
use platinum_repo::RefName;
use platinum_vault::{
    VaultError,
    note::{ReceiptRecord, TaskNote, UpdateNote},
};

use crate::noted::Standing;

use super::{
    Finish, SyncError, SyncReport, Synchronizer,
    owning::places::{self, MAX_NOTE},
    side::Side,
};

impl Synchronizer {
    /// The tasks in this agent's own folder, oldest first. Notes that are none are passed over
    /// with a warning.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub async fn owned(&self) -> Result<Vec<TaskNote>, SyncError> {
        self.blocking(|side| side.tasks_in(&format!("{}/{}", layout::IN_PROGRESS, side.agent)))
            .await
    }
}

#[async_trait]
impl TaskStore for Synchronizer {
    async fn waiting(&self, zone: ZoneId) -> Result<Vec<TaskNote>, TaskError> {
        self.blocking(move |side| side.tasks_in(&format!("{}/{zone}", layout::NEEDS_ACTION)))
            .await
            .map_err(task_error)
    }

    async fn get(&self, id: TaskId) -> Result<TaskNote, TaskError> {
        self.blocking(move |side| side.task(id))
            .await
            .map_err(task_error)
    }

    async fn owner_of(&self, id: TaskId) -> Result<Owner, TaskError> {
        match self.place(id).await.map_err(task_error)? {
            TaskPlace::Waiting => Ok(Owner::Nobody),
            TaskPlace::Owned(record) if record.agent == self.side.agent => Ok(Owner::ThisAgent),
            TaskPlace::Owned(record) => Ok(Owner::Other(record.agent)),
            TaskPlace::Finished => Ok(Owner::Finished),
            // Made here and not told to the remote yet: nobody can have claimed it.
            TaskPlace::Absent => self
                .blocking(move |side| side.waiting_here(id))
                .await
                .map_err(task_error)?
                .map(|_| Owner::Nobody)
                .ok_or(TaskError::NotFound),
        }
    }

    async fn drafting_epoch(&self, id: TaskId) -> Result<Option<u64>, TaskError> {
        Synchronizer::drafting_epoch(self, id)
            .await
            .map_err(task_error)
    }

    async fn claim(&self, id: TaskId) -> Result<Claimed, TaskError> {
        Synchronizer::claim(self, id).await.map_err(task_error)
    }

    async fn complete(
        &self,
        id: TaskId,
        summary: &str,
        receipts: Vec<ReceiptRecord>,
    ) -> Result<(), TaskError> {
        self.finish(id, Finish::done(summary, receipts))
            .await
            .map_err(task_error)
    }

    async fn release(&self, id: TaskId, reason: &str) -> Result<(), TaskError> {
        Synchronizer::release(self, id, reason)
            .await
            .map_err(task_error)
    }

    async fn fail(&self, id: TaskId, reason: &str) -> Result<(), TaskError> {
        self.finish(id, Finish::failed(reason))
            .await
            .map_err(task_error)
    }
}

#[async_trait]
impl Syncer for Synchronizer {
    async fn run(&self) -> Result<Report, SyncRunError> {
        // All of it, whether or not the skill still waits when it ends.
        let ran = self.in_turn(|sync| async move { Ok(sync.run_in_turn().await) });
        ran.await
            .unwrap_or_else(|error| Err(SyncRunError::Unavailable(error.to_string())))
    }
}

impl Synchronizer {
    /// A sync, and what the owner and the commands are told of it.
    async fn run_in_turn(&self) -> Result<Report, SyncRunError> {
        let ended = self.sync_and_tell().await;
        self.note_standing(ended.as_ref()).await;
        match ended {
            Ok(report) => {
                self.side.all_is_well();
                let held = report.held_back.iter();
                let held = held.map(|held| format!("{} is not synced: {}", held.path, held.reason));
                // Told once, not at every sync.
                for held in self.side.news_of_held(held.collect()) {
                    tracing::warn!("{held}");
                }
                Ok(Report {
                    pulled: report.pulled,
                    pushed: report.pushed,
                    conflicts: report.conflicts,
                    tip: report.tip.unwrap_or_default(),
                })
            }
            Err(
                error @ (SyncError::Violation(_) | SyncError::RemoteLost(_) | SyncError::Faulty(_)),
            ) => {
                let told = error.to_string();
                // Telling is logged where it fails; the violation itself is what goes up.
                self.blocking(move |side| {
                    side.tell_owner(&format!("Nothing is synced any more: {told}"));
                    Ok(())
                })
                .await
                .ok();
                Err(SyncRunError::Violation(error.to_string()))
            }
            Err(error) if error.is_away() => Err(SyncRunError::Unavailable(error.to_string())),
            Err(error) => Err(SyncRunError::Failed(error.to_string())),
        }
    }

    /// Keeps how things stand for the commands that tell it.
    async fn note_standing(&self, ended: Result<&SyncReport, &SyncError>) {
        if self.remote.is_none() {
            return;
        }
        let status = match self.status().await {
            Ok(status) => status,
            Err(error) => {
                tracing::warn!("How the vault stands to its remote cannot be told: {error}.");
                return;
            }
        };
        let ended = ended.cloned().map_err(ToString::to_string);
        let noted = self
            .blocking(move |side| {
                let Some(state) = side.repo.git_dir().parent() else {
                    return Ok(());
                };
                let now =
                    Standing::read(state).after(ended.as_ref().map_err(Clone::clone), &status);
                if let Err(error) = now.write(state) {
                    tracing::debug!("How the vault stands is not noted down: {error}");
                }
                Ok(())
            })
            .await;
        if let Err(error) = noted {
            tracing::debug!("How the vault stands is not noted down: {error}");
        }
    }
}

fn task_error(error: SyncError) -> TaskError {
    match error {
        SyncError::NoTask(_) => TaskError::NotFound,
        SyncError::ZoneDenied(zone) => TaskError::ZoneDenied(zone),
        SyncError::NotOwner { owner, .. } => TaskError::NotOwner(owner),
        SyncError::Note { .. } | SyncError::NotText(_) | SyncError::Refused(_) => {
            TaskError::Broken(error.to_string())
        }
        other => TaskError::Unavailable(other.to_string()),
    }
}

impl Side {
    /// Tells the owner once what he has to hear of, where he looks. The note goes to the dashboard,
    /// which local writes from the work tree, whatever the remote does.
    pub(super) fn tell_owner(&self, trouble: &str) {
        if self.role == Role::Cloud || !self.is_news_to_owner(trouble) {
            return;
        }
        let note = UpdateNote {
            id: UpdateId::generate(),
            created: Timestamp::now(),
            by: self.agent.to_string(),
            task: None,
            headline: one_line(trouble, 300),
        };
        let path = layout::update(&self.agent, note.id);
        if let Err(error) = self.vault.create(&path, note.render().as_bytes()) {
            tracing::warn!("The owner cannot be told: {error}");
        }
    }

    fn tasks_in(&self, folder: &str) -> Result<Vec<TaskNote>, SyncError> {
        let mut tasks = Vec::new();
        for entry in self.vault.list(folder)? {
            // Identity is the file name: a conflict copy of a task is no second task.
            let Ok(id) = entry.path.stem().parse::<TaskId>() else {
                continue;
            };
            let text = match self.vault.read_text(&entry.path, MAX_NOTE as u64) {
                Ok(text) => text,
                Err(VaultError::NotFound(_)) => continue,
                Err(error) => {
                    tracing::warn!("A task cannot be read: {error}.");
                    continue;
                }
            };
            match TaskNote::parse(&text) {
                Ok(task) if task.id == id => tasks.push(task),
                Ok(task) => {
                    tracing::warn!(path = %entry.path, id = %task.id, "The note's id is not its file's name; it is passed over.");
                }
                Err(error) => {
                    tracing::warn!(path = %entry.path, "The note is no task: {error}.");
                }
            }
        }
        tasks.sort_by_key(|task| (task.created, task.id));
        Ok(tasks)
    }

    /// A task, in the work tree if it is there, as the remote has it otherwise.
    pub(super) fn task(&self, id: TaskId) -> Result<TaskNote, SyncError> {
        let here = match self.found_in_tree(id)? {
            Some((path, blob)) => match self.vault.read(&path, MAX_NOTE as u64) {
                Ok(bytes) => Some((path, bytes)),
                Err(VaultError::NotFound(_)) => {
                    let bytes = self.repo.read_blob(blob, MAX_NOTE)?;
                    Some((path, bytes))
                }
                Err(error) => return Err(error.into()),
            },
            None => match self.waiting_here(id)? {
                Some(path) => {
                    let bytes = self.vault.read(&path, MAX_NOTE as u64)?;
                    Some((path, bytes))
                }
                None => None,
            },
        };
        let (path, bytes) = here.ok_or(SyncError::NoTask(id))?;
        let text = String::from_utf8(bytes).map_err(|_| SyncError::NotText(path.clone()))?;
        TaskNote::parse(&text).map_err(|source| SyncError::Note { path, source })
    }

    fn found_in_tree(
        &self,
        id: TaskId,
    ) -> Result<Option<(VaultPath, platinum_repo::Oid)>, SyncError> {
        let Some(tip) = self.repo.tip(RefName::Verified)? else {
            return Ok(None);
        };
        Ok(places::find(&self.repo, tip, id)?.file)
    }

    /// Where the work tree has a task that waits or is this agent's.
    pub(super) fn waiting_here(&self, id: TaskId) -> Result<Option<VaultPath>, SyncError> {
        let zones = places::zones_in(&self.vault)?.into_iter();
        let waiting = zones.map(|zone| layout::waiting(zone, id));
        for path in waiting.chain([layout::in_progress(&self.agent, id)]) {
            if self.vault.exists(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use platinum_protocol::PushOutcome;
    use platinum_repo::{Oid, Remote, RemoteError, Signers, SigningKey};
    use platinum_vault::Vault;

    use super::{super::SyncConfig, *};
    use crate::identity::Identity;

    /// Holds an object that git does not take.
    struct Faulty;

    #[async_trait]
    impl Remote for Faulty {
        async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
            Err(RemoteError::Faulty {
                remote: self.describe(),
                object: "2a950f22f4df93c3fa15402165e3a50ff2c4fbe6".to_owned(),
                what: "zeroPaddedFilemode: contains zero-padded file modes".to_owned(),
            })
        }

        async fn push(&self, _: Oid, _: Option<Oid>) -> PushOutcome {
            PushOutcome::Rejected("stale info".to_owned())
        }

        fn describe(&self) -> String {
            "ssh://vault@example.test/vault.git".to_owned()
        }
    }

    #[tokio::test]
    async fn of_a_faulty_object_the_owner_hears_once_and_it_is_noted_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vault")).unwrap();
        let vault = Vault::open(&folder.path().join("vault")).unwrap();
        let state = folder.path().join("state");
        let agent: platinum_core::AgentName = "local".parse().unwrap();
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let sync = Synchronizer::new(SyncConfig {
            vault: vault.clone(),
            git_dir: state.join("vault.git"),
            remote: Some(Box::new(Faulty)),
            agent: agent.clone(),
            role: Role::Local,
            identity: Identity::new(agent, Role::Local, key, Signers::default()),
            scanner: std::sync::Arc::default(),
        })
        .unwrap();
        for _ in 0..3 {
            let ended = Syncer::run(&sync).await;
            assert!(
                matches!(ended, Err(SyncRunError::Violation(_))),
                "{ended:?}"
            );
        }
        let notes = vault.list("Updates/local").unwrap();
        assert_eq!(notes.len(), 1, "once");
        let text = vault.read_text(&notes[0].path, 4096).unwrap();
        let headline = UpdateNote::parse(&text).unwrap().headline;
        // The end, the remote's address, is cut.
        let expected = "Nothing is synced any more: the remote holds a faulty object, \
             2a950f22f4df93c3fa15402165e3a50ff2c4fbe6 (zeroPaddedFilemode: contains zero-padded \
             file modes), and git takes nothing more from it: put its branch back to a commit \
             without it, and set `receive.fsckObjects` to true there";
        assert!(headline.starts_with(expected), "{headline}");
        let trouble = Standing::read(&state).trouble.unwrap();
        assert!(
            trouble.starts_with("the remote holds a faulty object, 2a950f22f4df"),
            "{trouble}"
        );
    }
}
