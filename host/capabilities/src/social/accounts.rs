//! [`AccountsFile`]: what the host needs of the file of the servers for social networks. All else in it is theirs to check.

use std::{collections::BTreeMap, path::Path};

use toml::Value;

use crate::settings;

/// The table of the accounts.
const TABLE: &str = "accounts";

/// The accounts of a file.
#[derive(Debug)]
pub(super) struct AccountsFile(toml::Table);

impl AccountsFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Says what is wrong with it, to follow the file's name.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        Ok(Self(settings::read_table(path, TABLE)?))
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// What each is: a change of any of it would let a post leave from elsewhere, or be seen by others. An account on
    /// Mastodon without a `handle` is the one of its token, whoever that is.
    pub(super) fn addresses(&self) -> BTreeMap<String, String> {
        let accounts = self.0.iter();
        let known = accounts.filter_map(|(name, account)| {
            let text = |key: &str| account.get(key).and_then(Value::as_str);
            let handle = text("handle").map(|handle| handle.trim().trim_start_matches('@'));
            let handle = handle.map(|handle| format!("@{handle} at "));
            let seen_by = text("visibility").filter(|seen_by| *seen_by != "public");
            let seen_by = seen_by.map(|seen_by| format!(" ({seen_by})"));
            let address = format!(
                "{}{}{}",
                handle.unwrap_or_default(),
                text("server")?,
                seen_by.unwrap_or_default()
            );
            Some((name.clone(), address))
        });
        known.collect()
    }

    /// Refuses a cloud's file, which is at this path, if a credential in it can publish whatever it is: Bluesky's app
    /// passwords have no narrower kind.
    ///
    /// # Errors
    /// Which account has one, and what to do.
    pub(super) fn refuse_password(&self, path: &Path) -> Result<(), String> {
        let mut accounts = self.0.iter();
        match accounts.find(|(_, account)| account.get("password").is_some()) {
            Some((name, _)) => Err(format!(
                "{} has a password for the account `{name}`, and a cloud holds nothing that can publish; drafting for \
                 Bluesky needs none: remove it there, and keep it in the file of your own machine",
                path.display()
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(text: &str) -> AccountsFile {
        AccountsFile(settings::parse_table(text, TABLE).unwrap())
    }

    const FILE: &str = "state = \"s\"\n[accounts.sky]\nnetwork = \"bluesky\"\nserver = \"https://bsky.test\"\n\
        handle = \"@ada.test\"\n[accounts.fedi]\nnetwork = \"mastodon\"\nserver = \"https://m.test\"\n\
        token = { file = \"t\" }\nvisibility = \"private\"\n[accounts.odd]\nnetwork = \"bluesky\"\n";

    #[test]
    fn addresses_say_whose_and_where() {
        let addresses = accounts(FILE).addresses();
        assert_eq!(addresses.len(), 2);
        assert_eq!(addresses["sky"], "@ada.test at https://bsky.test");
        assert_eq!(addresses["fedi"], "https://m.test (private)");
        let public = FILE.replace("\"private\"", "\"public\"\nhandle = \"ada\"");
        assert_eq!(
            accounts(&public).addresses()["fedi"],
            "@ada at https://m.test"
        );
        assert_eq!(accounts("state = \"s\"\n").addresses(), BTreeMap::new());
    }

    #[test]
    fn refuse_password_names_what_can_publish() {
        let path = Path::new("social.toml");
        assert_eq!(accounts(FILE).refuse_password(path), Ok(()));
        let with = format!("{FILE}password = {{ env = \"P\" }}\n");
        let why = accounts(&with).refuse_password(path).unwrap_err();
        let words = "social.toml has a password for the account `odd`, and a cloud holds nothing that can publish; ";
        assert!(why.starts_with(words), "{why}");
        assert_eq!(accounts(&with).names(), ["fedi", "odd", "sky"]);
    }
}
