//! The text of PDFs, written here: fonts of both kinds, columns, forms, and what is hostile.

use platinum_einvoice::{
    pdf::PdfError,
    text::{MAX_PAGES, MAX_TEXT_BYTES, PdfText, read_text},
};
use platinum_invoice::{Decimal, Invoice};
use proptest::prelude::*;

use crate::pdf::pdf;

const PRINTED: &[u8] = include_bytes!("../samples/printed.pdf");
const HELVETICA: &str =
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>";

fn stream(keys: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!("<< {keys} /Length {} >>\nstream\n", content.len()).into_bytes();
    bytes.extend(content);
    bytes.extend(b"\nendstream");
    bytes
}

/// A page with this content, the font `F`, and what else is said of it and of its document.
fn page(content: &[u8], font: &str, of_page: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R {of_page} \
             /Resources << /Font << /F 5 0 R >> /XObject << /X 6 0 R >> >> >>"
        )
        .into_bytes(),
        stream("", content),
        font.as_bytes().to_vec(),
    ];
    objects.extend_from_slice(more);
    pdf(&objects)
}

fn text(content: &str) -> String {
    text_of(&page(content.as_bytes(), HELVETICA, "", &[]))
}

fn text_of(pdf: &[u8]) -> String {
    read_text(pdf.to_vec()).unwrap().text
}

#[test]
fn printed_bill_becomes_keys_and_a_table() {
    let read = read_text(PRINTED.to_vec()).unwrap();
    assert_eq!(
        read.text,
        "Muster Bürobedarf GmbH\n\
         Beispielweg 5, 10115 Berlin\n\
         Example Trading Ltd\nRechnungsnummer: R-2026-118\n\
         1 Sample Street\nRechnungsdatum: 30.11.2026\n\
         London\nFällig am: 14.12.2026\n\
         Rechnung\n\
         Vielen Dank für Ihren Auftrag. Wir berechnen wie folgt:\n\n\
         | Pos. | Bezeichnung | Menge | Einzelpreis | MwSt. | Gesamt |\n\
         |---|---|---|---|---|---|\n\
         | 1 | Papier A4, 80 g weiß, 500 Blatt | 10 | 4,50 € | 19 % | 45,00 € |\n\
         | 2 | Locher | 1 | 12,00 € | 19 % | 12,00 € |\n\n\
         Nettobetrag: 57,00 €\n\
         zzgl. 19 % MwSt.: 10,83 €\n\
         Rechnungsbetrag: 67,83 €\n\
         Bitte überweisen Sie den Betrag auf unser Konto.\n\
         IBAN: DE89 3704 0044 0532 0130 00\n\
         USt-IdNr.: DE123456789\n"
    );
    assert!(!read.is_cut && !read.has_unknown);
    let invoice = Invoice::parse_document(&read.text).unwrap();
    assert_eq!(invoice.number.as_deref(), Some("R-2026-118"));
    assert_eq!(invoice.due.as_deref(), Some("2026-12-14"));
    assert_eq!(
        invoice.seller.iban.as_deref(),
        Some("DE89370400440532013000")
    );
    assert_eq!(
        (invoice.lines.len(), invoice.total),
        (2, Some(Decimal::new(6783, 2)))
    );
    assert_eq!(
        platinum_invoice::find_faults(&invoice),
        Vec::<String>::new()
    );
    assert_eq!(
        invoice.notes,
        ["The VAT number DE123456789 stands by itself, and is taken for the seller's."]
    );
}

#[test]
fn words_are_parted_by_room_and_not_by_strings() {
    for (content, expected) in [
        ("BT /F 10 Tf 50 700 Td (Total) Tj ET", "Total\n"),
        (
            "BT /F 10 Tf 50 700 Td [(To) -10 (tal) -300 (due)] TJ ET",
            "Total due\n",
        ),
        (
            "BT /F 10 Tf 50 700 Td (one) Tj 0 -14 TD (two) Tj T* (three) Tj ET",
            "one\ntwo\nthree\n",
        ),
        (
            "BT /F 10 Tf 12 TL 50 700 Td (one) Tj (two) ' 0 0 (three) \" ET",
            "one\ntwo\nthree\n",
        ),
        (
            "BT /F 10 Tf 1 0 0 1 50 700 Tm (a) Tj 1 0 0 1 200 700 Tm (b) Tj ET",
            "a  b\n",
        ),
        // Bold by drawing it twice, and out of order.
        (
            "BT /F 10 Tf 50.3 700 Td (ab) Tj ET BT /F 10 Tf 50 700 Td (ab) Tj ET",
            "ab\n",
        ),
        (
            "BT /F 10 Tf 50 600 Td (below) Tj ET BT /F 10 Tf 50 700 Td (above) Tj ET",
            "above\nbelow\n",
        ),
        // Turned upright, and of no size.
        (
            "BT /F 10 Tf 0 1 -1 0 50 700 Tm (PAID) Tj ET BT /F 0 Tf (x) Tj ET",
            "",
        ),
        // A program that draws with the axis downwards.
        (
            "q 1 0 0 -1 0 842 cm BT /F 10 Tf 1 0 0 -1 50 100 Tm (a) Tj 1 0 0 -1 50 120 Tm (b) Tj ET Q",
            "a\nb\n",
        ),
        // A key with its value below it.
        (
            "BT /F 10 Tf 50 700 Td (Invoice no) Tj 150 0 Td (Invoice date) Tj ET \
             BT /F 10 Tf 50 686 Td (17) Tj 150 0 Td (30.11.2026) Tj ET",
            "Invoice no: 17\nInvoice date: 30.11.2026\n",
        ),
    ] {
        assert_eq!(text(content), expected, "{content}");
    }
}

