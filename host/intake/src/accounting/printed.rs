//! [`Printed`]: the text of a PDF that no e-invoice is in, which may be a bill as its seller printed it.
//!
//! Nothing is decided by a word alone: offers, orders and reminders have tables and totals, too. What becomes a task
//! without a rule of the owner's calls itself an invoice, has a number, a sum, and says whose it is.

use platinum_core::text::{escape_markdown, one_line};
use platinum_einvoice::text::PdfText;
use platinum_invoice::{Invoice, Party};

use crate::text::{fenced, lines};

/// Bytes of a PDF's text that a note keeps, and that are read.
const MAX_TEXT_BYTES: usize = 24 * 1024;
/// Lines from the top in which a document says what it is.
const TITLE_LINES: usize = 60;
/// How the line begins that says that a document is a bill.
const BILLS: [&str; 9] = [
    "rechnung",
    "invoice",
    "tax invoice",
    "vat invoice",
    "gutschrift",
    "credit note",
    "bill no",
    "bill number",
    "stornorechnung",
];
/// How a line begins that only says where such a one would go.
const ADDRESSES: [&str; 6] = [
    "rechnungsadresse",
    "rechnungsanschrift",
    "rechnungsempfänger",
    "invoice to",
    "invoice address",
    "invoiced to",
];
/// How the line begins that says that a document is something else.
const OTHERS: [&str; 22] = [
    "angebot",
    "quote",
    "quotation",
    "offer",
    "estimate",
    "kostenvoranschlag",
    "auftragsbestätigung",
    "order confirmation",
    "bestellung",
    "bestellbestätigung",
    "purchase order",
    "lieferschein",
    "delivery note",
    "packing list",
    "proforma",
    "pro forma",
    "pro-forma",
    "mahnung",
    "zahlungserinnerung",
    "reminder",
    "kontoauszug",
    "statement",
];

/// What a PDF says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// The name of its file, on one line; from outside.
    name: String,
    /// Its text: bounded, without what is not seen.
    text: String,
    /// What of it is understood, with what is to be said of that.
    pub invoice: Invoice,
    /// Whether something of it is.
    is_understood: bool,
}

impl Printed {
    /// Reads it; none if there is no text.
    pub fn new(name: &str, pdf: &PdfText) -> Option<Self> {
        let (text, is_cut) = lines(&pdf.text, MAX_TEXT_BYTES);
        if text.trim().is_empty() {
            return None;
        }
        let read = Invoice::parse_document(&text);
        let is_understood = read.is_ok();
        let mut invoice = read.unwrap_or_default();
        let name = one_line(name, 80);
        invoice.notes.insert(
            0,
            format!("It was read from the text of {name}: compare it with the document."),
        );
        if is_cut || pdf.is_cut {
            invoice
                .notes
                .insert(1, format!("{name} is long: its end was not read."));
        }
        if pdf.has_unknown {
            invoice
                .notes
                .insert(1, format!("Some signs of {name} could not be read."));
        }
        Some(Self {
            name,
            text,
            invoice,
            is_understood,
        })
    }

    /// Whether a draft can be made of it: somebody, and lines or a sum.
    pub fn is_complete(&self) -> bool {
        let is_named =
            |party: &Party| party.name.is_some() || party.vat.is_some() || party.iban.is_some();
        let invoice = &self.invoice;
        let has_sum = [invoice.net, invoice.total, invoice.payable]
            .iter()
            .any(Option::is_some);
        self.is_understood
            && (is_named(&invoice.seller) || is_named(&invoice.buyer))
            && (has_sum || !invoice.lines.is_empty())
    }

    /// Whether it says of itself that it is a bill.
    pub fn is_bill(&self) -> bool {
        let mut is_bill = false;
        for line in self.text.lines().take(TITLE_LINES) {
            let line = line.trim_start_matches(['#', '*', '|', ' ']).to_lowercase();
            let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
            if !is_bill && begins(&OTHERS) {
                return false;
            }
            is_bill |= begins(&BILLS) && !begins(&ADDRESSES);
        }
        is_bill && self.invoice.number.is_some() && self.is_complete()
    }

    /// The text as a part of a note.
    pub fn section(&self) -> String {
        format!(
            "## Text of {}\n\n{}",
            escape_markdown(&self.name, 160),
            fenced(&self.text)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Printed {
        let pdf = PdfText {
            text: text.to_owned(),
            ..PdfText::default()
        };
        Printed::new("a.pdf", &pdf).unwrap()
    }

    #[test]
    fn is_bill_needs_title_number_sum_and_somebody() {
        let rest = "IBAN: DE89 3704 0044 0532 0130 00\nGesamtbetrag: 119,00 €\n";
        for (text, is_complete, is_bill) in [
            (format!("Muster GmbH\nRechnung Nr. 17\n{rest}"), true, true),
            (format!("Rechnung\n{rest}"), true, false),
            (
                format!("Angebot\nNr. 17\nRechnungsadresse: A\n{rest}"),
                true,
                false,
            ),
            (format!("Mahnung\nRechnung Nr. 17\n{rest}"), true, false),
            (
                "Rechnung Nr. 17\nGesamtbetrag: 119,00 €\n".to_owned(),
                false,
                false,
            ),
            ("Hello there\n".to_owned(), false, false),
        ] {
            let printed = printed(&text);
            assert_eq!(
                (printed.is_complete(), printed.is_bill()),
                (is_complete, is_bill),
                "{text}"
            );
        }
    }

    #[test]
    fn new_of_no_text_is_none_and_says_what_is_missing() {
        assert_eq!(Printed::new("a.pdf", &PdfText::default()), None);
        let pdf = PdfText {
            text: "Total: 5.00\nA\u{202E}B\n".to_owned(),
            is_cut: true,
            has_unknown: true,
        };
        let printed = Printed::new("a.pdf", &pdf).unwrap();
        assert!(!printed.text.contains('\u{202E}'));
        assert_eq!(
            printed.invoice.notes,
            [
                "It was read from the text of a.pdf: compare it with the document.",
                "Some signs of a.pdf could not be read.",
                "a.pdf is long: its end was not read.",
            ]
        );
    }
}
