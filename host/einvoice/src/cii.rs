//! UN/CEFACT Cross Industry Invoice: Factur-X, ZUGFeRD 2, XRechnung.

use platinum_invoice::{Invoice, Party};

use crate::{
    builder::{Allowance, Builder, LineParts, is_true, vat_of},
    xml::Element,
};

/// How the name of its vocabulary begins.
pub(crate) const NAMESPACE: &str = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:";

const KNOWN_OF_DOCUMENT: &[&str] = &[
    "ID",
    "Name",
    "TypeCode",
    "IssueDateTime",
    "IncludedNote",
    "LanguageID",
];
const KNOWN_OF_SETTLEMENT: &[&str] = &[
    "CreditorReferenceID",
    "PaymentReference",
    "TaxCurrencyCode",
    "InvoiceCurrencyCode",
    "PayeeTradeParty",
    "SpecifiedTradeSettlementPaymentMeans",
    "ApplicableTradeTax",
    "BillingSpecifiedPeriod",
    "SpecifiedTradeAllowanceCharge",
    "SpecifiedLogisticsServiceCharge",
    "SpecifiedTradePaymentTerms",
    "SpecifiedTradeSettlementHeaderMonetarySummation",
    "InvoiceReferencedDocument",
    "ReceivableSpecifiedTradeAccountingAccount",
];
const KNOWN_OF_LINE: &[&str] = &[
    "AssociatedDocumentLineDocument",
    "SpecifiedTradeProduct",
    "SpecifiedLineTradeAgreement",
    "SpecifiedLineTradeDelivery",
    "SpecifiedLineTradeSettlement",
];
const KNOWN_OF_TOTAL: &[&str] = &[
    "LineTotalAmount",
    "ChargeTotalAmount",
    "AllowanceTotalAmount",
    "TaxBasisTotalAmount",
    "TaxTotalAmount",
    "RoundingAmount",
    "GrandTotalAmount",
    "TotalPrepaidAmount",
    "DuePayableAmount",
];

pub(crate) fn read(root: Element<'_>) -> Invoice {
    let mut builder = Builder::default();
    let document = root.at("ExchangedDocument");
    let code = document.and_then(|document| document.text_at("TypeCode"));
    builder.set_type(code, false);
    if let Some(document) = document {
        builder.note_unread(document, KNOWN_OF_DOCUMENT);
        builder.invoice.number = document.text_at("ID");
        builder.invoice.date = builder.day(document.at("IssueDateTime/DateTimeString"));
    }
    let Some(transaction) = root.at("SupplyChainTradeTransaction") else {
        return builder.finish();
    };
    let settlement = transaction.at("ApplicableHeaderTradeSettlement");
    builder.invoice.currency =
        settlement.and_then(|settlement| settlement.text_at("InvoiceCurrencyCode"));
    if let Some(agreement) = transaction.at("ApplicableHeaderTradeAgreement") {
        builder.invoice.seller = agreement
            .at("SellerTradeParty")
            .map(party_of)
            .unwrap_or_default();
        builder.invoice.buyer = agreement
            .at("BuyerTradeParty")
            .map(party_of)
            .unwrap_or_default();
    }
    for line in transaction.all("IncludedSupplyChainTradeLineItem") {
        read_line(line, &mut builder);
    }
    if let Some(settlement) = settlement {
        read_settlement(settlement, &mut builder);
    }
    for note in document
        .into_iter()
        .flat_map(|document| document.all("IncludedNote"))
    {
        builder.detail("It says", note.text_at("Content"));
    }
    if let Some(agreement) = transaction.at("ApplicableHeaderTradeAgreement") {
        builder.detail(
            "Order",
            agreement.text_at("BuyerOrderReferencedDocument/IssuerAssignedID"),
        );
        builder.detail("Buyer's reference", agreement.text_at("BuyerReference"));
        let files = agreement
            .all("AdditionalReferencedDocument")
            .filter(|reference| reference.at("AttachmentBinaryObject").is_some());
        builder.note_files(files.count());
    }
    let delivered = transaction
        .at("ApplicableHeaderTradeDelivery/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString");
    let delivered = builder.day(delivered);
    builder.detail("Delivered on", delivered);
    builder.finish()
}

fn party_of(party: Element<'_>) -> Party {
    let registrations = party
        .all("SpecifiedTaxRegistration")
        .filter_map(|one| one.at("ID"))
        .map(|id| (id.attribute("schemeID") == Some("VA"), id.text()));
    let vat = vat_of(registrations);
    let address = party
        .at("URIUniversalCommunication/URIID")
        .filter(|id| id.attribute("schemeID") == Some("EM"));
    Party {
        name: party
            .text_at("Name")
            .or_else(|| party.text_at("SpecifiedLegalOrganization/TradingBusinessName")),
        vat,
        iban: None,
        email: party
            .text_at("DefinedTradeContact/EmailURIUniversalCommunication/URIID")
            .or_else(|| address.and_then(Element::text)),
        country: party.text_at("PostalTradeAddress/CountryID"),
    }
}

fn allowance_of(element: Element<'_>, builder: &mut Builder) -> Option<Allowance> {
    Some(Allowance {
        is_charge: is_true(element.text_at("ChargeIndicator/Indicator").as_deref()),
        amount: builder.number_at(element, "ActualAmount")?,
        reason: element
            .text_at("Reason")
            .or_else(|| Some(format!("reason {}", element.text_at("ReasonCode")?))),
        tax: builder.number_at(element, "CategoryTradeTax/RateApplicablePercent"),
    })
}

