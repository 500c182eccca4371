//! [`OdooService`]: the Odoo that the tools are about, and what several of them search for. No MCP here: see [`crate::tools`].

use std::path::Path;

use platinum_odoo_client::document::read::{MOVE, OPERATION};
use platinum_odoo_client::http::CallLimits;
use platinum_odoo_client::{Config, Connection, Document, DocumentKind, OdooError};
use serde_json::json;
use tokio::sync::Mutex;

use crate::proof::Proven;

/// What went wrong, in one line for the model or the person that called.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Something that was given cannot be used.
    #[error("`{field}` {problem}")]
    Argument {
        /// The argument.
        field: String,
        /// What is wrong, what to give.
        problem: String,
    },
    /// Odoo could not be asked, or said no.
    #[error(transparent)]
    Odoo(#[from] OdooError),
    /// There is no such document.
    #[error(
        "there is no document {0} in Odoo that this user may see and that is an invoice, a bill, a credit note or a \
         journal entry"
    )]
    NoDocument(i64),
    /// A payment cannot be recorded like this. Clients know it by its first words.
    #[error("it cannot be paid so: {0}")]
    Unpayable(String),
    /// A draft was saved otherwise than it was asked for. It is still there.
    #[error(
        "draft {id} was saved, and is not what was asked for: {differences}; delete or mend it in Odoo: {link}"
    )]
    Differs {
        /// Its number.
        id: i64,
        /// Which fields, and how.
        differences: String,
        /// Where a person sees it.
        link: String,
    },
    /// It is not known whether a draft was saved.
    #[error(
        "it is not known whether the draft of {operation} was saved: {source}; the same call looks for it first, and \
         saves no second one"
    )]
    Unknown {
        /// The operation.
        operation: String,
        /// What was lost.
        source: OdooError,
    },
    /// This server drafts only with a key that can do nothing else, and this one can.
    #[error("no draft was saved: {0}")]
    CanAct(String),
    /// This server drafts only with a key that can do nothing else, and that cannot be found out now.
    #[error("no draft was saved, because it is not known whether this key can only draft: {0}")]
    Unproven(Box<ServiceError>),
    /// The proof that the key can only draft did not come to its end.
    #[error("that the key can only draft cannot be proven now: {0}; the next call tries it again")]
    NoProof(String),
}

impl ServiceError {
    /// This argument cannot be used.
    pub fn argument(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Argument {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// One Odoo.
#[derive(Debug)]
pub struct OdooService {
    /// How it is asked.
    pub odoo: Connection,
    /// Held from the search for an operation to the end of its creation, so that two calls do not both find nothing.
    pub(crate) creation: Mutex<()>,
    /// Whether the key is proven to be one that can only draft, and whether it has to be.
    pub(crate) proven: Proven,
}

impl AsRef<Self> for OdooService {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl OdooService {
    /// The Odoo of a configuration. It is connected to at the first use.
    #[must_use]
    pub fn open(config: Config) -> Self {
        Self::with_limits(config, CallLimits::default())
    }

    /// As [`OdooService::open`], with other limits.
    #[must_use]
    pub fn with_limits(config: Config, limits: CallLimits) -> Self {
        Self {
            odoo: Connection::new(config, limits),
            creation: Mutex::default(),
            proven: Proven::default(),
        }
    }

    /// The same, that saves drafts only with a key that is proven to be able to do nothing else.
    #[must_use]
    pub fn drafter_only(mut self) -> Self {
        self.proven.is_required = true;
        self
    }

    /// The same, whose proofs take turns with those of every process that locks this file: the configuration's own.
    #[must_use]
    pub fn proving_by_turns(mut self, file: &Path) -> Self {
        self.proven.lock = Some(file.to_path_buf());
        self
    }

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

    /// Reads a document that must be there.
    ///
    /// # Errors
    /// If there is none, or Odoo says no.
    pub async fn read_document(&self, id: i64) -> Result<Document, ServiceError> {
        let document = Document::read(&self.odoo, id).await?;
        document.ok_or(ServiceError::NoDocument(id))
    }

    /// Where a person sees a document.
    #[must_use]
    pub fn link(&self, id: i64) -> String {
        self.odoo.link(MOVE, id)
    }
}
