//! What `doctor` tries of the accounting zone: the login, and reading all that a draft needs.
//!
//! Invariant: nothing is saved but what `prove_rights` makes and is refused; a right that is missing is named in
//! Odoo's own words.

use std::sync::Arc;

use platinum_core::{Role, text::one_line};
use platinum_mcp::{ServerSpec, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    answers::CompanyRow,
    server::{Books, CompanyKey, list},
};
use crate::{
    bindings::platinum::odoo::types::Error,
    server::{AskError, ask},
    zones::{Check, CheckLevel, why_no_session},
};

/// What a draft is made of besides companies, journals and taxes, and what the owner calls it.
const NEEDED: [(&str, &str); 5] = [
    ("partner", "partners"),
    ("bank_account", "bank accounts"),
    ("fiscal_position", "fiscal positions"),
    ("payment_term", "payment terms"),
    ("document", "invoices and bills"),
];

/// Starts the server and tries it.
///
/// # Errors
/// What does not work, and what to do.
pub(super) async fn try_out(
    role: Role,
    server: ServerSpec,
    company: Option<CompanyKey>,
) -> Result<Check, String> {
    let session = Session::spawn(server).await;
    let session = session.map_err(|error| why_no_session(&error))?;
    let tried = try_session(role, &session, company).await;
    session.close().await;
    tried
}

async fn try_session(
    role: Role,
    session: &Session,
    company: Option<CompanyKey>,
) -> Result<Check, String> {
    let tools = session.tools().await.map_err(|error| error.to_string())?;
    let has = |name: &str| tools.iter().any(|tool| tool.name == name);
    let books = Books::new(Arc::new(session.clone()), company);
    let (level, opened) = try_books(&books).await?;
    match role {
        Role::Cloud if has("prove_rights") => prove(session, level, &opened).await,
        Role::Cloud => Ok(Check::new(level, opened)),
        Role::Local if has("post_invoice") => Ok(Check::new(level, opened)),
        Role::Local => Ok(Check::new(
            CheckLevel::Warning,
            format!("{opened}; this server cannot post, so approved documents stay drafts"),
        )),
    }
}

/// What of a proof is read here.
#[derive(Deserialize)]
struct Proof {
    can_only_draft: bool,
    /// That in a sentence, with what to do.
    text: String,
}

/// Lets the server prove that the key of a cloud can do no more than draft.
async fn prove(session: &Session, level: CheckLevel, opened: &str) -> Result<Check, String> {
    let proof = ask(session, "prove_rights", json!({})).await;
    let proof: Proof = proof.map_err(AskError::into_words)?;
    match proof.can_only_draft {
        true => Ok(Check::new(level, format!("{opened}; {}", proof.text))),
        false => Err(proof.text),
    }
}

/// Reads what a draft needs.
pub(super) async fn try_books(books: &Books) -> Result<(CheckLevel, String), String> {
    let words = |what: &str, error: Error| format!("{what} cannot be read: {}", reason(error));
    let all = books.all_companies().await;
    let all = all.map_err(|error| words("companies", error))?;
    let own = books.company().await.map_err(reason)?;
    let mut companies: Vec<&CompanyRow> = all.iter().collect();
    companies.retain(|company| own.is_none_or(|own| own == company.id));
    if companies.is_empty() {
        return Err(format!(
            "no company to draft in: `zones.accounting.company` is {}, and the user of the key may see {}",
            own.map_or_else(|| "not set".to_owned(), |own| own.to_string()),
            list(&all)
        ));
    }
    for (model, what) in NEEDED {
        let question = json!({ "model": model, "limit": 1 });
        let read = books.rows::<Value>(question).await;
        read.map_err(|error| words(what, error))?;
    }
    let mut level = CheckLevel::Ok;
    let mut parts = Vec::new();
    for company in companies.iter().take(5) {
        let (has_all, text) = try_company(books, company).await?;
        if !has_all {
            level = CheckLevel::Warning;
        }
        parts.push(text);
    }
    if companies.len() > 5 {
        parts.push(format!("{} more companies", companies.len() - 5));
    }
    Ok((level, format!("Odoo opens: {}", parts.join("; "))))
}

/// Whether a company has the journals that drafts go into; and what it has, in words.
async fn try_company(books: &Books, company: &CompanyRow) -> Result<(bool, String), String> {
    let name = one_line(&company.name, 60);
    let failed =
        |what: &str, error: Error| format!("{what} of {name} cannot be read: {}", reason(error));
    let journals = books.journal_rows(company.id).await;
    let journals = journals.map_err(|error| failed("journals", error))?;
    let taxes = books.tax_rows(company.id).await;
    let taxes = taxes.map_err(|error| failed("taxes", error))?;
    let purposes: Vec<String> = journals
        .into_iter()
        .map(|row| row.into_wit().purpose)
        .collect();
    let missing = ["sale", "purchase"].into_iter();
    let missing: Vec<&str> = missing
        .filter(|one| !purposes.iter().any(|has| has == one))
        .collect();
    let mut text = format!(
        "{name} has {} journals and {} taxes",
        purposes.len(),
        taxes.len()
    );
    if !missing.is_empty() {
        text.push_str(&format!(
            ", and none for {}s: nothing of that kind can be drafted in it",
            missing.join("s and ")
        ));
    }
    Ok((missing.is_empty(), text))
}

fn reason(error: Error) -> String {
    match error {
        Error::Invalid(text) | Error::Refused(text) | Error::Unavailable(text) => text,
        Error::NotFound => "it is not there".to_owned(),
    }
}
