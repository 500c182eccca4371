//! `create_draft`: one draft an operation.
//!
//! # Layout
//! - here: the order of steps, and which of two drafts counts;
//! - [`arguments`]: what may be asked for, checked before Odoo is; [`values`]: what Odoo is given;
//!   [`saved`]: where what Odoo saved is not what was asked for; [`lookup`]: what is searched for before.
//!
//! Invariants: the operation is searched for before anything is created, and again afterwards; if there are two drafts,
//! that of the lower number counts, for everybody who asks. The answer to a lost creation is found by its operation, and
//! so is the draft of who was faster.

pub mod arguments;
mod lookup;
pub mod saved;
pub mod values;

use platinum_odoo_client::document::check::inconsistencies;
use platinum_odoo_client::document::read::MOVE;
use platinum_odoo_client::value::created_id;
use platinum_odoo_client::{Call, Document, OdooError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use arguments::{DraftArguments, DraftItem, DraftLine};

use crate::proof::require_proof;
use crate::service::{OdooService, ServiceError};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DraftOutcome {
    /// A draft was saved.
    Created,
    /// The operation had its document before.
    Existing,
}

/// The draft of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DraftAnswer {
    /// Whether it was saved by this call.
    pub outcome: DraftOutcome,
    /// The document as Odoo has it; one that was there before may be posted or cancelled by now.
    pub document: Document,
    /// Where a person sees it.
    pub link: String,
    /// Of one that was there before: where it is not what was asked for, or what it shows is not what it books.
    pub differences: Vec<String>,
    /// Further documents of the same operation. They came about when two asked at the same time; they are to be
    /// deleted in Odoo.
    pub duplicates: Vec<i64>,
}

impl OdooService {
    /// Saves a draft, or finds the one of the same operation.
    ///
    /// # Errors
    /// If something that was given cannot be used, Odoo says no, or what it saved is not what was asked for; and, where
    /// that is asked for, if the key is not proven to be one that can only draft.
    pub async fn create_draft(
        &self,
        arguments: &DraftArguments,
    ) -> Result<DraftAnswer, ServiceError> {
        arguments.check()?;
        require_proof(self).await?;
        let _one_at_a_time = self.creation.lock().await;
        if let [first, others @ ..] = lookup::document_ids(self, arguments).await?.as_slice() {
            return self.existing(arguments, *first, others).await;
        }
        let currency = lookup::currency(&self.odoo, arguments).await?;
        let call = Call::new(MOVE, "create")
            .with("vals_list", json!([values::values(arguments, currency)]))
            .of_company(arguments.company);
        let created = match self.odoo.call(&call).await {
            Ok(answer) => created_id(&answer),
            Err(error) => {
                tracing::warn!(operation = arguments.operation, %error, "looking for the draft");
                let found = lookup::document_ids(self, arguments).await;
                match found.as_deref() {
                    // Another agent was faster: with the addon, the database takes one draft of a bill.
                    Ok([first, others @ ..]) if error.is_certain() => {
                        return self.existing(arguments, *first, others).await;
                    }
                    Ok([_, ..]) => None,
                    _ if error.is_certain() => return Err(error.into()),
                    _ => {
                        return Err(ServiceError::Unknown {
                            operation: arguments.operation.clone(),
                            source: error,
                        });
                    }
                }
            }
        };
        let found = lookup::document_ids(self, arguments).await?;
        let Some((first, others)) = found.split_first() else {
            // Such as a user that may create what it may not read.
            return Err(ServiceError::Unknown {
                operation: arguments.operation.clone(),
                source: OdooError::Right(
                    "the draft was saved and cannot be found by this user".to_owned(),
                ),
            });
        };
        if created.is_some_and(|id| id != *first) {
            return self.existing(arguments, *first, others).await;
        }
        let document = self.read_document(*first).await?;
        let link = self.link(*first);
        let differences = differences(arguments, &document);
        if !differences.is_empty() {
            return Err(ServiceError::Differs {
                id: *first,
                differences: differences.join("; "),
                link,
            });
        }
        tracing::info!(id = first, operation = arguments.operation, "draft saved");
        Ok(DraftAnswer {
            outcome: DraftOutcome::Created,
            document,
            link,
            differences,
            duplicates: others.to_vec(),
        })
    }

    async fn existing(
        &self,
        arguments: &DraftArguments,
        id: i64,
        others: &[i64],
    ) -> Result<DraftAnswer, ServiceError> {
        let document = self.read_document(id).await?;
        Ok(DraftAnswer {
            outcome: DraftOutcome::Existing,
            link: self.link(id),
            differences: differences(arguments, &document),
            document,
            duplicates: others.to_vec(),
        })
    }
}

/// Where a document is not what was asked for, or what it shows is not what it books.
fn differences(arguments: &DraftArguments, document: &Document) -> Vec<String> {
    let mut all = saved::differences(arguments, document);
    all.extend(inconsistencies(document));
    all
}
