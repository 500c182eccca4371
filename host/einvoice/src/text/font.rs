//! A font of a PDF as far as text needs it: what each code is, and how wide.
//!
//! What a code is, is asked of the font's own table (`ToUnicode`), then of its encoding. Where neither says, it is not
//! known: the shapes are not looked at.

use std::collections::HashMap;

use hayro_cmap::{BfString, CMap};
use hayro_syntax::object::{Array, Dict, Name, Number, Object, Stream};

use super::names::{Encoding, of_glyph};

/// The most widths of one font that are kept.
const MAX_WIDTHS: usize = 70_000;
/// The most characters that one code is.
const MAX_CHARS: usize = 8;
/// The width of what is not known, in thousandths.
const USUAL_WIDTH: f64 = 500.0;

/// A font.
#[derive(Debug)]
pub(super) struct Font {
    /// Whether a code has two bytes.
    is_composite: bool,
    /// Whether the codes are UTF-16.
    is_unicode: bool,
    to_unicode: Option<CMap>,
    /// What a code of one byte is.
    encoding: Vec<Option<String>>,
    widths: HashMap<u32, f64>,
    default_width: Option<f64>,
    /// What a width of one is in the text's space.
    scale: f64,
}

/// One code that is shown.
#[derive(Debug)]
pub(super) struct Shown {
    /// What it is; none if that is not known.
    pub text: Option<String>,
    /// How far the next one is, for a font of size one.
    pub advance: f64,
    /// Whether the spacing of words counts.
    pub is_space: bool,
}

