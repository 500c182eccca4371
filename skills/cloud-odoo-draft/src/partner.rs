//! Who the customer or vendor is in Odoo: by VAT number, then by account, then by exact name; else unknown.
//!
//! Invariants: nobody is made; a partner whose VAT number or accounts contradict the document is another one, also if
//! it has the same name; of one that is found by its VAT number, another account is a doubt of the first order.

use platinum_invoice::Party;
use platinum_sdk::host::ReadOdoo;
use platinum_sdk::odoo::read::PartnerKey;
use platinum_sdk::odoo::types::{Error as OdooError, Partner};
use platinum_sdk::text::{comparable, one_line};

use crate::question;

/// The partner that was found.
#[derive(Debug, Clone)]
pub struct Match {
    /// Whom the document is made out to.
    pub partner: Partner,
    /// By what it was found.
    pub by: &'static str,
    /// The commercial partners whose documents may be the same one.
    pub commercial: Vec<u64>,
    /// What the owner has to look at.
    pub doubts: Vec<String>,
}

/// Why there is none.
#[derive(Debug, Clone)]
pub enum NoMatch {
    /// The owner is asked.
    Ask(String),
    /// Odoo could not be asked.
    Odoo(OdooError),
}

impl From<OdooError> for NoMatch {
    fn from(error: OdooError) -> Self {
        Self::Odoo(error)
    }
}

/// Looks for a party of a company's document.
///
/// # Errors
/// If nobody, or not one alone, is that party.
pub fn find(
    host: &impl ReadOdoo,
    company: u64,
    party: &Party,
    is_sale: bool,
) -> Result<Match, NoMatch> {
    let keys = [
        party
            .vat
            .clone()
            .map(|vat| ("VAT number", PartnerKey::Vat(vat))),
        party
            .iban
            .clone()
            .map(|iban| ("account", PartnerKey::Account(iban))),
        party
            .name
            .clone()
            .map(|name| ("name", PartnerKey::Name(name))),
    ];
    let mut others = Vec::new();
    for (by, key) in keys.into_iter().flatten() {
        let is_by_vat = matches!(key, PartnerKey::Vat(_));
        let mut found = host.partners(company, &key)?;
        found.retain(|partner| match contradiction(partner, party, is_by_vat) {
            None => true,
            Some(why) => {
                if !others.contains(&why) {
                    others.push(why);
                }
                false
            }
        });
        let Some(partner) = only(&found) else {
            match found.is_empty() {
                true => continue,
                false => return Err(NoMatch::Ask(question::several_partners(&found, by))),
            }
        };
        let mut commercial: Vec<u64> = found.iter().map(|it| it.commercial.id).collect();
        commercial.dedup();
        return Ok(Match {
            doubts: account_doubts(partner, party, &found),
            partner: partner.clone(),
            by,
            commercial,
        });
    }
    others.truncate(2);
    Err(NoMatch::Ask(question::unknown_partner(
        party, is_sale, &others,
    )))
}

/// The partner that all of these are: the company among its contacts, or the only one.
fn only(found: &[Partner]) -> Option<&Partner> {
    let first = found.first()?;
    let is_one = found
        .iter()
        .all(|it| it.commercial.id == first.commercial.id);
    is_one.then(|| {
        found
            .iter()
            .find(|it| it.id == it.commercial.id)
            .unwrap_or(first)
    })
}

/// Why this partner is not the party, though something of it is the same.
fn contradiction(partner: &Partner, party: &Party, is_by_vat: bool) -> Option<String> {
    let name = one_line(&partner.name, 60);
    if let (Some(own), Some(said)) = (&partner.vat, &party.vat)
        && comparable(own) != comparable(said)
    {
        return Some(format!("{name} in Odoo has another VAT number."));
    }
    // The VAT number is the stronger sign: there the owner decides.
    if !is_by_vat && has_other_accounts(partner, party) {
        return Some(format!(
            "{name} in Odoo has another account: it may be somebody who poses as them."
        ));
    }
    None
}

fn has_other_accounts(partner: &Partner, party: &Party) -> bool {
    let is_same = |iban: &String| {
        partner
            .accounts
            .iter()
            .any(|own| comparable(own) == comparable(iban))
    };
    !partner.accounts.is_empty() && party.iban.as_ref().is_some_and(|iban| !is_same(iban))
}

