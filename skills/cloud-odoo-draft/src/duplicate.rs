//! Whether a document is in Odoo already: as a draft or posted, of the same commercial partner.
//!
//! Invariants: it is looked for before anything is created; the draft of the same operation is no duplicate, but the
//! one that an earlier run made; a document that only looks alike is a doubt, and the owner decides.

use platinum_invoice::Invoice;
use platinum_sdk::host::ReadOdoo;
use platinum_sdk::odoo::draft::NewDocument;
use platinum_sdk::odoo::read::DocumentQuery;
use platinum_sdk::odoo::types::{DocumentRow, Error as OdooError};
use platinum_sdk::text::comparable;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The document is there: its id, and by what it is known.
    Same(u64, &'static str),
    /// It is not; what looks like it is among the doubts.
    Other(Vec<String>),
}

/// Looks for a document.
///
/// # Errors
/// If Odoo cannot be asked.
pub fn find(
    host: &impl ReadOdoo,
    invoice: &Invoice,
    document: &NewDocument,
    partners: &[u64],
    operation: &str,
) -> Result<Finding, OdooError> {
    let mut doubts = Vec::new();
    let is_bill = document.kind.starts_with("vendor-");
    let query = DocumentQuery {
        kinds: vec![document.kind.clone()],
        partners: partners.to_vec(),
        number: None,
        reference: None,
        date: None,
        total: None,
    };
    let mut search = |query: &DocumentQuery| -> Result<Vec<DocumentRow>, OdooError> {
        let mut found = host.documents(query)?;
        if !found.is_complete {
            doubts.push(
                "Odoo has more documents of this partner than were compared: the newest 2000."
                    .to_owned(),
            );
        }
        found
            .rows
            .retain(|row| row.operation.as_deref() != Some(operation));
        Ok(found.rows)
    };
    let reference = document
        .reference
        .clone()
        .filter(|text| !comparable(text).is_empty());
    if let Some(reference) = &reference {
        let same = search(&DocumentQuery {
            reference: Some(reference.clone()),
            ..query.clone()
        })?;
        if let Some(row) = same.first() {
            return Ok(Finding::Same(row.id, "its number and partner"));
        }
    }
    if let Some(total) = invoice.total {
        let alike = search(&DocumentQuery {
            date: Some(document.date.clone()),
            total: Some(total.normalize().to_string()),
            ..query
        })?;
        let is_nameless = |row: &&DocumentRow| row.reference.is_none() || reference.is_none();
        if let Some(row) = alike.iter().find(is_nameless) {
            if is_bill && reference.is_none() {
                return Ok(Finding::Same(row.id, "its partner, day and total"));
            }
            doubts.push(format!(
                "Odoo has another {} of the same partner, day and total: {} ({}).",
                document.kind.replace('-', " "),
                row.number
                    .as_deref()
                    .or(row.reference.as_deref())
                    .unwrap_or("a draft"),
                row.id
            ));
        }
    }
    Ok(Finding::Other(doubts))
}
