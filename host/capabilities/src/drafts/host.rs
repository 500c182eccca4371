//! The host side of `drafts/submit`.

use platinum_core::{Action, DraftId, PlanId, TaskId, VaultPath, layout};
use platinum_vault::note::{DraftNote, PlanNote};

use super::{DEFAULT_LIFE, DraftsCtx, LONGEST_LIFE};
use crate::{
    bindings::platinum::drafts::submit::{Draft, Error, Host, Plan},
    convert,
    tasks::TaskError,
    text::one_line,
    view::View,
    writing::in_background,
};

/// Most steps of a plan.
const MAX_STEPS: usize = 50;
/// Largest draft that is compared with a new one, in bytes.
const MAX_DRAFT_BYTES: u64 = 256 * 1024;

impl Host for View<'_, DraftsCtx> {
    async fn propose(&mut self, draft: Draft) -> wasmtime::Result<Result<String, Error>> {
        Ok(self.try_propose(draft).await)
    }

    async fn write_plan(&mut self, plan: Plan) -> wasmtime::Result<Result<String, Error>> {
        Ok(self.try_write_plan(plan).await)
    }
}

impl View<'_, DraftsCtx> {
    async fn try_propose(&mut self, draft: Draft) -> Result<String, Error> {
        let (task, epoch) = self.owned_task(&draft.task).await?;
        let action = convert::action(draft.action).map_err(Error::Invalid)?;
        let now = self.ctx.now;
        let expires = match draft.expires {
            Some(text) => convert::time("expires", &text).map_err(Error::Invalid)?,
            None => now + DEFAULT_LIFE,
        };
        if expires <= now || expires > now + LONGEST_LIFE {
            return Err(Error::Invalid(
                "`expires` must lie within the next 90 days".to_owned(),
            ));
        }
        if let Some(id) = self.same_draft((task, epoch), &action).await? {
            return Err(Error::Duplicate(id.to_string()));
        }
        let note = DraftNote {
            id: DraftId::generate(),
            created: now,
            by: self.ctx.author.by.clone(),
            task,
            epoch: Some(epoch),
            action,
            summary: one_line("summary", &draft.summary, 300).map_err(Error::Invalid)?,
            reason: one_line("reason", &draft.reason, 500).map_err(Error::Invalid)?,
            expires,
        };
        self.create(layout::pending(note.id), note.render()).await?;
        Ok(note.id.to_string())
    }

    async fn try_write_plan(&mut self, plan: Plan) -> Result<String, Error> {
        let (task, _) = self.owned_task(&plan.task).await?;
        if !(1..=MAX_STEPS).contains(&plan.steps.len()) {
            return Err(Error::Invalid(format!(
                "the plan has {} steps; 1 to {MAX_STEPS}",
                plan.steps.len()
            )));
        }
        let note = PlanNote {
            id: PlanId::generate(),
            created: self.ctx.now,
            by: self.ctx.author.by.clone(),
            task,
            title: one_line("title", &plan.title, 200).map_err(Error::Invalid)?,
            steps: plan
                .steps
                .iter()
                .map(|step| one_line("steps", step, 500))
                .collect::<Result<_, _>>()
                .map_err(Error::Invalid)?,
        };
        self.create(layout::plan(note.id), note.render()).await?;
        Ok(note.id.to_string())
    }

    /// The task and the epoch of its claim, if this agent may draft for it.
    async fn owned_task(&self, id: &str) -> Result<(TaskId, u64), Error> {
        let id: TaskId = id
            .parse()
            .map_err(|error: platinum_core::IdError| Error::Invalid(error.to_string()))?;
        match self.ctx.store.drafting_epoch(id).await {
            Ok(Some(epoch)) => Ok((id, epoch)),
            Ok(None) | Err(TaskError::NotFound) => Err(Error::NotOwner),
            Err(error) => Err(Error::Unavailable(error.to_string())),
        }
    }

    /// A draft for the same task that would do just the same, if one waits already: a skill that
    /// runs again after a crash proposes once.
    async fn same_draft(
        &self,
        (task, epoch): (TaskId, u64),
        action: &Action,
    ) -> Result<Option<DraftId>, Error> {
        let (vault, action) = (self.ctx.vault.clone(), action.clone());
        in_background(move || {
            for entry in vault.list(layout::PENDING_APPROVAL)? {
                let Ok(text) = vault.read_text(&entry.path, MAX_DRAFT_BYTES) else {
                    continue;
                };
                let Ok(waiting) = DraftNote::parse(&text) else {
                    continue;
                };
                // One of an earlier claim would be refused when it is approved.
                let counts = waiting.epoch.is_none_or(|of| of == epoch);
                if waiting.task == task && waiting.action == action && counts {
                    return Ok(Some(waiting.id));
                }
            }
            Ok(None)
        })
        .await
        .map_err(|error| Error::Unavailable(error.to_string()))
    }

    async fn create(&self, path: VaultPath, text: String) -> Result<(), Error> {
        self.ctx
            .author
            .create(&self.ctx.vault, path, text)
            .await
            .map_err(Error::Unavailable)
    }
}
