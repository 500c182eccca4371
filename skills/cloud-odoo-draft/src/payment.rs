//! A payment that a note asks to record: the posted document by its number, the journal, and the proposal.
//!
//! Invariants: nothing is recorded here; what can be one of two is asked for.

use platinum_invoice::{Decimal, PaymentNote, number::minor_digits};
use platinum_sdk::actions::types::{Money, Proposal, ProposeError};
use platinum_sdk::host::{ProposeOdoo, ReadOdoo};
use platinum_sdk::odoo::read::DocumentQuery;
use platinum_sdk::odoo::types::{Document, DocumentRow, Journal, Payment};
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Outcome};

use crate::question;

/// The kinds of documents that are paid.
const KINDS: [&str; 4] = [
    "customer-invoice",
    "customer-credit-note",
    "vendor-bill",
    "vendor-credit-note",
];

/// Proposes to record a payment; or a question.
///
/// # Errors
/// If Odoo cannot be asked.
pub fn propose(
    host: &(impl ReadOdoo + ProposeOdoo),
    task: &Task,
    note: &PaymentNote,
) -> Result<Outcome, Error> {
    let ask = |question: String| Ok(Outcome::Dismissed(question));
    let document = match find(host, &note.invoice)? {
        Ok(document) => document,
        Err(question) => return ask(question),
    };
    if document.state != "posted" {
        return ask(question::not_posted(&document));
    }
    let journals = host.journals(document.company.id)?;
    let journal = match journal(&journals, note.journal.as_deref()) {
        Ok(journal) => journal,
        Err(question) => return ask(question),
    };
    let currency = note
        .currency
        .clone()
        .unwrap_or_else(|| document.currency.clone());
    let Some(minor) = minor(note.amount, &currency) else {
        let why = format!(
            "{} {currency} is no amount in whole minor units",
            note.amount
        );
        return ask(question::payment_refused(&why));
    };
    let payment = Payment {
        invoice: document.id,
        amount: Money {
            minor,
            currency: currency.clone(),
        },
        date: note.date.clone(),
        journal: journal.code.clone(),
        doubts: doubts(note, &document, &currency),
    };
    let summary = format!(
        "Record that {} of {} was paid: {} {currency} on {}, {}",
        question::title(&document),
        one_line(question::partner(&document), 60),
        note.amount,
        note.date,
        one_line(&journal.name, 60)
    );
    let proposal = Proposal {
        task: task.id.clone(),
        summary: one_line(&summary, 300),
        reason: "A note asks for it. Odoo only records it: no money is moved.".into(),
        expires: None,
    };
    match host.propose_payment(&proposal, &payment) {
        Ok(id) | Err(ProposeError::Duplicate(id)) => Ok(Outcome::Drafted(id)),
        Err(ProposeError::Invalid(why)) => ask(question::payment_refused(&why)),
        Err(error) => Err(error.into()),
    }
}

/// The one document of a number: Odoo's own, else the vendor's.
fn find(host: &impl ReadOdoo, number: &str) -> Result<Result<Document, String>, Error> {
    let query = DocumentQuery {
        kinds: KINDS.map(Into::into).into(),
        partners: Vec::new(),
        number: None,
        reference: None,
        date: None,
        total: None,
    };
    let own = DocumentQuery {
        number: Some(number.into()),
        ..query.clone()
    };
    let vendors = DocumentQuery {
        reference: Some(number.into()),
        ..query
    };
    let mut rows = host.documents(&own)?.rows;
    // A number of signs alone is nobody's.
    if rows.is_empty() && number.contains(char::is_alphanumeric) {
        rows = host.documents(&vendors)?.rows;
    }
    match rows.as_slice() {
        [] => Ok(Err(question::no_document(number))),
        [row] => Ok(Ok(host.get_document(row.id)?)),
        several => {
            let posted: Vec<&DocumentRow> =
                several.iter().filter(|it| it.state == "posted").collect();
            if let [row] = posted.as_slice() {
                return Ok(Ok(host.get_document(row.id)?));
            }
            let titles = several.iter().take(4).map(|row| {
                let name = row.number.as_deref().unwrap_or("a draft");
                format!("{name} of {}", one_line(&row.partner.name, 60))
            });
            Ok(Err(question::several_documents(
                number,
                &titles.collect::<Vec<_>>(),
            )))
        }
    }
}

/// The bank or cash journal that is named; without a name, the only bank.
fn journal<'a>(journals: &'a [Journal], wanted: Option<&str>) -> Result<&'a Journal, String> {
    let money = journals
        .iter()
        .filter(|it| matches!(it.purpose.as_str(), "bank" | "cash"));
    let money: Vec<&Journal> = money.collect();
    let fitting: Vec<&&Journal> = match wanted {
        Some(wanted) => {
            let is_it = |it: &&&Journal| {
                [&it.code, &it.name]
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(wanted.trim()))
            };
            money.iter().filter(is_it).collect()
        }
        None => money.iter().filter(|it| it.purpose == "bank").collect(),
    };
    match fitting.as_slice() {
        [journal] => Ok(**journal),
        _ => Err(question::which_journal(&money, wanted)),
    }
}

