//! The tags of an HTML text: their names, their attributes, where they end; entities, and the addresses of links.
//!
//! Invariants: linear work, also on tags, comments and quotation marks that never end.

use mail_parser::decoders::html::add_html_token;

/// The longest tag whose quotation marks are respected; one with a picture in it is longer.
const MAX_QUOTED_TAG: usize = 4 * 1024 * 1024;
/// The longest address of a link that is shown.
pub(super) const MAX_LINK: usize = 2048;

/// One tag.
pub(super) struct Tag<'a> {
    /// Lower case; without a namespace it is its first letters.
    pub(super) name: String,
    /// What stands behind the name.
    attributes: &'a str,
    pub(super) closes: bool,
}

impl<'a> Tag<'a> {
    pub(super) fn read(inner: &'a str) -> Self {
        let (closes, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != ':' && c != '-');
        let (name, attributes) = inner.split_at(end.unwrap_or(inner.len()));
        let name = name
            .get(..name.len().min(40))
            .unwrap_or_default()
            .to_ascii_lowercase();
        Self {
            name,
            attributes,
            closes,
        }
    }

    pub(super) fn is_opening(&self) -> bool {
        !self.closes && !self.attributes.trim_end().ends_with('/')
    }

    /// The value of an attribute, entities decoded.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let bytes = self.attributes.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let is_name =
                |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'/' | b'>');
            let start = at
                + bytes[at..]
                    .iter()
                    .take_while(|byte| !is_name(**byte))
                    .count();
            let end = start
                + bytes[start..]
                    .iter()
                    .take_while(|byte| is_name(**byte))
                    .count();
            let found = &bytes[start..end];
            let blank = |at: usize| {
                bytes[at..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_whitespace())
                    .count()
            };
            at = end + blank(end);
            if bytes.get(at) != Some(&b'=') {
                if end == start {
                    return None;
                }
                continue;
            }
            at += 1;
            at += blank(at);
            let (from, to, next) = match bytes.get(at) {
                Some(quote @ (b'"' | b'\'')) => {
                    let length = bytes[at + 1..]
                        .iter()
                        .take_while(|byte| *byte != quote)
                        .count();
                    (at + 1, at + 1 + length, at + length + 2)
                }
                _ => {
                    let length = bytes[at..]
                        .iter()
                        .take_while(|byte| !byte.is_ascii_whitespace())
                        .count();
                    (at, at + length, at + length)
                }
            };
            if found.eq_ignore_ascii_case(name.as_bytes()) {
                let value = self.attributes.get(from..to.min(self.attributes.len()))?;
                return Some(decode_entities(value));
            }
            at = next;
        }
        None
    }
}

/// What was looked for in vain: once is enough, or a hostile text would be searched again and again.
#[derive(Default)]
pub(super) struct Unclosed {
    comment: bool,
    tag: bool,
    silent: Vec<String>,
}

impl Unclosed {
    /// What follows a comment. One without an end is a tag of its own.
    pub(super) fn after_comment<'a>(&mut self, rest: &'a str) -> &'a str {
        if let Some(rest) = rest.strip_prefix("<!-->") {
            return rest;
        }
        if !self.comment {
            if let Some(end) = rest[4..].find("-->") {
                return &rest[4 + end + 3..];
            }
            self.comment = true;
        }
        match self.tag_end(rest) {
            Some(end) => &rest[end + 1..],
            None => "",
        }
    }

    /// Where a tag that begins here ends, quotation marks respected if they are closed.
    pub(super) fn tag_end(&mut self, tag: &str) -> Option<usize> {
        let bytes = tag.as_bytes();
        let first = bytes.iter().position(|byte| *byte == b'>')?;
        // In most tags no quotation mark is open at the first `>`.
        let mut quote = None;
        for (at, &byte) in bytes.iter().enumerate().take(MAX_QUOTED_TAG) {
            match (quote, byte) {
                (None, b'"' | b'\'') if bytes.get(at.wrapping_sub(1)) == Some(&b'=') => {
                    if self.tag {
                        return Some(first);
                    }
                    quote = Some(byte);
                }
                (None, b'>') => return Some(at),
                (Some(open), byte) if open == byte => quote = None,
                _ => {}
            }
        }
        self.tag = true;
        Some(first)
    }

    /// What follows the end of an element whose content is not text; without an end it has none.
    pub(super) fn after_silent<'a>(&mut self, rest: &'a str, name: &str) -> &'a str {
        if self.silent.iter().any(|known| known == name) {
            return rest;
        }
        let mut at = 0;
        while let Some(found) = rest[at..].find("</") {
            let start = at + found + 2;
            let end = start + name.len();
            let found = rest.as_bytes().get(start..end);
            if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
                return rest[end..]
                    .find('>')
                    .map_or("", |close| &rest[end + close + 1..]);
            }
            at = start;
        }
        self.silent.push(name.to_owned());
        rest
    }
}

/// The address of a link, if a reader of its words does not know it.
pub(super) fn shown_address(href: &str, words: &str) -> Option<String> {
    let href: String = href
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .map(|c| match c {
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            c => c.to_string(),
        })
        .collect();
    if href.len() > MAX_LINK {
        return None;
    }
    let bare = |text: &str| {
        let text = text.trim().to_lowercase();
        let text = ["https://", "http://", "mailto:", "www."]
            .iter()
            .fold(text.as_str(), |text, start| {
                text.strip_prefix(start).unwrap_or(text)
            })
            .to_owned();
        text.trim_end_matches('/').to_owned()
    };
    let lower = href.to_ascii_lowercase();
    let is_page = ["http://", "https://", "ftp://"]
        .iter()
        .any(|start| lower.starts_with(start));
    let address = match lower.strip_prefix("mailto:") {
        Some(_) => href["mailto:".len()..]
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned(),
        None if is_page => href,
        None => return None,
    };
    let known = bare(&address);
    let shows =
        |text: String| text == known || (lower.starts_with("mailto:") && text.contains(&known));
    (!address.is_empty() && !shows(bare(words))).then_some(address)
}

/// The text with its entities decoded.
pub(super) fn decode_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let body = rest[1..].bytes().take(32);
        let length = body
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
            .count();
        let name = &rest[1..=length];
        let ends = rest[1 + length..].starts_with(';');
        let is_plain = ["nbsp", "amp", "lt", "gt", "quot"].contains(&name);
        if length > 0 && (ends || is_plain || name.starts_with('#')) {
            match windows_code(name) {
                Some(c) => out.push(c),
                None => add_html_token(&mut out, format!("&{name};").as_bytes(), false),
            }
            rest = &rest[1 + length + usize::from(ends)..];
        } else {
            out.push('&');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

/// The character of `&#150;`: the codes of controls mean Windows' characters there.
fn windows_code(name: &str) -> Option<char> {
    let code: u8 = name.strip_prefix('#')?.parse().ok()?;
    let byte = [code];
    let text = (0x80..0xa0)
        .contains(&code)
        .then(|| encoding_rs::WINDOWS_1252.decode(&byte).0);
    text?.chars().next()
}
