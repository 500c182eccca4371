//! What a recipe may say, once it can be read.
//!
//! Invariant: pure; the first place that does not fit is named with what to change.

use platinum_core::text::one_line;

use super::{
    After, Locator, Recipe, RecipeError, RecipeStep, Value,
    content::{MAX_QUESTION, MAX_STEPS},
    origin::origin_of,
};

impl Recipe {
    pub(super) fn check(&self) -> Result<(), RecipeError> {
        let wrong = |place: &str, why: &str| {
            Err(RecipeError::Content {
                place: place.to_owned(),
                why: why.to_owned(),
            })
        };
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(is_name_byte) {
            return wrong("name", "use 1 to 64 small letters, digits and hyphens");
        }
        let is_locale = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(2..=16).contains(&self.locale.len()) || !self.locale.bytes().all(is_locale) {
            return wrong("locale", "it looks like `en-US` or `de`");
        }
        if self.origins.is_empty() || self.origins.len() > 16 {
            return wrong("origins", "name 1 to 16 of them");
        }
        for origin in &self.origins {
            if origin_of(origin).is_none_or(|found| found.1 != origin.trim_end_matches(['/']).len())
            {
                return wrong(
                    "origins",
                    &format!(
                        "{:?} is not https://host or https://host:port",
                        one_line(origin, 80)
                    ),
                );
            }
        }
        if !self
            .certificate_keys
            .iter()
            .all(|key| key.len() == 44 && key.bytes().all(is_base64))
        {
            return wrong(
                "certificate-keys",
                "each is the base64 of a SHA-256, 44 characters",
            );
        }
        for (place, steps) in [
            ("step", Some(&self.steps)),
            ("list step", self.list.as_ref().map(|list| &list.steps)),
        ] {
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
                    RecipeStep::Fill { value: Some(_), .. }
                        | RecipeStep::Select { value: Some(_), .. }
                );
                if place == "list step" && fills {
                    return wrong(
                        &format!("{place} {}", at + 1),
                        "a list is read without filling in a payment",
                    );
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
            return wrong(
                "pay.expect",
                "`amount` is missing: a page that does not show it cannot be paid on".to_owned(),
            );
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
                    format!(
                        "say where `{name}` is shown, or name it in `not-shown` if the page never shows it"
                    ),
                );
            }
        }
        if expect.payee.is_none() && expect.iban.is_none() {
            return wrong(
                "pay.expect",
                "a page that shows neither payee nor account cannot be paid on".to_owned(),
            );
        }
        if let Some(other) = self
            .pay
            .not_shown
            .iter()
            .find(|value| !matches!(value, Value::Payee | Value::Iban | Value::Reference))
        {
            return wrong(
                "pay.not-shown",
                format!("`{}` cannot be left out", other.name()),
            );
        }
        if !self
            .pay
            .hidden_fields
            .iter()
            .all(|name| !name.is_empty() && name.bytes().all(is_field_byte))
        {
            return wrong(
                "pay.hidden-fields",
                "names have letters, digits and _ - . [ ] :".to_owned(),
            );
        }
        let expected = [
            &expect.payee,
            &expect.iban,
            &expect.amount,
            &expect.currency,
            &expect.reference,
        ];
        let receipt = [
            &self.receipt.reference,
            &self.receipt.amount,
            &self.receipt.picture,
        ];
        let named = expected.into_iter().chain(receipt).flatten();
        let list = self.list.iter().map(|list| &list.shows);
        for locator in named
            .chain([&self.pay.click, &self.receipt.shows])
            .chain(list)
        {
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
            RecipeStep::Select {
                from,
                option,
                value,
            } => match option.is_some() != value.is_some() {
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
