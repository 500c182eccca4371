//! [`Outcome`] and [`Problem`]: what came of a payment, and where and why a walk over a page stopped.

use std::{fmt, time::Duration};

use crate::settings::Confinement;

/// Where in a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Before its first step: the payment, the programs, the secrets.
    Start,
    /// A step before the last click, counted from 1, and what it does.
    Before(usize, &'static str),
    /// The comparison of the final screen.
    Compare,
    /// The last click.
    LastClick,
    /// A step after it, counted from 1.
    After(usize, &'static str),
    /// The receipt.
    Receipt,
    /// A step on the way to the list of payments, counted from 1; or the list itself.
    List(usize, &'static str),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Start => f.write_str("before the first step"),
            Step::Before(number, what) => write!(f, "step {number} ({what})"),
            Step::Compare => f.write_str("the final screen"),
            Step::LastClick => f.write_str("the last click"),
            Step::After(number, what) => write!(f, "step {number} after the last click ({what})"),
            Step::Receipt => f.write_str("the receipt"),
            Step::List(number, what) => write!(f, "step {number} of the list of payments ({what})"),
        }
    }
}

/// Where and why a walk stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {why}")]
pub struct Problem {
    /// Where.
    pub step: Step,
    /// Why, in one line for the owner, without secrets.
    pub why: String,
    /// Whether trying again by itself may help: a slow page, a network that is away.
    pub may_pass: bool,
}

/// What came of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The last click was not made: nothing was paid.
    NotPaid(Problem),
    /// It could have been made and was not: a test of the recipe.
    Tested,
    /// The receipt was seen; what the bank calls the payment, or our reference if the recipe names no other.
    Paid {
        /// As the page shows it, one bounded line.
        reference: String,
    },
    /// The last click was made, or may have been, and no receipt was seen that fits.
    Unknown {
        /// Where and why.
        problem: Problem,
        /// What the owner looks at, and for what.
        check: String,
    },
}

/// What the bank's list of payments says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// It has the payment: the row, one bounded line.
    Found(String),
    /// It was read to the end of what the page shows and does not have it.
    NotFound,
    /// The recipe has no list.
    NoList,
    /// It could not be read, or a row has our reference and differs otherwise.
    Unknown(Problem),
}

/// What came of it, and what else the owner is told.
#[derive(Clone, PartialEq, Eq)]
pub struct Report<T = Outcome> {
    /// What came of it.
    pub outcome: T,
    /// What the proxy refused, `host:port`, each once, without what browsers ask for by themselves.
    pub refused: Vec<String>,
    /// What kept the browser to the payee's addresses; none if it was not started.
    pub confinement: Option<Confinement>,
    /// A picture of the receipt alone (PNG), if the recipe names its place.
    pub picture: Option<Vec<u8>>,
    /// What the page has where the walk stopped before the last click, each element as a recipe names it: for whoever
    /// writes the recipe. It may have private text of the page.
    pub elements: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl<T: fmt::Debug> fmt::Debug for Report<T> {
    /// With the size of the picture instead of its bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("outcome", &self.outcome)
            .field("refused", &self.refused)
            .field("confinement", &self.confinement)
            .field("picture", &self.picture.as_ref().map(Vec::len))
            .field("elements", &self.elements.len())
            .field("took", &self.took)
            .finish()
    }
}
