//! [`Accounts`]: what the host needs of the mail servers' own file. All else in it is theirs to
//! check.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use crate::settings;

/// The table of the accounts.
const TABLE: &str = "account";

/// The accounts of a mail servers' file.
#[derive(Debug)]
pub(super) struct Accounts(toml::Table);

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// Says what is wrong with it, to follow the file's name.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        Ok(Self(settings::read_table(path, TABLE)?))
    }

    #[cfg(test)]
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(settings::parse_table(text, TABLE)?))
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
        let is_maildir = account.get("backend").and_then(toml::Value::as_str) == Some("maildir");
        Some(is_maildir || account.get("smtp").is_some())
    }

    /// A way to send that the file has, in words: an `smtp` table of any account, or a Maildir with an
    /// outbox. Relative paths start at `folder`.
    pub(super) fn way_out(&self, folder: &Path) -> Option<String> {
        self.0.iter().find_map(|(name, account)| {
            if account.get("smtp").is_some() {
                return Some(format!("[account.{name}.smtp]"));
            }
            let path = account.get("path")?.as_str()?;
            let home = || std::env::var_os("HOME").map(PathBuf::from);
            let root = match path.strip_prefix("~/") {
                Some(rest) => home()?.join(rest),
                None => folder.join(path),
            };
            let outbox = root.join(".Outbox");
            let is_there = outbox.symlink_metadata().is_ok();
            is_there.then(|| {
                format!(
                    "the account `{name}`, whose Maildir has the outbox {}",
                    outbox.display()
                )
            })
        })
    }

    /// The address of each account, as far as it has one.
    pub(super) fn addresses(&self) -> BTreeMap<String, String> {
        let address = |account: &toml::Value| Some(account.get("address")?.as_str()?.to_owned());
        self.0
            .iter()
            .filter_map(|(name, account)| Some((name.clone(), address(account)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[account.me]\naddress = \"Me <me@example.test>\"\nbackend = \"imap\"\n\
        [account.old]\naddress = \"old\"\nbackend = \"maildir\"\n";

    #[test]
    fn addresses_are_as_they_are_written() {
        let accounts = Accounts::parse(FILE).unwrap();
        let addresses = accounts.addresses();
        assert_eq!(addresses.len(), 2);
        assert_eq!(addresses["me"], "Me <me@example.test>");
        assert_eq!(addresses["old"], "old");
        let none = Accounts::parse("[account.none]\nbackend = \"imap\"\n").unwrap();
        assert!(none.addresses().is_empty());
    }

    #[test]
    fn way_out_finds_smtp_and_outboxes_of_every_account() {
        let folder = tempfile::tempdir().unwrap();
        let way = |text: &str| Accounts::parse(text).unwrap().way_out(folder.path());
        let maildir = "[account.old]\nbackend = \"maildir\"\npath = \"Mail\"\n";
        assert_eq!(way(FILE), None);
        assert_eq!(way(maildir), None);
        assert_eq!(
            way(&format!("{FILE}[account.other.smtp]\nhost = \"x\"\n")).as_deref(),
            Some("[account.other.smtp]")
        );
        std::fs::create_dir_all(folder.path().join("Mail/.Outbox")).unwrap();
        let found = way(maildir).unwrap();
        assert!(found.starts_with("the account `old`, whose Maildir has the outbox "));
    }

    #[test]
    fn has_outgoing_asks_imap_accounts_for_smtp() {
        let accounts = Accounts::parse(FILE).unwrap();
        assert_eq!(accounts.has_outgoing("me"), Some(false));
        assert_eq!(accounts.has_outgoing("old"), Some(true));
        assert_eq!(accounts.has_outgoing("you"), None);
        let preset = "[account.me]\naddress = \"me@gmail.com\"\nprovider = \"gmail\"\n";
        let outgoing = |text: &str| Accounts::parse(text).unwrap().has_outgoing("me");
        assert_eq!(outgoing(preset), Some(false));
        assert_eq!(
            outgoing(&format!("{preset}[account.me.smtp]\n")),
            Some(true)
        );
        assert_eq!(accounts.names(), "me, old");
        assert_eq!(Accounts::parse("").unwrap().names(), "no [account.NAME]");
    }
}
