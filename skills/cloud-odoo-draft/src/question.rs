//! What the owner is asked, in one line each: what is missing, and what to do about it.
//!
//! Invariants: pure; text from outside is bounded; nothing is asked of which the answer has no effect: the task is
//! put back into `Needs_Action/accounting` and runs again.

use platinum_invoice::Party;
use platinum_sdk::odoo::types::{Company, Document, Journal, Partner};
use platinum_sdk::text::one_line;

/// How an invoice is written, in one line.
const FORMAT: &str = "write lines such as `Seller: Example Ltd`, `Number: R-17`, `Date: 2026-11-30` and a table with the \
                      columns Item, Quantity, Price and Tax (docs/accounting.md has an example)";
/// What follows once something was done.
const AGAIN: &str = "then move the task back to Needs_Action/accounting";
/// The longest question, in characters: it is one line of a note.
const MAX: usize = 480;

fn asked(text: &str) -> String {
    one_line(text, MAX)
}

fn names(companies: &[&Company]) -> String {
    let names: Vec<String> = companies
        .iter()
        .take(5)
        .map(|it| one_line(&it.name, 60))
        .collect();
    names.join(", ")
}

/// The text is no invoice.
#[must_use]
pub fn unstructured(why: &str) -> String {
    asked(&format!(
        "No invoice could be read from this: {why}. To draft one, {FORMAT}, {AGAIN}."
    ))
}

/// No line is there.
#[must_use]
pub fn no_lines() -> String {
    asked(&format!(
        "It names no lines, and Odoo drafts nothing without: {FORMAT}, {AGAIN}."
    ))
}

/// Too many lines.
#[must_use]
pub fn too_many_lines(count: usize, most: usize) -> String {
    asked(&format!(
        "It has {count} lines, and {most} is the most that is drafted: sum them up in the task, {AGAIN}."
    ))
}

/// Neither seller nor buyer is named.
#[must_use]
pub fn nobody_named() -> String {
    asked(&format!(
        "It names neither who is paid nor who pays: write `Seller: …` into the task for a bill, or `Buyer: …` for an \
         invoice of yours, {AGAIN}."
    ))
}

/// One side is the owner's, the other one is missing.
#[must_use]
pub fn other_side_missing(is_sale: bool) -> String {
    let (who, key) = match is_sale {
        true => ("whom the invoice is to", "Buyer"),
        false => ("whom the bill is from", "Seller"),
    };
    asked(&format!(
        "It does not say {who}: write `{key}: …` into the task, {AGAIN}."
    ))
}

/// Both sides are the owner's.
#[must_use]
pub fn own_on_both_sides() -> String {
    asked(
        "Seller and buyer are both companies of yours: draft it in Odoo itself, which knows both sides.",
    )
}

/// There is no company at all.
#[must_use]
pub fn no_company() -> String {
    asked(
        "The user of Odoo's key may see no company: give it one in Odoo (Settings, Users), or mend `company` under [zones.accounting].",
    )
}

/// It may be any company.
#[must_use]
pub fn which_company(companies: &[Company], is_sale: bool) -> String {
    let key = if is_sale { "Seller" } else { "Buyer" };
    let companies: Vec<&Company> = companies.iter().collect();
    asked(&format!(
        "It does not say which of your companies it is for ({}): write `{key}: …` into the task, {AGAIN}.",
        names(&companies)
    ))
}

/// It names a company that two are.
#[must_use]
pub fn several_companies(companies: &[&Company]) -> String {
    asked(&format!(
        "It may be for any of {}, which have this name or VAT number: write the company's exact name into the task, {AGAIN}.",
        names(companies)
    ))
}

/// Odoo has no such partner: one is proposed, and why those that look alike are not it.
#[must_use]
pub fn unknown_partner(party: &Party, is_sale: bool, others: &[String]) -> String {
    let what = if is_sale { "customer" } else { "vendor" };
    let mut fields = Vec::new();
    // What is said here goes where the number of an account is a secret; the task has all of it.
    let account = party.iban.as_ref().map(|iban| {
        let hidden = iban.chars().count().saturating_sub(4);
        iban.chars().skip(hidden).collect::<String>()
    });
    for (name, value) in [
        ("name", &party.name),
        ("VAT", &party.vat),
        ("account ending in", &account),
        ("mail", &party.email),
        ("country", &party.country),
    ] {
        fields.extend(
            value
                .as_ref()
                .map(|value| format!("{name} {}", one_line(value, 60))),
        );
    }
    let others = match others {
        [] => String::new(),
        others => format!(" {}", others.join(" ")),
    };
    asked(&format!(
        "Unknown {what}: Odoo has none with this VAT number, account or exact name.{others} If it is right, make it in \
         Odoo ({}), {AGAIN}.",
        fields.join(", ")
    ))
}

