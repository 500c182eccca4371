//! What of a mail is accounting: decided by code, by what it brings and by the rules of the handbook.
//!
//! In this order: spam is a mail; an e-invoice is accounting, whoever sent it, also one that cannot be read; then the
//! owner's rules, of which the one about bills also takes what a program sent; then an invoice text in the mail's own or
//! forwarded words that says who and what; then a PDF that says of itself that it is a bill, in a mail that is no answer
//! and asks nothing. Ads, reminders and circulars that only mention an invoice stay mails.

use platinum_core::text::{
    MailAddress,
    quotes::{Origin, origins, own_text},
};
use platinum_invoice::{Invoice, InvoiceTextError, PaymentNote};
use platinum_mailbox::message::{File, Kind, Parsed};

use super::{
    brought::{self, Brought},
    note::is_complete,
    pdf::PdfReader,
    printed::Printed,
    rules::{AccountingRules, MailWords},
};

/// What a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A mail as others.
    Mail,
    /// Each of these is a task; there is at least one. The texts of PDFs that say more are theirs.
    Accounting(Vec<Invoice>, Vec<Printed>),
    /// A task whose mail says what it is about in words of its own, and what a person has to know of it. File names in
    /// it are from outside.
    InWords(Vec<String>),
}

/// Words of subjects of reminders, which speak of an invoice and bring none.
const REMINDERS: [&str; 8] = [
    "reminder",
    "overdue",
    "past due",
    "mahnung",
    "zahlungserinnerung",
    "erinnerung",
    "rappel",
    "inkasso",
];

/// Decides about a mail with the files that are attached to it.
pub fn decide(
    mail: &Parsed,
    files: &[File],
    rules: &AccountingRules,
    pdfs: &PdfReader,
) -> Decision {
    if mail.spam.is_some() {
        return Decision::Mail;
    }
    let contents = files.iter().filter_map(|file| {
        let name = file
            .about
            .name
            .as_deref()
            .unwrap_or("a file without a name");
        Some((name, file.content.as_deref()?))
    });
    let Brought {
        mut invoices,
        printed,
        faults,
        closed,
    } = brought::in_files(contents, pdfs);
    if let Some(first) = invoices.first_mut() {
        first.notes.extend(faults.into_iter().chain(closed));
        return Decision::Accounting(invoices, Vec::new());
    }
    if !faults.is_empty() {
        let notes = faults.into_iter().chain(closed).collect();
        return with_notes(notes, Vec::new());
    }
    let sender = mail
        .from
        .as_ref()
        .and_then(|from| MailAddress::parse(&from.address).ok());
    let own = own_text(&mail.text);
    let about = MailWords {
        sender: sender.as_ref(),
        subject: &mail.subject,
        text: &own,
    };
    let is_of_rule = rules.is_bill(&about);
    let has_document = mail
        .attachments
        .iter()
        .any(|file| is_document(&file.media_type));
    let is_circular = mail.list_id.is_some()
        || mail.list_unsubscribe.is_some()
        || mail.auto_reply.is_some()
        || mail.auto_submitted.is_some()
        || matches!(mail.precedence.as_deref(), Some("bulk" | "list" | "junk"))
        || mail.kind != Kind::Plain;
    // Whom the owner names may be a program: most bills are sent by one.
    if is_circular && !(is_of_rule && has_document) {
        return Decision::Mail;
    }
    let written = Invoice::parse(&words(&mail.text));
    let with_gaps = |note: &str| {
        let mut invoice = written.clone().unwrap_or_default();
        if is_complete(&invoice) {
            invoice.notes.extend(closed.iter().cloned());
            return Decision::Accounting(vec![invoice], Vec::new());
        }
        let notes: Vec<String> = [note.to_owned()]
            .into_iter()
            .chain(closed.clone())
            .collect();
        // What a mail says of a payment is not taken: with a block of ours the skill does not read its words.
        match PaymentNote::parse(&mail.text) {
            Err(InvoiceTextError::NoPayment) => Decision::InWords(notes),
            _ => with_notes(notes, Vec::new()),
        }
    };
    let is_well_formed = written.as_ref().is_ok_and(is_complete);
    if is_of_rule && !is_well_formed && !printed.is_empty() {
        return of_printed(printed, closed);
    }
    if is_of_rule && (is_well_formed || has_document) {
        return with_gaps(
            "The bill is not in a form that a program reads: look at what is attached to the mail.",
        );
    }
    if rules.is_request(&about) {
        return with_gaps(
            "The mail asks for an invoice, and does not say for whom and what in lines that a program reads.",
        );
    }
    let subject = mail.subject.to_lowercase();
    if REMINDERS.iter().any(|word| subject.contains(word)) {
        return Decision::Mail;
    }
    if is_well_formed {
        return with_gaps("");
    }
    let bills: Vec<Printed> = printed.into_iter().filter(Printed::is_bill).collect();
    let asks = own.contains(['?', '？', '؟']) || !mail.in_reply_to.is_empty();
    if !bills.is_empty() && !asks {
        return of_printed(bills, closed);
    }
    Decision::Mail
}

/// A task of what there is to say alone.
fn with_notes(notes: Vec<String>, printed: Vec<Printed>) -> Decision {
    let invoice = Invoice {
        notes,
        ..Invoice::default()
    };
    Decision::Accounting(vec![invoice], printed)
}

