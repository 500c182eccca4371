//! [`Recipe`]: how one page is walked over, as TOML that the owner writes and signs.
//!
//! Lives elsewhere: where recipes are kept and who signed them is `local`'s; how a [`Locator`] finds its element is in
//! `locate`.
//! Invariants: a recipe that exists was [checked](Recipe::parse): its addresses are of its origins, the final screen
//! says payee, amount, currency and what else it can, no step after the last click clicks.

use std::collections::BTreeSet;

use platinum_core::text::one_line;
use serde::Deserialize;

use super::origin::origin_of;
use crate::money::DecimalMark;

/// A recipe to begin with, with comments.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Longest recipe, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Most steps of each list.
pub(super) const MAX_STEPS: usize = 60;
/// The longest that a question to the owner may wait, in seconds.
pub(super) const MAX_QUESTION: u16 = 600;

/// A recipe cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// It is not what a recipe looks like.
    #[error("the recipe cannot be read: {0}")]
    Syntax(String),
    /// What it says does not fit together.
    #[error("the recipe's {place}: {why}")]
    Content {
        /// Where: `start`, `pay.expect`, `step 3`.
        place: String,
        /// What to change.
        why: String,
    },
}

/// How a page writes days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DateFormat {
    /// `2027-02-28`.
    #[serde(rename = "yyyy-mm-dd")]
    Iso,
    /// `28.02.2027`.
    #[serde(rename = "dd.mm.yyyy")]
    Dotted,
    /// `28/02/2027`.
    #[serde(rename = "dd/mm/yyyy")]
    DayFirst,
    /// `02/28/2027`.
    #[serde(rename = "mm/dd/yyyy")]
    MonthFirst,
}

/// What names one element of a page: all that is given must fit, and exactly one element may.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Locator {
    /// Its ARIA role: `button`, `textbox`, `cell`.
    pub role: Option<String>,
    /// Its accessible name, to the letter.
    pub name: Option<String>,
    /// For a value: the text beside which it stands, to the letter, as in a table or a list of terms.
    pub label: Option<String>,
}

/// What of the approval is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// The payee's name.
    Payee,
    /// The account, without spaces.
    Iban,
    /// The amount, as the page writes it, without a currency.
    Amount,
    /// The code of the currency.
    Currency,
    /// The reference.
    Reference,
    /// The day; the step is left out if there is none.
    Due,
}

impl Value {
    /// Its name in a recipe.
    pub fn name(self) -> &'static str {
        match self {
            Value::Payee => "payee",
            Value::Iban => "iban",
            Value::Amount => "amount",
            Value::Currency => "currency",
            Value::Reference => "reference",
            Value::Due => "due",
        }
    }
}

/// A step before the last click.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RecipeStep {
    /// Goes to an address of an origin of the recipe.
    Navigate {
        /// Where.
        url: String,
    },
    /// Types into a field: exactly one of the three.
    Fill {
        /// The field.
        into: Locator,
        /// Of the approval.
        value: Option<Value>,
        /// The owner's secret of this name.
        secret: Option<String>,
        /// This text.
        text: Option<String>,
    },
    /// Chooses from a list.
    Select {
        /// The list.
        from: Locator,
        /// The words of the choice, or
        option: Option<String>,
        /// of the approval.
        value: Option<Value>,
    },
    /// Clicks.
    Click {
        /// On what.
        on: Locator,
    },
    /// Waits until an element is there.
    Wait {
        /// For what.
        shows: Locator,
        /// At most so long, in seconds.
        seconds: Option<u16>,
    },
    /// Asks the owner.
    SecondFactor {
        /// What the owner is asked.
        ask: String,
        /// Where the code is typed; without it, the owner does something elsewhere.
        into: Option<Locator>,
        /// How long the owner has, in seconds.
        seconds: u16,
    },
}