impl Font {
    /// Reads the dictionary of a font.
    pub(super) fn read(dict: &Dict<'_>) -> Self {
        let subtype = dict.get::<Name<'_>>("Subtype");
        let subtype: &[u8] = subtype.as_deref().unwrap_or_default();
        let to_unicode = dict.get::<Stream<'_>>("ToUnicode");
        let to_unicode = to_unicode.and_then(|stream| {
            let data = stream.decoded_data().ok()?;
            CMap::parse(&data, |_| None)
        });
        if subtype == b"Type0" {
            return Self::composite(dict, to_unicode);
        }
        let scale = dict
            .get::<Array<'_>>("FontMatrix")
            .filter(|_| subtype == b"Type3")
            .and_then(|matrix| matrix.iter::<Number>().next())
            .map_or(0.001, |number| number.as_f64());
        let descriptor = dict.get::<Dict<'_>>("FontDescriptor");
        let missing = descriptor
            .as_ref()
            .and_then(|descriptor| descriptor.get::<Number>("MissingWidth"));
        let first = dict
            .get::<Number>("FirstChar")
            .map_or(0, |first| first.as_i64());
        let widths: HashMap<u32, f64> = match dict.get::<Array<'_>>("Widths") {
            Some(widths) => widths
                .iter::<Number>()
                .take(256)
                .enumerate()
                .filter_map(|(at, width)| Some((code(first, at)?, width.as_f64())))
                .collect(),
            None => HashMap::new(),
        };
        Self {
            is_composite: false,
            is_unicode: false,
            to_unicode,
            encoding: simple_encoding(dict, subtype, descriptor.as_ref()),
            // One of the standard fonts need not say how wide it is.
            default_width: match widths.is_empty() {
                true => None,
                false => Some(missing.map_or(0.0, |width| width.as_f64())),
            },
            widths,
            scale,
        }
    }

    fn composite(dict: &Dict<'_>, to_unicode: Option<CMap>) -> Self {
        let descendants = dict.get::<Array<'_>>("DescendantFonts");
        let descendant = descendants.and_then(|fonts| fonts.iter::<Dict<'_>>().next());
        let encoding = dict.get::<Name<'_>>("Encoding");
        let encoding = encoding.as_ref().map_or("", |name| name.as_str());
        let default_width = descendant
            .as_ref()
            .and_then(|font| font.get::<Number>("DW"));
        let widths = descendant
            .as_ref()
            .and_then(|font| font.get::<Array<'_>>("W"));
        Self {
            is_composite: true,
            is_unicode: encoding.contains("UCS2") || encoding.contains("UTF16"),
            to_unicode,
            encoding: Vec::new(),
            widths: widths
                .map(|widths| composite_widths(&widths))
                .unwrap_or_default(),
            default_width: Some(default_width.map_or(1000.0, |width| width.as_f64())),
            scale: 0.001,
        }
    }

    /// The codes of a string.
    pub(super) fn decode<'s>(&'s self, bytes: &'s [u8]) -> impl Iterator<Item = Shown> + 's {
        let size = if self.is_composite { 2 } else { 1 };
        bytes.chunks(size).map(move |chunk| {
            let code = chunk
                .iter()
                .fold(0, |code, byte| (code << 8) | u32::from(*byte));
            let text = self.text(code);
            let width = self.widths.get(&code).copied().or(self.default_width);
            let width = width.unwrap_or_else(|| text.as_deref().map_or(USUAL_WIDTH, usual_width));
            Shown {
                advance: width * self.scale,
                is_space: chunk == b" ",
                text,
            }
        })
    }

    fn text(&self, code: u32) -> Option<String> {
        let mapped = self
            .to_unicode
            .as_ref()
            .and_then(|map| map.lookup_bf_string(code));
        match mapped {
            Some(BfString::Char(c)) => return Some(c.to_string()),
            Some(BfString::String(text)) => return Some(text.chars().take(MAX_CHARS).collect()),
            None => {}
        }
        if self.is_composite {
            return char::from_u32(code)
                .filter(|_| self.is_unicode)
                .map(String::from);
        }
        self.encoding.get(code as usize).cloned().flatten()
    }
}

fn code(first: i64, at: usize) -> Option<u32> {
    let code = first.checked_add(i64::try_from(at).ok()?)?;
    u32::try_from(code).ok()
}

/// What each byte is to a font that has one byte a code.
fn simple_encoding(
    dict: &Dict<'_>,
    subtype: &[u8],
    descriptor: Option<&Dict<'_>>,
) -> Vec<Option<String>> {
    const SYMBOLIC: i64 = 4;
    let is_symbolic = descriptor
        .and_then(|descriptor| descriptor.get::<Number>("Flags"))
        .is_some_and(|flags| flags.as_i64() & SYMBOLIC != 0);
    let named = dict
        .get::<Name<'_>>("Encoding")
        .and_then(|name| Encoding::named(&name));
    let own = dict.get::<Dict<'_>>("Encoding");
    let base = own
        .as_ref()
        .and_then(|own| own.get::<Name<'_>>("BaseEncoding"))
        .and_then(|name| Encoding::named(&name));
    let base = named.or(base).or(match subtype {
        // What its codes are, only its program says.
        _ if is_symbolic && own.is_none() => None,
        b"TrueType" => Some(Encoding::WinAnsi),
        b"Type3" => None,
        _ => Some(Encoding::Standard),
    });
    let mut encoding: Vec<Option<String>> = (0..=u8::MAX)
        .map(|byte| base.and_then(|base| base.decode(byte)).map(String::from))
        .collect();
    let differences = own.and_then(|own| own.get::<Array<'_>>("Differences"));
    let mut at = 0_usize;
    for object in differences.iter().flat_map(|of| of.iter::<Object<'_>>()) {
        match object {
            Object::Number(number) => at = usize::try_from(number.as_i64()).unwrap_or(usize::MAX),
            Object::Name(name) => {
                if let Some(slot) = encoding.get_mut(at) {
                    *slot = of_glyph(name.as_str());
                }
                at = at.saturating_add(1);
            }
            _ => {}
        }
    }
    encoding
}

/// The widths of a composite font: `first [w …]` and `first last w` take turns.
fn composite_widths(array: &Array<'_>) -> HashMap<u32, f64> {
    let mut widths = HashMap::new();
    let mut objects = array.iter::<Object<'_>>();
    while let Some(Object::Number(first)) = objects.next() {
        let first = first.as_i64();
        match objects.next() {
            Some(Object::Array(list)) => {
                for (at, width) in list.iter::<Number>().enumerate() {
                    if widths.len() >= MAX_WIDTHS {
                        return widths;
                    }
                    if let Some(code) = code(first, at) {
                        widths.insert(code, width.as_f64());
                    }
                }
            }
            Some(Object::Number(last)) => {
                let Some(Object::Number(width)) = objects.next() else {
                    break;
                };
                for code in first.max(0)..=last.as_i64().min(0xFFFF) {
                    if widths.len() >= MAX_WIDTHS {
                        return widths;
                    }
                    if let Ok(code) = u32::try_from(code) {
                        widths.insert(code, width.as_f64());
                    }
                }
            }
            _ => break,
        }
    }
    widths
}

/// The width of a text in a usual font, in thousandths: enough to tell a gap from a space.
fn usual_width(text: &str) -> f64 {
    let width = |c: char| match c {
        ' ' | '.' | ',' | ':' | ';' | '!' | '/' | '|' | 'f' | 't' | 'I' => 280.0,
        'i' | 'j' | 'l' | '\'' => 220.0,
        'r' | '-' | '(' | ')' | '[' | ']' => 333.0,
        'm' | 'M' | '%' | '@' => 860.0,
        'w' | 'A'..='H' | 'J'..='L' | 'N'..='V' | 'X'..='Z' => 690.0,
        'W' => 940.0,
        _ => 556.0,
    };
    text.chars().map(width).sum()
}