/// What PDFs say: those of which a draft can be made, or what of the first is understood with all of the texts.
fn of_printed(printed: Vec<Printed>, closed: Vec<String>) -> Decision {
    let complete = printed.iter().filter(|one| one.is_complete());
    let mut invoices: Vec<Invoice> = complete.map(|one| one.invoice.clone()).collect();
    let (first, printed) = match (invoices.is_empty(), printed.first()) {
        (true, Some(first)) => (first.invoice.clone(), printed),
        (true, None) => (Invoice::default(), printed),
        (false, _) => (invoices.remove(0), Vec::new()),
    };
    invoices.insert(0, first);
    if let Some(first) = invoices.first_mut() {
        first.notes.extend(closed);
    }
    Decision::Accounting(invoices, printed)
}

/// The mail's own words and those that it forwards, without what it quotes.
fn words(text: &str) -> String {
    let lines = origins(text)
        .into_iter()
        .map(|(line, origin)| match origin {
            Origin::Own => line,
            // Forwarded lines may be marked.
            Origin::Forwarded => line.trim_start_matches(['>', ' ']),
            Origin::Signature | Origin::Quoted => "",
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a file may be a bill: a PDF, a picture, or XML.
fn is_document(media_type: &str) -> bool {
    media_type.starts_with("image/")
        || matches!(
            media_type,
            "application/pdf" | "application/xml" | "text/xml" | "application/octet-stream"
        )
}

#[cfg(test)]
mod tests {
    use platinum_mailbox::message::{Attachment, Person};

    use super::*;

    const TABLE: &str = "| Item | Qty | Price |\n|---|---|---|\n| Tea | 2 | 5.00 |\n";

    fn mail(subject: &str, text: &str) -> Parsed {
        Parsed {
            from: Some(Person {
                name: None,
                address: "ann@client.example".to_owned(),
            }),
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..Parsed::default()
        }
    }

    fn with_pdf(mut mail: Parsed) -> Parsed {
        let about = Attachment {
            name: Some("a.pdf".to_owned()),
            media_type: "application/pdf".to_owned(),
            size: 9,
        };
        mail.attachments = vec![about];
        mail
    }

    fn first_note(mail: &Parsed, rules: &str) -> Option<String> {
        let rules = AccountingRules::parse(&format!("## Accounting\n{rules}\n"));
        match decide(mail, &[], &rules, &PdfReader::Here) {
            Decision::Mail => None,
            Decision::InWords(notes) => notes.first().cloned(),
            Decision::Accounting(invoices, _) => {
                Some(invoices[0].notes.first().cloned().unwrap_or_default())
            }
        }
    }

    #[test]
    fn decide_by_rules_and_by_the_text() {
        let complete = format!("Hello,\n\nInvoice to: Example Ltd\n\n{TABLE}\nBest\n");
        let quoted = format!(
            "See below.\n\n> Invoice to: Example Ltd\n>\n{}",
            TABLE.replace("| ", "> | ")
        );
        let bill_gap = Some(
            "The bill is not in a form that a program reads: look at what is attached to the mail."
                .to_owned(),
        );
        let request_gap = Some(
            "The mail asks for an invoice, and does not say for whom and what in lines that a program reads.".to_owned(),
        );
        let is_clean = Some(String::new());
        let from_client = "- bills from: client.example";
        let asks = "- invoice requests: subject contains \"please invoice\"";
        for (mail, rules, expected) in [
            (mail("Order", &complete), "", is_clean.clone()),
            (mail("Order", &complete), from_client, is_clean.clone()),
            (mail("Reminder: invoice 5", &complete), "", None),
            (mail("Mahnung", &complete), "", None),
            (mail("Order", &quoted), "", None),
            (
                mail("Offer", "Buy now! Total: 9.99 EUR. Your invoice waits."),
                "",
                None,
            ),
            (
                mail("Your invoice", "Invoice: 5\nTotal: 9.99 EUR\nSeller: Shop"),
                "",
                None,
            ),
            (
                with_pdf(mail("Your bill", "See attached.")),
                from_client,
                bill_gap,
            ),
            (mail("News", "New prices."), from_client, None),
            (
                with_pdf(mail("Your bill", "See attached.")),
                "- bills from: other.example",
                None,
            ),
            (
                mail("Please invoice the workshop", "as agreed"),
                asks,
                request_gap,
            ),
            (mail("Please invoice", &complete), asks, is_clean),
        ] {
            assert_eq!(
                first_note(&mail, rules),
                expected,
                "{} | {rules}",
                mail.subject
            );
        }
    }

    #[test]
    fn decide_circulars_and_spam_stay_mails() {
        let complete = format!("Invoice to: Example Ltd\n\n{TABLE}");
        let base = || mail("Please invoice", &complete);
        let rules =
            "- bills from: client.example\n- invoice requests: subject contains \"please invoice\"";
        for circular in [
            Parsed {
                list_id: Some("news".to_owned()),
                ..base()
            },
            Parsed {
                list_unsubscribe: Some("<mailto:x>".to_owned()),
                ..base()
            },
            Parsed {
                precedence: Some("bulk".to_owned()),
                ..base()
            },
            Parsed {
                auto_submitted: Some("auto-generated".to_owned()),
                ..base()
            },
            Parsed {
                kind: Kind::Calendar,
                ..base()
            },
            Parsed {
                spam: Some("X-Spam-Flag: YES".to_owned()),
                ..base()
            },
        ] {
            assert_eq!(first_note(&circular, rules), None);
        }
        assert!(first_note(&base(), rules).is_some());
    }
}
