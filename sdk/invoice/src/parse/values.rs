//! What the values of an invoice text are: parties, days, amounts and rates. What can be read in two ways is a doubt.

use rust_decimal::Decimal;

use super::reader::Parser;
use crate::{
    Invoice, Kind, Party, add_note,
    date::{self, DateFault},
    identifier,
    keys::{Field, Role},
    number::{self, Style, Written},
};

impl Parser {
    pub(super) fn take_type(&mut self, value: &str, line: usize) {
        let lower = value.to_lowercase();
        match lower.as_str() {
            "invoice" | "bill" | "vendor bill" | "customer invoice" | "rechnung"
            | "eingangsrechnung" | "ausgangsrechnung" => self.invoice.kind = Kind::Invoice,
            "credit note" | "gutschrift" | "rechnungskorrektur" | "refund" => {
                self.invoice.kind = Kind::CreditNote;
            }
            _ => self.doubt(
                line,
                &format!("`{value}` is no type; write Invoice or Credit note."),
            ),
        }
    }

    pub(super) fn take_party(
        &mut self,
        role: Option<Role>,
        field: Field,
        value: &str,
        line: usize,
    ) {
        let role = match (role, field) {
            (Some(role), _) => role,
            // Into which one is paid.
            (None, Field::Iban) => Role::Seller,
            (None, Field::Vat) if self.is_document && !self.is_near_party(line) => {
                let number = identifier(value);
                let text = format!(
                    "The VAT number {number} stands by itself, and is taken for the seller's."
                );
                if self.invoice.seller.vat.is_none() {
                    add_note(&mut self.doubts, &text);
                }
                Role::Seller
            }
            // A country or a mail address in a letter may be anybody's.
            (None, _) if self.is_document && !self.is_near_party(line) => return,
            (None, _) => match self.party {
                Some(role) => role,
                None => {
                    let text = format!(
                        "`{value}` may be the seller's or the buyer's; write `Seller …:` or `Buyer …:`."
                    );
                    return self.doubt(line, &text);
                }
            },
        };
        if field == Field::Name {
            (self.party, self.party_line) = (Some(role), line);
        }
        let value = match field {
            Field::Vat | Field::Iban => identifier(value),
            _ => value.to_owned(),
        };
        self.set(line, value, |invoice| {
            let party = match role {
                Role::Seller => &mut invoice.seller,
                Role::Buyer => &mut invoice.buyer,
            };
            field_of(party, field)
        });
    }

    /// Whether a party was named so shortly before that what follows is of it.
    pub(super) fn is_near_party(&self, line: usize) -> bool {
        self.party.is_some() && line <= self.party_line + 4
    }

    pub(super) fn take_day(
        &mut self,
        value: &str,
        line: usize,
        slot: fn(&mut Invoice) -> &mut Option<String>,
    ) {
        match date::read(value) {
            Ok(day) => self.set(line, day, slot),
            Err(DateFault::NoDay) => self.doubt(
                line,
                &format!("`{value}` is no day; write it as 2026-11-30."),
            ),
            Err(DateFault::Ambiguous) => self.doubt(
                line,
                &format!("`{value}` may be two days; write it as 2026-11-30."),
            ),
        }
    }

    /// A rate, an amount, or the VAT number of the party that was named last.
    pub(super) fn take_tax(&mut self, value: &str, line: usize) {
        let is_identifier = value.starts_with(|c: char| c.is_ascii_alphabetic())
            && value.contains(|c: char| c.is_ascii_digit());
        let is_amount = |written: &Written| {
            // `ATU12345678` is no amount, and `EUR 12.50` and `SEK 12` are.
            let has_signs = value.contains(['.', ',', ' ']);
            written.currency().is_some() && (has_signs || number::is_known_currency(&written.unit))
        };
        let written = match number::read_first(value).map(|(written, _)| written) {
            Some(written) if !is_identifier || is_amount(&written) => written,
            _ if is_identifier => return self.take_party(None, Field::Vat, value, line),
            _ => return self.doubt(line, &format!("the tax `{value}` is no number.")),
        };
        if written.is_per_cent() {
            let Some(rate) = self.per_cent(value, line) else {
                return;
            };
            match self.rate {
                Some(known) if known != rate => {
                    self.doubt(
                        line,
                        "there are several rates of tax; write them into the table.",
                    );
                }
                _ => self.rate = Some(rate),
            }
            return;
        }
        self.take_amount(value, line, |invoice| &mut invoice.tax);
    }

