//! [`Rpc`]: calling a method of a model, whatever the protocol.

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::error::OdooError;

/// One call of a method. Model and method are fixed in the code that calls, never text from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The model: `account.move`.
    pub model: &'static str,
    /// Its method: `search_read`.
    pub method: &'static str,
    /// The records that it is called on; none for a method of the model.
    pub ids: Vec<i64>,
    /// Its arguments by name.
    pub arguments: Map<String, Value>,
    /// The context. Odoo changes what it does by keys of it: the few that are set, are set in code.
    pub context: Map<String, Value>,
}

impl Call {
    /// A call of a method of the model.
    #[must_use]
    pub fn new(model: &'static str, method: &'static str) -> Self {
        Self {
            model,
            method,
            ids: Vec::new(),
            arguments: Map::new(),
            context: Map::new(),
        }
    }

    /// A search for records, which reads these fields of them.
    #[must_use]
    pub fn search_read(
        model: &'static str,
        domain: Value,
        fields: &[String],
        order: &str,
        limit: u32,
    ) -> Self {
        Self::new(model, "search_read")
            .with("domain", domain)
            .with("fields", fields.to_vec())
            .with("order", order)
            .with("limit", limit)
    }

    /// On these records.
    #[must_use]
    pub fn on(mut self, ids: &[i64]) -> Self {
        self.ids = ids.to_vec();
        self
    }

    /// With this argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.arguments.insert(name.to_owned(), value.into());
        self
    }

    /// With this key of the context.
    #[must_use]
    pub fn in_context(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.context.insert(name.to_owned(), value.into());
        self
    }

    /// In this company alone.
    #[must_use]
    pub fn of_company(self, company: i64) -> Self {
        self.in_context("allowed_company_ids", vec![company])
    }

    /// Whether it changes nothing, and so may be repeated.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(
            self.method,
            "read" | "search_read" | "search" | "fields_get"
        )
    }
}

/// A protocol of Odoo's.
#[async_trait]
pub trait Rpc: std::fmt::Debug + Send + Sync {
    /// Its name, for logs.
    fn name(&self) -> &'static str;

    /// Calls a method: one attempt.
    ///
    /// # Errors
    /// As [`OdooError`] says; [`OdooError::is_certain`] tells whether anything may have been done.
    async fn call(&self, call: &Call) -> Result<Value, OdooError>;
}
