//! A mail that asks for an invoice, in a Maildir: drafted in Odoo with the key of a user who can only draft, and posted
//! with the owner's.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::{Value, json};

use super::{Halves, Job, print};

struct Odoo {
    server: OdooServer,
    mailbox: tempfile::TempDir,
    /// The customer of this round.
    customer: i64,
}

/// Runs the job.
pub(super) fn run(rounds: usize) -> anyhow::Result<()> {
    let server = OdooServer::start()?;
    let mailbox = tempfile::tempdir()?;
    for part in ["new", "cur", "tmp"] {
        fs::create_dir(mailbox.path().join(part))?;
    }
    let (zones, ready) = ("\"email\", \"accounting\"", ("cloud", "waiting for mail"));
    let halves = Halves::start(Duration::ZERO, zones, ready, |role, folder| {
        let user = match role {
            "cloud" => OdooUser::Drafter,
            _ => OdooUser::Owner,
        };
        let odoo = server.configure(folder, user, "auto")?;
        let mail = folder.join("mail.toml");
        let path = mailbox.path();
        let account = format!(
            "[account.owner]\naddress = \"owner@example.test\"\nbackend = \"maildir\"\npath = {path:?}\n"
        );
        fs::write(&mail, account)?;
        Ok(format!(
            "[zones.accounting]\nconfig = {odoo:?}\n[zones.email]\naccount = \"owner\"\nconfig = {mail:?}\nwatch = {}\n",
            role == "cloud"
        ))
    })?;
    let mut odoo = Odoo {
        server,
        mailbox,
        customer: 0,
    };
    print(&halves, &mut odoo, rounds)
}

impl Odoo {
    fn call(&self, model: &str, method: &str, arguments: &Value) -> anyhow::Result<Value> {
        let answer = self.server.call(OdooUser::Owner, model, method, arguments);
        answer.with_context(|| format!("{model} {method}"))
    }

    /// The state of the customer's invoice; empty where there is none.
    fn state(&self) -> anyhow::Result<String> {
        let customer = self.customer;
        let select = format!("select state from account_move where partner_id = {customer}");
        Ok(self.server.sql(&select)?.trim().to_owned())
    }
}

impl Job for Odoo {
    const ROWS: [(&'static str, &'static str); 2] = [
        (
            "a mail asks for an invoice -> it is a draft in Odoo",
            "Odoo's own call that makes such a draft",
        ),
        (
            "the draft is moved -> the invoice is posted",
            "Odoo's own call that posts it",
        ),
    ];

    fn bring(&mut self, _: &Halves, round: usize) -> anyhow::Result<()> {
        let name = format!("Customer {round} Limited");
        let values = json!({"vals_list": [{"name": name, "is_company": true}]});
        let made = self.call("res.partner", "create", &values)?;
        self.customer = made[0].as_i64().context("Odoo made no customer")?;
        let mail = format!(
            "From: Clara <clara@client.example>\r\nTo: owner@example.test\r\nSubject: The workshop\r\n\
             Message-ID: <{round}@client.example>\r\n\r\nPlease send us an invoice.\r\n\r\nInvoice to: {name}\r\n\
             Due: 2026-12-14\r\nCurrency: USD\r\n\r\n| Item | Quantity | Price | Tax |\r\n|---|---|---|---|\r\n\
             | Workshop | 2 | 450.00 | 15 % |\r\n| Travel | 1 | 80.00 | 15 % |\r\n"
        );
        let place = |folder: &str| -> PathBuf {
            self.mailbox
                .path()
                .join(folder)
                .join(format!("{round}.request.host"))
        };
        fs::write(place("tmp"), mail)?;
        Ok(fs::rename(place("tmp"), place("new"))?)
    }

    fn is_drafted(&mut self, _: &Halves) -> anyhow::Result<bool> {
        Ok(self.state()? == "draft")
    }

    fn is_accepted(&mut self) -> anyhow::Result<bool> {
        Ok(self.state()? == "posted")
    }

    fn peers(&mut self, _: &Halves, _: usize) -> anyhow::Result<[Option<Duration>; 2]> {
        let line = |name: &str, quantity: u8, price: u16| json!([0, 0, {"name": name, "quantity": quantity, "price_unit": price}]);
        let invoice = json!({
            "move_type": "out_invoice",
            "partner_id": self.customer,
            "invoice_date_due": "2026-12-14",
            "invoice_line_ids": [line("Workshop", 2, 450), line("Travel", 1, 80)],
        });
        let began = Instant::now();
        let made = self.call("account.move", "create", &json!({"vals_list": [invoice]}))?;
        let drafted = began.elapsed();
        let began = Instant::now();
        self.call("account.move", "action_post", &json!({"ids": made}))?;
        Ok([Some(drafted), Some(began.elapsed())])
    }
}
