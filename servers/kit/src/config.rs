//! TOML tables whose keys are all known: an unknown key is an error that names the key meant.
//!
//! Lives elsewhere: which tables there are is each server's own; a password is [`crate::secret`].

use std::path::{Path, PathBuf};

use crate::secret::Secret;

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// It is not TOML. Without the line of the file, which may hold what nobody should see.
    #[error("not TOML: {}", .0.message())]
    Toml(#[from] toml::de::Error),
    /// One of the others, and where it is.
    #[error("{path}:{line}: {error}", path = .path.display())]
    Located {
        /// The file.
        path: PathBuf,
        /// The line, from 1 on.
        line: usize,
        /// What is wrong there.
        error: Box<ConfigError>,
    },
    /// A key that is not known.
    #[error("{at}: unknown key `{key}`{hint}; known keys: {known}")]
    UnknownKey {
        /// The table.
        at: String,
        /// The key.
        key: String,
        /// The key that was probably meant, as words; may be empty.
        hint: String,
        /// All keys there are.
        known: String,
    },
    /// A key is missing or its value cannot be used.
    #[error("{at}: `{key}` {problem}")]
    Value {
        /// The table.
        at: String,
        /// The key.
        key: String,
        /// What is wrong, what to write.
        problem: String,
    },
}

impl ConfigError {
    /// The same error with file and line; `text` is the file's.
    #[must_use]
    pub fn located(self, path: &Path, text: &str) -> Self {
        let line = match &self {
            Self::Read { .. } | Self::Located { .. } => return self,
            Self::Toml(error) => line_at(text, error.span().map_or(0, |span| span.start)),
            Self::UnknownKey { at, key, .. } | Self::Value { at, key, .. } => {
                line_of(text, at, key)
            }
        };
        Self::Located {
            path: path.to_path_buf(),
            line,
            error: Box::new(self),
        }
    }
}

/// The line of the byte at this place.
fn line_at(text: &str, place: usize) -> usize {
    let before = text.as_bytes().iter().take(place);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// The line of a key of the table that `at` names; of the table if it has no such key.
fn line_of(text: &str, at: &str, key: &str) -> usize {
    let Ok(root) = toml::de::DeTable::parse(text) else {
        return 1;
    };
    let mut place = 0;
    let mut table = root.get_ref();
    let names = at
        .split(['[', ']', '.', ' '])
        .filter(|name| !name.is_empty());
    for name in names.chain([key]) {
        let Some((found, value)) = table.iter().find(|(found, _)| found.get_ref() == name) else {
            continue;
        };
        place = found.span().start;
        match value.get_ref() {
            toml::de::DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line_at(text, place)
}

/// Reads a file; also answers its folder, where relative paths in it start.
///
/// # Errors
/// If it cannot be read.
pub fn read_file(path: &Path) -> Result<(String, PathBuf), ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    Ok((text, folder.to_path_buf()))
}

/// Reads one table whose keys are all known.
#[derive(Debug, Clone, Copy)]
pub struct TableReader<'a> {
    at: &'a str,
    table: &'a toml::Table,
}

impl<'a> TableReader<'a> {
    /// Checks that `table` has no other keys than `known`; `at` names the table in errors.
    pub fn new(at: &'a str, table: &'a toml::Table, known: &[&str]) -> Result<Self, ConfigError> {
        let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(Self { at, table });
        };
        let nearest = known
            .iter()
            .map(|name| {
                (
                    strsim::damerau_levenshtein(&key.to_lowercase().replace('_', "-"), name),
                    name,
                )
            })
            .min()
            .filter(|(distance, name)| *distance <= 1 + name.len() / 4);
        Err(ConfigError::UnknownKey {
            at: at.to_owned(),
            key: key.clone(),
            hint: nearest
                .map(|(_, name)| format!(", did you mean `{name}`?"))
                .unwrap_or_default(),
            known: known.join(", "),
        })
    }

    /// A text that may be missing.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(value_error(self.at, key, "must be a text in quotes")),
        }
    }

    /// A text that must be there and not empty.
    pub fn required(&self, key: &str) -> Result<String, ConfigError> {
        match self.text(key)? {
            None => Err(value_error(self.at, key, "is missing")),
            Some(text) if text.trim().is_empty() => Err(value_error(self.at, key, "is empty")),
            Some(text) => Ok(text),
        }
    }

    /// A path that may be missing: from the home folder if it starts with `~/`, else from `folder`.
    pub fn path(&self, key: &str, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        if text.trim().is_empty() {
            return Err(value_error(self.at, key, "is empty"));
        }
        let home = std::env::var_os("HOME").map(PathBuf::from);
        resolve(&text, folder, home.as_deref())
            .map(Some)
            .map_err(|problem| value_error(self.at, key, problem))
    }

    /// A table that may be missing.
    pub fn table(&self, key: &str) -> Result<Option<&'a toml::Table>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(toml::Value::Table(table)) => Ok(Some(table)),
            Some(_) => Err(value_error(self.at, key, "must be a table")),
        }
    }

    /// The key `port`, or `otherwise`.
    pub fn port(&self, otherwise: u16) -> Result<u16, ConfigError> {
        match self.table.get("port") {
            None => Ok(otherwise),
            Some(value) => value
                .as_integer()
                .and_then(|number| u16::try_from(number).ok())
                .filter(|port| *port > 0)
                .ok_or_else(|| value_error(self.at, "port", "must be a number from 1 to 65535")),
        }
    }

    /// Where a password is kept: a table with one of `env`, `file`, `keyring`.
    pub fn secret(&self, key: &str, folder: &Path) -> Result<Secret, ConfigError> {
        let advice = "must say where the password is kept, not the password: \
                      { env = \"NAME\" }, { file = \"PATH\" } or { keyring = \"NAME\" }";
        let Some(toml::Value::Table(table)) = self.table.get(key) else {
            return Err(value_error(self.at, key, advice));
        };
        let at = format!("{} {key}", self.at);
        let reader = TableReader::new(&at, table, &["env", "file", "keyring"])?;
        match (
            reader.text("env")?,
            reader.path("file", folder)?,
            reader.text("keyring")?,
        ) {
            (Some(name), None, None) => Ok(Secret::Env(name)),
            (None, Some(path), None) => Ok(Secret::File(path)),
            (None, None, Some(name)) => Ok(Secret::Keyring(name)),
            _ => Err(value_error(self.at, key, advice)),
        }
    }
}

