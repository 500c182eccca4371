//! Names that a vault does not have: `odd_names` gives dropped files near ones, `name_forms` those that look the same.

mod name_forms;
mod odd_names;

pub use name_forms::{NameForm, compose_names};
pub use odd_names::rename_odd;