fn account_doubts(partner: &Partner, party: &Party, found: &[Partner]) -> Vec<String> {
    let Some(iban) = &party.iban else {
        return Vec::new();
    };
    let name = one_line(&partner.name, 60);
    if found.iter().all(|it| has_other_accounts(it, party)) {
        return vec![format!(
            "It is to be paid into {iban}, and Odoo has other accounts of {name}: {}. Ask {name} by a way that you know \
             before you pay.",
            partner.accounts.join(", ")
        )];
    }
    match found.iter().all(|it| it.accounts.is_empty()) {
        true => vec![format!(
            "Odoo has no account of {name} to compare {iban} with."
        )],
        false => Vec::new(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use platinum_sdk::odoo::types::Named;
    use platinum_sdk::testing::TestHost;

    use super::*;

    pub(crate) fn partner(id: u64, name: &str, vat: Option<&str>, accounts: &[&str]) -> Partner {
        Partner {
            id,
            name: name.into(),
            commercial: Named {
                id,
                name: name.into(),
            },
            vat: vat.map(Into::into),
            email: None,
            accounts: accounts.iter().map(|&account| account.into()).collect(),
            fiscal_position: None,
            customer_term: None,
            vendor_term: None,
        }
    }

    fn party(name: Option<&str>, vat: Option<&str>, iban: Option<&str>) -> Party {
        Party {
            name: name.map(Into::into),
            vat: vat.map(Into::into),
            iban: iban.map(Into::into),
            email: None,
            country: None,
        }
    }

    fn outcome(partners: &[Partner], party: &Party) -> String {
        let mut host = TestHost::default();
        host.odoo.partners = partners.to_vec();
        match find(&host, 1, party, false) {
            Ok(found) => {
                let mark = if found.doubts.is_empty() { "" } else { "?" };
                format!("{} by {}{mark}", found.partner.id, found.by)
            }
            Err(NoMatch::Ask(question)) => question,
            Err(NoMatch::Odoo(error)) => format!("{error:?}"),
        }
    }

    #[test]
    fn find_goes_by_vat_then_account_then_exact_name() {
        let all = [
            partner(1, "Acme GmbH", Some("DE 123"), &["DE11"]),
            partner(2, "Acme GmbH & Co", None, &["DE22"]),
            partner(3, "Bolt Ltd", None, &[]),
        ];
        for (name, vat, iban, expected) in [
            (Some("Anything"), Some("DE123"), None, "1 by VAT number"),
            (None, None, Some("DE22"), "2 by account"),
            (Some("acme gmbh"), None, None, "1 by name"),
            (Some("Acme GmbH"), None, Some("DE11"), "1 by account"),
            (Some("Bolt Ltd."), None, None, "3 by name"),
            // Nothing to compare the account with.
            (Some("Bolt Ltd"), None, Some("DE99"), "3 by name?"),
            // The VAT number is theirs, the account is not: the owner is warned.
            (
                Some("Acme GmbH"),
                Some("DE123"),
                Some("DE99"),
                "1 by VAT number?",
            ),
            // A VAT number that Odoo does not have yet is no contradiction.
            (Some("Bolt Ltd"), Some("DE777"), None, "3 by name"),
        ] {
            assert_eq!(
                outcome(&all, &party(name, vat, iban)),
                expected,
                "{name:?} {vat:?} {iban:?}"
            );
        }
    }

    /// The name is the same, and it is somebody else.
    #[test]
    fn find_look_alike_is_unknown_and_named() {
        let all = [partner(1, "Acme GmbH", Some("DE123"), &["DE11"])];
        for (name, vat, iban, why) in [
            (
                "Acme GmbH",
                None,
                Some("DE99"),
                "Acme GmbH in Odoo has another account: it may be somebody who poses as them.",
            ),
            (
                "ACME GMBH",
                Some("DE999"),
                None,
                "Acme GmbH in Odoo has another VAT number.",
            ),
            (
                "Acme GmbH",
                Some("DE999"),
                Some("DE11"),
                "Acme GmbH in Odoo has another VAT number.",
            ),
        ] {
            let asked = outcome(&all, &party(Some(name), vat, iban));
            assert!(asked.starts_with("Unknown vendor: "), "{asked}");
            assert!(asked.contains(why), "{asked}");
        }
        let asked = outcome(&all, &party(Some("Acme"), None, None));
        assert_eq!(
            asked,
            "Unknown vendor: Odoo has none with this VAT number, account or exact name. If it is right, make it in Odoo \
             (name Acme), then move the task back to Needs_Action/accounting."
        );
    }

    #[test]
    fn find_contacts_of_one_company_are_that_company() {
        let company = partner(1, "Acme GmbH", Some("DE123"), &[]);
        let contact = Partner {
            commercial: company.commercial.clone(),
            ..partner(2, "Ada", Some("DE123"), &[])
        };
        let by_vat = party(None, Some("DE123"), None);
        assert_eq!(
            outcome(&[contact.clone(), company], &by_vat),
            "1 by VAT number"
        );
        assert_eq!(
            outcome(std::slice::from_ref(&contact), &by_vat),
            "2 by VAT number"
        );
        let other = partner(3, "Acme AG", Some("DE123"), &[]);
        assert_eq!(
            outcome(&[contact, other], &by_vat),
            "Odoo has 2 partners with this VAT number: Ada (2), Acme AG (3). Merge them there, or write the VAT number or \
             the account into the task, then move the task back to Needs_Action/accounting."
        );
    }
}
