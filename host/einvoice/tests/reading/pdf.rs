//! Files inside of PDFs, written here: a catalog, one page, embedded files.

use platinum_einvoice::{
    pdf::{Embedded, PdfError, embedded_xml, is_pdf},
    read_xml,
};
use proptest::prelude::*;

use crate::{cii, read};

const MOST: usize = 1 << 20;

/// A PDF of these objects, the first of which is the catalog, with a table of where they are.
pub(crate) fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
    let mut places = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        places.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", at + 1).bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let table = bytes.len();
    let count = objects.len() + 1;
    bytes.extend(format!("xref\n0 {count}\n0000000000 65535 f \n").bytes());
    for place in places {
        bytes.extend(format!("{place:010} 00000 n \n").bytes());
    }
    bytes.extend(
        format!("trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes(),
    );
    bytes
}

fn stream(keys: &str, content: &[u8]) -> Vec<u8> {
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(content, 6);
    let length = packed.len();
    let mut bytes =
        format!("<< {keys} /Filter /FlateDecode /Length {length} >>\nstream\n").into_bytes();
    bytes.extend(packed);
    bytes.extend(b"\nendstream");
    bytes
}

/// A PDF with one page and these files, as PDF/A-3 has them.
fn with_files(files: &[(&str, &[u8])]) -> Vec<u8> {
    let names: Vec<String> = (0..files.len())
        .map(|at| format!("({at}) {} 0 R", 4 + at * 2))
        .collect();
    let mut objects = vec![
        format!(
            "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Kids [<< /Names [{}] >>] >> >> >>",
            names.join(" ")
        )
        .into_bytes(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec(),
    ];
    for (at, (name, content)) in files.iter().enumerate() {
        let file = 5 + at * 2;
        objects.push(
            format!(
                "<< /Type /Filespec /F ({name}) /AFRelationship /Data /EF << /F {file} 0 R >> >>"
            )
            .into_bytes(),
        );
        objects.push(stream("/Type /EmbeddedFile /Subtype /text#2Fxml", content));
    }
    pdf(&objects)
}

fn names(files: &[Embedded]) -> Vec<&str> {
    files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn embedded_xml_is_the_einvoice_first() {
    let bytes = with_files(&[
        ("notes.xml", b"<notes/>"),
        ("Factur-X.xml", cii::INVOICE.as_bytes()),
        ("terms.xml", b"<terms/>"),
    ]);
    assert!(is_pdf(&bytes));
    let files = embedded_xml(bytes, MOST).unwrap();
    assert_eq!(names(&files), ["Factur-X.xml", "notes.xml", "terms.xml"]);
    let invoice = read_xml(&files[0].bytes).unwrap().unwrap();
    assert_eq!(invoice, read(cii::INVOICE));
}

#[test]
fn embedded_xml_named_by_af_alone_is_found() {
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AF [4 0 R] >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec(),
        b"<< /Type /Filespec /UF <FEFF0078002E0078006D006C> /EF << /UF 5 0 R >> >>".to_vec(),
        stream("/Type /EmbeddedFile", b"<x/>"),
    ];
    let files = embedded_xml(pdf(&objects), MOST).unwrap();
    assert_eq!(
        (names(&files), files[0].bytes.as_slice()),
        (vec!["x.xml"], b"<x/>".as_slice())
    );
}

#[test]
fn embedded_xml_of_other_pdfs_is_none() {
    assert_eq!(embedded_xml(with_files(&[]), MOST), Ok(vec![]));
    let large = vec![b' '; MOST + 1];
    assert_eq!(
        embedded_xml(with_files(&[("x.xml", &large)]), MOST),
        Ok(vec![])
    );
    for bytes in [
        &b"%PDF-1.7"[..],
        b"%PDF-1.7\nxref\ntrailer\n<< /Root 1 0 R >>",
        b"hello",
        b"",
    ] {
        assert_eq!(
            embedded_xml(bytes.to_vec(), MOST),
            Err(PdfError::Damaged),
            "{bytes:?}"
        );
    }
    assert!(!is_pdf(b"<xml/>") && !is_pdf(b""));
}

/// A tree of names that contains itself, and one that is too deep.
#[test]
fn embedded_xml_of_endless_trees_ends() {
    let page = [
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec(),
    ];
    let catalog = b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles 4 0 R >> >>".to_vec();
    let round = b"<< /Kids [4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R 4 0 R] >>".to_vec();
    let mut objects = vec![catalog];
    objects.extend(page);
    objects.push(round);
    assert_eq!(embedded_xml(pdf(&objects), MOST), Ok(vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn embedded_xml_of_mutated_pdfs_never_panics(at in 0_usize..2000, length in 0_usize..40, piece in "[<>/\\[\\]()0-9 R]{0,12}") {
        let mut bytes = with_files(&[("factur-x.xml", b"<x/>"), ("y.xml", b"<y/>")]);
        let at = at.min(bytes.len());
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, piece.bytes());
        let _ = embedded_xml(bytes, MOST);
    }
}