/// Odoo has several partners that it may be.
#[must_use]
pub fn several_partners(partners: &[Partner], by: &str) -> String {
    let names = partners.iter().take(4);
    let names: Vec<String> = names
        .map(|it| format!("{} ({})", one_line(&it.name, 60), it.id))
        .collect();
    asked(&format!(
        "Odoo has {} partners with this {by}: {}. Merge them there, or write the VAT number or the account into the task, {AGAIN}.",
        partners.len(),
        names.join(", ")
    ))
}

/// There is no journal to draft in.
#[must_use]
pub fn no_journal(company: &str, is_sale: bool) -> String {
    let what = if is_sale { "sales" } else { "purchases" };
    asked(&format!(
        "{} has no journal for {what} in Odoo, or the user of the key may not see it: make one there, {AGAIN}.",
        one_line(company, 60)
    ))
}

/// The document is there already.
#[must_use]
pub fn duplicate(document: &Document, by: &str) -> String {
    asked(&format!(
        "This is in Odoo already, by {by}, and was not drafted again: {} of {}, {} {}, {}: {}",
        title(document),
        one_line(partner(document), 60),
        document.total,
        document.currency,
        state(document),
        document.link
    ))
}

/// The draft is there, and something else is being done with it.
#[must_use]
pub fn drafted_elsewhere(document: &Document, why: &str) -> String {
    asked(&format!(
        "It is drafted in Odoo already ({}: {}): {why}",
        title(document),
        document.link
    ))
}

/// A draft that waited is gone.
#[must_use]
pub fn no_waiting(id: u64, why: &str) -> String {
    asked(&format!(
        "The draft {id} that waited in Odoo cannot be read any more: {why}"
    ))
}

/// What waited is no draft any more.
#[must_use]
pub fn no_draft(document: &Document) -> String {
    asked(&format!(
        "{} is no draft any more, it is {}: {}",
        title(document),
        state(document),
        document.link
    ))
}

/// No posted document has this number.
#[must_use]
pub fn no_document(number: &str) -> String {
    asked(&format!(
        "Odoo has no invoice and no bill with the number {}: write the number as Odoo shows it, {AGAIN}.",
        one_line(number, 60)
    ))
}

/// Several documents have this number.
#[must_use]
pub fn several_documents(number: &str, titles: &[String]) -> String {
    asked(&format!(
        "The number {} is that of several documents in Odoo: {}. Write Odoo's own number, {AGAIN}.",
        one_line(number, 60),
        titles.join(", ")
    ))
}

/// What is to be paid is a draft.
#[must_use]
pub fn not_posted(document: &Document) -> String {
    asked(&format!(
        "{} is not posted yet, and only what is posted is paid: {}",
        title(document),
        document.link
    ))
}

/// Which journal a payment goes through.
#[must_use]
pub fn which_journal(journals: &[&Journal], wanted: Option<&str>) -> String {
    let codes: Vec<String> = journals
        .iter()
        .take(8)
        .map(|it| one_line(&it.code, 20))
        .collect();
    let why = match wanted {
        Some(code) => format!("There is no bank or cash journal {}", one_line(code, 30)),
        None => "It does not say which journal the payment is in".to_owned(),
    };
    asked(&format!(
        "{why}: write `Journal: …` with one of {}, {AGAIN}.",
        match codes.is_empty() {
            true => "those that you make in Odoo".to_owned(),
            false => codes.join(", "),
        }
    ))
}

/// A payment that cannot be read, or not be made so.
#[must_use]
pub fn payment_refused(why: &str) -> String {
    asked(&format!(
        "The payment is not proposed: {why}. Mend the task, {AGAIN}."
    ))
}

/// `vendor bill R-17`.
#[must_use]
pub fn title(document: &Document) -> String {
    let number = document.number.as_deref().or(document.reference.as_deref());
    let kind = document.kind.replace('-', " ");
    match number {
        Some(number) => format!("{kind} {}", one_line(number, 60)),
        None => format!("{kind} {}", document.id),
    }
}

/// Whose document it is, for people.
#[must_use]
pub fn partner(document: &Document) -> &str {
    let partner = document.partner.as_ref();
    partner.map_or("nobody", |it| it.name.as_str())
}

fn state(document: &Document) -> &str {
    match document.state.as_str() {
        "draft" => "a draft",
        "cancel" => "cancelled",
        other => other,
    }
}
