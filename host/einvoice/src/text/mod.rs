//! The text of a PDF, as lines: what its pages show, in the order in which it is read.
//!
//! # Layout
//! - `content`: the operators of a page, as glyphs with places; `font`, `names`: what a code of a font is;
//! - `rows`: glyphs as rows of cells; `lines`: rows as `Key: value` lines and Markdown tables, which is the form in which
//!   an invoice text is read.
//!
//! # Invariants
//! - A document says what it says to a program, too: what is white, tiny or in a hidden layer is text as well. It is
//!   data, and its owner sees it in the note.
//! - Pictures are not read: a scan has no text. What a font does not say of its codes is not guessed.
//! - This bounds what it keeps and follows; what the reader of PDFs costs is bounded by the process (see
//!   [`mod@crate::pdf`]).

mod content;
mod font;
mod lines;
mod names;
mod rows;

use crate::pdf::{PdfError, open};
use content::Reader;

/// The most pages that are read.
pub const MAX_PAGES: usize = 50;
/// The longest text, in bytes.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// What a PDF says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PdfText {
    /// Its lines; empty if it has none.
    pub text: String,
    /// Whether some of it was left out.
    pub is_cut: bool,
    /// Whether some of it is signs of which nobody says what they are.
    pub has_unknown: bool,
}

/// Reads what the pages of a PDF say.
///
/// # Errors
/// [`PdfError`].
pub fn read_text(bytes: Vec<u8>) -> Result<PdfText, PdfError> {
    let pdf = open(bytes)?;
    let mut reader = Reader::default();
    let mut read = PdfText::default();
    let (mut known, mut unknown) = (0_usize, 0_usize);
    for page in pdf.pages().iter().take(MAX_PAGES) {
        let glyphs = reader.page(page);
        let of_page = glyphs.iter().filter(|glyph| glyph.text.is_none()).count();
        (known, unknown) = (known + glyphs.len() - of_page, unknown + of_page);
        let text = lines::of_rows(&rows::of_glyphs(glyphs));
        if text.is_empty() {
            continue;
        }
        if !read.text.is_empty() {
            read.text.push('\n');
        }
        read.text.push_str(&text);
        if read.text.len() > MAX_TEXT_BYTES {
            let end = read.text.floor_char_boundary(MAX_TEXT_BYTES);
            let end = read.text[..end].rfind('\n').unwrap_or(end);
            read.text.truncate(end);
            reader.is_cut = true;
            break;
        }
    }
    read.is_cut = reader.is_cut || pdf.pages().len() > MAX_PAGES;
    // A text of which half is missing says something else than its document.
    read.has_unknown = unknown * 50 > known;
    if unknown > known {
        read.text.clear();
    }
    Ok(read)
}
