//! Which side of an invoice its owner is on, and in whose books it belongs.
//!
//! Invariants: pure; a company is known by its VAT number, or by its name if the VAT numbers do not contradict; where
//! it may be two, nothing is chosen.

use platinum_invoice::{Invoice, Kind, Party};
use platinum_sdk::odoo::types::Company;
use platinum_sdk::text::comparable;

use crate::question;

/// Where an invoice belongs.
#[derive(Debug, Clone)]
pub struct Placement<'a> {
    /// In whose books.
    pub company: &'a Company,
    /// Whether the company sells.
    pub is_sale: bool,
    /// The customer or vendor, as the document has it.
    pub party: &'a Party,
    /// What the owner has to look at.
    pub doubts: Vec<String>,
}

impl Placement<'_> {
    /// What the contract calls the document.
    #[must_use]
    pub fn kind(&self, kind: Kind) -> &'static str {
        match (self.is_sale, kind) {
            (true, Kind::Invoice) => "customer-invoice",
            (true, Kind::CreditNote) => "customer-credit-note",
            (false, Kind::Invoice) => "vendor-bill",
            (false, Kind::CreditNote) => "vendor-credit-note",
        }
    }
}

/// Decides it.
///
/// # Errors
/// A question to the owner.
pub fn place<'a>(companies: &'a [Company], invoice: &'a Invoice) -> Result<Placement<'a>, String> {
    let (seller, buyer) = (&invoice.seller, &invoice.buyer);
    let selling = known_as(companies, seller)?;
    let buying = known_as(companies, buyer)?;
    let (company, is_sale) = match (selling, buying) {
        (Some(_), Some(_)) => return Err(question::own_on_both_sides()),
        (Some(company), None) => (Some(company), true),
        (None, Some(company)) => (Some(company), false),
        (None, None) if !is_named(seller) && !is_named(buyer) => {
            return Err(question::nobody_named());
        }
        // Who asks for an invoice names whom it is to; who sends one names itself.
        (None, None) => (None, !is_named(seller)),
    };
    let mut doubts = Vec::new();
    let company = match (company, companies) {
        (Some(company), _) => company,
        (None, [only]) => {
            let own = if is_sale { seller } else { buyer };
            if let Some(name) = own.name.as_deref().or(own.vat.as_deref()) {
                doubts.push(format!(
                    "It is addressed to {name}, which is not the name of your company in Odoo, {}.",
                    only.name
                ));
            }
            only
        }
        (None, []) => return Err(question::no_company()),
        (None, _) => return Err(question::which_company(companies, is_sale)),
    };
    let party = if is_sale { buyer } else { seller };
    if !is_named(party) {
        return Err(question::other_side_missing(is_sale));
    }
    Ok(Placement {
        company,
        is_sale,
        party,
        doubts,
    })
}

/// Whether anything names a party by which it could be found.
pub(crate) fn is_named(party: &Party) -> bool {
    party.name.is_some() || party.vat.is_some() || party.iban.is_some()
}

