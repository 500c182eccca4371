//! Markdown tables, as Obsidian writes them: rows of cells between `|`, under a header and a row of dashes.

/// The most cells of a row that is one.
const MAX_CELLS: usize = 64;

/// The cells of a row; none if the line is none. `\|` is a bar and `\\` a backslash.
pub(crate) fn cells(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    if !line.contains('|') {
        return None;
    }
    let inner = line.strip_prefix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut chars = inner.chars().peekable();
    let mut ends_in_bar = false;
    while let Some(c) = chars.next() {
        ends_in_bar = false;
        let cell = match c {
            '|' => {
                if cells.len() > MAX_CELLS {
                    return None;
                }
                cells.push(String::new());
                ends_in_bar = true;
                continue;
            }
            '\\' if matches!(chars.peek(), Some('|' | '\\')) => chars.next(),
            c => Some(c),
        };
        if let (Some(last), Some(c)) = (cells.last_mut(), cell) {
            last.push(c);
        }
    }
    if ends_in_bar {
        cells.pop();
    }
    for cell in &mut cells {
        *cell = cell.trim().to_owned();
    }
    Some(cells)
}

/// Whether a line is the row of dashes under a header.
pub(crate) fn is_delimiter(line: &str) -> bool {
    let line = line.trim();
    let is_made_of = line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '));
    is_made_of && line.contains('|') && line.contains('-')
}

/// A row of these cells.
pub(crate) fn row(cells: &[String]) -> String {
    let mut line = String::from("|");
    for cell in cells {
        let escaped = cell.replace('\\', "\\\\").replace('|', "\\|");
        line.push_str(&format!(" {escaped} |"));
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cells_are_those_of_the_row() {
        let read = |line: &str| cells(line).unwrap();
        assert_eq!(read("| a | b |"), ["a", "b"]);
        assert_eq!(read("a|b"), ["a", "b"]);
        assert_eq!(read("| a \\| b | c\\\\ |"), ["a | b", "c\\"]);
        assert_eq!(read("|  | x |"), ["", "x"]);
        assert_eq!(read("| x | |"), ["x", ""]);
        assert_eq!(read("| C:\\temp |"), ["C:\\temp"]);
        assert_eq!(cells("no table"), None);
        assert!(is_delimiter("|---|:--:|") && is_delimiter("--- | ---"));
        assert!(!is_delimiter("| a | - |") && !is_delimiter("---") && !is_delimiter("| |"));
    }

    proptest! {
        #[test]
        fn cells_of_a_written_row_are_the_same(
            texts in prop::collection::vec("([a-z|\\\\-]([a-z |\\\\-]{0,8}[a-z|\\\\-])?)?", 1..6),
        ) {
            prop_assert_eq!(cells(&row(&texts)), Some(texts));
        }
    }
}
