//! Whatever bytes pose as an e-invoice or as a PDF with one inside, they are judged without a panic, and an invoice that
//! comes out is the same when it is written as text and read again.

use platinum_einvoice::{pdf::embedded_xml, read_xml};
use platinum_invoice::Invoice;

/// The claim, of these bytes.
pub(super) fn check(bytes: &[u8]) {
    let mut documents = vec![bytes.to_vec()];
    if let Ok(files) = embedded_xml(bytes.to_vec(), 1 << 20) {
        documents.extend(files.into_iter().map(|file| file.bytes));
    }
    for document in documents {
        if let Ok(Some(invoice)) = read_xml(&document) {
            let text = invoice.render();
            assert_eq!(Invoice::parse(&text), Ok(invoice), "{text}");
        }
    }
}