impl RecipeStep {
    /// What it does, for a message.
    pub fn what(&self) -> &'static str {
        match self {
            RecipeStep::Navigate { .. } => "navigate",
            RecipeStep::Fill { .. } => "fill",
            RecipeStep::Select { .. } => "select",
            RecipeStep::Click { .. } => "click",
            RecipeStep::Wait { .. } => "wait",
            RecipeStep::SecondFactor { .. } => "second factor",
        }
    }
}

/// A step after the last click: it may wait and let the owner confirm elsewhere, and touches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum After {
    /// Waits until an element is there.
    Wait {
        /// For what.
        shows: Locator,
        /// At most so long, in seconds.
        seconds: Option<u16>,
    },
    /// Asks the owner to confirm elsewhere.
    SecondFactor {
        /// What the owner is asked.
        ask: String,
        /// How long the owner has, in seconds.
        seconds: u16,
    },
}

/// Where the final screen shows what is paid.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Expected {
    /// The payee's name.
    pub payee: Option<Locator>,
    /// The account.
    pub iban: Option<Locator>,
    /// The amount, with its currency unless that stands elsewhere.
    pub amount: Option<Locator>,
    /// The currency, if it does not stand with the amount.
    pub currency: Option<Locator>,
    /// The reference.
    pub reference: Option<Locator>,
}

/// The last click.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PayStep {
    /// The button that pays.
    pub click: Locator,
    /// What the screen has to say before.
    pub expect: Expected,
    /// Of `payee`, `iban` and `reference`, what this page does not show. The owner knows it by this line.
    #[serde(default)]
    pub not_shown: BTreeSet<Value>,
    /// The names of the hidden fields that the button's form may have. Any other one is a reason to stop.
    #[serde(default)]
    pub hidden_fields: BTreeSet<String>,
}

/// What shows that the bank has the payment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Receipt {
    /// An element that no other page has.
    pub shows: Locator,
    /// What the bank calls the payment.
    pub reference: Option<Locator>,
    /// The amount, compared once more.
    pub amount: Option<Locator>,
    /// The part of the page that the picture has.
    pub picture: Option<Locator>,
}

/// The list of payments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct List {
    /// The way there: without a fill from the approval.
    pub steps: Vec<RecipeStep>,
    /// An element that is there once the list is.
    pub shows: Locator,
    /// The role of a row; `row` if it is not said.
    #[serde(default = "row")]
    pub row: String,
}

fn row() -> String {
    "row".to_owned()
}

/// How one page is walked over.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// The name that a payment's `method` has.
    pub name: String,
    /// `https://host` or `https://host:port`, each that the pages need. The browser reaches no other.
    pub origins: Vec<String>,
    /// How the pages write amounts.
    pub decimal_mark: DecimalMark,
    /// How they write days.
    #[serde(default = "iso")]
    pub dates: DateFormat,
    /// The language that the browser asks for, such as `de-DE`, where the pages come in several.
    #[serde(default = "english")]
    pub locale: String,
    /// Hosts that the pages ask for and may not have, `host:port`; a request to any other that is not an origin is a
    /// reason to stop.
    #[serde(default)]
    pub refuse_silently: BTreeSet<String>,
    /// Keys of certificates that no authority has signed, as base64 of the SHA-256 of the public key: for a page of the
    /// owner's own.
    #[serde(default)]
    pub certificate_keys: Vec<String>,
    /// How long one step may take, in seconds, if less than the configuration says.
    pub step_seconds: Option<u16>,
    /// From the first page to the final screen.
    pub steps: Vec<RecipeStep>,
    /// The last click.
    pub pay: PayStep,
    /// Between it and the receipt.
    #[serde(default)]
    pub after: Vec<After>,
    /// What shows that it was paid.
    pub receipt: Receipt,
    /// Where the bank lists payments.
    pub list: Option<List>,
}

fn english() -> String {
    "en-US".to_owned()
}

fn iso() -> DateFormat {
    DateFormat::Iso
}

