//! Texts of Odoo's as Markdown, and tables of them that can be read where no Markdown is.

use platinum_text::{escape_markdown, is_hidden};

use crate::amount::Amount;

/// Cells up to this width, in characters, are filled up with blanks.
const MAX_FILLED: usize = 40;

/// A text from Odoo on one line of Markdown: what is not seen is written out, and nothing of it is markup.
pub(super) fn text(text: &str) -> String {
    escape_markdown(&visible(text), usize::MAX)
}

/// The text with what is not seen in it written out.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().replace("\r\n", "\n").chars() {
        match c {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' | '\u{B}' | '\u{C}' => {
                out.push_str(" ↵ ");
            }
            c if is_hidden(c) => out.push_str(&code_point(c)),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn code_point(c: char) -> String {
    format!("⟨U+{:04X}⟩", u32::from(c))
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) markdown: String,
    /// Characters that are seen.
    width: usize,
}

impl From<&str> for Cell {
    fn from(plain: &str) -> Self {
        let plain = visible(plain);
        Self {
            markdown: escape_markdown(&plain, usize::MAX),
            width: plain.chars().count(),
        }
    }
}

impl From<Amount> for Cell {
    fn from(amount: Amount) -> Self {
        Self::from(amount.to_string().as_str())
    }
}

/// A table whose last columns are numbers.
pub(super) struct Table<const N: usize> {
    rows: Vec<[Cell; N]>,
    numbers: usize,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(head: [&str; N], numbers: usize) -> Self {
        Self {
            rows: vec![head.map(Cell::from)],
            numbers,
        }
    }

    pub(super) fn row(&mut self, row: [Cell; N]) {
        self.rows.push(row);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..N)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let fitting = cells
                    .map(|cell| cell.width)
                    .filter(|width| *width <= MAX_FILLED);
                fitting.max().unwrap_or_default().max(3)
            })
            .collect();
        let is_number = |column: usize| column + self.numbers >= N;
        let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
        let mut lines: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let columns = row.iter().zip(&widths).enumerate();
                line(
                    columns
                        .map(|(at, (cell, width))| cell.filled(*width, is_number(at)))
                        .collect(),
                )
            })
            .collect();
        let rule = widths.iter().enumerate().map(|(at, width)| {
            let (dashes, end) = match is_number(at) {
                true => (width - 1, ":"),
                false => (*width, ""),
            };
            format!("{}{end}", "-".repeat(dashes))
        });
        lines.insert(1, line(rule.collect()));
        lines
    }
}

impl Cell {
    fn filled(&self, width: usize, is_number: bool) -> String {
        let blanks = " ".repeat(width.saturating_sub(self.width));
        match is_number {
            true => format!("{blanks}{}", self.markdown),
            false => format!("{}{blanks}", self.markdown),
        }
    }
}
