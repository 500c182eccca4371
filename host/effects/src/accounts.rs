//! [`AccountLookup`]: what each account of a zone is, from which something leaves.

use std::{collections::BTreeMap, sync::Arc};

type Addresses = BTreeMap<String, String>;
type Lookup = dyn Fn() -> Result<Option<Addresses>, String> + Send + Sync;

/// The address of each account, looked up anew whenever it is asked for: their owner may have changed one since.
#[derive(Clone)]
pub(crate) struct AccountLookup(Arc<Lookup>);

impl AccountLookup {
    /// The accounts that this finds, by name; none if their zone is not set up here. Blocks on the disk, if that does.
    pub(crate) fn new(
        lookup: impl Fn() -> Result<Option<Addresses>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(lookup))
    }

    /// The address of an account; none if the zone is not set up here.
    ///
    /// # Errors
    /// If the accounts cannot be read; or what `unknown` says of those that there are, if it is none of them.
    pub(crate) fn address(
        &self,
        account: &str,
        unknown: impl FnOnce(&str) -> String,
    ) -> Result<Option<String>, String> {
        let Some(mut addresses) = (self.0)()? else {
            return Ok(None);
        };
        match addresses.remove(account) {
            Some(address) => Ok(Some(address)),
            None => {
                let known: Vec<&str> = addresses.keys().map(String::as_str).collect();
                Err(unknown(&known.join(", ")))
            }
        }
    }
}
