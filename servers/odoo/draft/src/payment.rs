//! `preview_payment`: how a payment would look, and whether it can be recorded. Reads only.

use platinum_odoo_client::document::render::render_payment;
use platinum_odoo_client::document::{PartnerDetails, PlannedPayment};
use platinum_odoo_client::value::Named;
use platinum_odoo_client::{Amount, Connection, Document};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drafting::arguments::check_day;
use crate::service::{OdooService, ServiceError};

/// The longest code of a journal, in characters.
const MAX_CODE: usize = 20;
/// How many journals are named where none has the code.
const MAX_NAMED: usize = 20;

/// A payment to look at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewArguments {
    /// The id of the document that is paid.
    pub document: i64,
    /// How much, above 0 and at most what is not paid yet.
    pub amount: Amount,
    /// The ISO 4217 code of its currency, which is that of the document.
    pub currency: String,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The code of the journal of the bank or cash that it goes over, such as `BNK1`.
    pub journal: String,
}

/// A payment as it would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewAnswer {
    /// The payment as a person reads it, in Markdown. The same as long as it and the document are.
    pub shown: String,
    /// Who pays or is paid.
    pub partner: Named,
    /// The journal that it goes over.
    pub journal: Named,
}

/// Why a document cannot be paid like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpayable {
    /// Whether that is because the document is not what was approved.
    pub differs: bool,
    /// In words.
    pub reason: String,
}

/// Whether a payment can have this amount and day, whatever it pays.
///
/// # Errors
/// What to give.
pub fn check_terms(amount: Amount, date: &str) -> Result<(), ServiceError> {
    if amount <= Amount::ZERO {
        return Err(ServiceError::argument("amount", "must be above 0"));
    }
    check_day("date", date)
}

/// Whether so much of a document can be paid.
///
/// # Errors
/// Why not.
pub fn check_payable(document: &Document, amount: Amount, currency: &str) -> Result<(), Unpayable> {
    let title = document.title();
    let code = &document.currency.code;
    let refused = |reason: String| {
        Err(Unpayable {
            differs: false,
            reason,
        })
    };
    let drift = |reason: String| {
        Err(Unpayable {
            differs: true,
            reason,
        })
    };
    if !document.kind.is_invoice() {
        return refused(format!("{title} is nothing that is paid"));
    }
    if !document.is_posted() {
        return refused(format!("{title} is not posted; it is {}", document.state));
    }
    if code != currency {
        return drift(format!("{title} is in {code}, and {currency} was approved"));
    }
    if document.residual.is_zero() {
        let state = document.payment_state.as_deref().unwrap_or("paid");
        return refused(format!(
            "nothing of {title} is open: its state of payment is {state}"
        ));
    }
    if amount > document.residual.abs() {
        return drift(format!(
            "only {} {code} of {title} are open, and {amount} were approved",
            document.residual.abs()
        ));
    }
    if amount.round(document.currency.digits) != amount {
        return refused(format!("{amount} has more digits than {code} has"));
    }
    Ok(())
}

/// How a payment would look.
///
/// # Errors
/// If it cannot be recorded like this, or Odoo cannot be asked.
pub async fn preview_payment(
    service: &OdooService,
    arguments: &PreviewArguments,
) -> Result<PreviewAnswer, ServiceError> {
    check_terms(arguments.amount, &arguments.date)?;
    let document = service.read_document(arguments.document).await?;
    check_payable(&document, arguments.amount, &arguments.currency)
        .map_err(|why| ServiceError::Unpayable(why.reason))?;
    let Some(partner) = document.partner.clone() else {
        let reason = format!("{} is of nobody", document.title());
        return Err(ServiceError::Unpayable(reason));
    };
    let journal = find_journal(&service.odoo, &document, &arguments.journal).await?;
    let details = PartnerDetails::read(&service.odoo, &document).await?;
    let payment = PlannedPayment {
        amount: arguments.amount,
        date: &arguments.date,
        journal: &journal,
        journal_code: &arguments.journal,
    };
    let link = service.link(document.id);
    Ok(PreviewAnswer {
        shown: render_payment(&payment, &document, &details, &link),
        partner,
        journal,
    })
}

/// The journal of a bank or cash with this code, in the company of a document.
async fn find_journal(
    odoo: &Connection,
    document: &Document,
    code: &str,
) -> Result<Named, ServiceError> {
    let count = code.chars().count();
    if !(1..=MAX_CODE).contains(&count) {
        let problem = format!("must have from 1 to {MAX_CODE} characters");
        return Err(ServiceError::argument("journal", problem));
    }
    // By its code, so that it is found among however many there are.
    let by_code = Some(json!(["code", "=", code]));
    let mut found = journals(odoo, document, by_code).await?.into_iter();
    if let Some((journal, _)) = found.find(|(_, own)| own == code) {
        return Ok(journal);
    }
    let all = journals(odoo, document, None).await?;
    let named = all.iter().take(MAX_NAMED).map(|(_, code)| code.as_str());
    let mut named = named.collect::<Vec<_>>().join(", ");
    if all.len() > MAX_NAMED {
        named.push_str(" and more");
    }
    Err(ServiceError::Unpayable(format!(
        "{} has no journal of a bank or cash with the code {code}; it has: {named}",
        document.company.name,
    )))
}

/// The journals of banks and cash of a document's company that also match this, and their codes: one more than are
/// named.
async fn journals(
    odoo: &Connection,
    document: &Document,
    also: Option<Value>,
) -> Result<Vec<(Named, String)>, ServiceError> {
    let mut domain = vec![
        json!(["company_id", "=", document.company.id]),
        json!(["type", "in", ["bank", "cash", "credit"]]),
    ];
    domain.extend(also);
    let fields = ["name".to_owned(), "code".to_owned()];
    let limit = u32::try_from(MAX_NAMED + 1).unwrap_or(u32::MAX);
    let rows = odoo
        .search_read("account.journal", domain.into(), &fields, "id asc", limit)
        .await?;
    let journals = rows.iter().filter_map(|row| {
        let journal = Named {
            id: row["id"].as_i64()?,
            name: row["name"].as_str()?.to_owned(),
        };
        Some((journal, row["code"].as_str()?.to_owned()))
    });
    Ok(journals.collect())
}
