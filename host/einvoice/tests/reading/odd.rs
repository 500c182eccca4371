//! Odd and hostile documents: encodings, prefixes, missing parts, bombs, sums that do not fit.

use std::time::{Duration, Instant};

use platinum_einvoice::{EinvoiceError, read_xml};
use proptest::prelude::*;

use crate::{cii, read, ubl};

fn utf16(text: &str, is_big: bool, has_mark: bool) -> Vec<u8> {
    let units = has_mark
        .then_some(0xFEFF)
        .into_iter()
        .chain(text.encode_utf16());
    units
        .flat_map(|unit: u16| {
            if is_big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

#[test]
fn read_encodings_declared_rightly_and_wrongly() {
    let latin = |label: &str| -> Vec<u8> {
        let text = cii::INVOICE.replace("UTF-8", label);
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect()
    };
    let labelled = |label: &str| cii::INVOICE.replace("UTF-8", label);
    let wrong =
        "It says that it is UTF-8 and is not: it was read as Windows-1252. Look at its letters.";
    for (bytes, note) in [
        (cii::INVOICE.as_bytes().to_vec(), None),
        (format!("\u{FEFF}{}", cii::INVOICE).into_bytes(), None),
        (format!("\n  {}", cii::INVOICE).into_bytes(), None),
        (utf16(&labelled("UTF-16"), false, true), None),
        (utf16(&labelled("UTF-16"), true, true), None),
        (utf16(&labelled("UTF-16"), false, false), None),
        (latin("ISO-8859-1"), None),
        (latin("windows-1252"), None),
        (latin("UTF-8"), Some(wrong)),
        (
            labelled("ISO-8859-1").into_bytes(),
            Some("It says that it is ISO-8859-1, and was read as UTF-8, which it is."),
        ),
        (
            labelled("UTF-16").into_bytes(),
            Some("It says that it is UTF-16, and it is UTF-8."),
        ),
    ] {
        let invoice = read_xml(&bytes).unwrap().unwrap();
        assert_eq!(invoice.lines[0].name, "Thé vert (kg)", "{note:?}");
        let has_note = |note: &str| invoice.notes.iter().any(|other| other == note);
        assert_eq!(
            invoice.notes.len(),
            usize::from(note.is_some()),
            "{:?}",
            invoice.notes
        );
        assert!(note.is_none_or(has_note), "{:?}", invoice.notes);
    }
    assert_eq!(
        read_xml(labelled("EBCDIC-XX").as_bytes()),
        Err(EinvoiceError::Encoding("EBCDIC-XX".to_owned()))
    );
}

#[test]
fn read_other_prefixes_are_the_same_invoice() {
    let xml = cii::INVOICE
        .replace("rsm:", "a:")
        .replace("xmlns:rsm", "xmlns:a")
        .replace("ram:", "b.c-d:")
        .replace("xmlns:ram", "xmlns:b.c-d");
    assert_eq!(read(&xml), read(cii::INVOICE));
    let without = ubl::INVOICE
        .replace("cbc:", "")
        .replace("xmlns:cbc", "xmlns:unused");
    assert_eq!(read(&without), read(ubl::INVOICE));
}

#[test]
fn read_missing_parts_are_named() {
    let root = "<Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\"";
    let invoice = read(&format!("{root}/>"));
    assert_eq!(
        invoice.notes,
        [
            "It has no lines, only sums: as its short profiles allow (MINIMUM, BASIC WL), or because they are missing.",
            "It does not say its number, its date, its currency, its seller, its buyer, its total.",
        ]
    );
    let invoice = read(&format!(
        "{root}><IssueDate>yesterday</IssueDate><InvoiceLine><Item><Name>Tea</Name></Item><LineExtensionAmount>5.00\
         </LineExtensionAmount></InvoiceLine><InvoiceLine><InvoicedQuantity>many</InvoicedQuantity></InvoiceLine></Invoice>"
    ));
    assert_eq!(
        invoice.notes[..6],
        [
            "The IssueDate `yesterday` is no day.",
            "The line 1 has no quantity; it was taken as 1.",
            "The line 1 has no price; its sum was taken as the price of all.",
            "The InvoicedQuantity `many` is no number.",
            "The line 2 has no quantity; it was taken as 1.",
            "A line without price and sum was left out: ",
        ]
        .map(|note| note.trim_end().to_owned())
    );
}

#[test]
fn read_sums_that_do_not_fit_are_a_note_and_stay() {
    let xml = ubl::INVOICE.replace(
        "<cbc:TaxInclusiveAmount>134.45<",
        "<cbc:TaxInclusiveAmount>143.45<",
    );
    let invoice = read(&xml);
    assert_eq!(invoice.total, "143.45".parse().ok());
    assert_eq!(
        invoice.notes[0],
        "Net and tax come to 134.45, and the total says 143.45."
    );
}

#[test]
fn read_what_is_no_einvoice_is_none() {
    for text in [
        "",
        "hello",
        "<html><body>CrossIndustry</body></html>",
        "<?xml version='1.0'?><feed/>",
        "{\"invoice\": 1}",
        "<a b='CrossIndustryInvoice'/>",
        "<Order xmlns='urn:oasis:names:specification:ubl:schema:xsd:Order-2'/>",
        "<Invoice xmlns='urn:example:other' x='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'/>",
    ] {
        assert_eq!(read_xml(text.as_bytes()), Ok(None), "{text}");
    }
}

#[test]
fn read_hostile_documents_are_refused_in_words() {
    let root = "<Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2'>";
    let laughs = format!(
        "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>{}",
        ubl::INVOICE.replacen("<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "", 1)
    );
    let file = format!("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">{root}</Invoice>");
    for (xml, expected) in [
        (
            laughs,
            "it declares a document type (DTD), which no e-invoice needs",
        ),
        (
            file,
            "it declares a document type (DTD), which no e-invoice needs",
        ),
        (
            format!("{root}{}", "<a>".repeat(1_000_000)),
            "its elements are nested more than 64 deep",
        ),
        (
            format!("{root}{}</Invoice>", "<a/>".repeat(500_000)),
            "it has more than 400000 elements",
        ),
        (
            format!("{root}{}</Invoice>", "x".repeat(25_000_000)),
            "it has 25000082 bytes, and 25000000 is the most that is read",
        ),
        (
            "<rsm:CrossIndustryDocument xmlns:rsm='urn:ferd:CrossIndustryDocument:invoice:1p0'/>"
                .to_owned(),
            "it is ZUGFeRD 1, which is not read",
        ),
    ] {
        let started = Instant::now();
        let error = read_xml(xml.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(started.elapsed() < Duration::from_secs(20), "{expected}");
    }
    for cut in [200, 700, ubl::INVOICE.len() - 5] {
        let error = read_xml(&ubl::INVOICE.as_bytes()[..cut])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("it is not well-formed XML: "), "{error}");
    }
}

proptest! {
    /// Pieces taken out, doubled, or put elsewhere: an answer, and an invoice that survives as text.
    #[test]
    fn read_mutated_documents_never_breaks(
        is_ubl: bool, at in 0_usize..8000, length in 0_usize..60, to in 0_usize..8000, piece in "[<>/&'\"=a-z0-9.:;-]{0,12}",
    ) {
        let source = if is_ubl { ubl::INVOICE } else { cii::INVOICE };
        let mut bytes = source.as_bytes().to_vec();
        let at = at.min(bytes.len());
        let end = (at + length).min(bytes.len());
        let taken: Vec<u8> = bytes.splice(at..end, piece.bytes()).collect();
        let to = to.min(bytes.len());
        bytes.splice(to..to, taken);
        if let Ok(Some(invoice)) = read_xml(&bytes) {
            prop_assert_eq!(platinum_invoice::Invoice::parse(&invoice.render()), Ok(invoice));
        }
    }
}
