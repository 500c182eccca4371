//! UBL 2.1: `Invoice` and `CreditNote`.

use platinum_invoice::{Invoice, Party};

use crate::{
    builder::{Allowance, Builder, LineParts, is_true, vat_of},
    xml::Element,
};

/// How the names of its vocabularies begin.
pub(crate) const NAMESPACE: &str = "urn:oasis:names:specification:ubl:schema:xsd:";

const KNOWN: &[&str] = &[
    "UBLExtensions",
    "UBLVersionID",
    "CustomizationID",
    "ProfileID",
    "ProfileExecutionID",
    "ID",
    "UUID",
    "CopyIndicator",
    "IssueDate",
    "IssueTime",
    "DueDate",
    "InvoiceTypeCode",
    "CreditNoteTypeCode",
    "Note",
    "TaxPointDate",
    "DocumentCurrencyCode",
    "TaxCurrencyCode",
    "AccountingCost",
    "BuyerReference",
    "InvoicePeriod",
    "OrderReference",
    "BillingReference",
    "DespatchDocumentReference",
    "ReceiptDocumentReference",
    "OriginatorDocumentReference",
    "ContractDocumentReference",
    "AdditionalDocumentReference",
    "ProjectReference",
    "AccountingSupplierParty",
    "AccountingCustomerParty",
    "PayeeParty",
    "TaxRepresentativeParty",
    "Delivery",
    "PaymentMeans",
    "PaymentTerms",
    "AllowanceCharge",
    "TaxTotal",
    "LegalMonetaryTotal",
    "InvoiceLine",
    "CreditNoteLine",
    "Signature",
];
const KNOWN_OF_LINE: &[&str] = &[
    "ID",
    "UUID",
    "Note",
    "InvoicedQuantity",
    "CreditedQuantity",
    "LineExtensionAmount",
    "AccountingCost",
    "InvoicePeriod",
    "OrderLineReference",
    "DocumentReference",
    "AllowanceCharge",
    "Item",
    "Price",
    "TaxTotal",
];
const KNOWN_OF_TOTAL: &[&str] = &[
    "LineExtensionAmount",
    "TaxExclusiveAmount",
    "TaxInclusiveAmount",
    "AllowanceTotalAmount",
    "ChargeTotalAmount",
    "PrepaidAmount",
    "PayableRoundingAmount",
    "PayableAmount",
];

pub(crate) fn read(root: Element<'_>) -> Invoice {
    let mut builder = Builder::default();
    builder.note_unread(root, KNOWN);
    let code = root
        .text_at("InvoiceTypeCode")
        .or_else(|| root.text_at("CreditNoteTypeCode"));
    builder.set_type(code, root.name() == "CreditNote");
    builder.invoice.number = root.text_at("ID");
    builder.invoice.date = builder.day(root.at("IssueDate"));
    let due = root
        .at("DueDate")
        .or_else(|| root.at("PaymentMeans/PaymentDueDate"));
    builder.invoice.due = builder.day(due);
    builder.invoice.currency = root.text_at("DocumentCurrencyCode");
    if let Some(party) = root.at("AccountingSupplierParty/Party") {
        builder.invoice.seller = party_of(party);
    }
    if let Some(party) = root.at("AccountingCustomerParty/Party") {
        builder.invoice.buyer = party_of(party);
    }
    read_payment(root, &mut builder);
    for name in ["InvoiceLine", "CreditNoteLine"] {
        for line in root.all(name) {
            read_line(line, &mut builder);
        }
    }
    for allowance in root.all("AllowanceCharge") {
        if let Some(allowance) = allowance_of(allowance, &mut builder) {
            builder.add_allowance(&allowance);
        }
    }
    read_taxes(root, &mut builder);
    if let Some(total) = root.at("LegalMonetaryTotal") {
        builder.note_unread(total, KNOWN_OF_TOTAL);
        builder.invoice.net = builder.number_at(total, "TaxExclusiveAmount");
        builder.invoice.total = builder.number_at(total, "TaxInclusiveAmount");
        builder.invoice.payable = builder.number_at(total, "PayableAmount");
        builder.note_text("Paid before", total.text_at("PrepaidAmount"));
        builder.note_text(
            "Rounding of what is to be paid",
            total.text_at("PayableRoundingAmount"),
        );
    }
    read_references(root, &mut builder);
    builder.finish()
}

