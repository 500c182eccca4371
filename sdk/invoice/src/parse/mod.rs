//! The invoice text read: `reader` reads its lines, `tables` its tables.

mod reader;
mod tables;

pub use reader::InvoiceTextError;
pub(crate) use reader::key_value;
