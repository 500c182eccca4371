//! [`Amount`]: a decimal number, exactly as it is written: money, quantities, percentages.
//!
//! The arithmetic is `rust_decimal`'s (`bigdecimal` has no bound on digits, and so no bound on cost). What is here is
//! what neither has: reading as strict as text from a model needs (no exponent, no sign but `-`, bounded digits), text
//! in JSON, since clients read its numbers as binary fractions, and the way from and to the numbers of Odoo's JSON.
//!
//! Those are read as binary fractions by `serde_json` without its feature `arbitrary_precision`, which would change
//! every crate of the workspace. Both sides write the shortest decimal digits that stand for the fraction, so nothing
//! is lost for numbers of up to 15 digits; text with more is refused. This is the only place where a binary fraction
//! occurs, and nothing is computed with it.

use std::fmt;
use std::str::FromStr;

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Significant digits that survive the way through a binary fraction.
const MAX_DIGITS: usize = 15;
/// Digits after the point.
const MAX_SCALE: u32 = 9;

/// A decimal number such as `-12.50`. As JSON it is a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(Decimal);

/// Why a text or a number is no [`Amount`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a decimal number such as 12.50, with at most 15 digits, 9 of them after the point: {0}"
)]
pub struct AmountError(String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// All of it, in per cent.
    pub const HUNDRED: Self = Self(Decimal::ONE_HUNDRED);

    /// The number of Odoo's JSON; `false` is how Odoo writes an empty field, and none.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let Value::Number(number) = value else {
            return None;
        };
        // The text of a fraction may have an exponent: 1e-5, 1e20.
        let text = number.to_string();
        let parsed = match text.contains(['e', 'E']) {
            true => Decimal::from_scientific(&text).ok()?,
            false => Decimal::from_str(&text).ok()?,
        };
        // Sums that Odoo adds up as fractions have such ends: 0.30000000000000004.
        Some(Self(parsed.round_dp(MAX_SCALE).normalize()))
    }

    /// As a number of JSON, as Odoo wants it.
    #[must_use]
    pub fn to_json(self) -> Value {
        let text = self.0.normalize().to_string();
        text.parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .unwrap_or_default()
    }

    /// Rounded to this many digits after the point, half away from zero as Odoo does.
    #[must_use]
    pub fn round(self, digits: u32) -> Self {
        Self(
            self.0
                .round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero),
        )
    }

    /// With exactly this many digits after the point, if it has no more.
    #[must_use]
    pub fn with_digits(self, digits: u32) -> Self {
        let mut number = self.0.normalize();
        if number.scale() < digits {
            number.rescale(digits);
        }
        Self(number)
    }

    /// One of the smallest unit with so many digits after the point: 0.01 for 2.
    #[must_use]
    pub fn unit(digits: u32) -> Self {
        Self(Decimal::new(1, digits.min(MAX_SCALE)))
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The product of two, or none if it is too large.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        self.0.checked_mul(other.0).map(Self)
    }

    /// Less so many per cent, or none if it is too large.
    #[must_use]
    pub fn less_percent(self, percent: Self) -> Option<Self> {
        let factor = Decimal::ONE.checked_sub(percent.0.checked_div(Decimal::ONE_HUNDRED)?)?;
        self.0.checked_mul(factor).map(Self)
    }
}

impl std::ops::Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, |sum, one| sum + one)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let refused = || AmountError(platinum_text::one_line(text, 40));
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = match digits.split_once('.') {
            Some((whole, part)) => (whole, Some(part)),
            None => (digits, None),
        };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let significant = whole.trim_start_matches('0').len() + part.map_or(0, str::len);
        if !is_number(whole) || !part.is_none_or(is_number) || significant > MAX_DIGITS {
            return Err(refused());
        }
        let number = Decimal::from_str(text).map_err(|_| refused())?;
        if number.scale() > MAX_SCALE {
            return Err(refused());
        }
        // There is one zero.
        Ok(Self(if number.is_zero() {
            number.abs()
        } else {
            number
        }))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,9})?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn amount_reads_plain_decimals_alone() {
        for (text, shown) in [
            ("12.50", "12.50"),
            ("-0.01", "-0.01"),
            ("0", "0"),
            ("-0.00", "0.00"),
            ("123456789012345", "123456789012345"),
            ("000000000000000001.5", "1.5"),
        ] {
            assert_eq!(amount(text).to_string(), shown, "{text}");
        }
        for bad in [
            "",
            "-",
            ".5",
            "5.",
            "1,5",
            "1e3",
            "+1",
            " 1",
            "0x1",
            "NaN",
            "inf",
            "1.2.3",
            "١",
            "1234567890123456",
            "0.0000000001",
            "--1",
        ] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }

    /// Every amount of up to 15 digits is the same after the way to Odoo and back.
    #[test]
    fn amount_survives_the_way_through_json() {
        for text in [
            "0.1",
            "0.3",
            "6527.81",
            "-99.99",
            "123456789012.345",
            "0.000000001",
            "1000",
            "-7",
            "999999999999999",
            "450359962737.497",
        ] {
            let sent = amount(text).to_json().to_string();
            let back = serde_json::from_str(&sent).unwrap();
            assert_eq!(
                Amount::from_json(&back),
                Some(amount(text)),
                "{text} as {sent}"
            );
        }
        assert_eq!(Amount::from_json(&json!(0.1 + 0.2)), Some(amount("0.3")));
        assert_eq!(Amount::from_json(&json!(1e-7)), Some(amount("0.0000001")));
        assert_eq!(Amount::from_json(&json!(false)), None);
    }

    #[test]
    fn amount_rounds_half_away_from_zero() {
        for (text, digits, rounded) in [
            ("2.345", 2, "2.35"),
            ("-2.345", 2, "-2.35"),
            ("2.5", 0, "3"),
            ("0.004", 2, "0.00"),
        ] {
            assert_eq!(amount(text).round(digits), amount(rounded), "{text}");
        }
        assert_eq!(amount("7").with_digits(2).to_string(), "7.00");
        assert_eq!(amount("7.125").with_digits(2).to_string(), "7.125");
        assert_eq!(
            amount("80").less_percent(amount("12.5")),
            Some(amount("70"))
        );
    }
}
