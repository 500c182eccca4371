//! A mail that brings a bill, or asks for an invoice, as tasks of the zone `accounting`.
//!
//! Lives elsewhere: what is one is decided in [`crate::accounting::decide`].

use std::borrow::Cow;

use platinum_core::{
    TaskId, ZoneId,
    text::{escape_markdown, without_codes},
};
use platinum_invoice::MAX_NOTE_CHARS;
use platinum_mailbox::message::{File, Parsed};
use platinum_vault::note::TaskNote;

use super::facts::ONE_TIME_CODE;
use crate::accounting::{
    decide::{Decision, decide},
    note::invoice_block,
    pdf::PdfReader,
    rules::AccountingRules,
};

/// What begins the body of the other tasks of a mail that brings several.
const FURTHER: &str =
    "- This is one of several e-invoices of the mail; each has a task of its own.\n";

/// Makes the task of a mail one of accounting, if that is what the mail is: the mail's own text stays, and below it is
/// what the skill reads. Answers the tasks of the further e-invoices.
pub(super) fn add(
    task: &mut TaskNote,
    mail: &Parsed,
    files: &[File],
    handbook: &str,
    pdfs: &PdfReader,
) -> Vec<TaskNote> {
    let rules = AccountingRules::parse(handbook);
    let mut mail = Cow::Borrowed(mail);
    if !task.fact(ONE_TIME_CODE).is_empty() {
        // What the note does not show of the mail, it does not show of the invoice in it.
        mail.to_mut().text = without_codes(&mail.text);
    }
    let (invoices, printed) = match decide(&mail, files, &rules, pdfs) {
        Decision::Mail => return Vec::new(),
        Decision::Accounting(invoices, printed) => (invoices, printed),
        Decision::InWords(notes) => {
            task.zone = ZoneId::ACCOUNTING;
            task.body.push('\n');
            for note in notes {
                let line = format!("- {}\n", escape_markdown(&note, MAX_NOTE_CHARS));
                task.body.push_str(&line);
            }
            return Vec::new();
        }
    };
    task.zone = ZoneId::ACCOUNTING;
    let mut tasks = invoices.iter().map(|invoice| {
        let mut task = task.clone();
        if invoices.len() > 1 {
            task.body.push_str(&format!("\n{FURTHER}"));
        }
        for printed in &printed {
            task.body.push_str(&format!("\n{}", printed.section()));
        }
        task.body.push_str(&format!("\n{}", invoice_block(invoice)));
        task
    });
    let first = tasks.next();
    let others = tasks
        .map(|task| TaskNote {
            id: TaskId::generate(),
            ..task
        })
        .collect();
    if let Some(first) = first {
        *task = first;
    }
    others
}