/// The company that a party is, if it is one of these.
fn known_as<'a>(companies: &'a [Company], party: &Party) -> Result<Option<&'a Company>, String> {
    let is_same = |one: Option<&str>, other: Option<&str>| match (one, other) {
        (Some(one), Some(other)) => Some(comparable(one) == comparable(other)),
        _ => None,
    };
    let (vat, name) = (party.vat.as_deref(), party.name.as_deref());
    let by_vat = companies
        .iter()
        .filter(|it| is_same(it.vat.as_deref(), vat) == Some(true));
    let by_vat: Vec<&Company> = by_vat.collect();
    let named = companies
        .iter()
        .filter(|it| is_same(Some(&it.name), name) == Some(true));
    match by_vat.as_slice() {
        [] => {
            let is_possible = |it: &&Company| is_same(it.vat.as_deref(), vat) != Some(false);
            match named.filter(is_possible).collect::<Vec<_>>().as_slice() {
                [] => Ok(None),
                [company] => Ok(Some(*company)),
                several => Err(question::several_companies(several)),
            }
        }
        [company] => Ok(Some(*company)),
        // Several companies of one tax group: the name decides.
        several => {
            let named: Vec<&Company> = named
                .filter(|it| several.iter().any(|one| one.id == it.id))
                .collect();
            match named.as_slice() {
                [company] => Ok(Some(*company)),
                _ => Err(question::several_companies(several)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn company(id: u64, name: &str, vat: Option<&str>) -> Company {
        Company {
            id,
            name: name.into(),
            vat: vat.map(Into::into),
            currency: "EUR".into(),
            rounds_per_line: true,
            sale_tax: None,
            purchase_tax: None,
        }
    }

    fn outcome(companies: &[Company], text: &str) -> String {
        let invoice = Invoice::parse(text).unwrap();
        match place(companies, &invoice) {
            Ok(placed) => format!(
                "{} of {} with {}{}",
                placed.kind(invoice.kind),
                placed.company.name,
                placed
                    .party
                    .name
                    .as_deref()
                    .or(placed.party.vat.as_deref())
                    .unwrap_or("-"),
                if placed.doubts.is_empty() { "" } else { "?" },
            ),
            Err(question) => question,
        }
    }

    #[test]
    fn place_decides_by_vat_then_name_then_who_is_named() {
        let one = [company(1, "Me Ltd", Some("DE111"))];
        let two = [
            company(1, "Me Ltd", Some("DE111")),
            company(2, "Other & Co.", None),
        ];
        for (companies, text, expected) in [
            (
                &one[..],
                "Seller: Acme\nBuyer: Me Ltd",
                "vendor-bill of Me Ltd with Acme",
            ),
            (
                &one,
                "Seller: Acme\nBuyer: ME LTD.",
                "vendor-bill of Me Ltd with Acme",
            ),
            (
                &one,
                "Seller: Acme\nBuyer: X\nBuyer VAT: DE 111",
                "vendor-bill of Me Ltd with Acme",
            ),
            (
                &one,
                "Seller: Me Ltd\nBuyer: Acme",
                "customer-invoice of Me Ltd with Acme",
            ),
            (
                &one,
                "Type: Credit note\nSeller: Me Ltd\nBuyer: Acme",
                "customer-credit-note of Me Ltd with Acme",
            ),
            (
                &one,
                "Type: Credit note\nSeller: Acme",
                "vendor-credit-note of Me Ltd with Acme",
            ),
            (&one, "Buyer: Acme", "customer-invoice of Me Ltd with Acme"),
            (&one, "Seller VAT: FR9", "vendor-bill of Me Ltd with FR9"),
            // A person's own name, or somebody else's bill: the owner sees it.
            (
                &one,
                "Seller: Acme\nBuyer: Jane Doe",
                "vendor-bill of Me Ltd with Acme?",
            ),
            // The same name with another VAT number is somebody else.
            (
                &one,
                "Seller: Acme\nBuyer: Me Ltd\nBuyer VAT: DE999",
                "vendor-bill of Me Ltd with Acme?",
            ),
            (
                &two,
                "Seller: Acme\nBuyer: other & co",
                "vendor-bill of Other & Co. with Acme",
            ),
            (
                &two,
                "Buyer: Acme\nSeller VAT: DE111",
                "customer-invoice of Me Ltd with Acme",
            ),
        ] {
            assert_eq!(outcome(companies, text), expected, "{text}");
        }
    }

    #[test]
    fn place_asks_where_it_may_be_two() {
        let two = [
            company(1, "Me Ltd", Some("DE111")),
            company(2, "Other & Co.", None),
        ];
        let group = [
            company(1, "Me Ltd", Some("DE111")),
            company(2, "Me Two Ltd", Some("DE111")),
        ];
        for (companies, text, expected) in [
            (
                &two[..],
                "Seller: Acme",
                question::which_company(&two, false),
            ),
            (&two, "Buyer: Acme", question::which_company(&two, true)),
            (
                &two,
                "Seller: Me Ltd\nBuyer: Other & Co.",
                question::own_on_both_sides(),
            ),
            (&two, "Number: 7\nTotal: 5.00", question::nobody_named()),
            (
                &two,
                "Buyer: Me Ltd\nTotal: 5.00",
                question::other_side_missing(false),
            ),
            (&two, "Seller: Me Ltd", question::other_side_missing(true)),
            (&[], "Seller: Acme", question::no_company()),
            (
                &group,
                "Seller: Acme\nBuyer VAT: DE111",
                question::several_companies(&[&group[0], &group[1]]),
            ),
        ] {
            assert_eq!(outcome(companies, text), expected, "{text}");
        }
        let named = outcome(&group, "Seller: Acme\nBuyer: Me Two Ltd\nBuyer VAT: DE111");
        assert_eq!(named, "vendor-bill of Me Two Ltd with Acme");
    }
}
