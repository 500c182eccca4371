//! Both built daemons before one real Odoo: the cloud's with the key of a drafter, the owner's with their own, and a bare
//! repository between them.
//!
//! Lives here: [`Halves`], and the whole way of an invoice. Lives elsewhere: what bills become is in `bills`, the
//! owner's half alone in `approving`, `platinum-cloud doctor` in `doctor`.

use std::{fmt::Write as _, fs, path::Path, sync::Arc, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::{DraftId, OdooPayment, OdooPost};
use platinum_host_tests::hosts::{Host, Hosts, notes};
use platinum_testkit::odoo::{OdooServer, OdooUser};
use platinum_vault::note::DraftNote;
use serde_json::{Value, json};

/// An e-invoice as it is inside of a Factur-X PDF.
const CII: &str = include_str!("../../../../host/einvoice/tests/samples/factur-x.xml");

/// Both halves, a mailbox and Odoo; nothing of the halves runs.
pub(crate) struct Halves {
    pub(crate) hosts: Hosts,
    pub(crate) odoo: Arc<OdooServer>,
}

impl Halves {
    pub(crate) fn set() -> Self {
        let odoo = OdooServer::shared().unwrap();
        let programs = [
            "platinum-intake",
            "platinum-email-draft",
            "platinum-email",
            "platinum-odoo-draft",
            "platinum-odoo",
        ];
        let hosts = Hosts::set(&programs, &["email", "accounting"], |role, home| {
            let mailbox = home.with_file_name("Mail");
            for part in ["new", "cur", "tmp"] {
                fs::create_dir_all(mailbox.join(part)).unwrap();
            }
            let mail = home.join("mail.toml");
            let text = format!(
                "[account.owner]\naddress = 'Owner <owner@example.test>'\nbackend = 'maildir'\npath = {mailbox:?}\n"
            );
            fs::write(&mail, text).unwrap();
            // Only the cloud watches the mailbox; it asks as it would an older Odoo.
            let (user, protocol, is_watching) = match role {
                "cloud" => (OdooUser::Drafter, "json-rpc", true),
                _ => (OdooUser::Owner, "json-2", false),
            };
            let books = odoo.configure(home, user, protocol).unwrap();
            format!(
                "[zones.accounting]\nconfig = {books:?}\n\n\
                 [zones.email]\naccount = \"owner\"\nconfig = {mail:?}\nwatch = {is_watching}\n"
            )
        });
        Self { hosts, odoo }
    }

    /// Gives the cloud the key of the owner.
    pub(crate) fn give_owners_key(&self) {
        let home = self.hosts.cloud.home();
        self.odoo
            .configure(&home, OdooUser::Owner, "json-rpc")
            .unwrap();
    }

    /// Puts a mail into the mailbox, as a mail program does.
    fn deliver(&self, name: &str, mail: &[u8]) {
        let mailbox = self.hosts.folder().join("Mail");
        let written = mailbox.join("tmp").join(name);
        fs::write(&written, mail).unwrap();
        fs::rename(written, mailbox.join("new").join(name)).unwrap();
    }

    /// The text of a draft's note before the owner as `docs/accounting.md` shows it: without its properties, the names
    /// of this run for those of the page, its numbers all 7.
    fn picture(&self, draft: &DraftNote, names: &[(&str, &str)]) -> String {
        let path = format!("Pending_Approval/{}.md", draft.id);
        let text = fs::read_to_string(self.hosts.local.vault().join(path)).unwrap();
        let (_, body) = text.split_once("\n---\n").unwrap();
        let (url, task) = (self.odoo.url(), draft.task.to_string());
        let of_run = [
            (url.as_str(), "https://odoo.example.com"),
            (task.as_str(), "task_01KB8M3V6S9Q2XN4T7R0A5C8DE"),
        ];
        let known = names.iter().chain(&of_run);
        let body = known.fold(body.to_owned(), |body, (own, shown)| {
            body.replace(own, shown)
        });
        let of_now = [
            ("> **Received:** ", "2026-11-30 20:10"),
            ("- **Operation:** ", "bill-af134b5d4ff2ba95d48c9d15acb6918c"),
            ("- **Date of the document:** ", "2026-11-30"),
        ];
        let lines = body.lines().map(|line| {
            let line_of = |(start, rest): (&str, &str)| {
                line.starts_with(start).then(|| format!("{start}{rest}"))
            };
            of_now
                .into_iter()
                .find_map(line_of)
                .unwrap_or_else(|| line.to_owned())
        });
        let body = lines.collect::<Vec<_>>().join("\n");
        let numbered = ["no. ", "id=", "invoice ", "bill "];
        let body = numbered
            .into_iter()
            .fold(body, |body, before| with_number(&body, before));
        body.trim().to_owned()
    }

    fn call(&self, model: &str, method: &str, arguments: &Value) -> Value {
        let answer = self.odoo.call(OdooUser::Owner, model, method, arguments);
        answer.unwrap_or_else(|refusal| panic!("{model} {method}: {refusal}"))
    }

    /// Makes a contact; its number.
    pub(crate) fn contact(&self, values: &Value) -> i64 {
        let made = self.call("res.partner", "create", &json!({ "vals_list": [values] }));
        made[0].as_i64().unwrap()
    }

    /// A row of the database.
    pub(crate) fn row(&self, query: &str) -> String {
        self.odoo.sql(query).unwrap().trim().to_owned()
    }

    /// State, payment state, and whose key made a document and changed it last.
    fn document(&self, id: u64) -> String {
        self.row(&format!(
            "select concat_ws(' ', m.state, m.payment_state, c.login, w.login) from account_move m
             join res_users c on c.id = m.create_uid join res_users w on w.id = m.write_uid where m.id = {id}"
        ))
    }

    /// Waits until a document is so.
    fn await_document(&self, id: u64, expected: &str) {
        self.hosts
            .wait(&format!("{expected} of document {id}"), || {
                Ok((self.document(id) == expected).then_some(()))
            });
    }
}

/// The text with 7 for each number that follows these words.
fn with_number(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = if rest.len() < part.len() { "7" } else { "" };
        out.extend([before, number, rest]);
    }
    out
}

