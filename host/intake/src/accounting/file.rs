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
        printed,
        faults,
        closed,
    } = brought::in_files([(name, bytes)], pdfs);
    if let Some(invoice) = invoices.first() {
        return Some(invoice_block(invoice));
    }
    if let Some(printed) = printed.first() {
        let block = invoice_block(&printed.invoice);
        // What its owner put into the zone is read by a model as it is, where nothing else reads it.
        return match (is_named, printed.is_complete()) {
            (true, false) => Some(format!("{}\n{block}", printed.section())),
            (true, true) => Some(block),
            (false, _) => printed.is_bill().then_some(block),
        };
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
