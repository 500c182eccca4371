//! E-invoices read as [`Invoice`]: UBL 2.1, UN/CEFACT CII (Factur-X, ZUGFeRD 2, XRechnung), and the XML inside a PDF.
//!
//! # Layout
//! - [`read_xml`]: an XML document, which may be an e-invoice; [`pdf`]: what is embedded in a PDF; [`text`]: what its
//!   pages say;
//! - `xml`: bytes as text as a tree, bounded; `ubl`, `cii`: what the two syntaxes call things;
//! - `builder`: what both need: amounts, days, allowances, what was not read.
//!
//! Lives elsewhere: the invoice as text is `platinum-invoice`'s; from which mails and files it comes, and the process
//! with bounded memory in which a PDF is read, are `platinum-intake`'s. A crate of its own, so that the readers of XML
//! and PDF have one place, and what they make of hostile bytes can be tried without a mailbox and a vault.
//!
//! # Invariants
//! - Pure. No document type, no entities, nothing from outside of the document; depth, nodes and size are bounded.
//! - What is not understood is a note of the invoice. Nothing is mended: sums that do not add up are a note, too.
//! - An allowance or a charge is a line of the invoice, or the discount of its line; never left out.

mod builder;
mod cii;
pub mod pdf;
pub mod text;
mod ubl;
mod xml;

use platinum_invoice::{Invoice, find_faults};

/// The largest XML document that is read, in bytes.
pub const MAX_XML_BYTES: usize = 25_000_000;

/// Why an e-invoice cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EinvoiceError {
    /// It is too large.
    #[error("it has {0} bytes, and {MAX_XML_BYTES} is the most that is read")]
    TooLarge(usize),
    /// Its characters cannot be told.
    #[error("its encoding `{0}` is not known")]
    Encoding(String),
    /// It declares a document type, which could define entities.
    #[error("it declares a document type (DTD), which no e-invoice needs")]
    DocumentType,
    /// It is nested too deep.
    #[error("its elements are nested more than {} deep", xml::MAX_DEPTH)]
    TooDeep,
    /// It has too many elements.
    #[error("it has more than {} elements", xml::MAX_NODES)]
    TooManyElements,
    /// It is not well-formed.
    #[error("it is not well-formed XML: {0}")]
    Malformed(String),
    /// It is of a version that is not read.
    #[error("it is {0}, which is not read")]
    Unsupported(&'static str),
}

/// Reads an XML document as an e-invoice; none if it is something else.
///
/// # Errors
/// If it is one, or seems to be, and cannot be read.
pub fn read_xml(bytes: &[u8]) -> Result<Option<Invoice>, EinvoiceError> {
    if !xml::resembles_einvoice(bytes) {
        return Ok(None);
    }
    if bytes.len() > MAX_XML_BYTES {
        return Err(EinvoiceError::TooLarge(bytes.len()));
    }
    let (text, note) = xml::decode(bytes)?;
    let document = xml::parse(&text)?;
    let root = xml::Element::new(document.root_element());
    let invoice = match (root.name(), root.namespace()) {
        ("Invoice" | "CreditNote", namespace) if namespace.starts_with(ubl::NAMESPACE) => {
            ubl::read(root)
        }
        ("CrossIndustryInvoice", namespace) if namespace.starts_with(cii::NAMESPACE) => {
            cii::read(root)
        }
        ("CrossIndustryDocument", _) => {
            return Err(EinvoiceError::Unsupported("ZUGFeRD 1"));
        }
        _ => return Ok(None),
    };
    Ok(Some(finish(invoice, note)))
}

/// The invoice with what is to be said of all of it.
fn finish(mut invoice: Invoice, note: Option<String>) -> Invoice {
    invoice.notes.extend(note);
    // What is compared is what a person will see.
    let mut invoice = invoice.cleaned();
    let faults = find_faults(&invoice);
    // What does not add up comes first.
    invoice.notes.splice(0..0, faults);
    invoice.cleaned()
}
