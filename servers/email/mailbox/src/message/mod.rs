//! A mail's bytes turned into bounded text and facts.
//!
//! - here: the records; - [`mod@parse`]: how they are filled; - [`html`]: HTML turned into text; - [`mime`]: the parts;
//! - [`people`]: headers with addresses; - [`calendar`]: the event of an invitation.
//!
//! Every string is free of control characters (but for line ends and tabs in [`Parsed::text`]) and bounded;
//! nothing here fails: a mail that is no mail gives a record with little in it.

mod calendar;
mod facts;
mod html;
mod mime;
mod parse;
mod people;

pub use calendar::{Event, Method};
pub use facts::{Attachment, Kind, Limits, Parsed, People, Person};
pub use parse::{parse, parse_cut};

#[cfg(test)]
mod tests;
