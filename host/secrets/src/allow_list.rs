//! [`Allowances`]: what the owner lets leave the machine although it has the form of a secret.
//!
//! Invariant: private keys, seed phrases, secrets that this machine holds and names of secrets are never allowed.

use std::collections::BTreeSet;

use crate::{AllowedPlaces, Kind, content::iban};

/// Why an allowance cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be allowed; write one of {list}, or a bank account's whole IBAN", list = Kind::ALLOWABLE.join(", "))]
pub struct AllowError(String);

/// The kinds, the single bank accounts and the places of notes that are let pass.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Allowances {
    kinds: BTreeSet<&'static str>,
    accounts: BTreeSet<String>,
    places: AllowedPlaces,
}

impl std::fmt::Debug for Allowances {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Allowances")
            .field("kinds", &self.kinds)
            .field("accounts", &self.accounts.len())
            .finish_non_exhaustive()
    }
}

impl Allowances {
    /// Reads what a configuration or a server lists: names of kinds, IBANs as they are printed, and places as
    /// [`crate::AllowedPlace`] displays.
    ///
    /// # Errors
    /// Names the first that is none of them. A bank account's number with a typing error is not
    /// repeated in full.
    pub fn parse<T: AsRef<str>>(list: &[T]) -> Result<Self, AllowError> {
        let mut allowances = Self::default();
        for entry in list {
            let entry = entry.as_ref().trim();
            if let Ok(place) = entry.parse() {
                allowances.places.insert(place);
                continue;
            }
            let kind = Kind::ALLOWABLE.into_iter().find(|kind| *kind == entry);
            match (kind, iban::whole(entry)) {
                (Some(kind), _) => {
                    allowances.kinds.insert(kind);
                }
                (None, Some(account)) => {
                    allowances.accounts.insert(account);
                }
                (None, None) => {
                    let shown: String = entry.escape_debug().take(12).collect();
                    return Err(AllowError(shown));
                }
            }
        }
        Ok(allowances)
    }

    /// The same, and this kind passes too.
    pub(crate) fn and(&self, kind: &'static str) -> Self {
        let mut more = self.clone();
        more.kinds.insert(kind);
        more
    }

    /// The places that pass.
    pub(crate) const fn places(&self) -> &AllowedPlaces {
        &self.places
    }

    /// Whether the kind passes.
    pub(crate) fn kind(&self, kind: Kind) -> bool {
        self.kinds.contains(kind.as_str())
    }

    /// Whether this account, in capitals and without spaces, passes.
    pub(crate) fn account(&self, iban: &str) -> bool {
        self.accounts.contains(iban)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_list_accepts_kinds_and_whole_accounts() {
        let allowed = Allowances::parse(&["iban", "jwt"]).unwrap();
        assert!(allowed.kind(Kind::Iban) && allowed.kind(Kind::Jwt) && !allowed.kind(Kind::Card));
        let allowed = Allowances::parse(&["DE89 3704 0044 0532 0130 00"]).unwrap();
        assert!(allowed.account("DE89370400440532013000") && !allowed.kind(Kind::Iban));
    }

    #[test]
    fn allow_list_refuses_keys_known_secrets_and_names() {
        for never in [
            "private-key",
            "known",
            "name",
            "DE00 3704 0044 0532 0130 00",
        ] {
            let error = Allowances::parse(&[never]).unwrap_err().to_string();
            assert!(
                error.ends_with(
                    "cannot be allowed; write one of card, connection, iban, jwt, password, token, or a bank account's whole IBAN"
                ),
                "{error}"
            );
        }
    }
}
