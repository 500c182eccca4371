//! [`Page`]: a document, part by part.

use platinum_text::resembles_boundary;

use super::PartnerDetails;
use super::table::{Cell, Table, code_point, text};
use crate::amount::Amount;
use crate::document::check::{obstacles, shown};
use crate::document::{Document, DocumentKind, Item, ItemRole, Line, Tax};
use crate::value::Named;

/// What is written so far.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn line(&mut self, line: &str) {
        // Its owner's note has such a line of its own, and a second one would make it unreadable.
        match resembles_boundary(line) {
            true => {
                let broken = line.replace('w', &code_point('w'));
                self.0.push_str(&broken.replace('W', &code_point('W')));
            }
            false => self.0.push_str(line),
        }
        self.0.push('\n');
    }

    /// A fact; its value is Markdown.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        self.line(&format!("- **{name}:** {value}"));
    }

    pub(super) fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.fact(name, &text(value));
        }
    }

    pub(super) fn optional_name(&mut self, name: &str, value: Option<&Named>) {
        if let Some(value) = value {
            self.fact(name, &named(value));
        }
    }

    pub(super) fn table<const N: usize>(&mut self, table: &Table<N>) {
        table.lines().iter().for_each(|line| self.line(line));
        self.line("");
    }

    pub(super) fn title(&mut self, document: &Document) {
        let sum = format!("{} {}", document.total, text(&document.currency.code));
        let title = capitalized(&text(&document.title()));
        self.line(&match document.kind.is_invoice() {
            true => format!("# {title} · {} · {sum}", name_of(document)),
            false => format!("# {title} · {sum}"),
        });
        self.line("");
    }

    pub(super) fn obstacles(&mut self, document: &Document) {
        let found = obstacles(document);
        if found.is_empty() {
            return;
        }
        self.line("> [!danger] It cannot be posted as it is");
        for what in found {
            self.line(&format!("> - It {}", text(&what)));
        }
        self.line("");
    }

    pub(super) fn head(&mut self, document: &Document, partner: &PartnerDetails) {
        let (who, number) = match document.kind {
            DocumentKind::CustomerInvoice | DocumentKind::CustomerCreditNote => {
                ("Customer", "Reference")
            }
            DocumentKind::VendorBill | DocumentKind::VendorCreditNote => {
                ("Vendor", "Vendor's reference")
            }
            DocumentKind::JournalEntry => ("Partner", "About"),
        };
        self.partner(who, document, partner);
        self.fact("Company", &named(&document.company));
        self.fact("Journal", &named(&document.journal));
        if document.is_draft() {
            // It was posted before, and keeps it.
            self.optional("Number", document.number.as_deref());
        }
        self.optional(number, document.reference.as_deref());
        self.optional("Date", document.invoice_date.as_deref());
        if document.date != document.invoice_date {
            self.optional("Booked on", document.date.as_deref());
        }
        self.optional("Due", document.due_date.as_deref());
        self.optional_name("Payment term", document.payment_term.as_ref());
        self.optional_name("Fiscal position", document.fiscal_position.as_ref());
        self.optional_name("Paid into", document.bank_account.as_ref());
        self.optional("To name when paying", document.payment_reference.as_deref());
        self.optional_name("Takes back", document.reverses.as_ref());
        if let Some(narration) = &document.narration {
            self.fact(
                "Text below the lines",
                &text(&without_paragraphs(narration)),
            );
        }
        self.optional("Operation", document.operation.as_deref());
        self.line("");
    }

    pub(super) fn partner(&mut self, who: &str, document: &Document, details: &PartnerDetails) {
        let Some(partner) = &document.partner else {
            if document.kind.is_invoice() {
                self.fact(who, "nobody");
            }
            return;
        };
        let mut words = named(partner);
        let company = document.commercial_partner.as_ref();
        if let Some(company) = company.filter(|company| company.id != partner.id) {
            words.push_str(&format!(", of {}", named(company)));
        }
        if let Some(vat) = &details.vat {
            words.push_str(&format!(", VAT {}", text(vat)));
        }
        if let Some(address) = &details.address {
            words.push_str(&format!(", {}", text(address)));
        }
        self.fact(who, &words);
    }

    pub(super) fn lines(&mut self, document: &Document) {
        let has_discount = document.lines.iter().any(|line| !line.discount.is_zero());
        match has_discount {
            true => {
                let head = ["What", "Taxes", "Quantity", "Price", "Discount", "Sum"];
                let mut table = Table::new(head, 4);
                for line in &document.lines {
                    let [what, taxes, quantity, price, discount, sum] = cells(line);
                    table.row([what, taxes, quantity, price, discount, sum]);
                }
                self.table(&table);
            }
            false => {
                let mut table = Table::new(["What", "Taxes", "Quantity", "Price", "Sum"], 3);
                for line in &document.lines {
                    let [what, taxes, quantity, price, _, sum] = cells(line);
                    table.row([what, taxes, quantity, price, sum]);
                }
                self.table(&table);
            }
        }
    }

    pub(super) fn sums(&mut self, document: &Document) {
        let mut table = Table::new(["Sum", &document.currency.code], 1);
        table.row(["Untaxed".into(), document.untaxed.into()]);
        let mut taxes: Vec<(String, Amount)> = Vec::new();
        for item in of_role(document, ItemRole::Tax) {
            let name = item.tax.as_ref().map_or_else(|| "Tax".into(), plain_name);
            let amount = shown(document.kind, item.amount);
            match taxes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum = *sum + amount,
                None => taxes.push((name, amount)),
            }
        }
        // Odoo makes them in another order when a line changes.
        taxes.sort();
        for (name, amount) in &taxes {
            table.row([name.as_str().into(), (*amount).into()]);
        }
        let listed: Amount = taxes.iter().map(|(_, amount)| *amount).sum();
        if listed != document.tax {
            table.row(["Taxes together".into(), document.tax.into()]);
        }
        table.row(["Total".into(), document.total.into()]);
        if document.residual != document.total {
            table.row(["Open".into(), document.residual.into()]);
        }
        let owed: Vec<&Item> = of_role(document, ItemRole::Counterpart).collect();
        let is_simple =
            |item: &&Item| item.due_date.is_none() || item.due_date == document.due_date;
        if owed.len() > 1 || !owed.iter().all(is_simple) {
            for item in owed {
                let day = item.due_date.as_deref().unwrap_or("no day");
                table.row([
                    format!("Due {day}").as_str().into(),
                    item.amount.abs().into(),
                ]);
            }
        }
        self.table(&table);
        if let Some(state) = document
            .payment_state
            .as_deref()
            .filter(|_| !document.is_draft())
        {
            self.fact("Payment", &text(state));
            self.line("");
        }
    }

    /// Every debit and credit, in the company's currency.
    pub(super) fn booked(&mut self, document: &Document) {
        self.line("## What it books");
        self.line("");
        let is_foreign = document.items.iter().any(|item| {
            item.amount.abs() != (item.debit - item.credit).abs()
                || item.currency != document.currency.code
        });
        let mut items: Vec<[Cell; 5]> = document
            .items
            .iter()
            .map(|item| {
                let account = item.account.as_ref().map_or_else(String::new, plain_name);
                let what = match (item.role, &item.name, &item.tax) {
                    (ItemRole::Line, Some(name), _) => name.clone(),
                    (ItemRole::Tax, _, Some(tax)) => plain_name(tax),
                    (ItemRole::Tax, _, None) => "Tax".to_owned(),
                    (ItemRole::Counterpart, ..) => match &item.due_date {
                        Some(day) => format!("Due {day}"),
                        None => "Due".to_owned(),
                    },
                    _ => String::new(),
                };
                let what = match &item.partner {
                    Some(partner) if !is_of(document, partner) => {
                        format!("{what} · {}", plain_name(partner))
                    }
                    _ => what,
                };
                let own = match is_foreign {
                    true => format!("{} {}", item.amount, item.currency),
                    false => String::new(),
                };
                [
                    account.as_str().into(),
                    what.as_str().into(),
                    item.debit.into(),
                    item.credit.into(),
                    own.as_str().into(),
                ]
            })
            .collect();
        // What is made anew with every change of a line comes in any order.
        let made_anew = document
            .items
            .iter()
            .filter(|item| item.role == ItemRole::Line)
            .count();
        if let Some(rest) = items.get_mut(made_anew..) {
            rest.sort();
        }
        match is_foreign {
            true => {
                let head = ["Account", "What", "Debit", "Credit", "Own currency"];
                let mut table = Table::new(head, 3);
                items.into_iter().for_each(|row| table.row(row));
                self.table(&table);
            }
            false => {
                let mut table = Table::new(["Account", "What", "Debit", "Credit"], 2);
                for [account, what, debit, credit, _] in items {
                    table.row([account, what, debit, credit]);
                }
                self.table(&table);
            }
        }
    }

    pub(super) fn consequences(&mut self, document: &Document) {
        let consequences = &document.consequences;
        if consequences.is_sent {
            self.fact("Sent", "it is marked as sent");
        }
        if consequences.was_posted && document.is_draft() {
            self.fact("Posted before", "it was, and was made a draft again");
        }
        let followers = match &consequences.followers {
            None => "who they are is not shown to this user of Odoo".to_owned(),
            Some(all) if all.is_empty() => "nobody".to_owned(),
            Some(all) => {
                let mut names: Vec<String> = all.iter().map(named).collect();
                names.sort();
                format!("{}; each may get a mail", names.join(", "))
            }
        };
        self.fact("Followers", &followers);
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

fn of_role(document: &Document, role: ItemRole) -> impl Iterator<Item = &Item> {
    document.items.iter().filter(move |item| item.role == role)
}

/// Whether a partner is the document's, or the company that they are a contact of.
fn is_of(document: &Document, partner: &Named) -> bool {
    let own = [&document.partner, &document.commercial_partner];
    own.into_iter().flatten().any(|own| own == partner)
}

/// Who a document is of, in its title.
pub(super) fn name_of(document: &Document) -> String {
    let partner = document.partner.as_ref();
    partner.map_or_else(|| "nobody".to_owned(), |partner| text(&partner.name))
}

/// What, taxes, quantity, price, discount and sum of a line.
fn cells(line: &Line) -> [Cell; 6] {
    let what = match &line.product {
        Some(product) if !line.name.contains(&product.name) => {
            format!("{} · {}", plain_name(product), line.name)
        }
        _ => line.name.clone(),
    };
    if line.kind != "product" {
        let mut what = Cell::from(what.as_str());
        let mark = if line.kind == "line_note" { "*" } else { "**" };
        what.markdown = format!("{mark}{}{mark}", what.markdown);
        let none = || Cell::from("");
        return [what, none(), none(), none(), none(), none()];
    }
    let taxes: Vec<String> = line.taxes.iter().map(tax_words).collect();
    let discount = match line.discount.is_zero() {
        true => String::new(),
        false => format!("{}%", line.discount),
    };
    [
        what.as_str().into(),
        taxes.join(", ").as_str().into(),
        line.quantity.into(),
        line.unit_price.into(),
        discount.as_str().into(),
        line.subtotal.into(),
    ]
}

/// A tax on a line: its name, and what the name does not say.
fn tax_words(tax: &Tax) -> String {
    let amount = tax.amount.to_string();
    let mut more = Vec::new();
    match tax.kind.as_str() {
        "percent" if !tax.name.contains(&amount) => more.push(format!("{amount}%")),
        "percent" => {}
        "group" => more.push("a group".to_owned()),
        kind => more.push(format!("{kind} {amount}")),
    }
    if tax.is_included {
        more.push("in the price".to_owned());
    }
    match more.is_empty() {
        true => tax.name.clone(),
        false => format!("{} ({})", tax.name, more.join(", ")),
    }
}

/// A record by its name and number.
fn plain_name(named: &Named) -> String {
    format!("{}, no. {}", named.name, named.id)
}

pub(super) fn named(named: &Named) -> String {
    text(&plain_name(named))
}

/// Odoo keeps this text as HTML: plain paragraphs are lines, all other tags stay, and are seen.
fn without_paragraphs(html: &str) -> String {
    let lines = ["</p><p>", "<br>", "<br/>", "<br />"]
        .iter()
        .fold(html.to_owned(), |text, tag| text.replace(tag, "\n"));
    lines.replace("<p>", "").replace("</p>", "")
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
