//! A mail's bytes turned into bounded text and facts.
//!
//! - `facts`: the records;
//! - [`mod@parse`]: the headers, and the whole; `header_repair`: headers that break the rules;
//! - `body`: which parts are the text; `mime`: one part; `transfer` and `charset`: its bytes turned into characters;
//! - `people`: headers with addresses; `calendar`: the event of an invitation;
//! - `html`: HTML turned into text, with what is quoted marked by `>` as in plain mail.
//!
//! Which lines of a text are the writer's own is `platinum_text::quotes`, for plain mail and for HTML alike.
//!
//! Every string is free of control characters (but for line ends and tabs in [`Parsed::text`]) and bounded;
//! nothing here fails: a mail that is no mail gives a record with little in it.

mod body;
mod calendar;
mod charset;
mod facts;
mod header_repair;
mod html;
mod mime;
mod parse;
mod people;
mod transfer;

pub use calendar::{Event, Method};
pub use facts::{Attachment, File, Kind, Limits, Parsed, People, Person, Protection};
pub(crate) use parse::auto_reply;
pub use parse::{parse, parse_cut, parse_with_files};

#[cfg(test)]
mod tests;
