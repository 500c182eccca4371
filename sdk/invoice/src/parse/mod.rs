//! The invoice text read: `reader` reads its lines, `values` what they say, `tables` its tables.

mod reader;
mod tables;
mod values;

pub use reader::InvoiceTextError;
pub(crate) use reader::key_value;
