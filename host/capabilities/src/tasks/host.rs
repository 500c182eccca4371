//! The host side of the task interfaces.

use platinum_core::{Role, TaskId, ZoneId, text::one_line};
use platinum_protocol::Claimed;
use platinum_vault::note::TaskNote;

use super::{Owner, TaskError, TasksCtx};
use crate::{
    bindings::platinum::tasks::{claim, finish, ownership, read, types},
    convert,
    text::cut,
};

/// Most tasks in one list.
const MAX_LISTED: usize = 100;
/// Longest text of a task that a skill sees, in bytes.
const MAX_TEXT_BYTES: usize = 256 * 1024;
/// Longest value of a fact, in bytes.
const MAX_FACT_BYTES: usize = 1024;

impl From<TaskError> for types::Error {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::NotFound => types::Error::NotFound,
            TaskError::ZoneDenied(zone) => types::Error::ZoneDenied(zone.to_string()),
            TaskError::NotOwner(agent) => types::Error::NotOwner(agent),
            TaskError::Broken(what) => types::Error::Broken(what),
            TaskError::Unavailable(what) => types::Error::Unavailable(what),
        }
    }
}

impl TasksCtx {
    fn allow(&self, zone: ZoneId) -> Result<(), TaskError> {
        let role_allows = self.role == Role::Local || !platinum_policy::is_local_only(zone);
        if role_allows && self.zones.contains(&zone) {
            Ok(())
        } else {
            Err(TaskError::ZoneDenied(zone))
        }
    }

    /// Reads a task and checks its zone.
    async fn task(&self, id: &str) -> Result<(TaskId, TaskNote), TaskError> {
        let id: TaskId = id.parse().map_err(|_| TaskError::NotFound)?;
        let task = self.store.get(id).await?;
        self.allow(task.zone)?;
        Ok((id, task))
    }
}

impl read::Host for TasksCtx {
    async fn waiting(
        &mut self,
        zone: String,
    ) -> wasmtime::Result<Result<Vec<types::Summary>, types::Error>> {
        let zone = match convert::zone(&zone) {
            Ok(zone) => zone,
            Err(reason) => return Ok(Err(types::Error::Invalid(reason))),
        };
        if let Err(error) = self.allow(zone) {
            return Ok(Err(error.into()));
        }
        Ok(match self.store.waiting(zone).await {
            Ok(tasks) => Ok(tasks
                .into_iter()
                .take(MAX_LISTED)
                .map(|task| types::Summary {
                    id: task.id.to_string(),
                    zone: task.zone.to_string(),
                    subject: cut(&task.subject, MAX_FACT_BYTES),
                })
                .collect()),
            Err(error) => Err(error.into()),
        })
    }

    async fn get(&mut self, id: String) -> wasmtime::Result<Result<types::Task, types::Error>> {
        Ok(match self.task(&id).await {
            Ok((_, task)) => Ok(types::Task {
                id: task.id.to_string(),
                zone: task.zone.to_string(),
                source: cut(&task.source, MAX_FACT_BYTES),
                sender: cut(&task.from, MAX_FACT_BYTES),
                subject: cut(&task.subject, MAX_FACT_BYTES),
                received: task.received.map(|at| at.to_string()),
                created: task.created.to_string(),
                facts: task
                    .facts
                    .into_iter()
                    .map(|fact| types::Fact {
                        name: fact.name,
                        values: fact.values.iter().map(|v| cut(v, MAX_FACT_BYTES)).collect(),
                    })
                    .collect(),
                text: cut(&task.body, MAX_TEXT_BYTES),
            }),
            Err(error) => Err(error.into()),
        })
    }
}

impl ownership::Host for TasksCtx {
    async fn owner_of(
        &mut self,
        id: String,
    ) -> wasmtime::Result<Result<ownership::Owner, types::Error>> {
        let Ok(id) = id.parse::<TaskId>() else {
            return Ok(Err(types::Error::NotFound));
        };
        Ok(match self.store.owner_of(id).await {
            Ok(Owner::Unowned) => Ok(ownership::Owner::Unowned),
            Ok(Owner::ThisAgent) => Ok(ownership::Owner::ThisAgent),
            Ok(Owner::Other(agent)) => Ok(ownership::Owner::Other(agent.to_string())),
            Ok(Owner::Finished) => Ok(ownership::Owner::Finished),
            Err(error) => Err(error.into()),
        })
    }
}

impl claim::Host for TasksCtx {
    async fn claim(
        &mut self,
        id: String,
    ) -> wasmtime::Result<Result<claim::ClaimOutcome, types::Error>> {
        let id = match self.task(&id).await {
            Ok((id, _)) => id,
            Err(error) => return Ok(Err(error.into())),
        };
        Ok(match self.store.claim(id).await {
            Ok(Claimed::Won { epoch }) => Ok(claim::ClaimOutcome::Won(epoch)),
            Ok(Claimed::Lost { owner }) => Ok(claim::ClaimOutcome::Lost(
                owner.map(|agent| agent.to_string()).unwrap_or_default(),
            )),
            Ok(Claimed::Tentative) => Ok(claim::ClaimOutcome::Tentative),
            Ok(Claimed::GaveUp) => Err(types::Error::Unavailable(
                "others kept winning the remote's tip; the claim is tried again later".to_owned(),
            )),
            Err(error) => Err(error.into()),
        })
    }
}

impl finish::Host for TasksCtx {
    async fn complete(
        &mut self,
        id: String,
        summary: String,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let (id, _) = match self.task(&id).await {
            Ok(found) => found,
            Err(error) => return Ok(Err(error.into())),
        };
        let receipts = match self.receipts.of_task(id) {
            Ok(receipts) => receipts,
            Err(reason) => return Ok(Err(types::Error::Unavailable(reason))),
        };
        let summary = one_line(&summary, 500);
        Ok(self
            .store
            .complete(id, &summary, receipts)
            .await
            .map_err(Into::into))
    }

    async fn release(
        &mut self,
        id: String,
        reason: String,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let done = match self.task(&id).await {
            Ok((id, _)) => self.store.release(id, &one_line(&reason, 500)).await,
            Err(error) => Err(error),
        };
        Ok(done.map_err(Into::into))
    }

    async fn fail(
        &mut self,
        id: String,
        reason: String,
    ) -> wasmtime::Result<Result<(), types::Error>> {
        let done = match self.task(&id).await {
            Ok((id, _)) => self.store.fail(id, &one_line(&reason, 500)).await,
            Err(error) => Err(error),
        };
        Ok(done.map_err(Into::into))
    }
}
