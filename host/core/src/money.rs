//! [`Money`]: an integer of minor units with an ISO 4217 code. Never a float.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The text is not an amount or not a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three capital letters.
    #[error(
        "invalid ISO 4217 currency code `{0}`; one is three capital letters, for example `EUR`"
    )]
    Currency(String),
    /// Not an amount of a currency.
    #[error("invalid amount `{0}`; one is a currency and a number, for example `EUR 12.05`")]
    Amount(String),
}

/// An ISO 4217 code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// How many decimals the minor unit has (ISO 4217, list one): 2 unless the table says other.
    pub fn decimals(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{}", *b as char))
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::Currency(text.chars().take(16).collect())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.to_string()
    }
}

/// An amount of one currency. In files it is one text, `EUR 12.05`, that a person can read and edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Money {
    /// Minor units: cents of a euro, fils of a dinar, whole yen.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// The amount that a decimal text says: `12.05`, `-3`. None if it is no number, has more decimals than the
    /// currency, or is too large.
    pub fn from_decimal(text: &str, currency: Currency) -> Option<Self> {
        let minor = minor_units(text, currency.decimals() as usize)?;
        Some(Self { minor, currency })
    }

    /// The amount as decimal text, without its currency: `12.05`, `300`, `-0.001`.
    pub fn to_decimal(self) -> String {
        let decimals = self.currency.decimals();
        let unit = 10_u64.pow(decimals);
        let size = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        let whole = format!("{sign}{}", size / unit);
        match decimals {
            0 => whole,
            _ => format!("{whole}.{:0width$}", size % unit, width = decimals as usize),
        }
    }
}

/// How an amount may be written: as it is now, or as earlier versions did.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Text(String),
    Parts { minor: i64, currency: Currency },
}

impl TryFrom<Written> for Money {
    type Error = MoneyError;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Parts { minor, currency } => Ok(Self { minor, currency }),
        }
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads `EUR 12.05`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let amount = text
            .trim()
            .split_once(' ')
            .and_then(|(code, number)| Self::from_decimal(number.trim_start(), code.parse().ok()?));
        amount.ok_or_else(|| MoneyError::Amount(text.chars().take(32).collect()))
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl fmt::Display for Money {
    /// `EUR 12.05`, `JPY 300`, `KWD -0.001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.to_decimal())
    }
}

/// Decimal text in the minor units of a currency with so many decimals; none if it has more.
fn minor_units(text: &str, decimals: usize) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let (kept, rest) = part.split_at_checked(decimals.min(part.len()))?;
    if rest.bytes().any(|digit| digit != b'0') {
        return None;
    }
    format!("{whole}{kept:0<decimals$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> String {
        Money {
            minor,
            currency: code.parse().unwrap(),
        }
        .to_string()
    }

    #[test]
    fn money_display_uses_the_currencys_decimals() {
        assert_eq!(money(1205, "EUR"), "EUR 12.05");
        assert_eq!(money(300, "JPY"), "JPY 300");
        assert_eq!(money(-1, "KWD"), "KWD -0.001");
        assert_eq!(money(i64::MIN, "USD"), "USD -92233720368547758.08");
    }

    #[test]
    fn amount_is_the_same_as_text_and_in_minor_units() {
        for (minor, code, text) in [
            (2249, "EUR", "22.49"),
            (-5, "EUR", "-0.05"),
            (300, "JPY", "300"),
            (1, "KWD", "0.001"),
        ] {
            let currency = code.parse().unwrap();
            let money = Money { minor, currency };
            assert_eq!(money.to_decimal(), text);
            assert_eq!(Money::from_decimal(text, currency), Some(money));
        }
        for (text, decimals, minor) in [
            ("22.4", 2, Some(2240)),
            ("22", 2, Some(2200)),
            ("300.00", 0, Some(300)),
            ("300.10", 0, None),
            ("22.495", 2, None),
            ("x", 2, None),
            ("1.é", 1, None),
            ("99999999999999999999", 0, None),
        ] {
            assert_eq!(minor_units(text, decimals), minor, "{text}");
        }
    }

    #[test]
    fn money_in_a_file_is_one_text_and_read_in_its_old_form() {
        let currency = "USD".parse().unwrap();
        let money = Money {
            minor: 112_700,
            currency,
        };
        let text = serde_norway::to_value(money).unwrap();
        assert_eq!(text.as_str(), Some("USD 1127.00"));
        for written in [
            text,
            serde_norway::from_str("USD 1127").unwrap(),
            serde_norway::from_str("{minor: 112700, currency: USD}").unwrap(),
        ] {
            let read: Money = serde_norway::from_value(written.clone()).unwrap();
            assert_eq!(read, money, "{written:?}");
        }
        for text in [
            "1127.00",
            "USD",
            "USD 1,127.00",
            "USD 1e3",
            "USD NaN",
            "USD 11.275",
            "usd 1127",
            "USD 99999999999999999999",
            "USD ١٢",
            "",
        ] {
            let error = text.parse::<Money>().unwrap_err().to_string();
            let expected = format!(
                "invalid amount `{text}`; one is a currency and a number, for example `EUR 12.05`"
            );
            assert_eq!(error, expected);
        }
        assert!(serde_norway::from_str::<Money>("{minor: 1.5, currency: USD}").is_err());
    }

    #[test]
    fn currency_not_three_capitals_is_refused() {
        for bad in ["eur", "EURO", "E1R", "", "€UR"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad}");
        }
    }
}
