//! Whole runs against the test host: what is drafted, what is asked, what the note begins with.

use platinum_sdk::actions::types::{Proposal, ProposeError};
use platinum_sdk::model::complete::Error as ModelError;
use platinum_sdk::odoo::types::{Company, Document, Journal, Named, Posting};
use platinum_sdk::testing::TestHost;

use super::*;
use crate::partner::tests::partner;
use crate::tax::tests::tax;

pub(crate) const BILL: &str = "Number: R-1\nDate: 2026-11-01\nDue: 2026-11-15\nCurrency: EUR\nSeller: Acme\n\
    Seller VAT: DE123\nSeller IBAN: DE89370400440532013000\nBuyer: Me Ltd\n\n\
    | Item | Quantity | Price | Tax | Total |\n|---|---|---|---|---|\n| Paper | 10 | 10.00 | 19 % | 100.00 |\n\n\
    Net: 100.00\nTax: 19.00\nTotal: 119.00\n";

/// A host with one company, one vendor, and one task with this text.
pub(crate) fn bill_host(text: &str) -> TestHost {
    let journal = |id: u64, name: &str, code: &str, purpose: &str| {
        (
            1,
            Journal {
                id,
                name: name.into(),
                code: code.into(),
                purpose: purpose.into(),
                currency: None,
            },
        )
    };
    let mut host = TestHost {
        zones: vec!["accounting".into()],
        completion: Err(ModelError::Refused(
            "the builtin drafter only writes mail".into(),
        )),
        tasks: vec![Task {
            id: "task_1".into(),
            zone: "accounting".into(),
            source: "file:Inbox/bill.md".into(),
            sender: "owner".into(),
            subject: "bill".into(),
            received: None,
            created: "2026-11-20T18:00:00Z".into(),
            facts: Vec::new(),
            text: text.into(),
        }],
        ..TestHost::default()
    };
    host.odoo.companies = vec![Company {
        id: 1,
        name: "Me Ltd".into(),
        vat: None,
        currency: "EUR".into(),
        rounds_per_line: true,
        sale_tax: Some(3),
        purchase_tax: Some(1),
    }];
    host.odoo.partners = vec![partner(
        1,
        "Acme",
        Some("DE123"),
        &["DE89370400440532013000"],
    )];
    host.odoo.journals = vec![
        journal(1, "Sales", "INV", "sale"),
        journal(2, "Bills", "BILL", "purchase"),
        journal(3, "Bank", "BNK1", "bank"),
        journal(4, "Cash", "CSH1", "cash"),
    ];
    host.odoo.taxes = vec![(1, tax(1, "19", false)), (1, tax(3, "19", true))];
    host.odoo.totals = ["100.00", "19.00", "119.00"].map(Into::into);
    host
}

/// A document of Acme that is there already, a draft.
pub(crate) fn document(id: u64, kind: &str, number: Option<&str>, total: &str) -> Document {
    let host = bill_host("");
    let asked = NewDocument {
        kind: kind.into(),
        company: 1,
        journal: 1,
        currency: "EUR".into(),
        partner: 1,
        date: "2026-11-01".into(),
        due: Some("2026-11-15".into()),
        payment_term: None,
        reference: None,
        fiscal_position: None,
        lines: Vec::new(),
    };
    Document {
        id,
        link: format!("https://odoo.test/web#id={id}"),
        operation: None,
        number: number.map(Into::into),
        total: total.into(),
        open: total.into(),
        ..host.odoo.draft_of(&asked, "other")
    }
}

fn ran(host: &TestHost) -> Result<Outcome, Error> {
    let invocation = Invocation {
        event: "task.claimed".into(),
        task: Some("task_1".into()),
        message: None,
    };
    run(host, &invocation)
}

fn asked(host: &TestHost) -> String {
    match ran(host) {
        Ok(Outcome::Dismissed(question)) => question,
        other => panic!("{other:?}"),
    }
}

