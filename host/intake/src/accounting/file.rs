//! What the accounting skill reads of a dropped file: the e-invoice that it is or holds, or what a person wrote.

use platinum_invoice::Invoice;

use super::{
    brought::{self, Brought},
    note::{invoice_block, written_block},
    pdf::PdfReader,
};
use crate::folder::task::text_of;

/// The block of a file for its task's note; none if nothing of it is understood. Of a file that its owner put into the
/// zone (`is_named`), why it cannot be read is told in the block.
pub fn block(name: &str, bytes: &[u8], is_named: bool, pdfs: &PdfReader) -> Option<String> {
    let Brought {
        invoices,
        faults,
        closed,
    } = brought::in_files([(name, bytes)], pdfs);
    if let Some(invoice) = invoices.first() {
        return Some(invoice_block(invoice));
    }
    let faults: Vec<String> = faults.into_iter().chain(closed).collect();
    if is_named && !faults.is_empty() {
        let invoice = Invoice {
            notes: faults,
            ..Invoice::default()
        };
        return Some(invoice_block(&invoice));
    }
    written_block(text_of(bytes)?)
}
