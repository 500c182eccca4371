//! Whatever bytes pose as an e-invoice or as a PDF, they are judged without a panic, and an invoice that comes out of
//! the XML or of the text of the pages is the same when it is written as text and read again.

use platinum_einvoice::{pdf::embedded_xml, read_xml, text::read_text};
use platinum_invoice::Invoice;

/// The claim, of these bytes.
pub(super) fn check(bytes: &[u8]) {
    let mut documents = vec![bytes.to_vec()];
    if let Ok(files) = embedded_xml(bytes.to_vec(), 1 << 20) {
        documents.extend(files.into_iter().map(|file| file.bytes));
    }
    let read = documents
        .iter()
        .filter_map(|document| read_xml(document).ok().flatten());
    let printed = read_text(bytes.to_vec()).ok();
    let printed = printed.and_then(|read| Invoice::parse_document(&read.text).ok());
    for invoice in read.chain(printed) {
        let text = invoice.render();
        assert_eq!(Invoice::parse(&text), Ok(invoice), "{text}");
    }
}