fn drafted(host: &TestHost) -> (Proposal, Posting) {
    match ran(host) {
        Ok(Outcome::Drafted(_)) => host.odoo.postings.borrow().last().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn run_bill_becomes_one_draft_and_one_proposal() {
    let host = bill_host(BILL);
    let (proposal, posting) = drafted(&host);
    assert_eq!((posting.document, posting.doubts), (101, vec![]));
    assert_eq!(
        proposal.summary,
        "Post vendor bill R-1 of Acme: 119.00 EUR, due 2026-11-15"
    );
    assert_eq!(
        proposal.reason,
        "The partner is Acme by its VAT number; the sums are those of the document, and nothing is in doubt."
    );
    let created = host.odoo.created.borrow();
    let [new] = created.as_slice() else {
        panic!("{created:?}");
    };
    assert_eq!(
        (new.kind.as_str(), new.journal, new.partner),
        ("vendor-bill", 2, 1)
    );
    assert_eq!(
        (new.reference.as_deref(), new.lines[0].taxes.as_slice()),
        (Some("R-1"), &[1][..])
    );
}

#[test]
fn run_request_becomes_a_customer_invoice_of_today() {
    let host = bill_host(
        "Please invoice:\n\nBuyer: Acme\n\n| Item | Quantity | Price |\n|---|---|---|\n| Work | 3 | 100 |\n",
    );
    let (proposal, posting) = drafted(&host);
    assert!(
        proposal
            .summary
            .starts_with("Post customer invoice 101 of Acme: "),
        "{}",
        proposal.summary
    );
    let created = host.odoo.created.borrow()[0].clone();
    assert_eq!(
        (created.kind.as_str(), created.date.as_str()),
        ("customer-invoice", "2026-11-20")
    );
    assert_eq!(created.lines[0].taxes, [3]);
    assert!(
        posting
            .doubts
            .iter()
            .any(|doubt| doubt.starts_with("No tax is named")),
        "{:?}",
        posting.doubts
    );
}

/// It went down after the draft, or after the note: the second run makes neither anew.
#[test]
fn run_again_finds_what_the_first_run_made() {
    let host = bill_host(BILL);
    drafted(&host);
    let (_, posting) = drafted(&host);
    assert_eq!(
        (posting.document, host.odoo.documents.borrow().len()),
        (101, 1)
    );
    let mut host = host;
    host.odoo.propose_error = Some(ProposeError::Duplicate("draft_X".into()));
    assert_eq!(ran(&host), Ok(Outcome::Drafted("draft_X".into())));
}

/// Another agent has the same bill: one draft, and words for the second task.
#[test]
fn run_bill_that_another_task_proposes_ends_in_words() {
    let mut host = bill_host(BILL);
    drafted(&host);
    host.odoo.propose_error = Some(ProposeError::Invalid(
        "draft_X waits for the owner already".into(),
    ));
    assert_eq!(
        asked(&host),
        "It is drafted in Odoo already (vendor bill R-1: https://odoo.test/web#id=101): draft_X waits for the owner already"
    );
    assert_eq!(host.odoo.documents.borrow().len(), 1);
}

#[test]
fn run_duplicate_is_not_drafted_and_is_linked() {
    for (state, reference, number) in [
        ("draft", "r 1", None),
        ("posted", "R-1", Some("BILL/7")),
        ("posted", "R1.", Some("BILL/7")),
    ] {
        let host = bill_host(BILL);
        host.odoo.documents.borrow_mut().push(Document {
            state: state.into(),
            reference: Some(reference.into()),
            ..document(7, "vendor-bill", number, "118.00")
        });
        let words = asked(&host);
        assert!(
            words.starts_with(
                "This is in Odoo already, by its number and partner, and was not drafted again: "
            ),
            "{words}"
        );
        assert!(words.ends_with("https://odoo.test/web#id=7"), "{words}");
        assert!(host.odoo.created.borrow().is_empty());
    }
}

#[test]
fn run_what_only_looks_alike_is_drafted_with_a_doubt_or_not() {
    let nameless = BILL.replace("Number: R-1\n", "");
    let request = BILL.replace("Buyer: Me Ltd", "Buyer: Acme").replace(
        "Seller: Acme\nSeller VAT: DE123\nSeller IBAN: DE89370400440532013000\n",
        "Seller: Me Ltd\n",
    );
    // Text, what is there, whether it is drafted, and how many doubts of it there are.
    for (text, kind, state, reference, is_drafted, doubts) in [
        // Cancelled, another number, another kind: nothing.
        (BILL, "vendor-bill", "cancel", Some("R-1"), true, 0),
        (BILL, "vendor-bill", "draft", Some("R-2"), true, 0),
        (BILL, "vendor-credit-note", "draft", Some("R-1"), true, 0),
        // The same day and total, and the one there has no number.
        (BILL, "vendor-bill", "draft", None, true, 1),
        // A bill without a number is known by partner, day and total.
        (&nameless, "vendor-bill", "posted", Some("R-1"), false, 0),
        (&nameless, "vendor-bill", "draft", None, false, 0),
        // Two invoices of one day may be right.
        (
            &request.replace("Number: R-1\n", ""),
            "customer-invoice",
            "posted",
            None,
            true,
            1,
        ),
    ] {
        let host = bill_host(text);
        host.odoo.documents.borrow_mut().push(Document {
            state: state.into(),
            reference: reference.map(Into::into),
            ..document(7, kind, None, "119")
        });
        host.odoo.documents.borrow_mut()[0].total = "119".into();
        match is_drafted {
            true => {
                let (_, posting) = drafted(&host);
                let alike = posting
                    .doubts
                    .iter()
                    .filter(|it| it.starts_with("Odoo has another"));
                assert_eq!(
                    alike.count(),
                    doubts,
                    "{kind} {state} {reference:?}: {:?}",
                    posting.doubts
                );
            }
            false => assert!(
                asked(&host).contains("by its partner, day and total"),
                "{state}"
            ),
        }
    }
}

/// Not every document was compared: the owner knows, once.
#[test]
fn run_list_that_is_cut_off_is_a_doubt() {
    let mut host = bill_host(BILL);
    host.odoo.has_more = true;
    let (_, posting) = drafted(&host);
    assert_eq!(
        posting.doubts,
        ["Odoo has more documents of this partner than were compared: the newest 2000."]
    );
}

/// A document of its operation that is no draft any more is done with.
#[test]
fn run_document_that_is_posted_or_cancelled_is_not_proposed() {
    for state in ["posted", "cancel"] {
        let host = bill_host(BILL);
        drafted(&host);
        host.odoo.documents.borrow_mut()[0].state = state.into();
        assert!(asked(&host).contains("was not drafted again"), "{state}");
        assert_eq!(host.odoo.postings.borrow().len(), 1);
    }
}

#[test]
fn run_doubts_are_in_the_order_of_their_weight() {
    let text = BILL
        .replace("DE89370400440532013000", "DE02120300000000202051")
        .replace("Buyer: Me Ltd", "Buyer: Jane Doe")
        .replace("Total: 119.00", "Total: 119.01\nNote: Paid by card.");
    let host = bill_host(&text);
    let (_, posting) = drafted(&host);
    let begins: Vec<&str> = posting
        .doubts
        .iter()
        .map(|it| it.get(..22).unwrap_or(it))
        .collect();
    assert_eq!(
        begins,
        [
            "It is to be paid into ",
            "The document says a to",
            "It is addressed to Jan",
            "Paid by card.",
        ],
        "{:?}",
        posting.doubts
    );
}

/// Odoo saved something else than was asked for: the draft is there, and is shown with what differs.
#[test]
fn run_draft_that_odoo_saved_otherwise_is_proposed_with_it() {
    let host = bill_host(BILL);
    let saved = host.odoo.draft_of(&document_asked(&host), "bill-1-R1");
    host.odoo.created.borrow_mut().clear();
    host.odoo.saves.borrow_mut().extend([
        Err(OdooError::Refused(
            "draft 101 was saved, and is not what was asked for".into(),
        )),
        Ok(Saved {
            document: saved,
            is_new: false,
            differences: vec!["line 1 taxes: asked for 1, saved nothing".into()],
            duplicates: vec![102],
        }),
    ]);
    let (_, posting) = drafted(&host);
    assert_eq!(
        posting.doubts,
        [
            "The draft in Odoo is not what the document says: line 1 taxes: asked for 1, saved nothing.",
            "Odoo has further drafts of the same, saved at the same moment: 102. Delete them there.",
        ]
    );
    let host = bill_host(BILL);
    let refused = || Err(OdooError::Refused("the Odoo user lacks a right: x".into()));
    host.odoo
        .saves
        .borrow_mut()
        .extend([refused(), Err(OdooError::Refused("y".into()))]);
    assert_eq!(
        ran(&host),
        Err(Error::Failed("the Odoo user lacks a right: x".into()))
    );
}

/// What was asked for of the bill.
fn document_asked(host: &TestHost) -> NewDocument {
    drafted(host);
    host.odoo.documents.borrow_mut().clear();
    let created = host.odoo.created.borrow();
    created[0].clone()
}

#[test]
fn run_unknown_vendor_ends_in_a_question() {
    let mut host = bill_host(BILL);
    host.odoo.partners[0] = partner(1, "Acme", None, &["DE11"]);
    let question = asked(&host);
    assert!(
        question.starts_with(
            "Unknown vendor: Odoo has none with this VAT number, account or exact name. Acme in Odoo has another account"
        ),
        "{question}"
    );
    assert!(host.odoo.created.borrow().is_empty());
}

#[test]
fn run_odoo_that_is_away_is_tried_again() {
    let mut host = bill_host(BILL);
    host.odoo.read_error = Some(OdooError::Unavailable("cannot reach Odoo".into()));
    assert_eq!(
        ran(&host),
        Err(Error::Unavailable("cannot reach Odoo".into()))
    );
    let mut host = bill_host(BILL);
    host.tasks[0].zone = "email".into();
    assert_eq!(
        ran(&host),
        Err(Error::Invalid(
            "task_1 is not of the zone accounting".into()
        ))
    );
}

#[test]
fn run_doubts_are_bounded() {
    let notes: String = (0..50).map(|at| format!("Note: look at {at}.\n")).collect();
    let host = bill_host(&format!("{BILL}{notes}"));
    let (_, posting) = drafted(&host);
    assert_eq!(posting.doubts.len(), 30);
    assert_eq!(posting.doubts[29], "And 21 more: read the document.");
}

#[test]
fn run_free_text_with_a_model_is_a_draft_in_doubt() {
    let mut host = bill_host(
        "Acme here, VAT DE123. Our bill R-1 of 1 Nov: ten packs of paper at 10.00, 119.00 with tax.",
    );
    host.completion = Ok(platinum_sdk::model::complete::Completion {
        text: BILL.into(),
        model: "m".into(),
        truncated: false,
    });
    let (_, posting) = drafted(&host);
    assert_eq!(
        posting.doubts[0],
        "The model m read this from free text: compare every field with the document."
    );
    assert!(
        posting.doubts[1].contains("the seller's account DE89370400440532013000"),
        "{:?}",
        posting.doubts
    );
    let labels = format!("{:?}", host.requests.borrow()[0].parts);
    assert!(labels.contains("\"document\""), "{labels}");
}

#[test]
fn run_second_company_is_the_one_that_is_addressed() {
    let mut host = bill_host(&BILL.replace("Buyer: Me Ltd", "Buyer: Second AG"));
    host.odoo.companies.push(Company {
        id: 2,
        name: "Second AG".into(),
        currency: "CHF".into(),
        ..host.odoo.companies[0].clone()
    });
    let journal = host.odoo.journals[1].1.clone();
    host.odoo.journals.push((2, Journal { id: 22, ..journal }));
    host.odoo.taxes.push((2, tax(21, "19", false)));
    drafted(&host);
    let created = host.odoo.created.borrow()[0].clone();
    assert_eq!(
        (
            created.company,
            created.journal,
            created.lines[0].taxes.as_slice()
        ),
        (2, 22, &[21][..])
    );
    let named = host.odoo.documents.borrow()[0].company.clone();
    assert_eq!(
        named,
        Named {
            id: 2,
            name: "Second AG".into()
        }
    );
}
