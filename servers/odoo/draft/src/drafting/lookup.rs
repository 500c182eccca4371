//! What is searched for before a draft is saved: the documents of its operation, and its currency.

use platinum_odoo_client::document::read::{MOVE, OPERATION};
use platinum_odoo_client::{DocumentKind, OdooError};
use serde_json::{Value, json};

use super::arguments::DraftArguments;
use crate::service::{OdooService, ServiceError};

impl OdooService {
    /// The documents of an operation with their states, the oldest first, in whatever company.
    ///
    /// # Errors
    /// If Odoo cannot be asked, or says no.
    pub async fn find_documents(
        &self,
        operation: &str,
        kind: DocumentKind,
    ) -> Result<Vec<(i64, String)>, OdooError> {
        let domain = json!([
            [OPERATION, "=", operation],
            // Taking a document back in Odoo copies its operation to one of another kind.
            ["move_type", "=", kind.move_type()],
        ]);
        let fields = ["state".to_owned()];
        let rows = self
            .odoo
            .search_read(MOVE, domain, &fields, "id asc", 20)
            .await?;
        let documents = rows.iter().filter_map(|row| {
            let state = row["state"].as_str().unwrap_or_default();
            Some((row["id"].as_i64()?, state.to_owned()))
        });
        Ok(documents.collect())
    }

    /// The numbers alone.
    pub(super) async fn find_ids(&self, arguments: &DraftArguments) -> Result<Vec<i64>, OdooError> {
        let found = self
            .find_documents(&arguments.operation, arguments.kind)
            .await?;
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }

    /// The number of the currency; of an entry, it must be the company's.
    pub(super) async fn find_currency(
        &self,
        arguments: &DraftArguments,
    ) -> Result<i64, ServiceError> {
        let code = &arguments.currency;
        let domain = json!([["name", "=", code]]);
        let fields = ["id".to_owned()];
        let rows = self
            .odoo
            .search_read("res.currency", domain, &fields, "id asc", 1);
        let rows = rows.await?;
        let currency = rows
            .first()
            .and_then(|row| row["id"].as_i64())
            .ok_or_else(|| {
                ServiceError::argument("currency", format!("{code} is not active in this Odoo"))
            })?;
        if !arguments.kind.is_invoice() {
            let fields = ["currency_id".to_owned()];
            let company = self
                .odoo
                .read("res.company", &[arguments.company], &fields)
                .await?;
            let own = company.first().map(|row| &row["currency_id"]);
            if own.and_then(|own| own.get(0)).and_then(Value::as_i64) != Some(currency) {
                let problem =
                    "must be that of the company: an entry's debits and credits are in it";
                return Err(ServiceError::argument("currency", problem));
            }
        }
        Ok(currency)
    }
}
