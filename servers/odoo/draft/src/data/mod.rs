//! Reading: `get_data` reads rows of the models in [`allowed`], chosen by the filters of [`filter`]; `get_document`
//! reads a document whole.
//!
//! Invariant: no model, field or operator reaches Odoo that is not written in this code.

pub mod allowed;
pub mod filter;

use platinum_odoo_client::document::PartnerDetails;
use platinum_odoo_client::document::check::{inconsistencies, obstacles};
use platinum_odoo_client::document::render::render;
use platinum_odoo_client::{Call, Document, OdooError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::service::{OdooService, ServiceError};
use allowed::Model;
use filter::Filter;

/// Rows when no limit is given.
const LIMIT: u32 = 20;
/// The most rows of an answer.
const MAX_ROWS: u32 = 100;
/// The most filters of a question.
const MAX_FILTERS: usize = 12;

/// Which records to read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataArguments {
    /// What kind of record.
    pub model: Model,
    /// The id of the company as which they are read, which also decides a partner's fiscal position; else all companies.
    #[serde(default)]
    pub company: Option<i64>,
    /// Which fields of them; all that may be read without it.
    #[serde(default)]
    pub fields: Vec<String>,
    /// All of these must match.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// A field to order by; else by their numbers, the oldest first.
    #[serde(default)]
    pub order_by: Option<String>,
    /// The largest first.
    #[serde(default)]
    pub descending: bool,
    /// At most this many: 1 to 100, else 20.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Records.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DataAnswer {
    /// One object a record, by field: null for nothing, text for decimal numbers and days, RFC 3339 for times,
    /// `{"id", "name"}` for another record. All text is from outside and not to be trusted.
    pub records: Vec<Map<String, Value>>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
}

/// Which document to read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentArguments {
    /// Its number in the database.
    pub id: i64,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentAnswer {
    /// The document.
    pub document: Document,
    /// Where a person sees it.
    pub link: String,
    /// Where what it shows is not what it books; nothing of a document that is in order.
    pub inconsistencies: Vec<String>,
    /// Why a draft is not posted as it is, each the end of a sentence about it.
    pub obstacles: Vec<String>,
    /// The document as a person reads it, in Markdown: texts of Odoo's are no markup in it, and what is not seen is
    /// written out. The same as long as the document is.
    pub shown: String,
}

impl OdooService {
    /// Reads records.
    ///
    /// # Errors
    /// If a field, a filter or the limit cannot be used, or Odoo says no.
    pub async fn get_data(&self, arguments: &DataArguments) -> Result<DataAnswer, ServiceError> {
        let table = arguments.model.table();
        let limit = arguments.limit.unwrap_or(LIMIT);
        if !(1..=MAX_ROWS).contains(&limit) {
            let problem = format!("must be from 1 to {MAX_ROWS}");
            return Err(ServiceError::argument("limit", problem));
        }
        if arguments.filters.len() > MAX_FILTERS {
            let problem = format!("must be at most {MAX_FILTERS}");
            return Err(ServiceError::argument("filters", problem));
        }
        if arguments.company.is_some_and(|company| company <= 0) {
            let problem = "must be the id of a record";
            return Err(ServiceError::argument("company", problem));
        }
        let asked = arguments
            .fields
            .iter()
            .map(|field| table.field("fields", field));
        let asked = asked.collect::<Result<Vec<_>, _>>()?;
        let order = match &arguments.order_by {
            Some(field) => table.field("order_by", field)?,
            None => "id",
        };
        let direction = if arguments.descending { "desc" } else { "asc" };
        let types = self.odoo.fields(table.model).await?;
        for field in asked.iter().chain([&order]).filter(|field| **field != "id") {
            if !types.contains_key(*field) {
                return Err(OdooError::Refused(format!(
                    "this Odoo ({}) shows this user no field {field} of {}",
                    self.odoo.version().await?,
                    table.model
                ))
                .into());
            }
        }
        let filters = arguments.filters.iter();
        let domain = filters.map(|filter| filter.domain(table, &types));
        let domain = domain.collect::<Result<Vec<_>, _>>()?;
        let fields: Vec<String> = match asked.is_empty() {
            true => self.odoo.existing(table.model, table.fields).await?,
            false => asked.into_iter().map(str::to_owned).collect(),
        };
        let (domain, order) = (Value::Array(domain), format!("{order} {direction}"));
        let mut call = Call::search_read(table.model, domain, &fields, &order, limit + 1);
        if let Some(company) = arguments.company {
            call = call.of_company(company);
        }
        let mut rows = self.odoo.rows(&call).await?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > wanted;
        rows.truncate(wanted);
        let records = rows.iter().map(|row| {
            let mut record = Map::from_iter([("id".to_owned(), row["id"].clone())]);
            for field in fields.iter().filter(|field| *field != "id") {
                if let Some(kind) = types.get(field) {
                    record.insert(field.clone(), kind.read(&row[field.as_str()]));
                }
            }
            record
        });
        Ok(DataAnswer {
            records: records.collect(),
            has_more,
        })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// If there is none, or Odoo says no.
    pub async fn get_document(
        &self,
        arguments: &DocumentArguments,
    ) -> Result<DocumentAnswer, ServiceError> {
        let document = self.read_document(arguments.id).await?;
        let partner = PartnerDetails::read(&self.odoo, &document).await?;
        let link = self.link(document.id);
        Ok(DocumentAnswer {
            inconsistencies: inconsistencies(&document),
            obstacles: obstacles(&document),
            shown: render(&document, &partner, &link),
            link,
            document,
        })
    }
}
