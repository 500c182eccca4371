//! UN/CEFACT CII.

use platinum_invoice::{Kind, Party};

use crate::{decimal, lines, read};

/// An invoice as Factur-X and ZUGFeRD have it inside a PDF.
pub(crate) const INVOICE: &str = include_str!("../samples/factur-x.xml");

#[test]
fn read_cii_invoice_with_all_its_parts() {
    let invoice = read(INVOICE);
    assert_eq!(invoice.kind, Kind::Invoice);
    assert_eq!(invoice.number.as_deref(), Some("F-42"));
    assert_eq!(invoice.date.as_deref(), Some("2026-11-30"));
    assert_eq!(invoice.due.as_deref(), Some("2026-12-14"));
    assert_eq!(
        invoice.seller,
        Party {
            name: Some("Exemple SARL".to_owned()),
            vat: Some("FR12345678901".to_owned()),
            iban: Some("FR7630006000011234567890189".to_owned()),
            email: Some("vente@example.test".to_owned()),
            country: Some("FR".to_owned()),
        }
    );
    assert_eq!(lines(&invoice), ["Thé vert (kg) | 10 | 4.5 | 0 | 5.5 | 45"]);
    let sums = [invoice.net, invoice.tax, invoice.total, invoice.payable];
    assert_eq!(
        sums,
        ["45", "2.48", "47.48", "47.48"].map(|sum| Some(decimal(sum)))
    );
    assert!(invoice.notes.is_empty(), "{:?}", invoice.notes);
    assert_eq!(invoice.details, ["It says: Merci.", "Order: PO-9"]);
}

#[test]
fn read_cii_allowances_charges_and_credit_notes() {
    let xml = INVOICE.replace(">380<", ">381<").replace(
        "<ram:SpecifiedTradePaymentTerms>",
        "<ram:SpecifiedTradeAllowanceCharge><ram:ChargeIndicator><udt:Indicator>false</udt:Indicator></ram:ChargeIndicator>\
         <ram:ActualAmount>5.00</ram:ActualAmount><ram:Reason>Skonto</ram:Reason><ram:CategoryTradeTax>\
         <ram:RateApplicablePercent>5.5</ram:RateApplicablePercent></ram:CategoryTradeTax></ram:SpecifiedTradeAllowanceCharge>\
         <ram:SpecifiedLogisticsServiceCharge><ram:Description>Freight</ram:Description><ram:AppliedAmount>3.00</ram:AppliedAmount>\
         </ram:SpecifiedLogisticsServiceCharge><ram:SpecifiedTradePaymentTerms><ram:Description>30 days</ram:Description>",
    );
    let invoice = read(&xml);
    assert_eq!(invoice.kind, Kind::CreditNote);
    assert_eq!(
        lines(&invoice)[1..],
        [
            "Allowance: Skonto | 1 | -5 | 0 | 5.5 | -5",
            "Charge: Freight | 1 | 3 | 0 |  | 3"
        ]
    );
    // The sums are as they were, so they do not fit any more: that comes first.
    assert_eq!(
        invoice.notes[0],
        "The lines come to 43, and the net says 45."
    );
    assert!(invoice.notes.contains(&"Payment terms: 30 days".to_owned()));
}

#[test]
fn read_cii_line_that_only_informs_does_not_count() {
    let xml = INVOICE.replace(
        "<ram:LineID>1</ram:LineID>",
        "<ram:LineID>1</ram:LineID><ram:LineStatusReasonCode>INFORMATION</ram:LineStatusReasonCode>",
    );
    let invoice = read(&xml);
    assert!(invoice.lines.is_empty());
    assert!(
        invoice
            .notes
            .contains(&"A line of the kind INFORMATION does not count: Thé vert".to_owned())
    );
}

/// The profile MINIMUM has neither lines nor a due date.
#[test]
fn read_cii_without_lines_says_so() {
    let start = INVOICE
        .find("<ram:IncludedSupplyChainTradeLineItem>")
        .unwrap();
    let end = INVOICE
        .find("<ram:ApplicableHeaderTradeAgreement>")
        .unwrap();
    let xml = format!("{}{}", &INVOICE[..start], &INVOICE[end..]);
    let invoice = read(&xml);
    assert_eq!(
        (invoice.lines.len(), invoice.total),
        (0, Some(decimal("47.48")))
    );
    assert!(
        invoice
            .notes
            .iter()
            .any(|note| note.starts_with("It has no lines, only sums"))
    );
}