#[test]
fn fonts_say_what_their_codes_are() {
    let map = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange \
               2 beginbfchar <0001> <20AC> <0003> <00660069> endbfchar 1 beginbfrange <0010> <0012> <0041> endbfrange endcmap";
    let composite = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 6 0 R \
                     /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 500 /W [16 [600 600] 18 18 600] >>] >>";
    let content = b"BT /F 10 Tf 50 700 Td <00010010001100120003> Tj ET";
    let bytes = page(content, composite, "", &[stream("", map.as_bytes())]);
    assert_eq!(text_of(&bytes), "€ABCfi\n");
    let differences = "<< /Type /Font /Subtype /Type1 /BaseFont /CMR10 /FirstChar 1 /LastChar 4 /Widths [500 500 500 500] \
                       /Encoding << /Differences [1 /adieresis /Euro /fi /uni00DF] >> >>";
    let bytes = page(
        b"BT /F 10 Tf 50 700 Td <01020304> Tj ET",
        differences,
        "",
        &[],
    );
    assert_eq!(text_of(&bytes), "ä€fiß\n");
    // Its codes are known to its program alone.
    let symbolic =
        "<< /Type /Font /Subtype /TrueType /BaseFont /AAAAAA+X /FontDescriptor << /Flags 4 >> >>";
    let bytes = page(b"BT /F 10 Tf 50 700 Td (abc) Tj ET", symbolic, "", &[]);
    let read = read_text(bytes).unwrap();
    assert_eq!((read.text.as_str(), read.has_unknown), ("", true));
}

#[test]
fn turned_pages_and_forms_are_read() {
    let upright = b"BT /F 10 Tf 0 1 -1 0 100 50 Tm (first) Tj 0 1 -1 0 120 50 Tm (second) Tj ET";
    assert_eq!(
        text_of(&page(upright, HELVETICA, "/Rotate 90", &[])),
        "first\nsecond\n"
    );
    let form = stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Matrix [1 0 0 1 50 600] /Resources << /Font << /F 5 0 R >> >>",
        b"BT /F 10 Tf (inside) Tj ET",
    );
    let content = b"BT /F 10 Tf 50 700 Td (above) Tj ET q /X Do Q";
    assert_eq!(
        text_of(&page(content, HELVETICA, "", &[form])),
        "above\ninside\n"
    );
}

/// Forms that draw each other end with the second; of a long chain of them the end is cut, which is said.
#[test]
fn endless_forms_end() {
    let form = |other: usize| {
        let keys = format!(
            "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F 5 0 R >> /XObject << /X {other} 0 R >> >>"
        );
        stream(&keys, b"BT /F 10 Tf 50 700 Td (a) Tj ET /X Do /X Do")
    };
    let round = page(b"/X Do", HELVETICA, "", &[form(7), form(6)]);
    let chain: Vec<Vec<u8>> = (7..18).map(form).collect();
    let chain = page(b"/X Do", HELVETICA, "", &chain);
    for (pdf, is_cut) in [(round, false), (chain, true)] {
        let read = read_text(pdf).unwrap();
        assert_eq!((read.text.as_str(), read.is_cut), ("a\n", is_cut));
    }
}

#[test]
fn long_documents_are_cut_and_say_so() {
    let mut content = Vec::new();
    for at in 0..300_000 {
        content.extend(format!("BT /F 1 Tf {} {} Td (abc) Tj ET\n", at % 500, at / 500).bytes());
    }
    let read = read_text(page(&content, HELVETICA, "", &[])).unwrap();
    assert!(read.is_cut && read.text.len() <= MAX_TEXT_BYTES);
    let mut objects = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()];
    let kids = "3 0 R ".repeat(MAX_PAGES + 1);
    objects
        .push(format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", MAX_PAGES + 1).into_bytes());
    objects.push(b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec());
    let read = read_text(pdf(&objects));
    // A page that is there again and again is one to some readers.
    assert!(read.is_ok_and(|read| read.text.is_empty()));
}

#[test]
fn pdfs_without_text_are_empty_and_broken_ones_refused() {
    assert_eq!(text(""), "");
    let scan = b"q 500 0 0 700 0 0 cm /X Do Q BI /W 1 /H 1 /BPC 8 /CS /G ID \0 EI";
    assert_eq!(
        read_text(page(scan, HELVETICA, "", &[])),
        Ok(PdfText::default())
    );
    assert_eq!(text("BT /Missing 10 Tf (x) Tj ET (unclosed"), "");
    assert_eq!(read_text(b"%PDF-1.7 torn".to_vec()), Err(PdfError::Damaged));
    assert_eq!(read_text(Vec::new()), Err(PdfError::Damaged));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn read_text_of_mutated_pdfs_never_panics(at in 0_usize..4000, length in 0_usize..40, piece in "[<>/\\[\\]()0-9 TjdmfBEQqDo-]{0,12}") {
        let mut bytes = PRINTED.to_vec();
        let at = at.min(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, piece.bytes());
        if let Ok(read) = read_text(bytes) {
            let _ = Invoice::parse_document(&read.text);
        }
    }
}
