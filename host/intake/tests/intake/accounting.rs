//! Mails and files that bring bills, or ask for invoices, become tasks of the zone `accounting`, once each.

use std::{fs, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::{Role, ZoneId, layout};
use platinum_intake::{
    accounting::pdf::{MAX_PDF_BYTES, PdfContent, PdfReadError, PdfReader},
    mail::Taken,
};
use platinum_invoice::{Invoice, PaymentNote, block};
use platinum_vault::note::{TaskNote, check_drafted};

use crate::{
    folder::FolderFixture,
    taking_in::{Fixture, accounting_fixture, fixture, now, raw},
};

pub(crate) const UBL: &str = include_str!("../../../einvoice/tests/samples/ubl-invoice.xml");
const CII: &str = include_str!("../../../einvoice/tests/samples/factur-x.xml");
const PDF: &[u8] = include_bytes!("../../../einvoice/tests/samples/factur-x.pdf");
/// A bill without an e-invoice, as a program prints it.
const PRINTED: &[u8] = include_bytes!("../../../einvoice/tests/samples/printed.pdf");
/// Four gigabytes of spaces, packed three times.
const BOMB: &[u8] = include_bytes!("../../../einvoice/tests/samples/bomb.pdf");
const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-intake");

/// A mail with files: name, media type, content.
fn mail(id: &str, subject: &str, text: &str, files: &[(&str, &str, &[u8])]) -> String {
    let mut mail = format!(
        "From: Seller <billing@supplier.example>\r\nTo: owner@example.test\r\nSubject: {subject}\r\n\
         Message-ID: <{id}>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    );
    for (name, media_type, content) in files {
        let content = STANDARD.encode(content);
        let lines: Vec<&str> = content
            .as_bytes()
            .chunks(76)
            .map(|line| str::from_utf8(line).unwrap())
            .collect();
        mail.push_str(&format!(
            "--b\r\nContent-Type: {media_type}; name=\"{name}\"\r\nContent-Disposition: attachment; \
             filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            lines.join("\r\n")
        ));
    }
    mail + "--b--\r\n"
}

fn take(fixture: &Fixture, key: &str, mail: &str) -> Taken {
    fixture.intake.take(&raw(key, mail), now()).unwrap()
}

/// The tasks of accounting with the invoices of their blocks, by number; each note is one that an agent may put there.
fn invoices(notes: &[TaskNote]) -> Vec<(&TaskNote, Invoice)> {
    let mut found: Vec<_> = notes
        .iter()
        .filter(|note| note.zone == ZoneId::ACCOUNTING)
        .map(|note| {
            let rendered = note.render();
            check_drafted(&layout::waiting(note.zone, note.id), rendered.as_bytes()).unwrap();
            assert_eq!(TaskNote::parse(&rendered).unwrap(), *note);
            (
                note,
                Invoice::parse(block::find(&note.body).unwrap()).unwrap(),
            )
        })
        .collect();
    found.sort_by(|one, other| one.1.number.cmp(&other.1.number));
    found
}

fn has_note(invoice: &Invoice, note: &str) -> bool {
    invoice.notes.iter().any(|other| other == note)
}

#[test]
fn einvoice_in_a_mail_becomes_one_accounting_task() {
    for (name, media_type, content, number) in [
        (
            "invoice.xml",
            "application/xml",
            UBL.as_bytes(),
            "R-2026-17",
        ),
        ("invoice.xml", "text/xml", CII.as_bytes(), "F-42"),
        ("bill.pdf", "application/pdf", PDF, "F-42"),
        ("bill.bin", "application/octet-stream", PDF, "F-42"),
    ] {
        let fixture = accounting_fixture();
        let mail = mail(
            "a@x",
            "Our bill",
            "Please pay.",
            &[(name, media_type, content)],
        );
        assert!(matches!(take(&fixture, "1/1", &mail), Taken::Created(_)));
        assert!(matches!(take(&fixture, "2/1", &mail), Taken::Known(_)));
        let notes = fixture.notes();
        let found = invoices(&notes);
        assert_eq!((notes.len(), found.len()), (1, 1), "{name}");
        let (note, invoice) = &found[0];
        assert_eq!(invoice.number.as_deref(), Some(number));
        assert!(
            invoice
                .details
                .contains(&format!("It was read from {name}.")),
            "{:?}",
            invoice.details
        );
        assert_eq!(note.fact("message-id"), ["a@x"]);
        assert_eq!(note.fact("from-address"), ["billing@supplier.example"]);
        assert!(note.fact("attachments")[0].starts_with(name));
        assert!(note.body.contains("Please pay."), "{}", note.body);
        assert_eq!(note.subject, "Our bill");
    }
}

#[test]
fn zone_that_is_not_set_up_leaves_the_mail_a_mail() {
    let fixture = fixture();
    let mail = mail(
        "a@x",
        "Our bill",
        "Please pay.",
        &[("a.xml", "text/xml", UBL.as_bytes())],
    );
    take(&fixture, "1/1", &mail);
    let notes = fixture.notes();
    assert_eq!((notes.len(), notes[0].zone), (1, ZoneId::EMAIL));
    assert_eq!(block::find(&notes[0].body), None);
}

/// Two documents, one of them twice, and a third that nobody can read: two tasks, and nothing is silent.
#[test]
fn several_einvoices_of_a_mail_are_a_task_each() {
    let fixture = accounting_fixture();
    let broken = "<Invoice xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:Invoice-2\"><ID>";
    let mail = mail(
        "a@x",
        "Bills",
        "Two bills.",
        &[
            ("broken.xml", "text/xml", broken.as_bytes()),
            ("f.pdf", "application/pdf", PDF),
            ("f.xml", "text/xml", CII.as_bytes()),
            ("r.xml", "text/xml", UBL.as_bytes()),
            ("photo.png", "image/png", b"\x89PNG"),
            ("torn.pdf", "application/pdf", b"%PDF-1.7 torn"),
        ],
    );
    assert!(matches!(take(&fixture, "1/1", &mail), Taken::Created(_)));
    let notes = fixture.notes();
    let found = invoices(&notes);
    let numbers: Vec<_> = found
        .iter()
        .map(|(_, invoice)| invoice.number.as_deref())
        .collect();
    assert_eq!(numbers, [Some("F-42"), Some("R-2026-17")]);
    let first = &found[0].1;
    assert!(has_note(first, "It is in f.xml, too."), "{:?}", first.notes);
    assert!(first.notes.iter().any(|note| {
        note.starts_with(
            "broken.xml is an e-invoice that cannot be read: it is not well-formed XML",
        )
    }));
    assert!(
        has_note(first, "torn.pdf was not looked into: the PDF is damaged."),
        "{:?}",
        first.notes
    );
    let line = "- This is one of several e-invoices of the mail; each has a task of its own.";
    assert!(found.iter().all(|(note, _)| note.body.contains(line)));
    assert_ne!(found[0].0.id, found[1].0.id);
    // The mail comes again under another name.
    assert!(matches!(take(&fixture, "2/1", &mail), Taken::Known(_)));
    assert_eq!(fixture.notes().len(), 2);
}

/// What a process that died after the first of two tasks left is finished by the next one.
#[test]
fn several_einvoices_after_a_crash_are_not_doubled() {
    let fixture = accounting_fixture();
    let mail = mail(
        "a@x",
        "Bills",
        "Two bills.",
        &[
            ("f.xml", "text/xml", CII.as_bytes()),
            ("r.xml", "text/xml", UBL.as_bytes()),
        ],
    );
    take(&fixture, "1/1", &mail);
    // As if only the second e-invoice had been stored when the process died.
    fixture.forget_mail("1/1");
    assert!(matches!(take(&fixture, "1/1", &mail), Taken::Created(_)));
    let notes = fixture.notes();
    let mut numbers: Vec<_> = invoices(&notes)
        .iter()
        .map(|(_, invoice)| invoice.number.clone().unwrap())
        .collect();
    numbers.dedup();
    assert_eq!(numbers, ["F-42", "R-2026-17"]);
    assert_eq!(
        notes.len(),
        3,
        "the first is there twice only because this test forgot it"
    );
}

/// A one-time code among the lines of an invoice text is in no part of the note.
#[test]
fn one_time_code_is_not_repeated_in_the_invoice() {
    let fixture = accounting_fixture();
    let text = "Invoice to: Example Ltd\r\nCurrency: EUR\r\nYour verification code is 482913\r\n\r\n\
                | Item | Quantity | Price | Tax |\r\n|---|---|---|---|\r\n| Paper | 1 | 10.00 | 20 % |\r\n";
    take(
        &fixture,
        "code",
        &mail("code@x", "Your verification code", text, &[]),
    );
    let notes = fixture.notes();
    let found = invoices(&notes);
    assert_eq!(found.len(), 1);
    assert!(!found[0].0.body.contains("482913"), "{}", found[0].0.body);
}

#[test]
fn einvoice_that_cannot_be_read_is_said() {
    let fixture = accounting_fixture();
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"ha\">]>{}",
        UBL.split_once("?>").unwrap().1
    );
    let mail = mail(
        "a@x",
        "Bill",
        "Please pay.",
        &[("bomb.xml", "text/xml", bomb.as_bytes())],
    );
    take(&fixture, "1/1", &mail);
    let notes = fixture.notes();
    let (_, invoice) = &invoices(&notes)[0];
    let note = "bomb.xml is an e-invoice that cannot be read: it declares a document type (DTD), which no e-invoice needs.";
    assert_eq!(invoice.notes, [note]);
}

#[test]
fn mail_rules_of_the_handbook_are_followed() {
    let fixture = accounting_fixture();
    fixture.write(
        "Company_Handbook.md",
        "# H\n\n## Accounting\n\n- bills from: supplier.example\n\
        - invoice requests: subject contains \"please invoice\"\n",
    );
    let scan: (&str, &str, &[u8]) = ("scan.pdf", "application/pdf", b"%PDF-1.4 torn");
    take(
        &fixture,
        "1/1",
        &mail("a@x", "Your bill", "See attached.", &[scan]),
    );
    take(&fixture, "1/2", &mail("b@x", "News", "New prices.", &[]));
    take(
        &fixture,
        "1/3",
        &mail("c@x", "Please invoice ACME", "500 for the workshop.", &[]),
    );
    let payment = "Payment: R-1\nAmount: 5.00 EUR\nDate: 2026-11-30";
    take(
        &fixture,
        "1/4",
        &mail("d@x", "Please invoice: paid", payment, &[]),
    );
    let notes = fixture.notes();
    let subjects = |zone| {
        let mut subjects: Vec<_> = notes
            .iter()
            .filter(|note| note.zone == zone)
            .map(|note| note.subject.as_str())
            .collect();
        subjects.sort_unstable();
        subjects
    };
    assert_eq!(
        subjects(ZoneId::ACCOUNTING),
        ["Please invoice ACME", "Please invoice: paid", "Your bill"]
    );
    let of = |subject: &str| notes.iter().find(|note| note.subject == subject).unwrap();
    // What a mail says in words of its own is read as it is; what it says of a payment is not.
    let bill = of("Your bill");
    let line = "- scan.pdf was not looked into: the PDF is damaged.\n";
    assert_eq!(block::find(&bill.body), None);
    assert!(bill.body.ends_with(line), "{}", bill.body);
    for note in [bill, of("Please invoice ACME")] {
        let path = layout::waiting(note.zone, note.id);
        check_drafted(&path, note.render().as_bytes()).unwrap();
        assert_eq!(TaskNote::parse(&note.render()).unwrap(), *note);
    }
    let text = block::find(&of("Please invoice: paid").body).unwrap();
    assert!(PaymentNote::parse(text).is_err() && Invoice::parse(text).is_ok());
    assert_eq!(subjects(ZoneId::EMAIL), ["News"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_einvoices_and_tables_are_accounting_tasks() {
    let fixture = FolderFixture::new(Role::Local);
    let table = "| Item | Qty | Price |\n|---|---|---|\n| Tea | 2 | 5.00 |\n";
    fixture.drop_file("Inbox/a bill.xml", UBL.as_bytes());
    fixture.drop_file("Inbox/b bill.pdf", PDF);
    fixture.drop_file(
        "Inbox/c request.md",
        format!("# Invoice\nBuyer: Example Ltd\n\n{table}").as_bytes(),
    );
    fixture.drop_file(
        "Inbox/d paid.md",
        b"Payment: R-1\nAmount: 5.00 EUR\nDate: 2026-11-30\n",
    );
    fixture.drop_file(
        "Inbox/e note.md",
        format!("Call Bob about this:\n\n{table}").as_bytes(),
    );
    fixture.drop_file(
        "Inbox/f elsewhere.md",
        format!("---\nzone: social\n---\nBuyer: X\n\n{table}").as_bytes(),
    );
    fixture.drop_file("Inbox/i printed.pdf", PRINTED);
    let order = printed(&[
        "Bestellung Nr. 5",
        "IBAN: DE89370400440532013000",
        "Total: 10.00 EUR",
    ]);
    fixture.drop_file("Inbox/j order.pdf", &order);
    fixture.drop_file("Needs_Action/accounting/g torn.pdf", b"%PDF-1.7 torn");
    fixture.drop_file(
        "Needs_Action/accounting/h free.md",
        b"Invoice ACME 500 for the workshop.\n",
    );
    assert_eq!(fixture.poll().await, 10);
    let tasks = fixture.tasks();
    let of = |start: &str| {
        let task = tasks
            .iter()
            .find(|task| task.source.contains(start))
            .unwrap();
        (task.zone.to_string(), block::find(&task.body))
    };
    let number = |start: &str| {
        Invoice::parse(of(start).1.unwrap())
            .unwrap()
            .number
            .unwrap()
    };
    assert_eq!(
        (of("a bill").0, number("a bill")),
        ("accounting".to_owned(), "R-2026-17".to_owned())
    );
    assert_eq!(
        (of("b bill").0, number("b bill")),
        ("accounting".to_owned(), "F-42".to_owned())
    );
    let request = Invoice::parse(of("c request").1.unwrap()).unwrap();
    assert_eq!(
        (of("c request").0.as_str(), request.buyer.name.as_deref()),
        ("accounting", Some("Example Ltd"))
    );
    let (zone, text) = of("d paid");
    assert_eq!(
        (
            zone.as_str(),
            PaymentNote::parse(text.unwrap()).unwrap().invoice.as_str()
        ),
        ("accounting", "R-1")
    );
    assert_eq!(number("i printed"), "R-2026-118");
    assert_eq!(of("j order"), ("email".to_owned(), None));
    assert_eq!(of("e note"), ("email".to_owned(), None));
    assert_eq!(of("f elsewhere"), ("social".to_owned(), None));
    let torn = Invoice::parse(of("g torn").1.unwrap()).unwrap();
    assert_eq!(
        torn.notes,
        ["g torn.pdf was not looked into: the PDF is damaged."]
    );
    assert_eq!(of("h free"), ("accounting".to_owned(), None));
}

/// Whatever a PDF is, its own process answers or ends; a bomb is in the test below.
#[test]
fn pdf_process_is_bounded_and_never_stops_intake() {
    let reader = PdfReader::Process(PROGRAM.into());
    for pdf in [PDF, PRINTED] {
        let content = reader.read(pdf).unwrap();
        assert_eq!(matches!(content, PdfContent::Text(_)), pdf == PRINTED);
        assert_eq!(Ok(content), PdfReader::Here.read(pdf));
    }
    let refusal = |reader: &PdfReader, pdf: &[u8]| reader.read(pdf).unwrap_err();
    let torn = refusal(&reader, b"%PDF-1.7 torn");
    assert_eq!(torn, PdfReadError::Damaged("the PDF is damaged".to_owned()));
    let deep = [b"%PDF-1.7\n1 0 obj\n".to_vec(), b"[".repeat(4_000_000)].concat();
    assert!(reader.read(&deep).is_err());
    let missing = PdfReader::Process("/nonexistent/platinum-intake".into());
    assert_eq!(
        refusal(&missing, PDF).to_string(),
        "the process that reads it cannot be started: entity not found"
    );
    // Programs that end without an answer, and in the middle of one.
    for program in ["/bin/true", "/bin/pwd"] {
        let other = refusal(&PdfReader::Process(program.into()), PDF);
        assert_eq!(other, PdfReadError::BrokeOff, "{program}");
    }
    let long = vec![b' '; MAX_PDF_BYTES + 1];
    assert_eq!(
        refusal(&reader, &long).to_string(),
        "it has 25000001 bytes, and 25000000 is the most that is read"
    );
}

/// A PDF of these lines.
fn printed(lines: &[&str]) -> Vec<u8> {
    let lines = lines.iter().map(|line| format!("({line}) Tj T*\n"));
    let content = format!(
        "BT /F 10 Tf 14 TL 50 800 Td {} ET",
        lines.collect::<String>()
    );
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F << /Type /Font \
         /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
    ];
    let objects: String = (1..)
        .zip(objects)
        .map(|(at, object)| format!("{at} 0 obj\n{object}\nendobj\n"))
        .collect();
    format!("%PDF-1.7\n{objects}trailer\n<< /Root 1 0 R >>\n%%EOF\n").into_bytes()
}

/// A PDF that says of itself that it is a bill becomes one; in a mail that asks something it stays a mail.
#[test]
fn printed_bill_in_a_mail_is_an_accounting_task() {
    let fixture = accounting_fixture();
    let take_bill = |id: &str, text: &str, pdf: &[u8]| {
        let pdf = ("bill.pdf", "application/pdf", pdf);
        take(&fixture, id, &mail(id, "Your order", text, &[pdf]));
    };
    take_bill("bill@x", "Please find our bill attached.", PRINTED);
    take_bill("asks@x", "Is this one right?", PRINTED);
    let offer = printed(&[
        "Angebot Nr. 5",
        "Rechnungsadresse: A GmbH",
        "Gesamtbetrag: 10,00 EUR",
    ]);
    take_bill("offer@x", "Our offer.", &offer);
    let notes = fixture.notes();
    let found = invoices(&notes);
    assert_eq!((notes.len(), found.len()), (3, 1));
    let invoice = &found[0].1;
    assert_eq!(invoice.number.as_deref(), Some("R-2026-118"));
    assert_eq!(invoice.lines.len(), 2);
    assert_eq!(
        invoice.notes,
        [
            "It was read from the text of bill.pdf: compare it with the document.",
            "The VAT number DE123456789 stands by itself, and is taken for the seller's.",
        ]
    );
}

/// Of a bill that the owner's rule names, what is understood is in the block, and all of its text above it.
#[test]
fn printed_bill_with_gaps_brings_its_text() {
    let fixture = accounting_fixture();
    fixture.write(
        "Company_Handbook.md",
        "## Accounting\n\n- bills from: supplier.example\n",
    );
    let gaps = printed(&["Dear customer,", "Invoice number: R-9", "we charge ten."]);
    let payment = printed(&["Payment: R-1", "Amount: 5.00 EUR", "Date: 2026-11-30"]);
    for (id, pdf) in [("gaps@x", gaps), ("payment@x", payment)] {
        let pdf = ("bill.pdf", "application/pdf", pdf.as_slice());
        let mail = mail(id, id, "See attached.", &[pdf]);
        // Most bills are sent by a program.
        let mail = mail.replacen(
            "MIME-Version",
            "Auto-Submitted: auto-generated\r\nMIME-Version",
            1,
        );
        take(&fixture, id, &mail);
    }
    let notes = fixture.notes();
    let found = invoices(&notes);
    assert_eq!(found.len(), 2);
    let of = |id: &str| found.iter().find(|(note, _)| note.subject == id).unwrap();
    let (note, invoice) = of("gaps@x");
    assert_eq!(invoice.number.as_deref(), Some("R-9"));
    let section = "## Text of bill.pdf\n\n```text\nDear customer,\nInvoice number: R-9\nwe charge ten.\n```\n";
    assert!(note.body.contains(section), "{}", note.body);
    // A payment is taken from the owner alone.
    let (note, _) = of("payment@x");
    let block = block::find(&note.body).unwrap();
    assert!(PaymentNote::parse(block).is_err(), "{block}");
}

/// The program on a Maildir: an e-invoice beside a bomb and an ordinary mail, and once more.
#[test]
fn program_takes_bills_of_a_maildir_in_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for folder in ["mail/new", "mail/cur", "mail/tmp", "vault/Needs_Action"] {
        fs::create_dir_all(path(folder)).unwrap();
    }
    fs::write(
        path("mail.toml"),
        format!(
            "[account.owner]\naddress = \"owner@example.test\"\nbackend = \"maildir\"\npath = {:?}\n",
            path("mail")
        ),
    )
    .unwrap();
    let bill = mail(
        "bill@x",
        "Our bill",
        "Please pay.",
        &[
            ("bomb.pdf", "application/pdf", BOMB),
            ("bill.pdf", "application/pdf", PDF),
        ],
    );
    fs::write(path("mail/new/1"), bill).unwrap();
    fs::write(
        path("mail/new/2"),
        mail("other@x", "Hello", "How are you?", &[]),
    )
    .unwrap();
    let run = || {
        let output = Command::new(PROGRAM)
            .args([
                "mail",
                "--account",
                "owner",
                "--accounting",
                "--once",
                "--config",
            ])
            .arg(path("mail.toml"))
            .arg("--vault")
            .arg(path("vault"))
            .arg("--state")
            .arg(path("state"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run();
    run();
    let tasks = |zone: &str| -> Vec<TaskNote> { notes_in(&path("vault/Needs_Action").join(zone)) };
    let bills = tasks("accounting");
    let (note, invoice) = &invoices(&bills)[0];
    assert_eq!((bills.len(), tasks("email").len()), (1, 1));
    assert_eq!(
        (note.subject.as_str(), invoice.number.as_deref()),
        ("Our bill", Some("F-42"))
    );
    // Its memory or its time ends it; on a busy machine the patience with it.
    let is_said = |note: &String| note.starts_with("bomb.pdf was not looked into: ");
    assert!(invoice.notes.iter().any(is_said), "{:?}", invoice.notes);
}

/// The notes of a folder.
pub(crate) fn notes_in(folder: &Path) -> Vec<TaskNote> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let notes = entries
        .map(|entry| TaskNote::parse(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap());
    let mut notes: Vec<_> = notes.collect();
    notes.sort_by_key(|note: &TaskNote| note.id.to_string());
    notes
}