/// Whether `docs/accounting.md` shows this, however wide its tables are.
fn assert_shown(picture: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/accounting.md");
    let narrow = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let mut text = lines.collect::<Vec<_>>().join("\n");
        while text.contains("----") {
            text = text.replace("----", "---");
        }
        text
    };
    let shown = narrow(&fs::read_to_string(page).unwrap());
    assert!(
        shown.contains(&narrow(picture)),
        "docs/accounting.md shows another note than this one:\n\n{picture}"
    );
}

/// A PDF with an e-invoice inside, as PDF/A-3 names it.
fn factur_x(xml: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(factur-x.xml) 4 0 R] >> >> >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_owned(),
        "<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /AFRelationship /Data /EF << /F 5 0 R >> >>"
            .to_owned(),
        format!(
            "<< /Type /EmbeddedFile /Subtype /text#2Fxml /Length {} >>\nstream\n{xml}\nendstream",
            xml.len()
        ),
    ];
    let mut pdf = "%PDF-1.7\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (number, object) in (1..).zip(&objects) {
        writeln!(table, "{:010} 00000 n ", pdf.len()).unwrap();
        write!(pdf, "{number} 0 obj\n{object}\nendobj\n").unwrap();
    }
    let (start, count) = (pdf.len(), objects.len() + 1);
    write!(
        pdf,
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    )
    .unwrap();
    pdf.into_bytes()
}

/// A mail of a vendor's with a file.
fn mail_with_bill(pdf: &[u8]) -> String {
    let encoded = STANDARD.encode(pdf);
    let lines: Vec<&str> = encoded
        .as_bytes()
        .chunks(76)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "From: Billing <billing@supplier.example>\r\nTo: owner@example.test\r\nSubject: Your bill F-42\r\n\
         Message-ID: <bill@supplier.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPlease find our bill attached.\r\n\
         --b\r\nContent-Type: application/pdf; name=\"bill.pdf\"\r\nContent-Disposition: attachment; \
         filename=\"bill.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    )
}

/// A mail of a customer's that asks for an invoice.
fn mail_with_request(customer: &str) -> String {
    format!(
        "From: Clara Weiss <clara@client.example>\r\nTo: owner@example.test\r\nSubject: The workshop\r\n\
         Message-ID: <request@client.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
         Hello,\r\n\r\nplease send us an invoice.\r\n\r\nInvoice to: {customer}\r\nDue: 2026-12-14\r\n\
         Currency: USD\r\n\r\n| Item | Quantity | Price | Tax |\r\n|---|---|---|---|\r\n\
         | Workshop | 2 | 450.00 | 15 % |\r\n| Travel | 1 | 80.00 | 15 % |\r\n\r\nBest wishes\r\nClara\r\n"
    )
}

