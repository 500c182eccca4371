//! Glyphs as rows of cells: what stands on one line, parted where there is more room than between words.
//!
//! Invariant: pure; the work is that of sorting.

use super::content::Glyph;

/// How far glyphs of one line are apart in height, in parts of their size.
const SAME_LINE: f64 = 0.4;
/// More room than this, in parts of the size, is between words.
const SPACE: f64 = 0.16;
/// More room than this is between cells.
const GAP: f64 = 1.0;
/// A glyph that is drawn again this near is bold.
const DOUBLE: f64 = 0.12;
/// What stands for a glyph that is not known.
const UNKNOWN: &str = "\u{FFFD}";

/// A piece of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// Where it begins and ends.
    pub x: f64,
    /// See `x`.
    pub end: f64,
    /// What it says: never empty, without line ends.
    pub text: String,
}

/// What stands on one line, from the left; never empty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The height of the line; it grows upwards.
    pub y: f64,
    /// How large its signs are.
    pub size: f64,
    /// Its cells.
    pub cells: Vec<Cell>,
}

/// The rows of a page, from the top.
pub(super) fn of_glyphs(mut glyphs: Vec<Glyph>) -> Vec<Row> {
    glyphs.sort_by(|one, other| other.y.total_cmp(&one.y));
    let mut rows = Vec::new();
    let mut line: Vec<Glyph> = Vec::new();
    for glyph in glyphs {
        let is_same = line
            .last()
            .is_none_or(|last| (last.y - glyph.y).abs() <= SAME_LINE * last.size.min(glyph.size));
        if !is_same {
            rows.extend(row(std::mem::take(&mut line)));
        }
        line.push(glyph);
    }
    rows.extend(row(line));
    rows
}

fn row(mut glyphs: Vec<Glyph>) -> Option<Row> {
    glyphs.sort_by(|one, other| one.x.total_cmp(&other.x));
    let mut cells: Vec<Cell> = Vec::new();
    let mut is_after_space = false;
    let mut last: Option<&Glyph> = None;
    for glyph in &glyphs {
        let text = glyph.text.as_deref().unwrap_or(UNKNOWN);
        if text.chars().all(char::is_whitespace) {
            is_after_space = true;
            continue;
        }
        if let (Some(last), false) = (last, is_after_space)
            && last.text == glyph.text
            && glyph.x - last.x < DOUBLE * glyph.size
        {
            continue;
        }
        let room = last.map_or(0.0, |last| (glyph.x - last.end) / last.size.min(glyph.size));
        match cells.last_mut().filter(|_| room <= GAP) {
            Some(cell) => {
                if is_after_space || room > SPACE {
                    cell.text.push(' ');
                }
                cell.text.extend(text.chars().filter(|c| !c.is_control()));
                cell.end = glyph.end;
            }
            None => cells.push(Cell {
                x: glyph.x,
                end: glyph.end,
                text: text.chars().filter(|c| !c.is_control()).collect(),
            }),
        }
        is_after_space = false;
        last = Some(glyph);
    }
    cells.retain(|cell| !cell.text.trim().is_empty());
    let first = glyphs.first()?;
    (!cells.is_empty()).then(|| Row {
        y: first.y,
        size: glyphs.iter().map(|glyph| glyph.size).fold(0.0, f64::max),
        cells,
    })
}
