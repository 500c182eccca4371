//! Invoices and credit notes of UBL 2.1.

use platinum_invoice::{Invoice, Kind, Party};

use crate::{decimal, lines, read};

/// An invoice of two lines with an allowance and a charge, two rates of tax, and a prepaid amount.
pub(crate) const INVOICE: &str = include_str!("../samples/ubl-invoice.xml");

fn with(from: &str, to: &str) -> Invoice {
    assert!(INVOICE.contains(from), "{from}");
    read(&INVOICE.replace(from, to))
}

#[test]
fn read_ubl_invoice_with_all_its_parts() {
    let invoice = read(INVOICE);
    assert_eq!(invoice.kind, Kind::Invoice);
    assert_eq!(invoice.number.as_deref(), Some("R-2026-17"));
    assert_eq!(invoice.date.as_deref(), Some("2026-11-30"));
    assert_eq!(invoice.due.as_deref(), Some("2026-12-14"));
    assert_eq!(invoice.currency.as_deref(), Some("EUR"));
    assert_eq!(
        invoice.seller,
        Party {
            name: Some("Muster GmbH".to_owned()),
            vat: Some("DE123456789".to_owned()),
            iban: Some("DE89370400440532013000".to_owned()),
            email: Some("seller@example.test".to_owned()),
            country: Some("DE".to_owned()),
        }
    );
    assert_eq!(invoice.buyer.name.as_deref(), Some("Beispiel AG"));
    assert_eq!(invoice.buyer.email.as_deref(), Some("buyer@example.test"));
    assert_eq!(
        lines(&invoice),
        [
            "Consulting (h) | 2.5 | 40 | 0 | 19 | 100",
            "Leaflets | A5 | 200 | 0.1 | 0 | 7 | 20",
            "Allowance: Loyalty | 1 | -10 | 0 | 19 | -10",
            "Charge: reason FC | 1 | 5 | 0 | 19 | 5",
        ]
    );
    let sums = [invoice.net, invoice.tax, invoice.total, invoice.payable];
    assert_eq!(
        sums,
        ["115", "19.45", "134.45", "100"].map(|sum| Some(decimal(sum)))
    );
    assert_eq!(
        invoice.notes,
        [
            "The allowance of 10 on the whole document is the line 3.",
            "The charge of 5 on the whole document is the line 4.",
            "Paid before: 34.45",
            "Files inside of it, which were not read: 1",
        ]
    );
    assert_eq!(
        invoice.details,
        [
            "It says: Thank you.",
            "Order: PO-9",
            "Buyer's reference: 04011000-12345-03",
            "Delivered on: 2026-11-20",
        ]
    );
}

#[test]
fn read_ubl_credit_note_by_element_and_by_type() {
    let credit_note = INVOICE
        .replace("<Invoice ", "<CreditNote ")
        .replace("</Invoice>", "</CreditNote>")
        .replace("xsd:Invoice-2", "xsd:CreditNote-2")
        .replace("InvoiceTypeCode>", "CreditNoteTypeCode>")
        .replace(">380<", ">381<")
        .replace("InvoiceLine>", "CreditNoteLine>")
        .replace("InvoicedQuantity", "CreditedQuantity");
    let read_note = read(&credit_note);
    assert_eq!(read_note.kind, Kind::CreditNote);
    assert_eq!(lines(&read_note), lines(&read(INVOICE)));
    assert_eq!(with(">380<", ">381<").kind, Kind::CreditNote);
    let corrected = with(">380<", ">384<");
    assert_eq!(corrected.kind, Kind::Invoice);
    assert_eq!(corrected.notes[0], "It is a corrected invoice (type 384).");
}

#[test]
fn read_ubl_line_allowance_is_a_discount_or_a_line() {
    let allowance = |amount: &str, is_charge: bool| {
        format!(
            "<cac:AllowanceCharge><cbc:ChargeIndicator>{is_charge}</cbc:ChargeIndicator><cbc:AllowanceChargeReason>\
             Late</cbc:AllowanceChargeReason><cbc:Amount>{amount}</cbc:Amount></cac:AllowanceCharge><cac:Item><cbc:Name>Consulting"
        )
    };
    let of = |amount: &str, is_charge: bool, sum: &str| {
        let xml = INVOICE
            .replace(
                "<cac:Item><cbc:Name>Consulting",
                &allowance(amount, is_charge),
            )
            .replace(
                "<cbc:LineExtensionAmount>100.00<",
                &format!("<cbc:LineExtensionAmount>{sum}<"),
            );
        read(&xml)
    };
    // Five per cent of a hundred.
    let invoice = of("5.00", false, "95.00");
    assert_eq!(
        lines(&invoice)[0],
        "Consulting (h) | 2.5 | 40 | 5 | 19 | 95"
    );
    assert!(
        invoice
            .notes
            .contains(&"The discount of the line 1: Late".to_owned())
    );
    // No rate of two decimals comes to this sum.
    let xml = INVOICE
        .replace("<cac:Item><cbc:Name>Consulting", &allowance("3.33", false))
        .replace("<cbc:PriceAmount>40.00<", "<cbc:PriceAmount>400.00<")
        .replace(
            "<cbc:LineExtensionAmount>100.00<",
            "<cbc:LineExtensionAmount>996.67<",
        );
    let expected = [
        "Consulting (h) | 2.5 | 400 | 0 | 19 | 1000",
        "Allowance: Late (Consulting (h)) | 1 | -3.33 | 0 | 19 | -3.33",
    ];
    assert_eq!(lines(&read(&xml))[..2], expected);
    let invoice = of("7.00", true, "107.00");
    let expected = [
        "Consulting (h) | 2.5 | 40 | 0 | 19 | 100",
        "Charge: Late (Consulting (h)) | 1 | 7 | 0 | 19 | 7",
    ];
    assert_eq!(lines(&invoice)[..2], expected);
    assert!(
        invoice
            .notes
            .contains(&"Charge: Late of the line 1 is the line 2.".to_owned())
    );
}

