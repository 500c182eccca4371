//! Rows as lines that are read as an invoice text: `Key: value`, and a Markdown table of the lines of a bill.
//!
//! A row whose cells are headings of columns begins a table; what is below goes into the column that it stands under. A
//! key with its value beside it or below it becomes one line. All else stays as it stands, with two spaces between
//! cells. Nothing is left out.
//! Invariant: pure.

use platinum_invoice::document::{is_header, is_key, is_sum_key};

use super::rows::{Cell, Row};

/// A line of the table may go on below itself, so near, in parts of the size of its signs.
const NEAR: f64 = 1.7;
/// A table ends where this much is empty.
const FAR: f64 = 6.0;
/// What divides cells that are in no table.
const BETWEEN: &str = "  ";

/// The rows as text.
pub(super) fn of_rows(rows: &[Row]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut rows = rows.iter().peekable();
    while let Some(row) = rows.next() {
        let texts: Vec<&str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
        if is_header(&texts) {
            let mut table = Table::new(row);
            while let Some(next) = rows.next_if(|next| table.continues(next)) {
                table.add(next);
            }
            table.write(&mut lines);
            continue;
        }
        let below = rows.next_if(|next| are_keys(&texts) && is_of_values(row, next));
        match below {
            Some(values) => {
                let pairs = texts.iter().zip(&values.cells);
                lines.extend(pairs.map(|(key, value)| pair(key, &value.text)));
            }
            None => write_plain(&row.cells, &mut lines),
        }
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn pair(key: &str, value: &str) -> String {
    format!(
        "{}: {value}",
        key.trim_end().trim_end_matches(':').trim_end()
    )
}

/// Whether all of a row are keys without values.
fn are_keys(texts: &[&str]) -> bool {
    texts.len() > 1 && texts.iter().all(|text| is_key(text))
}

/// Whether a row stands right under a row of keys, a value under each.
fn is_of_values(keys: &Row, row: &Row) -> bool {
    keys.y - row.y <= 2.0 * NEAR * keys.size
        && row.cells.len() == keys.cells.len()
        && row
            .cells
            .iter()
            .all(|cell| !is_key(&cell.text) && !cell.text.contains(':'))
}

/// A row that is in no table.
fn write_plain(cells: &[Cell], lines: &mut Vec<String>) {
    let mut plain: Vec<&str> = Vec::new();
    let mut cells = cells.iter().peekable();
    let mut found = Vec::new();
    while let Some(cell) = cells.next() {
        let text = cell.text.as_str();
        if is_key(text) {
            if let Some(value) = cells.next_if(|next| !is_key(&next.text)) {
                found.push(pair(text, &value.text));
                continue;
            }
        } else if text.split_once(':').is_some_and(|(key, _)| is_key(key)) {
            found.push(text.to_owned());
            continue;
        }
        plain.push(text);
    }
    if !plain.is_empty() {
        lines.push(plain.join(BETWEEN));
    }
    lines.extend(found);
}

/// A table of lines.
#[derive(Debug)]
struct Table<'a> {
    header: &'a [Cell],
    rows: Vec<Vec<String>>,
    y: f64,
    size: f64,
}

impl<'a> Table<'a> {
    fn new(row: &'a Row) -> Self {
        Self {
            header: &row.cells,
            rows: Vec::new(),
            y: row.y,
            size: row.size,
        }
    }

    /// Whether a row belongs to the table: neither a sum, nor a key with a value, nor a heading, nor far below.
    fn continues(&self, row: &Row) -> bool {
        let texts: Vec<&str> = row.cells.iter().map(|cell| cell.text.as_str()).collect();
        let first = texts.first().copied().unwrap_or_default();
        let key = first.split_once(':').map_or(first, |(key, _)| key);
        let is_sum = is_sum_key(key) || (first.contains(':') && is_key(key));
        let room = self.y - row.y;
        // One cell alone goes on what stands above it.
        let is_near = room <= NEAR * self.size && !self.rows.is_empty();
        !is_sum && !is_header(&texts) && room <= FAR * self.size && (texts.len() > 1 || is_near)
    }

    fn add(&mut self, row: &Row) {
        let mut cells = vec![String::new(); self.header.len()];
        for cell in &row.cells {
            let at = self.column(cell);
            if let Some(text) = cells.get_mut(at) {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(&cell.text);
            }
        }
        (self.y, self.size) = (row.y, row.size);
        match (row.cells.len(), self.rows.last_mut()) {
            (1, Some(above)) => {
                for (above, cell) in above.iter_mut().zip(cells) {
                    if !cell.is_empty() {
                        above.push(' ');
                        above.push_str(&cell);
                    }
                }
            }
            _ => self.rows.push(cells),
        }
    }

    /// The column under whose heading a cell stands, or the nearest.
    fn column(&self, cell: &Cell) -> usize {
        let distance = |of: &Cell| (of.x - cell.end).max(cell.x - of.end).max(0.0);
        // Under two headings, the one whose left or right end it shares.
        let shift = |of: &Cell| (of.x - cell.x).abs().min((of.end - cell.end).abs());
        let columns = self.header.iter().enumerate();
        let nearest = columns.min_by(|(_, one), (_, other)| {
            let by = distance(one).total_cmp(&distance(other));
            by.then(shift(one).total_cmp(&shift(other)))
        });
        nearest.map_or(0, |(at, _)| at)
    }

    fn write(self, lines: &mut Vec<String>) {
        let row = |cells: Vec<&str>| {
            let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |", cells.join(" | "))
        };
        lines.push(String::new());
        lines.push(row(self
            .header
            .iter()
            .map(|cell| cell.text.as_str())
            .collect()));
        lines.push(format!("|{}", "---|".repeat(self.header.len())));
        for cells in &self.rows {
            lines.push(row(cells.iter().map(String::as_str).collect()));
        }
        lines.push(String::new());
    }
}
