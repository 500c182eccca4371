//! The host side of `plans/write`.

use platinum_core::PlanId;
use platinum_vault::note::PlanNote;

use crate::{
    bindings::platinum::plans::write::{Error, Host, Plan},
    proposals::ProposeCtx,
    text::checked_line,
};

/// Most steps of a plan.
const MAX_STEPS: usize = 50;

impl Host for ProposeCtx {
    async fn write(&mut self, plan: Plan) -> wasmtime::Result<Result<String, Error>> {
        Ok(write(self, plan).await)
    }
}

async fn write(ctx: &ProposeCtx, plan: Plan) -> Result<String, Error> {
    let (task, _) = ctx.owned_task(&plan.task).await?;
    if !(1..=MAX_STEPS).contains(&plan.steps.len()) {
        return Err(Error::Invalid(format!(
            "the plan has {} steps; 1 to {MAX_STEPS}",
            plan.steps.len()
        )));
    }
    let note = PlanNote {
        id: PlanId::generate(),
        created: ctx.now,
        by: ctx.author.by.clone(),
        task,
        title: checked_line("title", &plan.title, 200).map_err(Error::Invalid)?,
        steps: plan
            .steps
            .iter()
            .map(|step| checked_line("steps", step, 500))
            .collect::<Result<_, _>>()
            .map_err(Error::Invalid)?,
    };
    Ok(ctx.write_plan(note).await?)
}
