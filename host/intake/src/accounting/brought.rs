//! Which e-invoices some files bring, each once; what else PDFs say; and what of the files could not be read.

use platinum_core::text::one_line;
use platinum_einvoice::{pdf::is_pdf, read_xml};
use platinum_invoice::Invoice;

use super::{
    pdf::{PdfContent, PdfReadError, PdfReader},
    printed::Printed,
};

/// The largest file that is looked at, in bytes.
pub const MAX_FILE_BYTES: u64 = 25_000_000;
/// Files of one mail that are looked at.
const MAX_FILES: usize = 20;
/// Texts of PDFs that are taken of one mail: a note has room for all of them.
const MAX_TEXTS: usize = 2;
/// E-invoices of one mail that are taken.
pub const MAX_INVOICES: usize = 20;

/// What some files bring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// The e-invoices, in the order of the files; where each was found is among its notes.
    pub invoices: Vec<Invoice>,
    /// The texts of PDFs without an e-invoice.
    pub printed: Vec<Printed>,
    /// Files that are e-invoices and cannot be read, each a sentence. File names in it are from outside.
    pub faults: Vec<String>,
    /// PDFs that cannot be looked into; they may be anything.
    pub closed: Vec<String>,
}

/// Looks into each of the files: its name, and its content if there is one.
pub fn in_files<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    pdfs: &PdfReader,
) -> Brought {
    let mut brought = Brought::default();
    for (name, bytes) in files.into_iter().take(MAX_FILES) {
        let name = one_line(name, 80);
        if is_pdf(bytes) {
            match pdfs.read(bytes) {
                Ok(PdfContent::Invoice(found)) => brought.add(Some(*found), &name),
                Ok(PdfContent::Text(text)) => match Printed::new(&name, &text) {
                    Some(_) if brought.printed.len() >= MAX_TEXTS => brought.closed.push(format!(
                        "The text of {name} was left out: {MAX_TEXTS} are the most."
                    )),
                    printed => brought.printed.extend(printed),
                },
                Ok(PdfContent::Nothing) => brought.closed.push(format!(
                    "{name} has no text that a program reads: it may be a scan."
                )),
                Err(why @ PdfReadError::Invoice(_)) => {
                    brought.faults.push(format!("{name}: {why}."));
                }
                Err(why) => brought
                    .closed
                    .push(format!("{name} was not looked into: {why}.")),
            }
        } else {
            match read_xml(bytes) {
                Ok(found) => brought.add(found, &name),
                Err(error) => brought.faults.push(format!(
                    "{name} is an e-invoice that cannot be read: {error}."
                )),
            }
        }
    }
    brought
}

impl Brought {
    /// Adds an invoice, unless it is the same as one before: a PDF often comes with its own XML.
    fn add(&mut self, found: Option<Invoice>, name: &str) {
        let Some(mut invoice) = found else {
            return;
        };
        let count = self.invoices.len();
        let mut others = self.invoices.iter_mut();
        match others.find(|other| names_same(other, &invoice)) {
            Some(other) if is_equal(other, &invoice) => {
                other.notes.push(format!("It is in {name}, too."));
            }
            Some(other) => other.notes.push(format!(
                "Careful: {name} brings the same number of the same seller with other content."
            )),
            None if count >= MAX_INVOICES => self.faults.push(format!(
                "{name} brings one more e-invoice than are taken of one mail."
            )),
            None => {
                invoice.details.push(format!("It was read from {name}."));
                self.invoices.push(invoice);
            }
        }
    }
}

/// Whether both are named alike: a number, and the seller's tax number or name.
fn names_same(one: &Invoice, other: &Invoice) -> bool {
    let seller = |invoice: &Invoice| {
        invoice
            .seller
            .vat
            .clone()
            .or_else(|| invoice.seller.name.clone())
    };
    one.number.is_some()
        && one.number == other.number
        && one.kind == other.kind
        && seller(one) == seller(other)
}

/// Whether both ask for the same, whatever is noted of them.
fn is_equal(one: &Invoice, other: &Invoice) -> bool {
    let plain = |invoice: &Invoice| Invoice {
        notes: Vec::new(),
        details: Vec::new(),
        ..invoice.clone()
    };
    plain(one) == plain(other)
}
