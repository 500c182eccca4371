//! [`Accounts`]: what the host needs of the mail servers' own file. All else in it is theirs to
//! check.

use std::{collections::BTreeMap, path::Path};

/// The accounts of a mail servers' file.
#[derive(Debug)]
pub(super) struct Accounts(toml::Table);

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// Says what is wrong with it, to follow the file's name.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut file: toml::Table = text.parse().map_err(|error| format!("is wrong: {error}"))?;
        Ok(match file.remove("account") {
            Some(toml::Value::Table(accounts)) => Self(accounts),
            _ => Self(toml::Table::new()),
        })
    }

    /// The names of the accounts, for people.
    pub(super) fn names(&self) -> String {
        if self.0.is_empty() {
            return "no [account.NAME]".to_owned();
        }
        self.0
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Whether an account has a way to send; none if there is no such account. A Maildir's needs
    /// no `smtp`.
    pub(super) fn has_outgoing(&self, account: &str) -> Option<bool> {
        let account = self.0.get(account)?;
        let is_imap = account.get("backend").and_then(toml::Value::as_str) == Some("imap");
        Some(!is_imap || account.get("smtp").is_some())
    }

    /// The domain of each account's address, as far as it has one.
    pub(super) fn domains(&self) -> BTreeMap<String, String> {
        let domain = |account: &toml::Value| {
            let address = account.get("address")?.as_str()?;
            let (_, domain) = address.rsplit_once('@')?;
            Some(domain.trim_end_matches(['>', ' ']).to_owned())
        };
        self.0
            .iter()
            .filter_map(|(name, account)| Some((name.clone(), domain(account)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[account.me]\naddress = \"Me <me@example.test>\"\nbackend = \"imap\"\n\
        [account.old]\naddress = \"old\"\nbackend = \"maildir\"\n";

    #[test]
    fn domains_are_those_of_the_addresses() {
        let accounts = Accounts::parse(FILE).unwrap();
        let domains = accounts.domains();
        assert_eq!(domains.len(), 1);
        assert_eq!(domains["me"], "example.test");
    }

    #[test]
    fn has_outgoing_asks_imap_accounts_for_smtp() {
        let accounts = Accounts::parse(FILE).unwrap();
        assert_eq!(accounts.has_outgoing("me"), Some(false));
        assert_eq!(accounts.has_outgoing("old"), Some(true));
        assert_eq!(accounts.has_outgoing("you"), None);
        assert_eq!(accounts.names(), "me, old");
        assert_eq!(Accounts::parse("").unwrap().names(), "no [account.NAME]");
    }
}
