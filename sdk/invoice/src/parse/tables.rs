//! The tables of an invoice text: one of its lines with the sums under them, or one of keys and values.

use rust_decimal::Decimal;

use super::reader::Parser;
use crate::{
    Line, MAX_LINES, add_note,
    keys::{self, Column},
    number::{self, Written},
};

/// The columns of a table of lines.
struct Shape<'a> {
    columns: &'a [Option<Column>],
    is_tax_per_cent: bool,
}

impl Shape<'_> {
    /// The cell of a column; empty if there is none.
    fn cell<'a>(&self, row: &'a [String], column: Column) -> &'a str {
        let at = self.columns.iter().position(|of| *of == Some(column));
        at.and_then(|at| row.get(at)).map_or("", String::as_str)
    }
}

impl Parser {
    /// A table whose header is in this line, from 1 on.
    pub(super) fn take_table(&mut self, line: usize, header: &[String], rows: &[Vec<String>]) {
        let columns: Vec<Option<Column>> = header.iter().map(|name| keys::column(name)).collect();
        let has = |column| columns.contains(&Some(column));
        let is_of_lines = (has(Column::Item) || has(Column::Quantity))
            && (has(Column::Price) || has(Column::Total));
        if is_of_lines {
            self.understand();
            for (name, column) in header.iter().zip(&columns) {
                if column.is_none() {
                    self.doubt(line, &format!("the column `{name}` was not understood."));
                }
            }
            let is_per_cent = |column| {
                let mut names = header.iter().zip(&columns);
                names.any(|(name, of)| *of == Some(column) && name.contains('%'))
            };
            let shape = Shape {
                columns: &columns,
                is_tax_per_cent: is_per_cent(Column::Tax),
            };
            for (at, row) in rows.iter().enumerate() {
                self.take_row(line + 2 + at, &shape, row);
            }
            return;
        }
        let mut is_understood = false;
        if header.len() == 2 {
            let numbered = rows
                .iter()
                .enumerate()
                .map(|(at, row)| (line + 2 + at, row.as_slice()));
            for (line, row) in [(line, header)].into_iter().chain(numbered) {
                if let [name, value] = row
                    && let Some(key) = keys::key(name.trim_matches('*'))
                {
                    is_understood = true;
                    self.understand();
                    self.take(key, value.trim_matches('*').trim(), line);
                } else if is_understood && !row.iter().all(String::is_empty) {
                    self.doubt(line, &format!("`{}` was not understood.", row.join(" | ")));
                }
            }
        }
        if !is_understood && self.is_understood {
            let text = format!(
                "the table `{}` was not understood; its columns are Item, Quantity, Price, Discount, Tax and Total.",
                header.join(" | ")
            );
            add_note(&mut self.pending, &format!("Line {line}: {text}"));
        }
    }

    fn take_row(&mut self, line: usize, shape: &Shape<'_>, row: &[String]) {
        if row.iter().all(String::is_empty) {
            return;
        }
        let cell = |column| shape.cell(row, column);
        let name = cell(Column::Item);
        let (quantity, price) = (cell(Column::Quantity), cell(Column::Price));
        // A sum under the lines.
        let key = keys::key(name.trim_matches('*'));
        let key = key.filter(|key| key.is_sum());
        if let Some(key) = key.filter(|_| quantity.is_empty() && price.is_empty()) {
            return self.take(key, cell(Column::Total).trim_matches('*').trim(), line);
        }
        if self.invoice.lines.len() >= MAX_LINES {
            self.lines_left_out += 1;
            return;
        }
        match self.line(line, shape, row) {
            Some(found) => self.invoice.lines.push(found),
            None => self.doubt(
                line,
                &format!("it is left out of the invoice: {}", row.join(" | ")),
            ),
        }
    }

    fn line(&mut self, line: usize, shape: &Shape<'_>, row: &[String]) -> Option<Line> {
        let cell = |column| shape.cell(row, column);
        let mut name = cell(Column::Item).to_owned();
        let mut unit = cell(Column::Unit).to_owned();
        let quantity = match cell(Column::Quantity) {
            "" => Decimal::ONE,
            text => {
                let (quantity, written) = self.number(text, line)?;
                if unit.is_empty() {
                    unit = written.unit;
                }
                quantity
            }
        };
        if !unit.is_empty() {
            name = format!("{name} ({unit})");
        }
        let total = match cell(Column::Total) {
            "" | "-" => None,
            text => Some(self.amount(text, line)?),
        };
        let unit_price = match (cell(Column::Price), total) {
            ("", Some(total)) => number::exact_quotient(total, quantity)?,
            ("", None) => return None,
            (text, _) => self.amount(text, line)?,
        };
        let discount = match cell(Column::Discount) {
            "" | "-" => Decimal::ZERO,
            text => self.per_cent(text, line)?,
        };
        Some(Line {
            name: name.trim().to_owned(),
            quantity,
            unit_price,
            discount,
            tax: self.rate_of_line(cell(Column::Tax), shape.is_tax_per_cent, line),
            total,
        })
    }

    /// A line keeps its sum without the rate of its tax: what is not a rate is a doubt.
    fn rate_of_line(&mut self, text: &str, is_per_cent: bool, line: usize) -> Option<Decimal> {
        if matches!(text, "" | "-") {
            return None;
        }
        let written = number::read_first(text).map(|(written, _)| written);
        // `3.80` may be a rate and an amount.
        let is_rate = |written: &Written| {
            is_per_cent
                || written.is_per_cent()
                || written.unit.is_empty() && !text.contains(['.', ','])
        };
        if written.as_ref().is_some_and(is_rate) {
            return self.per_cent(text, line);
        }
        self.doubt(
            line,
            &format!("the tax `{text}` is no rate; write it as 19 %."),
        );
        None
    }
}
