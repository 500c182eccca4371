//! The invoice text read: `Key: value` lines and a Markdown table, as programs render them and people write them.
//!
//! What stands before the first line that is understood and after the last one is the letter around it. A line between
//! them that is not understood, and a value that is none or may be two, is a note. The style of the numbers
//! ([`Style`]) is looked for in the whole text first. The tables are in `tables`.

use rust_decimal::Decimal;

use crate::{
    Invoice, Kind, Line, MAX_TEXT_BYTES, Party, add_note,
    date::{self, DateFault},
    identifier,
    keys::{self, Field, Key, Role},
    note_left_out,
    number::{self, Style, Written},
    table,
};

/// Why a text is no invoice, or no payment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvoiceTextError {
    /// It is not read.
    #[error("the text has {0} bytes, and {MAX_TEXT_BYTES} is the most that is read")]
    TooLong(usize),
    /// Nothing of it is understood.
    #[error(
        "nothing here is understood: write lines such as `Buyer: Example Ltd` and a table with the columns Item, \
         Quantity, Price and Tax"
    )]
    NoInvoice,
    /// It is about something else.
    #[error("this is no payment: its first line is not `Payment: <number of the invoice>`")]
    NoPayment,
    /// A payment lacks something, or has something that cannot be read.
    #[error("a payment needs a line such as `{0}`")]
    Incomplete(&'static str),
    /// A value cannot be read, or in two ways.
    #[error("line {line}: `{value}` is not understood; write it as in `{example}`")]
    Unreadable {
        /// Which line, from 1 on.
        line: usize,
        /// The value.
        value: String,
        /// A line that is.
        example: &'static str,
    },
}

impl Invoice {
    /// Reads an invoice text. The result is [clean](Self::cleaned).
    ///
    /// # Errors
    /// If it is too long, or nothing of it is understood.
    pub fn parse(text: &str) -> Result<Self, InvoiceTextError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvoiceTextError::TooLong(text.len()));
        }
        let mut parser = Parser::run(text, None);
        if parser.has_ambiguous && parser.has_point != parser.has_comma {
            let style = if parser.has_point {
                Style::Point
            } else {
                Style::Comma
            };
            parser = Parser::run(text, Some(style));
        }
        match parser.is_understood {
            true => Ok(parser.finish()),
            false => Err(InvoiceTextError::NoInvoice),
        }
    }
}

/// A line of the text that has a key and a value.
pub(crate) fn key_value(line: &str, is_front: bool) -> Option<(Key, &str)> {
    let line = line.trim_start();
    let line = ["- ", "* ", "+ ", "> "]
        .iter()
        .find_map(|mark| line.strip_prefix(mark))
        .unwrap_or(line);
    let (name, value) = line.split_once(':')?;
    // `Total:: 12`, as a plugin of Obsidian's has it.
    let value = value.strip_prefix(':').unwrap_or(value);
    let mut value = value.trim();
    let marks = ["**", "__", "*", "_", "`"];
    if let Some(mark) = marks
        .iter()
        .find(|mark| name.trim_start().starts_with(**mark))
    {
        value = value.strip_prefix(mark).unwrap_or(value).trim_start();
    }
    if is_front {
        for quote in ['"', '\''] {
            let inner = value
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote));
            value = inner.unwrap_or(value);
        }
    }
    Some((keys::key(name)?, value))
}

/// What a text without a table says of its only line.
#[derive(Debug, Default)]
struct OnlyLine {
    name: Option<String>,
    quantity: Option<Decimal>,
    price: Option<Decimal>,
    discount: Option<Decimal>,
}

#[derive(Debug, Default)]
pub(super) struct Parser {
    pub(super) invoice: Invoice,
    /// The style of the text, once it is known.
    style: Option<Style>,
    has_point: bool,
    has_comma: bool,
    has_ambiguous: bool,
    /// Whom keys speak of that name nobody.
    party: Option<Role>,
    only_line: OnlyLine,
    /// The rate of lines that have none.
    rate: Option<Decimal>,
    /// Whether what is in `tax` is a sum of the amounts of several rates.
    is_tax_by_rate: bool,
    pub(super) lines_left_out: usize,
    doubts: Vec<String>,
    /// Lines that were not understood since the last one that was.
    pub(super) pending: Vec<String>,
    pub(super) is_understood: bool,
}