impl Recipe {
    /// Reads and checks one.
    ///
    /// # Errors
    /// Says what cannot be read, or which place does not fit and what to change.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        if text.len() > MAX_BYTES {
            return Err(RecipeError::Syntax(format!(
                "it is longer than {MAX_BYTES} bytes"
            )));
        }
        let recipe: Recipe = toml::from_str(text)
            .map_err(|error| RecipeError::Syntax(one_line(&error.to_string(), 400)))?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The names of the secrets that it needs.
    pub fn secrets(&self) -> BTreeSet<&str> {
        let list = self.list.iter().flat_map(|list| &list.steps);
        let named = self.steps.iter().chain(list).filter_map(|step| match step {
            RecipeStep::Fill { secret, .. } => secret.as_deref(),
            _ => None,
        });
        named.collect()
    }

    /// What the final screen does not show, so that it is not compared there.
    pub fn unpinned(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self
            .pay
            .not_shown
            .iter()
            .map(|value| value.name())
            .collect();
        if self.receipt.amount.is_none() {
            names.push("the amount on the receipt");
        }
        if self.list.is_none() {
            names.push("the list of payments");
        }
        names
    }

    /// What its origins let through, as `host:port`.
    pub(crate) fn allowed(&self) -> BTreeSet<String> {
        self.origins
            .iter()
            .filter_map(|origin| Some(origin_of(origin)?.0))
            .collect()
    }

    /// Whether an address is of one of its origins, exactly.
    pub(crate) fn covers(&self, url: &str) -> bool {
        origin_of(url).is_some_and(|(authority, _)| self.allowed().contains(&authority))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_is_a_recipe() {
        let recipe = Recipe::parse(TEMPLATE).unwrap();
        assert_eq!(
            recipe.secrets().into_iter().collect::<Vec<_>>(),
            ["bank-password", "bank-user"]
        );
        assert_eq!(recipe.unpinned(), Vec::<&str>::new());
        assert_eq!(
            recipe.allowed(),
            BTreeSet::from(["bank.example:443".to_owned()])
        );
    }

    #[test]
    fn recipe_that_does_not_fit_names_the_place() {
        for (from, to, words) in [
            (
                "https://bank.example\"]",
                "http://bank.example\"]",
                "origins",
            ),
            (
                "https://bank.example\"]",
                "https://bank.example/x\"]",
                "origins",
            ),
            (
                "https://bank.example\"]",
                "https://me@bank.example\"]",
                "origins",
            ),
            (
                "https://bank.example/transfer",
                "https://bank.example.evil.test/transfer",
                "step 7",
            ),
            (
                "amount = { label = \"Amount\" }\nreference",
                "reference",
                "pay.expect",
            ),
            ("iban = { label = \"IBAN\" }\n", "", "`iban`"),
            (
                "value = \"payee\"",
                "value = \"payee\"\nsecret = \"x\"",
                "step 8",
            ),
            ("seconds = 180", "seconds = 0", "step 5"),
            (
                "hidden-fields = [\"csrf\"]",
                "hidden-fields = [\"a\\\"]\"]",
                "hidden-fields",
            ),
            ("decimal-mark", "decimal_mark", "cannot be read"),
            ("do = \"click\"", "do = \"evaluate\"", "cannot be read"),
            ("name = \"my-bank\"", "name = \"../x\"", "name"),
        ] {
            assert!(TEMPLATE.contains(from), "{from}");
            let error = Recipe::parse(&TEMPLATE.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{to}: {error}");
        }
    }

    #[test]
    fn address_is_covered_by_its_exact_origin_alone() {
        let recipe = Recipe::parse(TEMPLATE).unwrap();
        for (url, is_covered) in [
            ("https://bank.example/", true),
            ("https://bank.example:443/x?y#z", true),
            ("https://bank.example", true),
            ("https://bank.example:8443/", false),
            ("https://www.bank.example/", false),
            ("https://bank.example.evil.test/", false),
            ("https://bank.example@evil.test/", false),
            ("https://bank.example\\.evil.test/", false),
            ("https://bаnk.example/", false),
            ("http://bank.example/", false),
            ("chrome-error://chromewebdata/", false),
            ("about:blank", false),
        ] {
            assert_eq!(recipe.covers(url), is_covered, "{url}");
        }
    }
}
