//! What commands print and ask: aligned tables, one calm colour a word, a question with yes or no.
//!
//! Lives elsewhere: the words, and what makes text from outside harmless, are `platinum_api`'s.

use std::io::{BufRead as _, IsTerminal};

pub(super) use platinum_api::{
    Level,
    text::{count, plain},
};

use super::{CommandError, Context, Kind};

impl Context {
    /// Asks on the terminal whether to go on; not on one, nobody can be asked, and `instead` says what to do.
    pub(super) fn asks(&self, question: &str, instead: &str) -> Result<bool, CommandError> {
        if !std::io::stdin().is_terminal() {
            return Err(CommandError::new(Kind::Usage, "nobody can be asked here").hint(instead));
        }
        self.print(&format!("\n{question} [y/N] "))?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

/// Colours words, on a terminal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub(super) const fn none() -> Self {
        Self(false)
    }

    /// Colours if stdout is a terminal and `NO_COLOR` is not set.
    pub(super) fn for_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(std::io::stdout().is_terminal() && !unwanted)
    }

    pub(super) fn word(self, level: Level, word: &str) -> String {
        let code = match level {
            Level::Ok => "32",
            Level::Warn => "33",
            Level::Error => "31",
            Level::Dim => "2",
        };
        if self.0 {
            format!("\u{1b}[{code}m{word}\u{1b}[0m")
        } else {
            word.to_owned()
        }
    }
}

/// Rows of cells in columns as wide as their widest cell; the last one is as long as it is.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<(String, Option<Level>)>>,
}

impl Table {
    pub(super) fn row<const N: usize>(&mut self, cells: [&str; N]) -> &mut Self {
        self.rows.push(
            cells
                .iter()
                .map(|cell| ((*cell).to_owned(), None))
                .collect(),
        );
        self
    }

    /// A row whose cell `at` is coloured.
    pub(super) fn coloured<const N: usize>(&mut self, at: usize, level: Level, cells: [&str; N]) {
        let level = |n: usize| (n == at).then_some(level);
        let cells = cells
            .iter()
            .enumerate()
            .map(|(n, cell)| ((*cell).to_owned(), level(n)));
        self.rows.push(cells.collect());
    }

    /// The lines, each ended.
    pub(super) fn render(&self, paint: Paint) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|(cell, _)| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (n, (cell, level)) in row.iter().enumerate() {
                line.push_str(&level.map_or_else(|| cell.clone(), |level| paint.word(level, cell)));
                if n + 1 < row.len() {
                    line.push_str(&" ".repeat(widths[n] - cell.chars().count() + 2));
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_columns_fit_their_widest_cell() {
        let mut table = Table::default();
        table.row(["skill", "links"]).row(["ä", ""]);
        table.coloured(1, Level::Error, ["a-long-name", "no"]);
        assert_eq!(
            table.render(Paint(false)),
            "skill        links\nä\na-long-name  no\n"
        );
        assert!(table.render(Paint(true)).contains("\u{1b}[31mno\u{1b}[0m"));
    }
}