fn read_line(line: Element<'_>, builder: &mut Builder) {
    builder.note_unread(line, KNOWN_OF_LINE);
    let name = line
        .text_at("SpecifiedTradeProduct/Name")
        .or_else(|| line.text_at("SpecifiedTradeProduct/Description"));
    // A line that only groups others, or tells something, counts for nothing.
    if let Some(kind @ ("GROUP" | "INFORMATION")) = line
        .text_at("AssociatedDocumentLineDocument/LineStatusReasonCode")
        .as_deref()
    {
        let name = name.unwrap_or_default();
        return builder.note(format!("A line of the kind {kind} does not count: {name}"));
    }
    let settlement = line.at("SpecifiedLineTradeSettlement");
    let quantity = line.at("SpecifiedLineTradeDelivery/BilledQuantity");
    let agreement = line.at("SpecifiedLineTradeAgreement");
    let price = agreement.and_then(|agreement| {
        let net = agreement.at("NetPriceProductTradePrice");
        net.or_else(|| agreement.at("GrossPriceProductTradePrice"))
    });
    let allowances = settlement
        .into_iter()
        .flat_map(|settlement| settlement.all("SpecifiedTradeAllowanceCharge"))
        .filter_map(|one| allowance_of(one, builder))
        .collect();
    let at = |path: &str| settlement.and_then(|settlement| settlement.at(path));
    let parts = LineParts {
        name,
        quantity: builder.number(quantity),
        unit: quantity
            .and_then(|quantity| quantity.attribute("unitCode"))
            .map(str::to_owned),
        price: builder.number(price.and_then(|price| price.at("ChargeAmount"))),
        base: builder.number(price.and_then(|price| price.at("BasisQuantity"))),
        tax: builder.number(at("ApplicableTradeTax/RateApplicablePercent")),
        total: builder.number(at(
            "SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
        )),
        allowances,
    };
    builder.add_line(parts);
    let position = builder.invoice.lines.len();
    let note = line.text_at("AssociatedDocumentLineDocument/IncludedNote/Content");
    builder.note_text(&format!("To the line {position}"), note);
}

fn read_settlement(settlement: Element<'_>, builder: &mut Builder) {
    builder.note_unread(settlement, KNOWN_OF_SETTLEMENT);
    for allowance in settlement.all("SpecifiedTradeAllowanceCharge") {
        if let Some(allowance) = allowance_of(allowance, builder) {
            builder.add_allowance(&allowance);
        }
    }
    for charge in settlement.all("SpecifiedLogisticsServiceCharge") {
        if let Some(amount) = builder.number_at(charge, "AppliedAmount") {
            let charge = Allowance {
                is_charge: true,
                amount,
                reason: charge.text_at("Description"),
                tax: builder.number_at(charge, "AppliedTradeTax/RateApplicablePercent"),
            };
            builder.add_allowance(&charge);
        }
    }
    for means in settlement.all("SpecifiedTradeSettlementPaymentMeans") {
        let account = means
            .text_at("PayeePartyCreditorFinancialAccount/IBANID")
            .or_else(|| means.text_at("PayeePartyCreditorFinancialAccount/ProprietaryID"));
        builder.add_account(account);
        let payer = means.text_at("PayerPartyDebtorFinancialAccount/IBANID");
        builder.note_text("To be collected from the account", payer);
    }
    builder.detail(
        "Reference of the payment",
        settlement.text_at("PaymentReference"),
    );
    if let Some(payee) = settlement.at("PayeeTradeParty") {
        builder.note_payee(payee.text_at("Name"));
    }
    for terms in settlement.all("SpecifiedTradePaymentTerms") {
        if builder.invoice.due.is_none() {
            builder.invoice.due = builder.day(terms.at("DueDateDateTime/DateTimeString"));
        }
        builder.note_text("Payment terms", terms.text_at("Description"));
    }
    for tax in settlement.all("ApplicableTradeTax") {
        let reason = tax
            .text_at("ExemptionReason")
            .or_else(|| tax.text_at("ExemptionReasonCode"));
        builder.note_category(tax.text_at("CategoryCode"), reason);
    }
    for reference in settlement.all("InvoiceReferencedDocument") {
        builder.note_text(
            "It refers to the invoice",
            reference.text_at("IssuerAssignedID"),
        );
    }
    if let Some(total) = settlement.at("SpecifiedTradeSettlementHeaderMonetarySummation") {
        read_total(total, builder);
    }
}

fn read_total(total: Element<'_>, builder: &mut Builder) {
    builder.note_unread(total, KNOWN_OF_TOTAL);
    builder.invoice.net = builder.number_at(total, "TaxBasisTotalAmount");
    builder.invoice.total = builder.number_at(total, "GrandTotalAmount");
    builder.invoice.payable = builder.number_at(total, "DuePayableAmount");
    for amount in total.all("TaxTotalAmount") {
        builder.add_tax(Some(amount));
    }
    builder.note_text("Paid before", total.text_at("TotalPrepaidAmount"));
    builder.note_text(
        "Rounding of what is to be paid",
        total.text_at("RoundingAmount"),
    );
}
