//! A browser that pays what was approved on the page of a payee or a bank, or stops and says why.
//!
//! Lives here: the [recipe](Recipe) of a page, the proxy and the network namespace that limit where the browser gets,
//! the session with Playwright's MCP server, the comparison of the final screen with the approval, and the walk over
//! it: [`prepare`] goes to the last click, [`Prepared::pay`] makes it.
//! Lives elsewhere: approvals, caps, payees and the record of what was tried are in `effects` and `local`; the gate of
//! the session is in `mcp`.
//! Invariants: no model and no text of a page decides anything, the steps are the recipe's alone; nothing that can
//! move money happens before [`Prepared::pay`]; the last click is made only on an element that is found together with
//! every approved value, in one look at the page; a secret is in no error, log or picture; all that was started has
//! ended when a call returns, or when what it answered is dropped.

mod check;
mod elements;
mod locate;
mod money;
mod outcome;
mod payment;
mod proxy;
mod recipe;
mod run;
mod secrets;
mod session;
mod settings;
pub mod snapshot;

pub use money::{DecimalMark, format_amount, parse_amount};
pub use outcome::{Listed, Outcome, Problem, Report, Step};
pub use payment::{Payment, PaymentError};
pub use recipe::{
    After, DateFormat, Expected, List, Locator, PayStep, Receipt, Recipe, RecipeError, RecipeStep,
    TEMPLATE, Value,
};
pub use run::{Mode, Prepared, find_payment, prepare, run};
pub use secrets::{Owner, Question, Reply, Secret, Secrets};
pub use settings::{BrowserSettings, Confinement, NamespaceUse};
