//! What commands print: aligned tables, one calm colour a word, text from outside made harmless.

use std::io::IsTerminal;

/// How sure or bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Doubtful,
    Bad,
    Quiet,
}

/// Colours words, if there is somebody to see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub(super) const fn none() -> Self {
        Self(false)
    }

    /// Colours if stdout is a terminal and nobody asked for none (`NO_COLOR`).
    pub(super) fn for_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(std::io::stdout().is_terminal() && !unwanted)
    }

    pub(super) fn word(self, tone: Tone, word: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Doubtful => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
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
    rows: Vec<Vec<(String, Option<Tone>)>>,
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
    pub(super) fn toned<const N: usize>(&mut self, at: usize, tone: Tone, cells: [&str; N]) {
        let tone = |n: usize| (n == at).then_some(tone);
        let cells = cells
            .iter()
            .enumerate()
            .map(|(n, cell)| ((*cell).to_owned(), tone(n)));
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
            for (n, (cell, tone)) in row.iter().enumerate() {
                line.push_str(&tone.map_or_else(|| cell.clone(), |tone| paint.word(tone, cell)));
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

pub(super) use platinum_core::text::one_line as plain;

/// `3 drafts`, `1 draft`.
pub(super) fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// How long ago, or how far ahead, in the largest unit that fits.
pub(super) fn span(seconds: i64) -> String {
    let (seconds, ago) = (seconds.unsigned_abs(), seconds >= 0);
    let text = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if ago {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_have_no_tail() {
        let mut table = Table::default();
        table.row(["skill", "links"]).row(["ä", ""]);
        table.toned(1, Tone::Bad, ["a-long-name", "no"]);
        assert_eq!(
            table.render(Paint(false)),
            "skill        links\nä\na-long-name  no\n"
        );
        assert!(table.render(Paint(true)).contains("\u{1b}[31mno\u{1b}[0m"));
    }

    #[test]
    fn spans_read_like_a_person_says_them() {
        assert_eq!(span(0), "0 s ago");
        assert_eq!(span(-90), "in 1 min");
        assert_eq!(span(7 * 86_400), "7 days ago");
    }
}
