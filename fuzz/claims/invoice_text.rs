//! Whatever text poses as an invoice text, it is refused in words or is an invoice that is written and read again as
//! the same, within all bounds; and so is a note of a payment.

use platinum_invoice::{Invoice, MAX_LINES, MAX_NOTES, PaymentNote, block, find_faults};

/// The claim, of these bytes.
pub(super) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(invoice) = Invoice::parse(&text) {
        assert!(invoice.lines.len() <= MAX_LINES && invoice.notes.len() <= MAX_NOTES);
        let rendered = invoice.render();
        assert_eq!(
            Invoice::parse(&rendered).as_ref(),
            Ok(&invoice),
            "{rendered}"
        );
        assert_eq!(
            block::find(&block::fenced(&rendered)),
            Some(rendered.as_str())
        );
        let _ = find_faults(&invoice);
    }
    if let Ok(payment) = PaymentNote::parse(&text) {
        assert_eq!(PaymentNote::parse(&payment.render()), Ok(payment));
    }
    let _ = block::find(&text);
}