#[test]
fn read_ubl_base_quantity_keeps_the_sum() {
    for (base, line) in [
        ("100", "Leaflets | A5 | 200 | 0.1 | 0 | 7 | 20"),
        // A third has no end; two packs of three hundred have none either.
        ("300", "Leaflets | A5 | 200 | 0.033333333 | 0 | 7 | 20"),
        ("0", "Leaflets | A5 | 200 | 10 | 0 | 7 | 20"),
    ] {
        let invoice = with(
            "<cbc:BaseQuantity>100<",
            &format!("<cbc:BaseQuantity>{base}<"),
        );
        assert_eq!(lines(&invoice)[1], line, "{base}");
    }
    let xml = INVOICE
        .replace("<cbc:BaseQuantity>100<", "<cbc:BaseQuantity>3<")
        .replace(">200</cbc:InvoicedQuantity>", ">6</cbc:InvoicedQuantity>");
    assert_eq!(
        lines(&read(&xml))[1],
        "Leaflets | A5 (per 3) | 2 | 10 | 0 | 7 | 20"
    );
}

#[test]
fn read_ubl_special_taxes_are_notes() {
    for (from, to, note) in [
        (
            "<cac:TaxCategory><cbc:ID>S</cbc:ID><cbc:Percent>7</cbc:Percent></cac:TaxCategory></cac:TaxSubtotal>",
            "<cac:TaxCategory><cbc:ID>AE</cbc:ID><cbc:Percent>0</cbc:Percent><cbc:TaxExemptionReason>Reverse charge\
             </cbc:TaxExemptionReason></cac:TaxCategory></cac:TaxSubtotal>",
            "Tax AE (reverse charge: the buyer owes the tax): Reverse charge",
        ),
        (
            "<cbc:TaxAmount currencyID=\"EUR\">19.45</cbc:TaxAmount>",
            "<cbc:TaxAmount currencyID=\"EUR\">19.45</cbc:TaxAmount></cac:TaxTotal><cac:TaxTotal><cbc:TaxAmount \
             currencyID=\"SEK\">220.10</cbc:TaxAmount>",
            "The tax once more: 220.10 SEK",
        ),
        (
            "<cbc:PayableAmount>",
            "<cbc:PayableRoundingAmount>0.01</cbc:PayableRoundingAmount><cbc:PayableAmount>",
            "Rounding of what is to be paid: 0.01",
        ),
        (
            "<cac:Delivery>",
            "<cac:PayeeParty><cac:PartyName><cbc:Name>Factor</cbc:Name></cac:PartyName></cac:PayeeParty><cac:Delivery>",
            "It is to be paid to another than the seller: Factor",
        ),
        (
            "</cac:PaymentMeans>",
            "</cac:PaymentMeans><cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>GB1</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>",
            "Another account to pay into: GB1",
        ),
        (
            "<cac:OrderReference>",
            "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>R-1</cbc:ID></cac:InvoiceDocumentReference></cac:BillingReference><cac:OrderReference>",
            "It refers to the invoice: R-1",
        ),
        (
            "<cbc:Note>",
            "<cbc:Colour>red</cbc:Colour><cbc:Note>",
            "Not read of it: Colour.",
        ),
    ] {
        let notes = with(from, to).notes;
        assert!(notes.contains(&note.to_owned()), "{note}: {notes:#?}");
    }
}

/// The number that a tax office gives is none by which a partner is told.
#[test]
fn read_number_of_a_tax_office_is_no_vat_number() {
    let without = INVOICE.replace("DE 123456789", "98/765/4321");
    assert_eq!(read(&without.replace(">VAT<", ">FC<")).seller.vat, None);
    let unnamed = INVOICE.replace(">VAT<", ">-<");
    assert_eq!(read(&unnamed).seller.vat.as_deref(), Some("DE123456789"));
    let cii = crate::cii::INVOICE.replace("\"VA\">FR12345678901", "\"FC\">12/345/6789");
    assert_eq!(read(&cii).seller.vat, None);
}