    pub(super) fn take_amount(
        &mut self,
        value: &str,
        line: usize,
        slot: fn(&mut Invoice) -> &mut Option<Decimal>,
    ) {
        if let Some(amount) = self.amount(value, line) {
            self.set(line, amount, slot);
        }
    }

    /// Sets a value that is said once; a second one that differs is a doubt.
    pub(super) fn set<T: PartialEq + std::fmt::Display>(
        &mut self,
        line: usize,
        value: T,
        slot: impl FnOnce(&mut Invoice) -> &mut Option<T>,
    ) {
        let slot = slot(&mut self.invoice);
        match slot {
            None => *slot = Some(value),
            Some(first) if *first == value => {}
            Some(first) => {
                let text = format!(
                    "it says `{value}` where `{first}` was said before; the first one is taken."
                );
                self.doubt(line, &text);
            }
        }
    }

    /// A number and its unit.
    pub(super) fn number(&mut self, value: &str, line: usize) -> Option<(Decimal, Written)> {
        let Some((written, behind)) = number::read_first(value) else {
            self.doubt(line, &format!("`{value}` is no number."));
            return None;
        };
        if !behind.is_empty() {
            let before = value
                .trim()
                .strip_suffix(behind)
                .unwrap_or(value)
                .trim_end();
            self.doubt(line, &format!("behind `{before}` stands `{behind}`."));
        }
        match written.style {
            Some(Style::Point) => self.has_point = true,
            Some(Style::Comma) => self.has_comma = true,
            None => {}
        }
        if let number::Value::Ambiguous {
            decimal, thousands, ..
        } = written.value
        {
            self.has_ambiguous = true;
            if self.style.is_none() {
                let text = format!(
                    "`{value}` may be {thousands} or {decimal}; write it with two or four decimals."
                );
                self.doubt(line, &text);
            }
        }
        Some((written.value.in_style(self.style)?, written))
    }

    /// A number that has no unit or a currency.
    pub(super) fn amount(&mut self, value: &str, line: usize) -> Option<Decimal> {
        let (amount, written) = self.number(value, line)?;
        if written.unit.is_empty() {
            return Some(amount);
        }
        // `120,00 €/h`: of what one costs so much, the quantity says.
        let unit = written.unit.split_once('/');
        let unit = unit.map_or(written.unit.as_str(), |(currency, _)| currency);
        let (first, rest) = unit.split_once(' ').unwrap_or((unit, ""));
        match number::currency(first).or_else(|| written.currency()) {
            Some(code) => {
                self.set(line, code, |invoice| &mut invoice.currency);
                if number::currency(unit).is_none() && !rest.is_empty() {
                    self.doubt(line, &format!("`{rest}` was not understood."));
                }
                Some(amount)
            }
            None if matches!(first, "$" | "¥" | "kr" | "kr.") => {
                self.doubt(
                    line,
                    &format!("`{first}` is the sign of several currencies; write `Currency: USD`."),
                );
                Some(amount)
            }
            None => {
                self.doubt(line, &format!("`{value}` is no amount of money."));
                None
            }
        }
    }

    pub(super) fn per_cent(&mut self, value: &str, line: usize) -> Option<Decimal> {
        let (rate, written) = self.number(value, line)?;
        if written.unit.is_empty() || written.is_per_cent() {
            return Some(rate);
        }
        self.doubt(line, &format!("`{value}` is not in per cent."));
        None
    }
}

fn field_of(party: &mut Party, field: Field) -> &mut Option<String> {
    match field {
        Field::Name => &mut party.name,
        Field::Vat => &mut party.vat,
        Field::Iban => &mut party.iban,
        Field::Email => &mut party.email,
        Field::Country => &mut party.country,
    }
}
