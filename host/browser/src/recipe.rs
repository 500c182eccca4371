//! [`Recipe`]: how one page is walked over, as TOML that the owner writes and signs.
//!
//! Lives elsewhere: where recipes are kept and who signed them is `local`'s; how a [`Locator`] finds its element is in
//! `locate`.
//! Invariants: a recipe that exists was [checked](Recipe::parse): its addresses are of its origins, the final screen
//! says payee, amount, currency and what else it can, no step after the last click clicks.

use std::collections::BTreeSet;

use platinum_core::text::one_line;
use serde::Deserialize;

use crate::money::DecimalMark;

/// A recipe to begin with, with comments.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Longest recipe, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Most steps of each list.
const MAX_STEPS: usize = 60;
/// The longest that a question to the owner may wait, in seconds.
const MAX_QUESTION: u16 = 600;

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
            return Err(RecipeError::Syntax(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let recipe: Recipe =
            toml::from_str(text).map_err(|error| RecipeError::Syntax(one_line(&error.to_string(), 400)))?;
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
        let mut names: Vec<_> = self.pay.not_shown.iter().map(|value| value.name()).collect();
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
        self.origins.iter().filter_map(|origin| authority(origin)).collect()
    }

    /// Whether an address is of one of its origins, exactly.
    pub(crate) fn covers(&self, url: &str) -> bool {
        match origin_of(url) {
            Some(origin) => self.origins.iter().any(|own| origin_of(own).as_ref() == Some(&origin)),
            None => false,
        }
    }

    fn check(&self) -> Result<(), RecipeError> {
        let wrong = |place: &str, why: &str| {
            Err(RecipeError::Content {
                place: place.to_owned(),
                why: why.to_owned(),
            })
        };
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_name_byte) {
            return wrong("name", "use 1 to 64 small letters, digits and hyphens");
        }
        if self.origins.is_empty() || self.origins.len() > 16 {
            return wrong("origins", "name 1 to 16 of them");
        }
        for origin in &self.origins {
            if origin_of(origin).is_none_or(|found| found.1 != origin.trim_end_matches(['/']).len()) {
                return wrong(
                    "origins",
                    &format!("{:?} is not https://host or https://host:port", one_line(origin, 80)),
                );
            }
        }
        if !self.certificate_keys.iter().all(|key| key.len() == 44 && key.bytes().all(is_base64)) {
            return wrong("certificate-keys", "each is the base64 of a SHA-256, 44 characters");
        }
        for (place, steps) in [("step", Some(&self.steps)), ("list step", self.list.as_ref().map(|list| &list.steps))] {
            let Some(steps) = steps else { continue };
            if steps.len() > MAX_STEPS {
                return wrong(place, "at most 60 steps");
            }
            if !matches!(steps.first(), Some(RecipeStep::Navigate { .. })) {
                return wrong(&format!("{place} 1"), "begin with `do = \"navigate\"`");
            }
            for (at, step) in steps.iter().enumerate() {
                if let Err(why) = self.check_step(step) {
                    return wrong(&format!("{place} {}", at + 1), &why);
                }
                let fills = matches!(
                    step,
                    RecipeStep::Fill { value: Some(_), .. } | RecipeStep::Select { value: Some(_), .. }
                );
                if place == "list step" && fills {
                    return wrong(&format!("{place} {}", at + 1), "a list is read without filling in a payment");
                }
            }
        }
        if self.after.len() > MAX_STEPS {
            return wrong("after", "at most 60 steps");
        }
        for after in &self.after {
            let checked = match after {
                After::Wait { shows, .. } => check_locator(shows),
                After::SecondFactor { seconds, .. } => check_seconds(*seconds),
            };
            if let Err(why) = checked {
                return wrong("after", &why);
            }
        }
        self.check_pay()
    }

    fn check_pay(&self) -> Result<(), RecipeError> {
        let wrong = |place: &str, why: String| {
            Err(RecipeError::Content {
                place: place.to_owned(),
                why,
            })
        };
        let expect = &self.pay.expect;
        if expect.amount.is_none() {
            return wrong("pay.expect", "`amount` is missing: a page that does not show it cannot be paid on".to_owned());
        }
        for (value, locator) in [
            (Value::Payee, &expect.payee),
            (Value::Iban, &expect.iban),
            (Value::Reference, &expect.reference),
        ] {
            if locator.is_some() == self.pay.not_shown.contains(&value) {
                let name = value.name();
                return wrong(
                    "pay.expect",
                    format!("say where `{name}` is shown, or name it in `not-shown` if the page never shows it"),
                );
            }
        }
        if expect.payee.is_none() && expect.iban.is_none() {
            return wrong("pay.expect", "a page that shows neither payee nor account cannot be paid on".to_owned());
        }
        if let Some(other) = self.pay.not_shown.iter().find(|value| {
            !matches!(value, Value::Payee | Value::Iban | Value::Reference)
        }) {
            return wrong("pay.not-shown", format!("`{}` cannot be left out", other.name()));
        }
        if !self.pay.hidden_fields.iter().all(|name| !name.is_empty() && name.bytes().all(is_field_byte)) {
            return wrong("pay.hidden-fields", "names have letters, digits and _ - . [ ] :".to_owned());
        }
        let expected = [&expect.payee, &expect.iban, &expect.amount, &expect.currency, &expect.reference];
        let receipt = [&self.receipt.reference, &self.receipt.amount, &self.receipt.picture];
        let named = expected.into_iter().chain(receipt).flatten();
        let list = self.list.iter().map(|list| &list.shows);
        for locator in named.chain([&self.pay.click, &self.receipt.shows]).chain(list) {
            if let Err(why) = check_locator(locator) {
                return wrong("pay, receipt or list", why);
            }
        }
        Ok(())
    }

    fn check_step(&self, step: &RecipeStep) -> Result<(), String> {
        match step {
            RecipeStep::Navigate { url } if !self.covers(url) => {
                Err(format!("{:?} is of none of the origins", one_line(url, 80)))
            }
            RecipeStep::Navigate { .. } => Ok(()),
            RecipeStep::Fill {
                into,
                value,
                secret,
                text,
            } => {
                let given = [value.is_some(), secret.is_some(), text.is_some()];
                match given.iter().filter(|given| **given).count() {
                    1 => check_locator(into),
                    _ => Err("give one of `value`, `secret` and `text`".to_owned()),
                }
            }
            RecipeStep::Select { from, option, value } => match option.is_some() != value.is_some() {
                true => check_locator(from),
                false => Err("give one of `option` and `value`".to_owned()),
            },
            RecipeStep::Click { on } => check_locator(on),
            RecipeStep::Wait { shows, seconds } => {
                seconds.map_or(Ok(()), check_seconds)?;
                check_locator(shows)
            }
            RecipeStep::SecondFactor { ask, into, seconds } => {
                if ask.is_empty() || ask.len() > 300 {
                    return Err("`ask` has 1 to 300 characters".to_owned());
                }
                into.as_ref().map_or(Ok(()), check_locator)?;
                check_seconds(*seconds)
            }
        }
    }
}

