//! What of a mail is accounting: decided by code, by what it brings and by the rules of the handbook.
//!
//! In this order: spam is a mail; an e-invoice is accounting, whoever sent it, also one that cannot be read; then the
//! owner's rules; then an invoice text in the mail's own or forwarded words that says who and what. Ads, reminders and
//! circulars that only mention an invoice stay mails.

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
    rules::{AccountingRules, MailWords},
};

/// What a mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A mail as others.
    Mail,
    /// Each of these is a task; there is at least one.
    Accounting(Vec<Invoice>),
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
        faults,
        closed,
    } = brought::in_files(contents, pdfs);
    if let Some(first) = invoices.first_mut() {
        first.notes.extend(faults.into_iter().chain(closed));
        return Decision::Accounting(invoices);
    }
    if !faults.is_empty() {
        let notes = faults.into_iter().chain(closed).collect();
        return Decision::Accounting(vec![Invoice {
            notes,
            ..Invoice::default()
        }]);
    }
    let is_circular = mail.list_id.is_some()
        || mail.list_unsubscribe.is_some()
        || mail.auto_reply.is_some()
        || mail.auto_submitted.is_some()
        || matches!(mail.precedence.as_deref(), Some("bulk" | "list" | "junk"))
        || mail.kind != Kind::Plain;
    if is_circular {
        return Decision::Mail;
    }
    let written = Invoice::parse(&words(&mail.text));
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
    let with_gaps = |note: &str| {
        let mut invoice = written.clone().unwrap_or_default();
        if is_complete(&invoice) {
            invoice.notes.extend(closed.iter().cloned());
            return Decision::Accounting(vec![invoice]);
        }
        let notes: Vec<String> = [note.to_owned()]
            .into_iter()
            .chain(closed.clone())
            .collect();
        // What a mail says of a payment is not taken: with a block of ours the skill does not read its words.
        match PaymentNote::parse(&mail.text) {
            Err(InvoiceTextError::NoPayment) => Decision::InWords(notes),
            _ => Decision::Accounting(vec![Invoice {
                notes,
                ..Invoice::default()
            }]),
        }
    };
    let is_well_formed = written.as_ref().is_ok_and(is_complete);
    if rules.is_bill(&about)
        && (is_well_formed
            || mail
                .attachments
                .iter()
                .any(|file| is_document(&file.media_type)))
    {
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
    if is_well_formed && !REMINDERS.iter().any(|word| subject.contains(word)) {
        return with_gaps("");
    }
    Decision::Mail
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
            Decision::Accounting(invoices) => {
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
