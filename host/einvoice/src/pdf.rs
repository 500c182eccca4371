//! The files embedded in a PDF: of a Factur-X or ZUGFeRD document, its XML.
//!
//! Invariant: this bounds what it keeps, not what the reader of PDFs costs: a hostile PDF may be packed a thousand
//! times over, or nest its objects. Bytes from outside go through a process with bounded memory and time
//! (`platinum-intake`).

use std::collections::BTreeSet;

use hayro_syntax::{
    Pdf,
    object::{Array, Dict, Name, Stream, String as PdfString},
};

/// The most files of a PDF that are looked at.
pub const MAX_FILES: usize = 32;
/// The most nodes of the tree of names that are walked.
const MAX_NODES: usize = 1_000;
/// How deep the tree of names is walked.
const MAX_DEPTH: usize = 16;
/// The names that the standards give the XML.
const NAMES: [&str; 5] = [
    "factur-x.xml",
    "zugferd-invoice.xml",
    "xrechnung.xml",
    "order-x.xml",
    "cii.xml",
];

/// A file inside a PDF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// Its name: any text, never a path.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Why a PDF cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// It is protected by a password, or in a way that is not known.
    #[error("the PDF is encrypted")]
    Encrypted,
    /// Its structure cannot be read.
    #[error("the PDF is damaged")]
    Damaged,
}

/// Whether these bytes are a PDF.
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    head.windows(5).any(|window| window == b"%PDF-")
}

/// The XML files that a PDF carries, those first that are named as the standards name them; at most [`MAX_FILES`].
///
/// # Errors
/// [`PdfError`].
pub fn embedded_xml(bytes: Vec<u8>, max_file_bytes: usize) -> Result<Vec<Embedded>, PdfError> {
    let pdf = open(bytes)?;
    let catalog: Dict<'_> = pdf
        .xref()
        .get(pdf.xref().root_id())
        .ok_or(PdfError::Damaged)?;
    let mut specs = Vec::new();
    let names = catalog.get::<Dict<'_>>("Names");
    if let Some(tree) = names.and_then(|names| names.get::<Dict<'_>>("EmbeddedFiles")) {
        walk(&tree, 0, &mut 0, &mut specs);
    }
    // PDF/A-3 names them here, too.
    if let Some(files) = catalog.get::<Array<'_>>("AF") {
        specs.extend(files.iter::<Dict<'_>>().take(MAX_FILES));
    }
    let mut seen = BTreeSet::new();
    let mut files: Vec<Embedded> = specs
        .iter()
        .filter_map(|spec| file_of(spec, max_file_bytes))
        .filter(|file| seen.insert(file.bytes.clone()))
        .take(MAX_FILES)
        .collect();
    let rank = |file: &Embedded| {
        let name = file.name.to_lowercase();
        NAMES
            .iter()
            .position(|known| *known == name)
            .unwrap_or(NAMES.len())
    };
    files.sort_by_key(rank);
    Ok(files)
}

/// Opens a PDF.
pub(crate) fn open(bytes: Vec<u8>) -> Result<Pdf, PdfError> {
    Pdf::new(bytes).map_err(|error| match error {
        hayro_syntax::LoadPdfError::Decryption(_) => PdfError::Encrypted,
        hayro_syntax::LoadPdfError::Invalid => PdfError::Damaged,
    })
}

/// The file specifications of a tree of names.
fn walk<'a>(node: &Dict<'a>, depth: usize, nodes: &mut usize, specs: &mut Vec<Dict<'a>>) {
    *nodes += 1;
    if depth > MAX_DEPTH || *nodes > MAX_NODES || specs.len() >= MAX_FILES {
        return;
    }
    if let Some(names) = node.get::<Array<'a>>("Names") {
        // Name and file take turns.
        let mut pairs = names.flex_iter();
        while specs.len() < MAX_FILES && pairs.next::<PdfString<'a>>().is_some() {
            let Some(spec) = pairs.next::<Dict<'a>>() else {
                break;
            };
            specs.push(spec);
        }
    }
    if let Some(kids) = node.get::<Array<'a>>("Kids") {
        for kid in kids.iter::<Dict<'a>>().take(MAX_NODES) {
            walk(&kid, depth + 1, nodes, specs);
        }
    }
}

/// The file of a specification, if it is XML.
fn file_of(spec: &Dict<'_>, max_bytes: usize) -> Option<Embedded> {
    let text = |key: &str| {
        spec.get::<PdfString<'_>>(key)
            .map(|name| decoded(name.as_bytes()))
    };
    let name = text("UF").or_else(|| text("F")).unwrap_or_default();
    let streams = spec.get::<Dict<'_>>("EF")?;
    let stream = streams
        .get::<Stream<'_>>("F")
        .or_else(|| streams.get::<Stream<'_>>("UF"))?;
    let subtype = stream.dict().get::<Name<'_>>("Subtype");
    let is_xml = name.to_lowercase().ends_with(".xml")
        || subtype.is_some_and(|subtype| subtype.as_str().ends_with("xml"));
    if !is_xml {
        return None;
    }
    let bytes = stream.decoded_data().ok()?;
    (bytes.len() <= max_bytes).then(|| Embedded {
        name,
        bytes: bytes.into_owned(),
    })
}

/// A text of a PDF: UTF-16 or UTF-8 with a mark, else Latin.
fn decoded(bytes: &[u8]) -> String {
    match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, length)) => {
            let (text, _) = encoding.decode_without_bom_handling(&bytes[length..]);
            text.into_owned()
        }
        None => encoding_rs::mem::decode_latin1(bytes).into_owned(),
    }
}