/// The whole way: a mail that asks for an invoice and one that brings a bill, drafts by the user who can only draft,
/// notes over the repository, the owner's yes, posted with the owner's key; then a note of theirs that the invoice was
/// paid, their yes to that, and paid.
#[test]
fn mail_becomes_a_paid_invoice_over_both_halves() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let halves = Halves::set();
    let (cloud, local) = (&halves.hosts.cloud, &halves.hosts.local);
    let name = |what: &str| format!("{what} {}", &DraftId::generate().to_string()[20..]);
    let (customer, vendor) = (name("Weiss Training"), name("Exemple"));
    let buyer = halves.contact(&json!({"name": customer, "is_company": true}));
    let seller =
        halves.contact(&json!({"name": vendor, "vat": "FR12345678901", "is_company": true}));
    let account = json!({"acc_number": "FR7630006000011234567890189", "partner_id": seller});
    halves.call(
        "res.partner.bank",
        "create",
        &json!({ "vals_list": [account] }),
    );
    let company = halves.row("select name from res_company where id = 1");
    let xml = [
        ("Exemple SARL", vendor.as_str()),
        ("Beispiel AG", &company),
        ("EUR", "USD"),
        ("5.5<", "15<"),
        ("2.48", "6.75"),
        ("47.48", "51.75"),
    ]
    .into_iter()
    .fold(CII.to_owned(), |xml, (old, new)| xml.replace(old, new));

    let cloud_runs = cloud.start("");
    halves.hosts.wait("the mailbox to be watched", || {
        Ok(cloud.log().contains("waiting for mail").then_some(()))
    });
    let arrived = Instant::now();
    halves.deliver("1.bill.host", mail_with_bill(&factur_x(&xml)).as_bytes());
    halves.deliver("2.request.host", mail_with_request(&customer).as_bytes());
    // The owner's machine was off until now.
    halves.hosts.wait("two drafts in Odoo", || {
        let drafts = halves.row(&format!(
            "select count(*) from account_move m join res_users u on u.id = m.create_uid
             where u.login = 'platinum-drafter' and m.partner_id in ({buyer}, {seller})"
        ));
        Ok((drafts == "2").then_some(()))
    });
    println!(
        "FIGURE: two mails arrived -> both drafts in Odoo: {:.2} s",
        arrived.elapsed().as_secs_f32()
    );
    let local_runs = local.start("");
    let drafts = halves.hosts.await_drafts(2);
    let names = [
        (customer.as_str(), "Weiss Training"),
        (vendor.as_str(), "Exemple SARL"),
    ];
    let mut posted = Vec::new();
    for (partner, total) in [(&customer, "USD 1127.00"), (&vendor, "USD 51.75")] {
        let draft = drafts
            .iter()
            .find(|draft| draft.summary.contains(partner.as_str()));
        let draft = draft.unwrap_or_else(|| panic!("{partner}: {drafts:?}"));
        let post: OdooPost = draft.action.read()?;
        assert_eq!(post.total.to_string(), total);
        assert!(post.shown.contains(partner.as_str()), "{}", post.shown);
        assert!(draft.by.starts_with("cloud/"), "{}", draft.by);
        if partner == &vendor {
            assert_shown(&halves.picture(draft, &names));
        }
        let drafted = "draft not_paid platinum-drafter platinum-drafter";
        assert_eq!(halves.document(post.document), drafted);
        local.approve(draft.id);
        let approved = Instant::now();
        halves.await_document(post.document, "posted not_paid platinum-drafter admin");
        println!(
            "FIGURE: approval -> posted in Odoo: {:.2} s",
            approved.elapsed().as_secs_f32()
        );
        posted.push(post.document);
    }

    // The owner saw the money arrive, and says so in a note.
    let invoice = posted[0];
    let number = halves.row(&format!(
        "select name from account_move where id = {invoice}"
    ));
    let note = format!("Payment: {number}\nAmount: 1127.00 USD\nDate: 2026-11-30\nJournal: BNK1\n");
    fs::write(local.vault().join("Inbox/paid.md"), note)?;
    let drafts = halves.hosts.await_drafts(1);
    let names = [
        (customer.as_str(), "Weiss Training"),
        (number.as_str(), "INV/2026/00001"),
    ];
    let picture = halves.picture(&drafts[0], &names);
    let (_, below) = picture.split_once("below this line\n").unwrap();
    assert_shown(below);
    let payment: OdooPayment = drafts[0].action.read()?;
    assert_eq!(
        (payment.invoice, payment.amount.to_string().as_str()),
        (invoice, "USD 1127.00")
    );
    assert!(drafts[0].by.starts_with("cloud/"), "{}", drafts[0].by);
    let payments = format!(
        "select string_agg(concat(u.login, ' ', round(p.amount, 2)), ', ') from account_payment p
         join res_users u on u.id = p.create_uid where p.memo like '{number} %'"
    );
    assert_eq!(
        halves.row(&payments),
        "",
        "nothing is recorded before the owner's yes"
    );
    local.approve(drafts[0].id);
    halves.await_document(invoice, "posted paid platinum-drafter admin");
    assert_eq!(halves.row(&payments), "admin 1127.00");

    // All of it is over, on both halves; the log has each receipt.
    let done = |host: &Host| notes(&host.vault().join("Done")).len();
    halves.hosts.wait(
        "three tasks and their drafts in Done/ on both halves",
        || Ok((done(local) == 6 && done(cloud) == 6).then_some(())),
    );
    drop((local_runs, cloud_runs));
    let log = local.shows(&["log"]);
    println!("{log}");
    assert_eq!(log.matches(" is posted").count(), 2, "{log}");
    assert_eq!(log.matches(" is recorded").count(), 1, "{log}");
    Ok(())
}
