//! The walk over a page: its phases in `phases`, the steps in `walk`, the comparison before the last click in
//! `final_screen`, what comes behind it in `receipt`.

mod final_screen;
mod phases;
mod receipt;
mod walk;

pub use phases::{Mode, Prepared, find_payment, prepare, run};