fn party_of(party: Element<'_>) -> Party {
    let registrations = party.all("PartyTaxScheme").map(|scheme| {
        let kind = scheme.text_at("TaxScheme/ID");
        let is_vat = kind.is_some_and(|kind| kind.eq_ignore_ascii_case("VAT"));
        (is_vat, scheme.text_at("CompanyID"))
    });
    let vat = vat_of(registrations);
    let endpoint = party
        .at("EndpointID")
        .filter(|id| id.attribute("schemeID") == Some("EM"));
    Party {
        name: party
            .text_at("PartyLegalEntity/RegistrationName")
            .or_else(|| party.text_at("PartyName/Name")),
        vat,
        iban: None,
        email: party
            .text_at("Contact/ElectronicMail")
            .or_else(|| endpoint.and_then(Element::text)),
        country: party.text_at("PostalAddress/Country/IdentificationCode"),
    }
}

fn read_payment(root: Element<'_>, builder: &mut Builder) {
    for means in root.all("PaymentMeans") {
        builder.add_account(means.text_at("PayeeFinancialAccount/ID"));
        builder.note_text(
            "To be collected from the account",
            means.text_at("PaymentMandate/PayerFinancialAccount/ID"),
        );
        builder.detail("Reference of the payment", means.text_at("PaymentID"));
    }
    if let Some(payee) = root.at("PayeeParty") {
        builder.note_payee(payee.text_at("PartyName/Name"));
    }
    for terms in root.all("PaymentTerms") {
        builder.note_text("Payment terms", terms.text_at("Note"));
    }
}

fn allowance_of(element: Element<'_>, builder: &mut Builder) -> Option<Allowance> {
    Some(Allowance {
        is_charge: is_true(element.text_at("ChargeIndicator").as_deref()),
        amount: builder.number_at(element, "Amount")?,
        reason: element.text_at("AllowanceChargeReason").or_else(|| {
            Some(format!(
                "reason {}",
                element.text_at("AllowanceChargeReasonCode")?
            ))
        }),
        tax: builder.number_at(element, "TaxCategory/Percent"),
    })
}

fn read_line(line: Element<'_>, builder: &mut Builder) {
    builder.note_unread(line, KNOWN_OF_LINE);
    let quantity = line
        .at("InvoicedQuantity")
        .or_else(|| line.at("CreditedQuantity"));
    let allowances = line
        .all("AllowanceCharge")
        .filter_map(|one| allowance_of(one, builder))
        .collect();
    let parts = LineParts {
        name: line
            .text_at("Item/Name")
            .or_else(|| line.text_at("Item/Description")),
        quantity: builder.number(quantity),
        unit: quantity
            .and_then(|quantity| quantity.attribute("unitCode"))
            .map(str::to_owned),
        price: builder.number_at(line, "Price/PriceAmount"),
        base: builder.number_at(line, "Price/BaseQuantity"),
        tax: builder.number_at(line, "Item/ClassifiedTaxCategory/Percent"),
        total: builder.number_at(line, "LineExtensionAmount"),
        allowances,
    };
    builder.add_line(parts);
    let position = builder.invoice.lines.len();
    builder.note_text(&format!("To the line {position}"), line.text_at("Note"));
}

fn read_taxes(root: Element<'_>, builder: &mut Builder) {
    for total in root.all("TaxTotal") {
        builder.add_tax(total.at("TaxAmount"));
        for part in total.all("TaxSubtotal") {
            let Some(category) = part.at("TaxCategory") else {
                continue;
            };
            let reason = category
                .text_at("TaxExemptionReason")
                .or_else(|| category.text_at("TaxExemptionReasonCode"));
            builder.note_category(category.text_at("ID"), reason);
        }
    }
}

fn read_references(root: Element<'_>, builder: &mut Builder) {
    for note in root.all("Note") {
        builder.detail("It says", note.text());
    }
    for reference in root.all("BillingReference") {
        builder.note_text(
            "It refers to the invoice",
            reference.text_at("InvoiceDocumentReference/ID"),
        );
    }
    builder.detail("Order", root.text_at("OrderReference/ID"));
    builder.detail("Buyer's reference", root.text_at("BuyerReference"));
    builder.detail("Delivered on", root.text_at("Delivery/ActualDeliveryDate"));
    let files = root
        .all("AdditionalDocumentReference")
        .filter(|reference| reference.at("Attachment").is_some());
    builder.note_files(files.count());
}
