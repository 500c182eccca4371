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

    /// An account whose credential can publish whatever it is: Bluesky's app passwords have no narrower kind.
    pub(super) fn with_password(&self) -> Option<&str> {
        let mut accounts = self.0.iter();
        let found = accounts.find(|(_, account)| account.get("password").is_some());
        found.map(|(name, _)| name.as_str())
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
    fn with_password_finds_what_can_publish() {
        assert_eq!(accounts(FILE).with_password(), None);
        let with = format!("{FILE}password = {{ env = \"P\" }}\n");
        assert_eq!(accounts(&with).with_password(), Some("odd"));
        assert_eq!(accounts(&with).names(), ["fedi", "odd", "sky"]);
    }
}
