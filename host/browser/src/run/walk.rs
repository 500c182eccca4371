//! The steps of a recipe, made one after the other.
//!
//! Lives elsewhere: the final screen is in `final_screen`; what comes behind the last click in `receipt`.
//! Invariant: every wait has an end; a secret is hidden in what comes back before it is typed.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use platinum_core::text::one_line;
use serde_json::json;

use crate::{
    check::{Difference, check_interruptions, check_place, place},
    elements::elements,
    locate::{describe, locate},
    money::format_amount,
    outcome::{Problem, Report, Step},
    payment::{Payment, without_spaces},
    recipe::{DateFormat, Locator, Recipe, RecipeStep, Value},
    secrets::{Owner, Question, Reply, Secrets},
    session::{BrowserSession, step_seconds},
    settings::BrowserSettings,
    snapshot::Page,
};

/// How long a page may take to be shown once the walk has ended.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at a page that is not there yet.
pub(super) const PAUSE: Duration = Duration::from_millis(150);
/// One browser with what it walks by.
pub(super) struct Walk {
    pub(super) session: BrowserSession,
    pub(super) recipe: Recipe,
    pub(super) payment: Payment,
    pub(super) owner: Arc<dyn Owner>,
    pub(super) step_time: Duration,
    pub(super) began: Instant,
    /// Whether the last click was tried.
    pub(super) is_clicked: bool,
}

/// A step did not come to its end.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) why: String,
    pub(super) may_pass: bool,
}

impl Failure {
    pub(super) fn other(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_pass: false,
        }
    }

    pub(super) fn late(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_pass: true,
        }
    }

    pub(super) fn at(self, step: Step) -> Problem {
        Problem {
            step,
            why: self.why,
            may_pass: self.may_pass,
        }
    }
}

pub(super) async fn open(
    settings: &BrowserSettings,
    state: &Path,
    recipe: &Recipe,
    payment: &Payment,
    secrets: &dyn Secrets,
    owner: Arc<dyn Owner>,
) -> Result<Walk, Problem> {
    let began = Instant::now();
    let refused = |why: String| Failure::other(why).at(Step::Start);
    payment
        .check()
        .map_err(|error| refused(error.to_string()))?;
    if recipe.pay.expect.iban.is_some() && payment.iban.is_empty() {
        return Err(refused(
            "the payment has no `iban`, and the page shows one".to_owned(),
        ));
    }
    // Before a browser is started: all that will be needed is there.
    for name in recipe.secrets() {
        let why = |error| refused(format!("the secret `{name}` cannot be read: {error}"));
        secrets.secret(name).map_err(why)?;
    }
    let session = BrowserSession::open(settings, state, recipe).await;
    let session = session.map_err(|why| Failure::late(why).at(Step::Start))?;
    Ok(Walk {
        session,
        recipe: recipe.clone(),
        payment: payment.clone(),
        owner,
        step_time: Duration::from_secs(step_seconds(settings, recipe).into()),
        began,
        is_clicked: false,
    })
}

impl Walk {
    pub(super) async fn end<T>(self, outcome: T, picture: Option<Vec<u8>>) -> Report<T> {
        let page = match self.is_clicked {
            true => None,
            // A page that does not answer has nothing to show.
            false => tokio::time::timeout(PATIENCE, self.session.snapshot())
                .await
                .ok(),
        };
        let elements = match page {
            Some(Ok(page)) => elements(&page.outline),
            _ => Vec::new(),
        };
        let elements = elements.iter().map(|line| self.session.redact(line));
        let report = Report {
            elements: elements.collect(),
            outcome,
            refused: self.session.refused(),
            confinement: Some(self.session.confinement()),
            picture,
            took: self.began.elapsed(),
        };
        self.session.close().await;
        report
    }

    pub(super) async fn walk_to_last_click(
        &mut self,
        secrets: &dyn Secrets,
    ) -> Result<(), Problem> {
        for (at, step) in self.recipe.steps.clone().iter().enumerate() {
            let done = self.step(step, secrets).await;
            done.map_err(|failure| failure.at(Step::Before(at + 1, step.what())))?;
        }
        self.reach_final_screen()
            .await
            .map_err(|failure| failure.at(Step::Compare))
    }

    pub(super) async fn step(
        &mut self,
        step: &RecipeStep,
        secrets: &dyn Secrets,
    ) -> Result<(), Failure> {
        match step {
            RecipeStep::Navigate { url } => {
                let went = self
                    .session
                    .call("browser_navigate", json!({ "url": url }))
                    .await;
                self.check_refused()?;
                let page = went.map_err(|failure| Failure::late(failure.why))?;
                self.check(&page)
            }
            RecipeStep::Fill {
                into,
                value,
                secret,
                text,
            } => {
                let text = match (value, secret, text) {
                    (Some(value), _, _) => match self.value(*value) {
                        Some(text) => text,
                        None => return Ok(()),
                    },
                    (_, Some(name), _) => {
                        let secret = secrets.secret(name);
                        let why = |error| format!("the secret `{name}` cannot be read: {error}");
                        let secret = secret.map_err(|error| Failure::other(why(error)))?;
                        self.session.hide(&secret);
                        secret.reveal().to_owned()
                    }
                    (_, _, Some(text)) => text.clone(),
                    (None, None, None) => return Ok(()),
                };
                self.fill(into, &text).await
            }
            RecipeStep::Select {
                from,
                option,
                value,
            } => {
                let choice = match (option, value) {
                    (Some(option), _) => option.clone(),
                    (None, Some(value)) => match self.value(*value) {
                        Some(text) => text,
                        None => return Ok(()),
                    },
                    (None, None) => return Ok(()),
                };
                let reference = self.reference(from).await?;
                let arguments =
                    json!({ "target": reference, "element": describe(from), "values": [choice] });
                self.act("browser_select_option", arguments).await
            }
            RecipeStep::Click { on } => {
                let reference = self.reference(on).await?;
                let arguments = json!({ "target": reference, "element": describe(on) });
                self.act("browser_click", arguments).await
            }
            RecipeStep::Wait { shows, seconds } => {
                let limit = seconds.map_or(self.step_time, |seconds| {
                    Duration::from_secs(seconds.into())
                });
                self.until_shown(shows, limit).await.map(drop)
            }
            RecipeStep::SecondFactor { ask, into, seconds } => {
                if let Some(into) = into {
                    self.until_shown(into, self.step_time).await?;
                }
                let reply = self.ask(ask, into.is_some(), *seconds).await?;
                match (reply, into) {
                    (Reply::Code(code), Some(into)) => {
                        self.session.hide(&code);
                        self.fill(into, code.reveal()).await
                    }
                    (Reply::Done, None) => Ok(()),
                    (Reply::No, _) => Err(Failure::other("the owner said no")),
                    _ => Err(Failure::other(
                        "the answer is not of the kind that was asked for",
                    )),
                }
            }
        }
    }

