//! [`SocialAccounts`]: what each account on a social network is, as it is configured whenever it is asked.

use std::{collections::BTreeMap, fmt};

use crate::accounts::AccountLookup;

/// Whose each account of this host is, and where, looked up anew whenever it is asked for.
#[derive(Clone)]
pub struct SocialAccounts(AccountLookup);

impl SocialAccounts {
    /// The accounts that this finds, by name; none if no social network is set up here. Blocks on the disk, if that
    /// does.
    pub fn new(
        lookup: impl Fn() -> Result<Option<BTreeMap<String, String>>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(AccountLookup::new(lookup))
    }

    /// No social network is set up here.
    pub fn none() -> Self {
        Self::new(|| Ok(None))
    }

    /// What an account is; none if no social network is set up here.
    ///
    /// # Errors
    /// If there is no such account, or the accounts cannot be read.
    pub(super) fn address(&self, account: &str) -> Result<Option<String>, String> {
        self.0.address(account, |known| {
            format!("there is no account `{account}` on a social network; accounts: {known}")
        })
    }
}

impl fmt::Debug for SocialAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocialAccounts")
    }
}