fn check_seconds(seconds: u16) -> Result<(), String> {
    match seconds {
        1..=MAX_QUESTION => Ok(()),
        _ => Err(format!("`seconds` is 1 to {MAX_QUESTION}")),
    }
}

fn check_locator(locator: &Locator) -> Result<(), String> {
    let texts = [&locator.role, &locator.name, &locator.label];
    let mut given = texts.into_iter().flatten().peekable();
    if given.peek().is_none() {
        return Err("an element needs a `role`, a `name` or a `label`".to_owned());
    }
    match given.all(|text| !text.is_empty() && text.len() <= 300) {
        true => Ok(()),
        false => Err("a `role`, `name` or `label` has 1 to 300 bytes".to_owned()),
    }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

fn is_field_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.[]:".contains(&byte)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

/// `host:port` of an address, and how much of it is its origin.
fn origin_of(url: &str) -> Option<(String, usize)> {
    let rest = url.strip_prefix("https://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok().filter(|port| *port != 0)?),
        None => (authority, 443),
    };
    let is_host = !host.is_empty()
        && host.len() <= 253
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.');
    is_host.then(|| (format!("{host}:{port}"), "https://".len() + end))
}

fn authority(origin: &str) -> Option<String> {
    origin_of(origin).map(|(authority, _)| authority)
}
