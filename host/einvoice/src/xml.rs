//! XML from outside: its bytes as text, its text as a tree, all of it bounded; and a narrow view of its elements.
//!
//! The parser is roxmltree: it fetches nothing, and a document type is refused, so that no entity is defined. It
//! recurses by depth, which is looked at before.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use roxmltree::{Document, Node, ParsingOptions};

use crate::EinvoiceError;

/// The deepest nesting: an e-invoice has some 15.
pub(crate) const MAX_DEPTH: usize = 64;
/// The most nodes: elements, texts, attributes' owners.
pub(crate) const MAX_NODES: u32 = 400_000;
/// Where the names of the vocabularies are looked for.
const HEAD_BYTES: usize = 16 * 1024;

/// Whether these bytes are XML that names a vocabulary of e-invoices at its start.
pub(crate) fn resembles_einvoice(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    // UTF-16 has a zero beside each of these characters.
    let plain: Vec<u8> = head.iter().copied().filter(|byte| *byte != 0).collect();
    let text = String::from_utf8_lossy(&plain);
    let start = text
        .trim_start_matches(['\u{FEFF}', '\u{FFFD}', 'þ', 'ÿ'])
        .trim_start();
    start.starts_with('<')
        && [
            "CrossIndustryInvoice",
            "CrossIndustryDocument",
            crate::ubl::NAMESPACE,
        ]
        .iter()
        .any(|name| text.contains(name))
}

/// The document as text, and what is to be said of its characters.
pub(crate) fn decode(bytes: &[u8]) -> Result<(String, Option<String>), EinvoiceError> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let (text, has_faults) = encoding.decode_without_bom_handling(&bytes[length..]);
        let note = has_faults.then(|| format!("Some characters are no {}.", encoding.name()));
        return Ok((text.into_owned(), note));
    }
    // Without a mark, by the zeros beside `<`.
    match bytes {
        [0, b'<', ..] => return Ok((UTF_16BE.decode(bytes).0.into_owned(), None)),
        [b'<', 0, ..] => return Ok((UTF_16LE.decode(bytes).0.into_owned(), None)),
        _ => {}
    }
    let declared = declared_encoding(bytes);
    let encoding = match declared.as_deref() {
        None => UTF_8,
        Some(label) => Encoding::for_label(label.as_bytes())
            .ok_or_else(|| EinvoiceError::Encoding(platinum_core::text::one_line(label, 40)))?,
    };
    let label = declared.unwrap_or_else(|| "UTF-8".to_owned());
    let utf8 = std::str::from_utf8(bytes);
    if encoding == UTF_8 || encoding == UTF_16LE || encoding == UTF_16BE {
        return Ok(match utf8 {
            Ok(text) if encoding == UTF_8 => (text.to_owned(), None),
            Ok(text) => (
                text.to_owned(),
                Some(format!("It says that it is {label}, and it is UTF-8.")),
            ),
            Err(_) => {
                let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
                let note = format!(
                    "It says that it is {label} and is not: it was read as Windows-1252. Look at its letters."
                );
                (text.into_owned(), Some(note))
            }
        });
    }
    // Letters that are valid UTF-8 beyond ASCII are hardly anything else.
    if let Ok(text) = utf8
        && !text.is_ascii()
    {
        let note = format!("It says that it is {label}, and was read as UTF-8, which it is.");
        return Ok((text.to_owned(), Some(note)));
    }
    let (text, has_faults) = encoding.decode_without_bom_handling(bytes);
    let note = has_faults.then(|| format!("Some characters are no {label}."));
    Ok((text.into_owned(), note))
}

/// The encoding that the XML declaration names.
fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let declaration = head
        .trim_start()
        .strip_prefix("<?xml")?
        .split("?>")
        .next()?;
    let (_, after) = declaration.split_once("encoding")?;
    let after = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = after[1..].split(quote).next()?;
    (!label.is_empty()).then(|| label.to_owned())
}

/// The text as a tree.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, EinvoiceError> {
    if depth_exceeds(text, MAX_DEPTH) {
        return Err(EinvoiceError::TooDeep);
    }
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    // White space before the declaration is of no matter.
    Document::parse_with_options(text.trim_start(), options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => EinvoiceError::DocumentType,
        roxmltree::Error::NodesLimitReached => EinvoiceError::TooManyElements,
        error => EinvoiceError::Malformed(platinum_core::text::one_line(&error.to_string(), 160)),
    })
}

