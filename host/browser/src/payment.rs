//! [`Payment`]: what was approved, checked before a browser is started.

use iban::{Iban, ParseBaseIbanError, ParseIbanError};
use jiff::civil::Date;
use platinum_core::{
    Money,
    text::{is_hidden, one_line},
};

/// Longest name or reference, in characters; SEPA has 70 and 140.
const MAX_CHARS: usize = 140;

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who is paid, by the name that the bank shows.
    pub payee: String,
    /// The payee's IBAN; spaces do not count. Empty where the recipe's page shows none.
    pub iban: String,
    /// How much.
    pub amount: Money,
    /// What the payee sees.
    pub reference: String,
    /// When it falls due.
    pub due: Option<Date>,
}

/// A payment that no browser is started for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// The amount is zero or negative.
    #[error("`amount` is {0}; it must be more than zero")]
    Amount(Money),
    /// A field is empty, too long, or has characters that cannot be seen.
    #[error("`{field}` {why}: {text:?}")]
    Text {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
        /// It, bounded.
        text: String,
    },
}

impl Payment {
    /// Checks what a page is compared with.
    ///
    /// # Errors
    /// Names the first field that cannot be paid.
    pub fn check(&self) -> Result<(), PaymentError> {
        if self.amount.minor <= 0 {
            return Err(PaymentError::Amount(self.amount));
        }
        let text = |field, text: &str, why| PaymentError::Text {
            field,
            why,
            text: one_line(text, 80),
        };
        for (field, value) in [("payee", &self.payee), ("reference", &self.reference)] {
            if value.trim().is_empty() {
                return Err(text(field, value, "is empty"));
            }
            if value.chars().count() > MAX_CHARS {
                return Err(text(field, value, "is longer than 140 characters"));
            }
            if value.chars().any(|c| c.is_control() || is_hidden(c)) {
                return Err(text(field, value, "has characters that cannot be seen"));
            }
        }
        let account = without_spaces(&self.iban);
        if account.is_empty() {
            return Ok(());
        }
        let why = match account.parse::<Iban>() {
            Ok(_) => return Ok(()),
            Err(ParseIbanError::InvalidBaseIban {
                source: ParseBaseIbanError::InvalidChecksum,
            }) => "has a wrong check sum, so a digit or letter of it is wrong",
            Err(ParseIbanError::InvalidBaseIban { .. }) => "is no IBAN",
            Err(ParseIbanError::InvalidBban(_)) => "is not formed as an IBAN of its country",
            Err(ParseIbanError::UnknownCountry(_)) => "is of a country that has no IBANs",
        };
        Err(text("iban", &self.iban, why))
    }
}

/// A number of an account as it is compared: capitals, without white space. Letters beyond ASCII
/// stay as they are: in full Unicode some of them have a capital in ASCII.
pub(crate) fn without_spaces(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace());
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment() -> Payment {
        Payment {
            payee: "Muster GmbH".to_owned(),
            iban: "DE89 3704 0044 0532 0130 00".to_owned(),
            amount: Money {
                minor: 123_456,
                currency: "EUR".parse().unwrap(),
            },
            reference: "R 17".to_owned(),
            due: None,
        }
    }

    #[test]
    fn payment_check_names_the_field_that_is_wrong() {
        for iban in [
            "",
            "de89370400440532013000",
            "ES91 2100 0418 4502 0005 1332",
        ] {
            let mut good = payment();
            good.iban = iban.to_owned();
            assert_eq!(good.check(), Ok(()), "{iban:?}");
        }
        assert_eq!(payment().check(), Ok(()));
        let mut wrong = Vec::new();
        for minor in [0, -1] {
            let mut bad = payment();
            bad.amount.minor = minor;
            wrong.push((bad, "`amount`"));
        }
        for (payee, reference, iban, field) in [
            ("", "R", "", "`payee`"),
            ("Muster\u{200b} GmbH", "R", "", "`payee`"),
            ("M", " ", "", "`reference`"),
            ("M", "R\n2", "", "`reference`"),
            ("M", "R", "DE89-3704", "`iban`"),
            // A digit exchanged, two digits turned, too short for Germany, and no country with IBANs.
            (
                "M",
                "R",
                "DE89 3704 0044 0532 0130 01",
                "`iban` has a wrong",
            ),
            (
                "M",
                "R",
                "DE89 3704 0044 0532 0103 00",
                "`iban` has a wrong",
            ),
            ("M", "R", "DE863704004405320130", "`iban` is not formed"),
            ("M", "R", "US88370400440532013000", "`iban` is of a country"),
            // Other scripts' digits and letters, and a letter whose capital is an ASCII one.
            ("M", "R", "DE٨٩ 3704 0044 0532 0130 00", "`iban` is no"),
            ("M", "R", "DЕ89 3704 0044 0532 0130 00", "`iban` is no"),
            (
                "M",
                "R",
                "E\u{17f}91 2100 0418 4502 0005 1332",
                "`iban` is no",
            ),
        ] {
            let bad = Payment {
                payee: payee.to_owned(),
                reference: reference.to_owned(),
                iban: iban.to_owned(),
                ..payment()
            };
            wrong.push((bad, field));
        }
        for (bad, field) in wrong {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        }
    }
}