/// Where a path of the file leads: `~/` is the home folder, and what is relative starts in `folder`.
fn resolve(text: &str, folder: &Path, home: Option<&Path>) -> Result<PathBuf, &'static str> {
    let Some(below) = text.strip_prefix("~/") else {
        return Ok(folder.join(text));
    };
    let home = home
        .filter(|home| home.is_absolute())
        .ok_or("starts with `~/`, and HOME names no folder; write the whole path")?;
    Ok(home.join(below))
}

/// A complaint about one value.
pub fn value_error(at: &str, key: &str, problem: &str) -> ConfigError {
    ConfigError::Value {
        at: at.to_owned(),
        key: key.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_relative_to_its_file_or_the_home_folder() {
        let (etc, home) = (Path::new("/etc"), Path::new("/homes/me"));
        assert_eq!(
            resolve("~/Mail", etc, Some(home)).unwrap(),
            Path::new("/homes/me/Mail")
        );
        assert_eq!(
            resolve("Mail", etc, Some(home)).unwrap(),
            Path::new("/etc/Mail")
        );
        assert_eq!(resolve("/x/Mail", etc, None).unwrap(), Path::new("/x/Mail"));
        assert!(
            resolve("~/Mail", etc, None)
                .unwrap_err()
                .contains("HOME names no folder")
        );
    }

    #[test]
    fn located_error_names_file_and_line() {
        let text = "# mail\n[account.me]\naddress = 'a'\n\n[account.me.smtp]\nhots = 'h'\npassword = { fiel = 'x' }\n";
        let line = |at: &str, key: &str| {
            let error = value_error(at, key, "is wrong").located(Path::new("/m.toml"), text);
            error.to_string()
        };
        assert_eq!(
            line("[account.me.smtp]", "hots"),
            "/m.toml:6: [account.me.smtp]: `hots` is wrong"
        );
        assert!(line("[account.me.smtp] password", "fiel").starts_with("/m.toml:7: "));
        assert!(line("[account.me]", "host").starts_with("/m.toml:2: "));
        assert!(line("the file", "account").starts_with("/m.toml:2: "));
        assert!(line("the file", "nothing").starts_with("/m.toml:1: "));
    }

    #[test]
    fn broken_toml_is_located_and_not_quoted() {
        let text = "a = 1\npassword = hunter2\n";
        let error = ConfigError::from(text.parse::<toml::Table>().unwrap_err());
        let shown = error.located(Path::new("/m.toml"), text).to_string();
        assert!(shown.starts_with("/m.toml:2: not TOML: "), "{shown}");
        assert!(
            !shown.contains("hunter2") && !shown.contains('\n'),
            "{shown}"
        );
    }

    #[test]
    fn table_reader_refuses_unknown_keys_and_plain_secrets() {
        let table: toml::Table = "user = 'me'\npasword = 'hunter2'".parse().unwrap();
        let refusal = |known: &[&str]| {
            let reader = TableReader::new("[imap]", &table, known);
            let secret = reader.and_then(|reader| reader.secret("pasword", Path::new("/")));
            secret.unwrap_err().to_string()
        };
        assert_eq!(
            refusal(&["user", "password"]),
            "[imap]: unknown key `pasword`, did you mean `password`?; known keys: user, password"
        );
        let refused = refusal(&["user", "pasword"]);
        assert!(refused.contains("not the password") && !refused.contains("hunter2"));
    }
}
