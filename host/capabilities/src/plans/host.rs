//! The host side of `plans/write`.

use platinum_core::{PlanId, TaskId};
use platinum_vault::note::PlanNote;
use sha2::{Digest, Sha256};

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
    let title = checked_line("title", &plan.title, 200).map_err(Error::Invalid)?;
    let steps: Vec<String> = plan
        .steps
        .iter()
        .map(|step| checked_line("steps", step, 500))
        .collect::<Result<_, _>>()
        .map_err(Error::Invalid)?;
    let note = PlanNote {
        id: plan_id(task, &title, &steps),
        created: ctx.now,
        by: ctx.author.by.clone(),
        task,
        title,
        steps,
    };
    Ok(ctx.write_plan(note).await?)
}

/// The id of a plan, the same for an equal one: a skill that runs again after a crash writes one
/// plan, also where the owner has ticked off its steps since.
fn plan_id(task: TaskId, title: &str, steps: &[String]) -> PlanId {
    let mut hash = Sha256::new_with_prefix(task.to_string());
    for line in std::iter::once(title).chain(steps.iter().map(String::as_str)) {
        // None of them holds a line break.
        hash.update("\n");
        hash.update(line);
    }
    let hash = hash.finalize();
    let bytes = hash.iter().take(10);
    let random = bytes.fold(0, |bits: u128, byte| (bits << 8) | u128::from(*byte));
    PlanId::from_parts(task.unix_ms(), random)
}
