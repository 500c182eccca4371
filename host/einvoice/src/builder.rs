//! [`Builder`]: what both syntaxes need to make an [`Invoice`] of their elements.

use platinum_invoice::{
    Decimal, Invoice, Kind, Line, date,
    number::{self, MAX_SCALE, exact_quotient},
};

use crate::xml::Element;

/// Names listed in a note of what was not read.
const MAX_LISTED: usize = 12;

/// Collects an invoice and its notes.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    pub(crate) invoice: Invoice,
    /// Names of elements that were not read.
    unread: Vec<String>,
}

/// Something taken off or added.
#[derive(Debug, Clone)]
pub(crate) struct Allowance {
    pub(crate) is_charge: bool,
    pub(crate) amount: Decimal,
    pub(crate) reason: Option<String>,
    /// The rate of its tax in per cent.
    pub(crate) tax: Option<Decimal>,
}

/// What a line says, before it is one of ours.
#[derive(Debug, Default)]
pub(crate) struct LineParts {
    pub(crate) name: Option<String>,
    pub(crate) quantity: Option<Decimal>,
    /// UN/ECE Recommendation 20.
    pub(crate) unit: Option<String>,
    pub(crate) price: Option<Decimal>,
    /// For how many the price is.
    pub(crate) base: Option<Decimal>,
    pub(crate) tax: Option<Decimal>,
    pub(crate) total: Option<Decimal>,
    pub(crate) allowances: Vec<Allowance>,
}

impl Allowance {
    fn signed(&self) -> Decimal {
        if self.is_charge {
            self.amount
        } else {
            -self.amount
        }
    }

    fn title(&self) -> String {
        let what = if self.is_charge {
            "Charge"
        } else {
            "Allowance"
        };
        match &self.reason {
            Some(reason) => format!("{what}: {reason}"),
            None => what.to_owned(),
        }
    }

    fn as_line(&self) -> Line {
        Line {
            name: self.title(),
            quantity: Decimal::ONE,
            unit_price: self.signed(),
            tax: self.tax,
            total: Some(self.signed()),
            ..Line::default()
        }
    }
}

