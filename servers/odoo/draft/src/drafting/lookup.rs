//! What is searched for before a draft is saved: the documents of its operation, and its currency.

use platinum_odoo_client::{Connection, OdooError};
use serde_json::{Value, json};

use super::arguments::DraftArguments;
use crate::service::{OdooService, ServiceError};

/// The numbers of an operation's documents, the oldest first.
pub(super) async fn document_ids(
    service: &OdooService,
    arguments: &DraftArguments,
) -> Result<Vec<i64>, OdooError> {
    let found = service
        .find_documents(&arguments.operation, arguments.kind)
        .await?;
    Ok(found.into_iter().map(|(id, _)| id).collect())
}

/// The number of the currency; of an entry, it must be the company's.
pub(super) async fn currency(
    odoo: &Connection,
    arguments: &DraftArguments,
) -> Result<i64, ServiceError> {
    let code = &arguments.currency;
    let domain = json!([["name", "=", code]]);
    let fields = ["id".to_owned()];
    let rows = odoo.search_read("res.currency", domain, &fields, "id asc", 1);
    let rows = rows.await?;
    let currency = rows
        .first()
        .and_then(|row| row["id"].as_i64())
        .ok_or_else(|| {
            ServiceError::argument("currency", format!("{code} is not active in this Odoo"))
        })?;
    if !arguments.kind.is_invoice() {
        let fields = ["currency_id".to_owned()];
        let company = odoo
            .read("res.company", &[arguments.company], &fields)
            .await?;
        let own = company.first().map(|row| &row["currency_id"]);
        if own.and_then(|own| own.get(0)).and_then(Value::as_i64) != Some(currency) {
            let problem = "must be that of the company: an entry's debits and credits are in it";
            return Err(ServiceError::argument("currency", problem));
        }
    }
    Ok(currency)
}
