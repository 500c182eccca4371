//! Both built daemons before one real Odoo: the cloud's with the key of a drafter, the owner's with their own, and a bare
//! repository between them.
//!
//! Lives here: [`Halves`], and the whole way of an invoice. Lives elsewhere: what bills become is in `bills`, the
//! owner's half alone in `approving`, `platinum-cloud doctor` in `doctor`.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::{DraftId, OdooPayment, OdooPost};
use platinum_testkit::{
    Child, add_skills, compiled_skills, exchange_keys,
    git::bare_repository,
    odoo::{OdooServer, OdooUser},
    program, wait_for,
};
use platinum_vault::note::DraftNote;
use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(60);
/// An e-invoice as it is inside of a Factur-X PDF.
const CII: &str = include_str!("../../../../host/einvoice/tests/samples/factur-x.xml");

/// Two hosts in one folder, configured and trusting each other; nothing runs.
pub(crate) struct Halves {
    folder: tempfile::TempDir,
    pub(crate) odoo: Arc<OdooServer>,
}

impl Halves {
    pub(crate) fn set() -> Self {
        let halves = Self {
            folder: tempfile::tempdir().unwrap(),
            odoo: OdooServer::shared().unwrap(),
        };
        let folder = halves.folder.path();
        let remote = folder.join("vault.git");
        bare_repository(&remote).unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(folder.join("Mail").join(part)).unwrap();
        }
        let mail = "[account.owner]\naddress = 'Owner <owner@example.test>'\nbackend = 'maildir'\npath = 'Mail'\n";
        fs::write(folder.join("mail.toml"), mail).unwrap();
        // Only the cloud watches the mailbox, and only it drafts.
        for (role, user, zones, is_watching) in [
            (
                "cloud",
                OdooUser::Drafter,
                "\"email\", \"accounting\"",
                true,
            ),
            ("local", OdooUser::Owner, "", false),
        ] {
            fs::create_dir_all(halves.vault(role).join("Inbox")).unwrap();
            halves.log_in(role, user);
            let config = format!(
                "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n\n\
                 [sync]\nremote = {remote:?}\nevery-seconds = 1\n\n\
                 [approvals]\nhold-seconds = 0\nretry-seconds = 1\n\n\
                 [work]\ncompiled = {:?}\nskills = \"skills\"\nevery-seconds = 1\nzones = [{zones}]\n\n\
                 [zones.accounting]\nconfig = \"{role}/odoo.toml\"\n\n\
                 [zones.email]\naccount = \"owner\"\nconfig = \"mail.toml\"\nwatch = {is_watching}\n",
                compiled_skills()
            );
            fs::write(halves.config(role), config).unwrap();
        }
        for name in [
            "platinum-intake",
            "platinum-email-draft",
            "platinum-email",
            "platinum-odoo-draft",
            "platinum-odoo",
        ] {
            program(name, name).unwrap();
        }
        exchange_keys(&halves.config("cloud"), &halves.config("local")).unwrap();
        add_skills(&halves.config("local")).unwrap();
        halves
    }

    /// Gives a half the key of a user. The cloud asks as it would an older Odoo.
    pub(crate) fn log_in(&self, role: &str, user: OdooUser) {
        let folder = self.folder.path().join(role);
        let protocol = if role == "cloud" {
            "json-rpc"
        } else {
            "json-2"
        };
        self.odoo.configure(&folder, user, protocol).unwrap();
    }

    fn config(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.toml"))
    }

    fn vault(&self, role: &str) -> PathBuf {
        self.folder.path().join(role).join("vault")
    }

    fn log(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.log"))
    }

    fn start(&self, role: &str) -> Child {
        let config = self.config(role);
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        let program = program_of(role);
        Child::start(program.to_str().unwrap(), arguments, &self.log(role), None).unwrap()
    }

    /// Runs a command of a half.
    pub(crate) fn run(&self, role: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(program_of(role));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.config(role));
        command.output().unwrap()
    }

    /// Gives a command of the owner's, which must succeed.
    fn platinum(&self, arguments: &[&str]) -> String {
        let output = self.run("local", arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits, and says what both halves did meanwhile if it was in vain.
    fn wait_for<T>(&self, what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> T {
        wait_for(what, SOON, look).unwrap_or_else(|error| {
            let log = |role: &str| fs::read_to_string(self.log(role)).unwrap_or_default();
            panic!(
                "{error:#}\ncloud:\n{}\nlocal:\n{}",
                log("cloud"),
                log("local")
            )
        })
    }

    /// Puts a mail into the mailbox, as a mail program does.
    fn deliver(&self, name: &str, mail: &[u8]) {
        let mailbox = self.folder.path().join("Mail");
        let written = mailbox.join("tmp").join(name);
        fs::write(&written, mail).unwrap();
        fs::rename(written, mailbox.join("new").join(name)).unwrap();
    }

    /// The text of a draft's note before the owner as `docs/accounting.md` shows it: without its properties, the names
    /// of this run for those of the page, its numbers all 7.
    fn picture(&self, draft: &DraftNote, names: &[(&str, &str)]) -> String {
        let path = format!("Pending_Approval/{}.md", draft.id);
        let text = fs::read_to_string(self.vault("local").join(path)).unwrap();
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

    /// Waits for so many drafts before the owner; what each says.
    fn await_drafts(&self, count: usize) -> Vec<DraftNote> {
        let folder = self.vault("local").join("Pending_Approval");
        self.wait_for("the drafts before the owner", || {
            let mut notes = Vec::new();
            notes_in(&folder, &mut notes);
            let texts = notes
                .iter()
                .filter_map(|path| fs::read_to_string(path).ok());
            let drafts: Vec<_> = texts
                .filter_map(|text| DraftNote::parse(&text).ok())
                .collect();
            Ok((drafts.len() == count).then_some(drafts))
        })
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
        self.wait_for(&format!("{expected} of document {id}"), || {
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

fn program_of(role: &str) -> PathBuf {
    let (package, name) = match role {
        "cloud" => ("platinum-cloud", "platinum-cloud"),
        _ => ("platinum-local", "platinum"),
    };
    program(package, name).unwrap()
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

    let cloud = halves.start("cloud");
    halves.wait_for("the mailbox to be watched", || {
        let log = fs::read_to_string(halves.log("cloud"))?;
        Ok(log.contains("waiting for mail").then_some(()))
    });
    let arrived = Instant::now();
    halves.deliver("1.bill.host", mail_with_bill(&factur_x(&xml)).as_bytes());
    halves.deliver("2.request.host", mail_with_request(&customer).as_bytes());
    // The owner's machine was off until now.
    halves.wait_for("two drafts in Odoo", || {
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
    let local = halves.start("local");
    let drafts = halves.await_drafts(2);
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
        halves.platinum(&["approve", &draft.id.to_string()]);
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
    fs::write(halves.vault("local").join("Inbox/paid.md"), note)?;
    let drafts = halves.await_drafts(1);
    let names = [
        (customer.as_str(), "Weiss Training"),
        (number.as_str(), "INV/2026/00001"),
    ];
    let picture = halves.picture(&drafts[0], &names);
    let (_, below) = picture.split_once("is sent\n").unwrap();
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
    halves.platinum(&["approve", &drafts[0].id.to_string()]);
    halves.await_document(invoice, "posted paid platinum-drafter admin");
    assert_eq!(halves.row(&payments), "admin 1127.00");

    // All of it is over, on both halves; the log has each receipt.
    let done = |role: &str| {
        let mut found = Vec::new();
        notes_in(&halves.vault(role).join("Done"), &mut found);
        found.len()
    };
    halves.wait_for(
        "three tasks and their drafts in Done/ on both halves",
        || Ok((done("local") == 6 && done("cloud") == 6).then_some(())),
    );
    drop((local, cloud));
    let log = halves.platinum(&["log"]);
    println!("{log}");
    assert_eq!(log.matches(" is posted").count(), 2, "{log}");
    assert_eq!(log.matches(" is recorded").count(), 1, "{log}");
    Ok(())
}

fn notes_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // A file that is being written has another name until it is whole.
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        match path.is_dir() {
            true => notes_in(&path, found),
            false if !is_hidden && path.extension().is_some_and(|end| end == "md") => {
                found.push(path);
            }
            false => {}
        }
    }
}
