//! One plan for one task.

use platinum_sdk::host::{ReadTasks, WritePlans};
use platinum_sdk::plans::write::Plan;
use platinum_sdk::{Error, Invocation, Outcome};

/// Most steps of a plan.
const MAX_STEPS: usize = 50;

/// Writes a plan with a step for each line that begins with `* `; `done` with the plan's id.
///
/// # Errors
/// If there is no task, or a text for no step.
pub fn run(
    host: &(impl ReadTasks + WritePlans),
    invocation: &Invocation,
) -> Result<Outcome, Error> {
    let id = invocation
        .task
        .as_deref()
        .ok_or_else(|| Error::Invalid("needs a task".into()))?;
    let task = host.get(id)?;
    let lines = task.text.lines().filter_map(|line| line.strip_prefix("* "));
    let steps: Vec<String> = lines
        .map(str::trim)
        .take(MAX_STEPS)
        .map(str::to_owned)
        .collect();
    if steps.is_empty() {
        return Ok(Outcome::Dismissed("the note has no step".into()));
    }
    let plan = Plan {
        task: task.id,
        title: task.subject,
        steps,
    };
    let id = host.write(&plan)?;
    Ok(Outcome::Done(format!("planned in {id}")))
}