/// Whether elements are nested deeper than this. Of what is not well-formed it is only an upper bound.
fn depth_exceeds(text: &str, most: usize) -> bool {
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let skip_to = |end: &str| rest.find(end).map_or("", |at| &rest[at + end.len()..]);
        if rest.starts_with("!--") {
            rest = skip_to("-->");
        } else if rest.starts_with("![CDATA[") {
            rest = skip_to("]]>");
        } else if rest.starts_with('?') {
            rest = skip_to("?>");
        } else if rest.starts_with('/') {
            depth = depth.saturating_sub(1);
        } else if !rest.starts_with('!') {
            // The end of the tag; a `>` may stand in an attribute.
            let mut quote = None;
            let end = rest.bytes().position(|byte| match (quote, byte) {
                (None, b'"' | b'\'') => {
                    quote = Some(byte);
                    false
                }
                (Some(open), byte) if open == byte => {
                    quote = None;
                    false
                }
                (None, b'>') => true,
                _ => false,
            });
            let Some(end) = end else {
                return depth + 1 > most;
            };
            if !rest[..end].ends_with('/') {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            rest = &rest[end + 1..];
        }
    }
    false
}

/// An element, by local names: which prefix it has is of no matter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a>(Node<'a, 'a>);

impl<'a> Element<'a> {
    pub(crate) fn new(node: Node<'a, 'a>) -> Self {
        Self(node)
    }

    pub(crate) fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    pub(crate) fn namespace(self) -> &'a str {
        self.0.tag_name().namespace().unwrap_or_default()
    }

    pub(crate) fn attribute(self, name: &str) -> Option<&'a str> {
        let found = self
            .0
            .attributes()
            .find(|attribute| attribute.name() == name);
        found.map(|attribute| attribute.value())
    }

    pub(crate) fn elements(self) -> impl Iterator<Item = Element<'a>> {
        self.0.children().filter(Node::is_element).map(Element)
    }

    /// Its elements of this name.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = Element<'a>> {
        self.elements()
            .filter(move |element| element.name() == name)
    }

    /// The first element at this path, with `/` between names.
    pub(crate) fn at(self, path: &str) -> Option<Element<'a>> {
        path.split('/').try_fold(self, |element, name| {
            element.elements().find(|child| child.name() == name)
        })
    }

    /// The text of the first element at this path, without space around it; none if it is empty.
    pub(crate) fn text_at(self, path: &str) -> Option<String> {
        self.at(path)?.text()
    }

    /// Its own text, without space around it; none if it is empty.
    pub(crate) fn text(self) -> Option<String> {
        let texts = self.0.children().filter(Node::is_text);
        let text: String = texts.filter_map(|node| node.text()).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn depth_is_that_of_the_elements() {
        for (text, depth) in [
            ("<a/>", 0),
            ("<a><b/></a>", 1),
            (
                "<?xml version='1.0'?><!-- <x><y> --><a b='>' c=\"/>\"><![CDATA[<z><z>]]><b></b></a>",
                2,
            ),
            ("<a><b></b><b></b><b></b></a>", 2),
            ("<a><b><c><d", 4),
        ] {
            assert!(!depth_exceeds(text, depth), "{text}");
            assert!(depth == 0 || depth_exceeds(text, depth - 1), "{text}");
        }
    }

    #[test]
    fn declared_encoding_is_that_of_the_declaration() {
        for (text, expected) in [
            (
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
                Some("ISO-8859-1"),
            ),
            (
                "<?xml version='1.0' encoding = 'utf-8' ?><a encoding='x'/>",
                Some("utf-8"),
            ),
            ("<a encoding='x'/>", None),
            ("<?xml encoding=\"\"?>", None),
            ("<?xml encoding=", None),
        ] {
            assert_eq!(
                declared_encoding(text.as_bytes()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn parse_any_tags_never_overflows(text in "(<[ab]( x='>')?/?>|</[ab]>|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|x|'|\"|<){0,200}") {
            let _ = parse(&text);
        }
    }
}