    pub(super) async fn ask(
        &self,
        text: &str,
        wants_code: bool,
        seconds: u16,
    ) -> Result<Reply, Failure> {
        let within = Duration::from_secs(seconds.into());
        let question = Question {
            text: text.to_owned(),
            wants_code,
            within,
        };
        tokio::time::timeout(within, self.owner.ask(&question))
            .await
            .map_err(|_| {
                Failure::other(format!("the owner did not answer within {seconds} seconds"))
            })
    }

    /// What of the approval a step fills in; none if it has none.
    fn value(&self, value: Value) -> Option<String> {
        let payment = &self.payment;
        Some(match value {
            Value::Payee => payment.payee.clone(),
            Value::Iban => without_spaces(&payment.iban),
            Value::Amount => format_amount(payment.amount, self.recipe.decimal_mark),
            Value::Currency => payment.amount.currency.to_string(),
            Value::Reference => payment.reference.clone(),
            Value::Due => {
                let due = payment.due?;
                let (year, month, day) = (due.year(), due.month(), due.day());
                match self.recipe.dates {
                    DateFormat::Iso => format!("{year:04}-{month:02}-{day:02}"),
                    DateFormat::Dotted => format!("{day:02}.{month:02}.{year:04}"),
                    DateFormat::DayFirst => format!("{day:02}/{month:02}/{year:04}"),
                    DateFormat::MonthFirst => format!("{month:02}/{day:02}/{year:04}"),
                }
            }
        })
    }

    async fn fill(&mut self, into: &Locator, text: &str) -> Result<(), Failure> {
        let reference = self.reference(into).await?;
        let arguments = json!({ "target": reference, "element": describe(into), "text": text });
        self.act("browser_type", arguments).await
    }

    /// Calls what changes the page, and looks at what came of it.
    async fn act(&mut self, tool: &str, arguments: serde_json::Value) -> Result<(), Failure> {
        let done = self.session.call(tool, arguments).await;
        self.check_refused()?;
        let page = done.map_err(|failure| Failure::late(failure.why))?;
        match page.url.is_some() {
            true => self.check(&page),
            false => check_interruptions(&page).map_err(|difference| self.failure(&difference)),
        }
    }

    async fn reference(&mut self, locator: &Locator) -> Result<String, Failure> {
        let (page, at) = self.until_shown(locator, self.step_time).await?;
        let reference = page.outline.nodes[at].reference.clone();
        reference.ok_or_else(|| {
            Failure::other(format!(
                "the {} is no element of its own",
                describe(locator)
            ))
        })
    }

    /// Looks until an element is there.
    pub(super) async fn until_shown(
        &self,
        locator: &Locator,
        limit: Duration,
    ) -> Result<(Page, usize), Failure> {
        let deadline = Instant::now() + limit;
        loop {
            let looked = self.session.snapshot().await;
            self.check_refused()?;
            let why = match looked {
                Ok(page) => {
                    self.check(&page)?;
                    match locate(&page.outline, locator) {
                        Ok(at) => return Ok((page, at)),
                        Err(error) => {
                            let at = place(page.url.as_deref().unwrap_or_default());
                            format!("{error} (at {at})")
                        }
                    }
                }
                Err(failure) => failure.why,
            };
            if Instant::now() >= deadline {
                let why = self.session.redact(&why);
                return Err(Failure::late(format!(
                    "{why}, also after {} seconds",
                    limit.as_secs()
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn check(&self, page: &Page) -> Result<(), Failure> {
        check_place(&self.recipe, page).map_err(|difference| self.failure(&difference))
    }

    pub(super) fn failure(&self, difference: &Difference) -> Failure {
        Failure {
            why: self.session.redact(&difference.to_string()),
            may_pass: matches!(difference, Difference::Missing(_)),
        }
    }

    /// Stops once the pages asked for an address that the recipe does not know.
    pub(super) fn check_refused(&self) -> Result<(), Failure> {
        let refused = self.session.refused();
        let unknown = refused
            .iter()
            .find(|address| !self.recipe.refuse_silently.contains(*address));
        match unknown {
            None => Ok(()),
            Some(address) => Err(Failure::other(format!(
                "the page asked for {}, which is none of the recipe's origins; it was refused. Name it in \
                 `refuse-silently` if the page does without it",
                one_line(address, 120)
            ))),
        }
    }
}
