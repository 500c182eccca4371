//! The walk over a page: to the last click, the click, the receipt; and to the list of payments.
//!
//! Lives elsewhere: what is compared, and the target of the last click, are in `check`; the calls are in `session`.
//! Invariants: every wait has an end; what fails before the last click is [`Outcome::NotPaid`], and what fails at it or
//! behind it is that only where the click certainly was not made, else [`Outcome::Unknown`]; the last click is tried
//! once.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    locate::describe,
    outcome::{Listed, Outcome, Report, Step},
    payment::Payment,
    recipe::Recipe,
    secrets::{Owner, Secrets},
    settings::BrowserSettings,
};

use super::walk::{Failure, Walk, open};

/// How far [`run`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To the last click, which is not made.
    Test,
    /// To the receipt.
    Pay,
}

/// A browser that stands before the last click. Dropped, it ends and nothing was paid.
pub struct Prepared {
    walk: Walk,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared")
    }
}

/// Pays, or walks to the last click and stops.
pub async fn run(
    settings: &BrowserSettings,
    state: &Path,
    recipe: &Recipe,
    payment: &Payment,
    secrets: &dyn Secrets,
    owner: Arc<dyn Owner>,
    mode: Mode,
) -> Report {
    match (
        prepare(settings, state, recipe, payment, secrets, owner).await,
        mode,
    ) {
        (Ok(prepared), Mode::Pay) => prepared.pay().await,
        (Ok(prepared), Mode::Test) => prepared.close().await,
        (Err(report), _) => *report,
    }
}

/// Walks to the last click and compares.
///
/// # Errors
/// The report has [`Outcome::NotPaid`], always.
pub async fn prepare(
    settings: &BrowserSettings,
    state: &Path,
    recipe: &Recipe,
    payment: &Payment,
    secrets: &dyn Secrets,
    owner: Arc<dyn Owner>,
) -> Result<Prepared, Box<Report>> {
    let began = Instant::now();
    let mut walk = open(settings, state, recipe, payment, secrets, owner)
        .await
        .map_err(|problem| {
            Box::new(Report {
                outcome: Outcome::NotPaid(problem),
                refused: Vec::new(),
                confinement: None,
                picture: None,
                elements: Vec::new(),
                took: began.elapsed(),
            })
        })?;
    let limit = Duration::from_secs(settings.payment_seconds.into());
    let walked = tokio::time::timeout(limit, walk.walk_to_last_click(secrets)).await;
    let problem = match walked {
        Ok(Ok(())) => return Ok(Prepared { walk }),
        Ok(Err(problem)) => problem,
        Err(_) => {
            let why = format!(
                "the last click was not reached within {} seconds",
                limit.as_secs()
            );
            Failure::late(why).at(Step::Start)
        }
    };
    Err(Box::new(walk.end(Outcome::NotPaid(problem), None).await))
}

impl Prepared {
    /// Compares once more, makes the last click and reads the receipt.
    pub async fn pay(self) -> Report {
        let mut walk = self.walk;
        walk.session.cut();
        let target = match walk.compare_twice().await {
            Ok(target) => target,
            Err(failure) => {
                let outcome = Outcome::NotPaid(failure.at(Step::Compare));
                return walk.end(outcome, None).await;
            }
        };
        let arguments = json!({ "target": target, "element": describe(&walk.recipe.pay.click) });
        walk.session.seal();
        walk.is_clicked = true;
        let clicked = walk.session.call("browser_click", arguments).await;
        let problem = match clicked {
            Ok(_) => None,
            Err(failure) if failure.is_undone => {
                let failure = Failure::other(format!(
                    "the page changed between the comparison and the last click, which was not made: {}",
                    walk.why_now().await
                ));
                let outcome = Outcome::NotPaid(failure.at(Step::LastClick));
                return walk.end(outcome, None).await;
            }
            Err(failure) => Some(Failure::other(failure.why).at(Step::LastClick)),
        };
        // Also if the answer to the click was lost: a receipt settles it.
        let (outcome, picture) = match walk.await_receipt().await {
            Ok((reference, picture)) => (Outcome::Paid { reference }, picture),
            Err(later) => {
                let outcome = Outcome::Unknown {
                    problem: problem.unwrap_or(later),
                    check: walk.how_to_check(),
                };
                (outcome, None)
            }
        };
        walk.end(outcome, picture).await
    }

    /// Ends without the last click.
    pub async fn close(self) -> Report {
        self.walk.end(Outcome::Tested, None).await
    }
}

/// Looks for the payment in the bank's list, by its reference and amount.
pub async fn find_payment(
    settings: &BrowserSettings,
    state: &Path,
    recipe: &Recipe,
    payment: &Payment,
    secrets: &dyn Secrets,
    owner: Arc<dyn Owner>,
) -> Report<Listed> {
    let began = Instant::now();
    let early = |outcome| Report {
        outcome,
        refused: Vec::new(),
        confinement: None,
        picture: None,
        elements: Vec::new(),
        took: began.elapsed(),
    };
    let Some(list) = recipe.list.clone() else {
        return early(Listed::NoList);
    };
    let mut walk = match open(settings, state, recipe, payment, secrets, owner).await {
        Ok(walk) => walk,
        Err(problem) => return early(Listed::Unknown(problem)),
    };
    let limit = Duration::from_secs(settings.payment_seconds.into());
    let walking = async {
        for (at, step) in list.steps.iter().enumerate() {
            let done = walk.step(step, secrets).await;
            done.map_err(|failure| failure.at(Step::List(at + 1, step.what())))?;
        }
        let end = list.steps.len() + 1;
        let page = walk.until_shown(&list.shows, walk.step_time).await;
        let (page, _) = page.map_err(|failure| failure.at(Step::List(end, "read")))?;
        walk.read_list(&page, &list.row)
            .map_err(|failure| failure.at(Step::List(end, "read")))
    };
    let walked = tokio::time::timeout(limit, walking).await;
    let outcome = match walked {
        Ok(Ok(listed)) => listed,
        Ok(Err(problem)) => Listed::Unknown(problem),
        Err(_) => {
            let why = format!("it was not read within {} seconds", limit.as_secs());
            Listed::Unknown(Failure::late(why).at(Step::List(0, "all of it")))
        }
    };
    walk.end(outcome, None).await
}