impl Builder {
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.invoice.notes.push(text.into());
    }

    /// Notes a text of the document, if there is one.
    pub(crate) fn note_text(&mut self, what: &str, text: Option<String>) {
        if let Some(text) = text {
            self.note(format!("{what}: {text}"));
        }
    }

    /// Keeps a text of the document that nobody has to look at, if there is one.
    pub(crate) fn detail(&mut self, what: &str, text: Option<String>) {
        let detail = text.map(|text| format!("{what}: {text}"));
        self.invoice.details.extend(detail);
    }

    /// The number of an element; what is none is a note.
    pub(crate) fn number(&mut self, element: Option<Element<'_>>) -> Option<Decimal> {
        let element = element?;
        let text = element.text()?;
        let plain = text.strip_prefix('+').unwrap_or(&text);
        let is_plain = plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        let number = plain.parse::<Decimal>().ok().filter(|_| is_plain);
        if number.is_none() {
            self.note(format!("The {} `{text}` is no number.", element.name()));
        }
        number
    }

    /// The number at a path.
    pub(crate) fn number_at(&mut self, element: Element<'_>, path: &str) -> Option<Decimal> {
        self.number(element.at(path))
    }

    /// The day that an element says; what is none is a note.
    pub(crate) fn day(&mut self, element: Option<Element<'_>>) -> Option<String> {
        let element = element?;
        let text = element.text()?;
        // A time zone may follow the day.
        let day = match text.get(..10) {
            Some(day) if date::is_day(day) => Some(day.to_owned()),
            _ => date::read(&text).ok(),
        };
        if day.is_none() {
            self.note(format!("The {} `{text}` is no day.", element.name()));
        }
        day
    }

    /// What of an element is not in the list of what is read.
    pub(crate) fn note_unread(&mut self, element: Element<'_>, known: &[&str]) {
        for child in element.elements() {
            let name = child.name();
            if !known.contains(&name) && !self.unread.iter().any(|other| other == name) {
                self.unread.push(name.to_owned());
            }
        }
    }

    /// What the code of the document's type means (UNTDID 1001).
    pub(crate) fn set_type(&mut self, code: Option<String>, is_credit_note: bool) {
        let code = code.unwrap_or_default();
        let is_credit = matches!(
            code.as_str(),
            "81" | "83" | "261" | "262" | "296" | "308" | "381" | "396" | "420" | "458" | "532"
        );
        if is_credit_note || is_credit {
            self.invoice.kind = Kind::CreditNote;
        }
        let meaning = match code.as_str() {
            "" | "380" | "381" => return,
            "326" => "a partial invoice",
            "384" => "a corrected invoice",
            "386" => "an invoice of a prepayment",
            "389" => "an invoice that the buyer made",
            "261" => "a credit note that the buyer made",
            "875" => "a partial invoice of construction work",
            "876" => "a partial final invoice of construction work",
            "877" => "a final invoice of construction work",
            _ => "of a type that is not known here",
        };
        self.note(format!("It is {meaning} (type {code})."));
    }

    /// What is taken off or added to the whole document: a line of its own.
    pub(crate) fn add_allowance(&mut self, allowance: &Allowance) {
        let what = if allowance.is_charge {
            "charge"
        } else {
            "allowance"
        };
        let amount = number::render(allowance.amount);
        self.invoice.lines.push(allowance.as_line());
        let line = self.invoice.lines.len();
        self.note(format!(
            "The {what} of {amount} on the whole document is the line {line}."
        ));
    }

    pub(crate) fn add_line(&mut self, parts: LineParts) {
        let position = self.invoice.lines.len() + 1;
        let mut name = parts.name.unwrap_or_default();
        if let Some(unit) = parts.unit.as_deref().and_then(unit_name) {
            name = format!("{name} ({unit})");
        }
        let mut quantity = parts.quantity.unwrap_or(Decimal::ONE);
        if parts.quantity.is_none() {
            self.note(format!(
                "The line {position} has no quantity; it was taken as 1."
            ));
        }
        let mut unit_price = match (parts.price, parts.total) {
            (Some(price), _) => price,
            (None, Some(total)) => {
                self.note(format!(
                    "The line {position} has no price; its sum was taken as the price of all."
                ));
                quantity = Decimal::ONE;
                total
            }
            (None, None) => {
                return self.note(format!("A line without price and sum was left out: {name}"));
            }
        };
        if let Some(base) = parts
            .base
            .filter(|base| !base.is_zero() && *base != Decimal::ONE && parts.price.is_some())
        {
            let per_one = exact_quotient(unit_price, base);
            let packs = exact_quotient(quantity, base);
            match (per_one, packs) {
                (Some(price), _) => unit_price = price,
                (None, Some(packs)) => {
                    quantity = packs;
                    name = format!("{name} (per {})", number::render(base));
                }
                (None, None) => {
                    let price = unit_price.checked_div(base).unwrap_or(unit_price);
                    unit_price = price.round_dp(MAX_SCALE);
                    let base = number::render(base);
                    self.note(format!(
                        "The price of the line {position} is for {base}, and was rounded to one."
                    ));
                }
            }
        }
        let mut line = Line {
            name: name.trim().to_owned(),
            quantity,
            unit_price,
            discount: Decimal::ZERO,
            tax: parts.tax,
            total: parts.total,
        };
        if parts.allowances.is_empty() {
            return self.invoice.lines.push(line);
        }
        let sum = parts
            .allowances
            .iter()
            .try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.signed()));
        let sum = sum.unwrap_or_default();
        if let Some(discount) = self.discount(&line, &parts.allowances) {
            line.discount = discount;
            let reasons: Vec<String> = parts
                .allowances
                .iter()
                .filter_map(|one| one.reason.clone())
                .collect();
            if !reasons.is_empty() {
                self.note(format!(
                    "The discount of the line {position}: {}",
                    reasons.join("; ")
                ));
            }
            return self.invoice.lines.push(line);
        }
        // What the line comes to without them.
        line.total = line.total.and_then(|total| total.checked_sub(sum));
        let shown = line.name.clone();
        self.invoice.lines.push(line);
        for allowance in &parts.allowances {
            let title = allowance.title();
            let mut own = allowance.as_line();
            own.name = format!("{title} ({shown})");
            own.tax = own.tax.or(parts.tax);
            self.invoice.lines.push(own);
            let at = self.invoice.lines.len();
            self.note(format!("{title} of the line {position} is the line {at}."));
        }
    }

    /// The allowances as a discount in per cent, if it is one of at most two decimals that gives the same sum.
    fn discount(&self, line: &Line, allowances: &[Allowance]) -> Option<Decimal> {
        if allowances
            .iter()
            .any(|one| one.is_charge || one.amount.is_sign_negative())
        {
            return None;
        }
        let off = allowances
            .iter()
            .try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.amount))?;
        let gross = line.quantity.checked_mul(line.unit_price)?;
        let rate = off
            .checked_mul(Decimal::ONE_HUNDRED)?
            .checked_div(gross)?
            .round_dp(2)
            .normalize();
        if rate <= Decimal::ZERO || rate > Decimal::ONE_HUNDRED {
            return None;
        }
        let digits = number::minor_digits(self.invoice.currency.as_deref());
        let discounted = Line {
            discount: rate,
            ..line.clone()
        };
        let expected = gross.checked_sub(off)?;
        let is_same = |total: Decimal| discounted.computed(digits) == Some(total);
        (is_same(expected.round_dp(digits)) && line.total.is_none_or(is_same)).then_some(rate)
    }

    /// An account to pay into: the first is the seller's, another one is a note.
    pub(crate) fn add_account(&mut self, account: Option<String>) {
        match (&self.invoice.seller.iban, account) {
            (None, account) => self.invoice.seller.iban = account,
            (Some(first), Some(account)) if *first != account => {
                self.note(format!("Another account to pay into: {account}"));
            }
            _ => {}
        }
    }

    /// The amount of all taxes; a second one, and one in another currency, is a note.
    pub(crate) fn add_tax(&mut self, amount: Option<Element<'_>>) {
        let of = amount.and_then(|amount| amount.attribute("currencyID"));
        let currency = self.invoice.currency.as_deref();
        let is_own = of.is_none() || currency.is_none() || of == currency;
        if is_own && self.invoice.tax.is_none() {
            self.invoice.tax = self.number(amount);
        } else if let Some(text) = amount.and_then(Element::text) {
            self.note(format!(
                "The tax once more: {text} {}",
                of.unwrap_or_default()
            ));
        }
    }

    /// Notes who is paid in the seller's place.
    pub(crate) fn note_payee(&mut self, name: Option<String>) {
        let name = name.unwrap_or_default();
        self.note(format!(
            "It is to be paid to another than the seller: {name}"
        ));
    }

    /// Notes how many files are inside of the document, if there are any.
    pub(crate) fn note_files(&mut self, files: usize) {
        if files > 0 {
            self.note(format!("Files inside of it, which were not read: {files}"));
        }
    }

    /// What a category of tax other than the usual one says (UNTDID 5305).
    pub(crate) fn note_category(&mut self, code: Option<String>, reason: Option<String>) {
        let code = code.unwrap_or_default();
        let meaning = match code.as_str() {
            "" | "S" => return self.note_text("About the tax", reason),
            "AE" => "reverse charge: the buyer owes the tax",
            "E" => "exempt from tax",
            "G" => "export, without tax",
            "K" => "supply within the European Union, without tax",
            "L" => "tax of the Canary Islands",
            "M" => "tax of Ceuta and Melilla",
            "O" => "outside the scope of tax",
            "Z" => "zero rated",
            _ => "a category that is not known here",
        };
        let reason = reason
            .map(|reason| format!(": {reason}"))
            .unwrap_or_default();
        self.note(format!("Tax {code} ({meaning}){reason}"));
    }

    /// The invoice, with notes of what is missing and what was not read.
    pub(crate) fn finish(mut self) -> Invoice {
        if self.invoice.lines.is_empty() {
            self.note("It has no lines, only sums: as its short profiles allow (MINIMUM, BASIC WL), or because they are missing.");
        }
        let missing: Vec<&str> = [
            ("number", self.invoice.number.is_none()),
            ("date", self.invoice.date.is_none()),
            ("currency", self.invoice.currency.is_none()),
            ("seller", self.invoice.seller.name.is_none()),
            ("buyer", self.invoice.buyer.name.is_none()),
            ("total", self.invoice.total.is_none()),
        ]
        .iter()
        .filter_map(|(name, is_missing)| is_missing.then_some(*name))
        .collect();
        if !missing.is_empty() {
            self.note(format!("It does not say its {}.", missing.join(", its ")));
        }
        let is_negative = self
            .invoice
            .total
            .is_some_and(|total| total < Decimal::ZERO);
        if is_negative {
            self.note("Its total is negative; look at who owes whom.");
        }
        if !self.unread.is_empty() {
            let more = self.unread.len().saturating_sub(MAX_LISTED);
            self.unread.truncate(MAX_LISTED);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            let names = self.unread.join(", ");
            self.note(format!("Not read of it: {names}{more}."));
        }
        self.invoice
    }
}