impl Parser {
    fn run(text: &str, style: Option<Style>) -> Self {
        let mut parser = Self {
            style,
            ..Self::default()
        };
        let lines: Vec<&str> = text.lines().collect();
        let mut is_front = false;
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            let number = at + 1;
            let is_table = lines
                .get(number)
                .is_some_and(|next| table::is_delimiter(next));
            if line.trim() == "---" && (at == 0 || is_front) {
                is_front = at == 0;
            } else if let Some(header) = table::cells(line).filter(|_| is_table) {
                let rows = lines[number + 1..]
                    .iter()
                    .map_while(|line| table::cells(line));
                let rows: Vec<Vec<String>> = rows.collect();
                parser.take_table(number, &header, &rows);
                at += 1 + rows.len();
            } else if let Some((key, value)) = key_value(line, is_front) {
                parser.understand();
                parser.take(key, value, number);
            } else if line.starts_with('#') {
                parser.take_heading(line);
            } else if parser.is_understood && !is_front && line.contains(char::is_alphanumeric) {
                let note = format!("Line {number} was not understood: {}", line.trim());
                add_note(&mut parser.pending, &note);
            }
            at += 1;
        }
        parser
    }

    /// A line was understood: what was not since the last one is between the two.
    pub(super) fn understand(&mut self) {
        self.is_understood = true;
        for note in std::mem::take(&mut self.pending) {
            add_note(&mut self.doubts, &note);
        }
    }

    pub(super) fn doubt(&mut self, line: usize, text: &str) {
        add_note(&mut self.doubts, &format!("Line {line}: {text}"));
    }

    fn take_heading(&mut self, line: &str) {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        if ["credit note", "gutschrift", "rechnungskorrektur"]
            .iter()
            .any(|word| title.starts_with(word))
        {
            self.invoice.kind = Kind::CreditNote;
        }
    }

    pub(super) fn take(&mut self, key: Key, value: &str, line: usize) {
        if value.is_empty() {
            if key == Key::CreditNote {
                self.invoice.kind = Kind::CreditNote;
            }
            return;
        }
        let text = || value.to_owned();
        match key {
            Key::Type => self.take_type(value, line),
            Key::Number => self.set(line, text(), |invoice| &mut invoice.number),
            Key::CreditNote => {
                self.invoice.kind = Kind::CreditNote;
                self.set(line, text(), |invoice| &mut invoice.number);
            }
            Key::Date => self.take_day(value, line, |invoice| &mut invoice.date),
            Key::Due => self.take_day(value, line, |invoice| &mut invoice.due),
            Key::Currency => match number::currency(value) {
                Some(code) => self.set(line, code, |invoice| &mut invoice.currency),
                None => self.doubt(
                    line,
                    &format!("`{value}` is no currency; write its code, such as EUR."),
                ),
            },
            Key::Party(role, field) => self.take_party(role, field, value, line),
            Key::Prices => {
                let lower = value.to_lowercase();
                let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
                match (
                    has(&["without", "excl", "exkl", "net", "ohne"]),
                    has(&["with", "incl", "inkl", "gross", "brutto", "mit"]),
                ) {
                    (true, _) => self.invoice.prices_include_tax = false,
                    (false, true) => self.invoice.prices_include_tax = true,
                    (false, false) => self.doubt(
                        line,
                        &format!(
                            "`{value}` does not say whether prices are with tax or without tax."
                        ),
                    ),
                }
            }
            Key::Tax => self.take_tax(value, line),
            Key::TaxOfRate => {
                let Some(amount) = self.amount(value, line) else {
                    return;
                };
                match self.invoice.tax.filter(|_| self.is_tax_by_rate) {
                    Some(sum) => self.invoice.tax = sum.checked_add(amount),
                    None => {
                        self.is_tax_by_rate = self.invoice.tax.is_none();
                        self.set(line, amount, |invoice| &mut invoice.tax);
                    }
                }
            }
            Key::Net => self.take_amount(value, line, |invoice| &mut invoice.net),
            Key::Total => self.take_amount(value, line, |invoice| &mut invoice.total),
            Key::Payable => self.take_amount(value, line, |invoice| &mut invoice.payable),
            Key::Note => add_note(&mut self.invoice.notes, value),
            Key::Item => match &mut self.only_line.name {
                None => self.only_line.name = Some(text()),
                Some(name) => *name = format!("{name}; {value}"),
            },
            Key::Quantity => {
                if let Some(written) = self.number(value, line) {
                    self.only_line.quantity = Some(written.0);
                }
            }
            Key::Price => {
                if let Some(price) = self.amount(value, line) {
                    self.only_line.price = Some(price);
                }
            }
            Key::Discount => {
                if let Some(discount) = self.per_cent(value, line) {
                    self.only_line.discount = Some(discount);
                }
            }
            Key::Payment | Key::Journal => {
                self.doubt(
                    line,
                    &format!("`{value}` is about a payment, and this is an invoice."),
                );
            }
        }
    }

    fn take_type(&mut self, value: &str, line: usize) {
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

    fn take_party(&mut self, role: Option<Role>, field: Field, value: &str, line: usize) {
        let role = match (role, field) {
            (Some(role), _) => role,
            // Into which one is paid.
            (None, Field::Iban) => Role::Seller,
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
            self.party = Some(role);
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

    fn take_day(
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
    fn take_tax(&mut self, value: &str, line: usize) {
        let is_identifier = value.starts_with(|c: char| c.is_ascii_alphabetic())
            && value.contains(|c: char| c.is_ascii_digit());
        let is_amount = |written: &Written| {
            // `ATU12345678` is no amount, and `EUR 12.50` and `SEK 12` are.
            let has_signs = value.contains(['.', ',', ' ']);
            written.currency().is_some() && (has_signs || number::is_known_currency(&written.unit))
        };
        let written = match number::read(value) {
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

    fn take_amount(
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
    fn set<T: PartialEq + std::fmt::Display>(
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
        let Some(written) = number::read(value) else {
            self.doubt(line, &format!("`{value}` is no number."));
            return None;
        };
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
        let (first, rest) = written
            .unit
            .split_once(' ')
            .unwrap_or((written.unit.as_str(), ""));
        match number::currency(first).or_else(|| written.currency()) {
            Some(code) => {
                self.set(line, code, |invoice| &mut invoice.currency);
                if number::currency(&written.unit).is_none() && !rest.is_empty() {
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

    fn finish(mut self) -> Invoice {
        let only = std::mem::take(&mut self.only_line);
        match (only.price, self.invoice.lines.is_empty()) {
            (Some(unit_price), true) => self.invoice.lines.push(Line {
                name: only.name.unwrap_or_default(),
                quantity: only.quantity.unwrap_or(Decimal::ONE),
                unit_price,
                discount: only.discount.unwrap_or_default(),
                ..Line::default()
            }),
            (None, true) => {}
            (Some(price), false) => {
                let note = format!("The price {price} stands beside the table, and is in no line.");
                add_note(&mut self.doubts, &note);
            }
            (None, false) => {
                if let Some(name) = only.name {
                    add_note(&mut self.doubts, &format!("It is about: {name}"));
                }
            }
        }
        if let Some(rate) = self.rate {
            for line in &mut self.invoice.lines {
                line.tax = line.tax.or(Some(rate));
            }
        }
        note_left_out(&mut self.doubts, self.lines_left_out);
        for doubt in std::mem::take(&mut self.doubts) {
            add_note(&mut self.invoice.notes, &doubt);
        }
        self.invoice.cleaned()
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
