//! The files of the zones' servers, as far as the host reads them: one table of TOML. All else in them is the servers'
//! to check.
//!
//! Invariant: no error has a word of the file, which may hold what nobody should see.

use std::path::Path;

/// The table `key` of a file; an empty one if there is none.
///
/// # Errors
/// Says what is wrong with the file, to follow its name.
pub(crate) fn read_table(path: &Path, key: &str) -> Result<toml::Table, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    parse_table(&text, key)
}

/// As [`read_table`], of its text.
///
/// # Errors
/// As there.
pub(crate) fn parse_table(text: &str, key: &str) -> Result<toml::Table, String> {
    let wrong = |error: toml::de::Error| {
        let place = error.span().map_or(0, |span| span.start);
        let line = text.bytes().take(place).filter(|b| *b == b'\n').count() + 1;
        format!("is not TOML, line {line}: {}", error.message())
    };
    let mut file: toml::Table = text.parse().map_err(wrong)?;
    Ok(match file.remove(key) {
        Some(toml::Value::Table(table)) => table,
        _ => toml::Table::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_file_is_told_with_its_line_alone() {
        let file = "[account.me]\naddress = \"Me <me@example.test>\"\nbackend = \"imap\"\n\
            [account.old]\naddress = \"old\"\nbackend = \"maildir\"\n";
        assert_eq!(parse_table(file, "account").unwrap().len(), 2);
        assert_eq!(parse_table(file, "accounts").unwrap().len(), 0);
        let broken = format!("{file}password = hunter2\n");
        let error = parse_table(&broken, "account").unwrap_err();
        assert!(error.starts_with("is not TOML, line 7: "), "{error}");
        assert!(
            !error.contains("hunter2") && !error.contains('\n'),
            "{error}"
        );
    }
}
