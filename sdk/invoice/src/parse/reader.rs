//! The invoice text read: `Key: value` lines and a Markdown table, as programs render them and people write them.
//!
//! What stands before the first line that is understood and after the last one is the letter around it. A line between
//! them that is not understood, and a value that is none or may be two, is a note. The style of the numbers
//! ([`Style`]) is looked for in the whole text first. The tables are in `tables`, values in `values`.

use rust_decimal::Decimal;

use crate::{
    Invoice, Kind, Line, MAX_TEXT_BYTES, add_note,
    date::{self, DateFault},
    document,
    keys::{self, Key, Role},
    note_left_out,
    number::{self, Style},
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
        Self::parse_as(text, false)
    }

    /// Reads the text of a document as its seller printed it: see [`mod@crate::document`].
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_document(text: &str) -> Result<Self, InvoiceTextError> {
        Self::parse_as(text, true)
    }

    fn parse_as(text: &str, is_document: bool) -> Result<Self, InvoiceTextError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvoiceTextError::TooLong(text.len()));
        }
        let mut parser = Parser::run(text, is_document, None);
        if parser.has_ambiguous && parser.has_point != parser.has_comma {
            let style = if parser.has_point {
                Style::Point
            } else {
                Style::Comma
            };
            parser = Parser::run(text, is_document, Some(style));
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
    pub(super) style: Option<Style>,
    pub(super) has_point: bool,
    pub(super) has_comma: bool,
    pub(super) has_ambiguous: bool,
    /// Whether it was printed, and not written to be read.
    pub(super) is_document: bool,
    /// Whom keys speak of that name nobody.
    pub(super) party: Option<Role>,
    /// In which line that one was named.
    pub(super) party_line: usize,
    only_line: OnlyLine,
    /// In how many days of its date it is due, as it says in which line.
    due_in: Option<(u32, String, usize)>,
    /// The rate of lines that have none.
    pub(super) rate: Option<Decimal>,
    /// Whether what is in `tax` is a sum of the amounts of several rates.
    is_tax_by_rate: bool,
    pub(super) lines_left_out: usize,
    pub(super) doubts: Vec<String>,
    /// Lines that were not understood since the last one that was.
    pub(super) pending: Vec<String>,
    pub(super) is_understood: bool,
}

impl Parser {
    fn run(text: &str, is_document: bool, style: Option<Style>) -> Self {
        let mut parser = Self {
            style,
            is_document,
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
            } else if is_document {
                parser.take_printed(line, number);
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
        if [
            "credit note",
            "gutschrift",
            "rechnungskorrektur",
            "stornorechnung",
        ]
        .iter()
        .any(|word| title.starts_with(word))
        {
            self.invoice.kind = Kind::CreditNote;
        }
    }

    /// A line of a document without a colon: its title, or keys with a space before their values.
    fn take_printed(&mut self, text: &str, line: usize) {
        self.take_heading(text);
        for (key, value) in document::spaced(text) {
            self.understand();
            self.take(key, value, line);
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
            Key::Due => match (date::read(value), date::days(value)) {
                (Err(DateFault::NoDay), Some(days)) => {
                    self.due_in = self.due_in.take().or(Some((days, text(), line)));
                }
                _ => self.take_day(value, line, |invoice| &mut invoice.due),
            },
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
            Key::Detail => add_note(&mut self.invoice.details, value),
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

    /// Makes a day of the days that it is due in, if no day is said.
    fn finish_due(&mut self) {
        let Some((days, value, line)) = self.due_in.take().filter(|_| self.invoice.due.is_none())
        else {
            return;
        };
        let date = self.invoice.date.as_deref();
        self.invoice.due = date.and_then(|date| date::after(date, days));
        let text = match &self.invoice.due {
            Some(due) => format!("`{value}` was reckoned from its date: {due}."),
            None => format!("`{value}` is no day; write it as 2026-11-30."),
        };
        self.doubt(line, &text);
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
        self.finish_due();
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