/// The unit as a person says it; none for single things.
fn unit_name(code: &str) -> Option<&str> {
    Some(match code {
        "C62" | "H87" | "EA" | "XPP" | "NAR" | "ZZ" | "PCE" | "1" => return None,
        "HUR" => "h",
        "MIN" => "min",
        "DAY" => "days",
        "WEE" => "weeks",
        "MON" => "months",
        "ANN" => "years",
        "KGM" => "kg",
        "GRM" => "g",
        "TNE" => "t",
        "MTR" => "m",
        "MTK" => "m²",
        "MTQ" => "m³",
        "KMT" => "km",
        "LTR" => "l",
        "KWH" => "kWh",
        "SET" => "sets",
        "LS" => "lump sum",
        code => code,
    })
}

/// The VAT number of the registrations of a party, of which some say that they are one. A number of a tax office is
/// none, and would make somebody else of the party; without a country it is nobody's.
pub(crate) fn vat_of(
    registrations: impl Iterator<Item = (bool, Option<String>)>,
) -> Option<String> {
    let mut unnamed = None;
    for (is_vat, number) in registrations {
        let Some(number) = number else {
            continue;
        };
        if is_vat {
            return Some(number);
        }
        let has_country = number.len() > 4
            && number
                .bytes()
                .take(2)
                .all(|byte| byte.is_ascii_alphabetic());
        unnamed = unnamed.or(Some(number).filter(|_| has_country));
    }
    unnamed
}

/// Whether the text of an indicator is yes.
pub(crate) fn is_true(text: Option<&str>) -> bool {
    matches!(text, Some("true" | "1"))
}