fn doubts(note: &PaymentNote, document: &Document, currency: &str) -> Vec<String> {
    let mut doubts = Vec::new();
    if *currency != document.currency {
        doubts.push(format!(
            "The payment is in {currency}, and the document in {}.",
            document.currency
        ));
    } else if let Ok(open) = document.open.parse::<Decimal>()
        && open != note.amount
    {
        doubts.push(format!(
            "{} {currency} are open, and the payment is {}.",
            document.open, note.amount
        ));
    }
    doubts
}

/// The amount in minor units, if it is a whole number of them.
fn minor(amount: Decimal, currency: &str) -> Option<i64> {
    let unit = 10_i64.checked_pow(minor_digits(Some(currency)))?;
    let minor = amount.checked_mul(Decimal::from(unit))?.normalize();
    (minor.scale() == 0).then(|| minor.to_string().parse().ok())?
}

#[cfg(test)]
mod tests {
    use platinum_sdk::odoo::types::Named;
    use platinum_sdk::testing::TestHost;

    use super::*;
    use crate::run::tests::{bill_host, document};

    fn payment(text: &str) -> PaymentNote {
        PaymentNote::parse(text).unwrap()
    }

    const NOTE: &str = "Payment: INV/7\nAmount: 119.00 EUR\nDate: 2026-11-20\n";

    fn paid(host: &TestHost, text: &str) -> Outcome {
        propose(host, &host.tasks[0], &payment(text)).unwrap()
    }

    fn host() -> TestHost {
        let host = bill_host("");
        let mut invoice = document(7, "customer-invoice", Some("INV/7"), "119.00");
        invoice.state = "posted".into();
        let mut bill = document(8, "vendor-bill", Some("BILL/8"), "50.00");
        (bill.state, bill.reference) = ("posted".into(), Some("R 8".into()));
        let draft = document(9, "vendor-bill", None, "5.00");
        host.odoo.documents.borrow_mut().extend([
            invoice,
            bill,
            Document {
                reference: Some("R-9".into()),
                ..draft
            },
        ]);
        host
    }

    #[test]
    fn propose_finds_the_document_and_the_only_bank() {
        let host = host();
        assert_eq!(
            paid(&host, NOTE),
            Outcome::Drafted("draft_00000000000000000000000001".into())
        );
        let (proposal, payment) = host.odoo.payments.borrow()[0].clone();
        assert_eq!(
            (
                payment.invoice,
                payment.amount.minor,
                payment.journal.as_str()
            ),
            (7, 11900, "BNK1")
        );
        assert_eq!(
            proposal.summary,
            "Record that customer invoice INV/7 of Acme was paid: 119.00 EUR on 2026-11-20, Bank"
        );
        assert_eq!(payment.doubts, Vec::<String>::new());
        // By the vendor's own number, in part, from the cash box.
        let part = "Payment: r-8\nAmount: 20\nDate: 2026-11-20\nJournal: csh1\n";
        assert!(matches!(paid(&host, part), Outcome::Drafted(_)));
        let (_, payment) = host.odoo.payments.borrow()[1].clone();
        assert_eq!(
            (
                payment.invoice,
                payment.amount.minor,
                payment.journal.as_str()
            ),
            (8, 2000, "CSH1")
        );
        assert_eq!(
            payment.doubts,
            ["50.00 EUR are open, and the payment is 20."]
        );
    }

    #[test]
    fn propose_asks_where_it_is_not_clear() {
        let mut host = host();
        let number = |number: &str| NOTE.replace("INV/7", number);
        let second = document(10, "vendor-bill", Some("BILL/10"), "5.00");
        host.odoo.documents.borrow_mut().push(Document {
            state: "posted".into(),
            reference: Some("R8".into()),
            partner: Some(Named {
                id: 2,
                name: "Bolt".into(),
            }),
            ..second
        });
        for (text, expected) in [
            (
                number("INV/8"),
                "Odoo has no invoice and no bill with the number INV/8: ",
            ),
            (number("R-9"), "vendor bill R-9 is not posted yet"),
            (
                number("R-8"),
                "The number R-8 is that of several documents in Odoo: BILL/10 of Bolt, BILL/8 of Acme.",
            ),
            (
                format!("{NOTE}Journal: BILL\n"),
                "There is no bank or cash journal BILL: write `Journal: …` with one of BNK1, CSH1",
            ),
            (
                NOTE.replace("119.00", "0.001"),
                "The payment is not proposed: 0.001 EUR is no amount",
            ),
        ] {
            let Outcome::Dismissed(question) = paid(&host, &text) else {
                panic!("{text}");
            };
            assert!(question.starts_with(expected), "{question}");
        }
        host.odoo.propose_error = Some(ProposeError::Invalid("only 1.00 EUR are open".into()));
        let Outcome::Dismissed(question) = paid(&host, NOTE) else {
            panic!();
        };
        assert!(
            question.starts_with("The payment is not proposed: only 1.00 EUR are open. "),
            "{question}"
        );
        host.odoo.propose_error = Some(ProposeError::Duplicate("draft_X".into()));
        assert_eq!(paid(&host, NOTE), Outcome::Drafted("draft_X".into()));
    }
}
