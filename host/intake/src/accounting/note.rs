//! The block that a task's note has for the skill: an invoice text, or the note of a payment.

use platinum_invoice::{Invoice, MORE_NOTES, PaymentNote, block};

use crate::text::lines;

/// Bytes of the block's text: a note has room for the text of a mail, too.
const MAX_BLOCK_BYTES: usize = 48 * 1024;

/// The block with an invoice. One of very many lines loses the last of them, and says so; of very long notes the first
/// stay.
pub fn invoice_block(invoice: &Invoice) -> String {
    let mut invoice = invoice.clone().cleaned();
    for (list, mut room) in [
        (&mut invoice.notes, MAX_BLOCK_BYTES / 3),
        (&mut invoice.details, MAX_BLOCK_BYTES / 6),
    ] {
        let kept = list.iter().take_while(|note| {
            room = room.saturating_sub(note.len());
            room > 0
        });
        let kept = kept.count();
        if kept < list.len() {
            list.truncate(kept);
            list.push(MORE_NOTES.to_owned());
        }
    }
    let all = invoice.lines.len();
    loop {
        let (text, is_cut) = lines(&invoice.render(), MAX_BLOCK_BYTES);
        if !is_cut || invoice.lines.is_empty() {
            return block::fenced(&text);
        }
        let kept = invoice.lines.len() * 3 / 4;
        invoice.lines.truncate(kept);
        invoice.notes.retain(|note| !note.ends_with(LEFT_OUT));
        let note = format!("{} of its {all} lines {LEFT_OUT}", all - kept);
        invoice.notes.insert(0, note);
    }
}

const LEFT_OUT: &str = "were left out, because the note would be too long: look at the document.";

/// The block of a text that a person wrote: as they wrote it, read and written again; none if it is neither an invoice
/// nor a payment that is complete.
pub fn written_block(text: &str) -> Option<String> {
    if let Ok(payment) = PaymentNote::parse(text) {
        return Some(block::fenced(&lines(&payment.render(), MAX_BLOCK_BYTES).0));
    }
    let invoice = Invoice::parse(text).ok()?;
    is_complete(&invoice).then(|| invoice_block(&invoice))
}

/// Whether it says who and what: a party, and at least one line.
pub fn is_complete(invoice: &Invoice) -> bool {
    let has_party = [&invoice.seller, &invoice.buyer]
        .iter()
        .any(|party| party.name.is_some());
    has_party && !invoice.lines.is_empty()
}

#[cfg(test)]
mod tests {
    use platinum_invoice::{Decimal, Line, Party};

    use super::*;

    #[test]
    fn invoice_block_of_many_lines_says_what_it_left_out() {
        let line = Line {
            name: "x".repeat(250),
            quantity: Decimal::ONE,
            ..Line::default()
        };
        let invoice = Invoice {
            lines: vec![line; 500],
            ..Invoice::default()
        };
        let block = invoice_block(&invoice);
        assert!(block.len() < MAX_BLOCK_BYTES + 100, "{}", block.len());
        let read = Invoice::parse(block::find(&block).unwrap()).unwrap();
        let left_out = 500 - read.lines.len();
        assert_eq!(
            read.notes,
            [format!("{left_out} of its 500 lines {LEFT_OUT}")]
        );
        let notes = Invoice {
            notes: (0..60)
                .map(|at| format!("{at} {}", "ä".repeat(490)))
                .collect(),
            ..Invoice::default()
        };
        let block = invoice_block(&notes);
        assert!(block.len() < MAX_BLOCK_BYTES / 2);
        assert!(block.contains(&format!("Note: {MORE_NOTES}\n")), "{block}");
    }

    #[test]
    fn written_block_takes_what_is_complete() {
        let table = "| Item | Price |\n|--|--|\n| Tea | 5.00 |\n";
        for (text, expected) in [
            (format!("Buyer: A\n\n{table}"), true),
            (table.to_owned(), false),
            ("Buyer: A\nTotal: 5.00\n".to_owned(), false),
            (
                "Payment: R-1\nAmount: 5.00 EUR\nDate: 2026-11-30\n".to_owned(),
                true,
            ),
            ("Payment: R-1\n".to_owned(), false),
            ("Call Bob.".to_owned(), false),
        ] {
            assert_eq!(written_block(&text).is_some(), expected, "{text}");
        }
    }

    /// A plugin would run a template also inside of the block.
    #[test]
    fn invoice_block_runs_nothing() {
        let invoice = Invoice {
            buyer: Party {
                name: Some("<% evil %> ```".to_owned()),
                ..Party::default()
            },
            ..Invoice::default()
        };
        let block = invoice_block(&invoice);
        assert!(!block.contains("<%"), "{block}");
        assert_eq!(platinum_core::text::find_active(&block).next(), None);
        assert!(block::find(&block).unwrap().contains("```"));
    }
}
