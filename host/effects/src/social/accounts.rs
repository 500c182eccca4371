//! [`SocialAccounts`]: what each account on a social network is, as it is configured whenever it is asked.

use std::{collections::BTreeMap, fmt, sync::Arc};

type Addresses = BTreeMap<String, String>;
type Lookup = dyn Fn() -> Result<Option<Addresses>, String> + Send + Sync;

/// Whose each account of this host is, and where, looked up anew whenever it is asked for: their owner may have
/// changed one since.
#[derive(Clone)]
pub struct SocialAccounts(Arc<Lookup>);

impl SocialAccounts {
    /// The accounts that this finds, by name; none if no social network is set up here. Blocks on the disk, if that
    /// does.
    pub fn new(
        lookup: impl Fn() -> Result<Option<Addresses>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(lookup))
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
        let Some(mut addresses) = (self.0)()? else {
            return Ok(None);
        };
        match addresses.remove(account) {
            Some(address) => Ok(Some(address)),
            None => {
                let known: Vec<&str> = addresses.keys().map(String::as_str).collect();
                Err(format!(
                    "there is no account `{account}` on a social network; accounts: {}",
                    known.join(", ")
                ))
            }
        }
    }
}

impl fmt::Debug for SocialAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocialAccounts")
    }
}
