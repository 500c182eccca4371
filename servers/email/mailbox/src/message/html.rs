//! HTML turned into text, in one pass over its tags, without a tree.
//!
//! A mail's HTML is seldom well formed and often hostile; a pass that keeps a few counters has no depth to bound and
//! nothing to overflow, and keeps what a reader of the text needs: lines where blocks begin, `>` before what is
//! quoted, the address of a link behind its words. What is no text (styles, scripts, comments, pictures) is left out
//! as it is met, before any bound is applied.
//!
//! A library that lays HTML out for a terminal (html2text) breaks the addresses of links at its width, wants
//! well-formed input of bounded depth, and shows no difference between a quote and an indentation.
//!
//! Invariants: linear work; the text has at most the bytes asked for.

use mail_parser::decoders::html::add_html_token;

use super::quote_marks::{Mark, mark_of};

/// Elements whose content is not text.
const SILENT: &[&str] = &[
    "script", "style", "title", "template", "svg", "math", "textarea", "select", "xml",
];
/// Elements that have a line of their own.
const BLOCKS: &[&str] = &[
    "div",
    "tr",
    "li",
    "dd",
    "dt",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "aside",
    "center",
    "address",
    "figure",
    "figcaption",
    "form",
    "fieldset",
    "tbody",
    "thead",
    "body",
    "html",
    "caption",
];
/// Elements with an empty line before and after them.
const PARAGRAPHS: &[&str] = &[
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "dl",
    "pre",
    "table",
    "blockquote",
];
/// The deepest quote that is shown as one.
const MAX_QUOTES: usize = 20;
/// The deepest nesting of elements that is looked at for the end of a quote.
const MAX_OPEN: usize = 1000;
/// The longest address of a link that is shown.
const MAX_LINK: usize = 2048;
/// What all addresses of links may take.
const MAX_LINKS: usize = 64 * 1024;
/// What a line across the page becomes.
const RULE: &str = "----------";
/// The longest beginning of a tag without an end that is taken for text.
const MAX_LOOSE: usize = 200;
/// The longest tag whose quotation marks are respected; one with a picture in it is longer.
const MAX_QUOTED_TAG: usize = 4 * 1024 * 1024;

/// The text of an HTML document or a piece of one, at most `most` bytes; and whether something was cut off.
pub(super) fn to_text(html: &str, most: usize) -> (String, bool) {
    let mut writer = Writer::new(most);
    let mut unclosed = Unclosed::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        writer.text(&rest[..at]);
        rest = &rest[at..];
        if writer.is_full {
            break;
        }
        if rest.starts_with("<!--") {
            rest = unclosed.after_comment(rest);
            continue;
        }
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
        if !rest[1..].starts_with(begins) {
            writer.text("<");
            rest = &rest[1..];
            continue;
        }
        let Some(end) = unclosed.tag_end(rest) else {
            // A tag that was cut off, or no tag at all.
            if rest.len() > MAX_LOOSE {
                rest = "";
            }
            break;
        };
        let tag = Tag::read(&rest[1..end]);
        rest = &rest[end + 1..];
        if tag.is_opening() && SILENT.contains(&tag.name.as_str()) {
            rest = unclosed.after_silent(rest, &tag.name);
        } else {
            writer.tag(&tag);
        }
    }
    writer.text(rest);
    writer.finish()
}

/// One tag.
pub(super) struct Tag<'a> {
    /// Lower case; without a namespace it is its first letters.
    pub(super) name: String,
    /// What stands behind the name.
    attributes: &'a str,
    closes: bool,
}

impl<'a> Tag<'a> {
    fn read(inner: &'a str) -> Self {
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

    fn is_opening(&self) -> bool {
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
struct Unclosed {
    comment: bool,
    tag: bool,
    silent: Vec<String>,
}

impl Unclosed {
    /// What follows a comment. One without an end is a tag of its own.
    fn after_comment<'a>(&mut self, rest: &'a str) -> &'a str {
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
    fn tag_end(&mut self, tag: &str) -> Option<usize> {
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
    fn after_silent<'a>(&mut self, rest: &'a str, name: &str) -> &'a str {
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

/// Puts the text together, line by line.
struct Writer {
    out: String,
    most: usize,
    is_full: bool,
    /// The line that is being written, without its mark of a quote.
    line: String,
    /// Whether a blank belongs before the next word.
    gap: bool,
    /// Whether the next line has an empty one before it.
    paragraph: bool,
    /// Whether the next word begins a cell behind another.
    cell: bool,
    /// Whether the line has the mark of a list's item alone.
    item: bool,
    preformatted: usize,
    quotes: usize,
    /// The elements that can end a quote, each with whether it is one.
    open: Vec<(&'static str, bool)>,
    /// The lists that are open, with the number of the next item of a numbered one.
    lists: Vec<Option<u32>>,
    /// The address of the open link, and the words in it.
    link: Option<(String, String)>,
    links: usize,
}

/// Elements that may hold a quote.
const CONTAINERS: &[&str] = &["blockquote", "div", "span", "section", "table"];

impl Writer {
    fn new(most: usize) -> Self {
        Self {
            out: String::new(),
            most,
            is_full: false,
            line: String::new(),
            gap: false,
            paragraph: false,
            cell: false,
            item: false,
            preformatted: 0,
            quotes: 0,
            open: Vec::new(),
            lists: Vec::new(),
            link: None,
            links: 0,
        }
    }

    fn text(&mut self, raw: &str) {
        if raw.is_empty() || self.is_full {
            return;
        }
        let text = decode_entities(raw);
        if self.preformatted > 0 {
            for (number, line) in text.split('\n').enumerate() {
                if number > 0 {
                    self.end_line();
                }
                self.line.push_str(line);
            }
            return;
        }
        for word in text.split_inclusive([' ', '\n', '\t', '\r']) {
            let bare = word.trim_end_matches([' ', '\n', '\t', '\r']);
            if !bare.is_empty() {
                self.word(bare);
            }
            self.gap |= bare.len() < word.len();
        }
    }

    fn word(&mut self, word: &str) {
        if std::mem::take(&mut self.cell) && !self.line.trim().is_empty() {
            self.line.push_str(" | ");
            self.gap = false;
        }
        self.item = false;
        let gap = std::mem::take(&mut self.gap);
        if gap && !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
        self.line.push_str(word);
        if let Some((_, words)) = &mut self.link
            && words.len() < MAX_LINK
        {
            if gap {
                words.push(' ');
            }
            words.push_str(word);
        }
        // A text without any line end is none the less bounded.
        self.is_full |= self.out.len() + self.line.len() > self.most;
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        match name {
            "br" => self.end_line(),
            "hr" if !tag.closes => {
                self.begin_paragraph();
                self.line.push_str(RULE);
                self.begin_paragraph();
            }
            "td" | "th" if !tag.closes => self.cell = true,
            "a" => {
                self.end_link();
                if !tag.closes {
                    self.link = tag.attribute("href").map(|href| (href, String::new()));
                }
            }
            "img" => {
                let alt = tag.attribute("alt").filter(|_| self.link.is_some());
                if let Some(alt) = alt.filter(|alt| alt.len() <= 200) {
                    self.text(&alt);
                }
            }
            "ul" | "ol" if tag.closes => {
                self.lists.pop();
            }
            "ul" | "ol" => {
                let number = (name == "ol").then_some(1);
                if self.lists.len() < MAX_QUOTES {
                    self.lists.push(number);
                }
            }
            "pre" if tag.closes => self.preformatted = self.preformatted.saturating_sub(1),
            "pre" => self.preformatted += 1,
            _ => {}
        }
        if PARAGRAPHS.contains(&name) {
            self.begin_paragraph();
        } else if BLOCKS.contains(&name) {
            self.begin_block();
        }
        if let Some(container) = CONTAINERS.iter().copied().find(|one| *one == name) {
            match tag.closes {
                true => self.close(container),
                false => self.open(container, tag),
            }
        } else if !tag.closes && mark_of(tag) == Some(Mark::Below) {
            self.quote_below();
        }
        if name == "li" && !tag.closes {
            let number = self.lists.last_mut().and_then(Option::as_mut);
            let mark = number.map_or("* ".to_owned(), |number| {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            });
            self.line.push_str(&mark);
            self.item = true;
        }
    }

    fn open(&mut self, container: &'static str, tag: &Tag<'_>) {
        if self.open.len() >= MAX_OPEN {
            return;
        }
        let mark = mark_of(tag);
        if mark == Some(Mark::Below) {
            self.quote_below();
        }
        let quotes = mark == Some(Mark::Inside) && self.quotes < MAX_QUOTES;
        if quotes {
            self.begin_paragraph();
            self.quotes += 1;
        }
        self.open.push((container, quotes));
    }

    /// Ends the innermost open element of this name, and with it what was left open inside.
    fn close(&mut self, container: &'static str) {
        // A stray end is looked for no further than people nest.
        let reach = self.open.len().saturating_sub(50);
        let found = self.open[reach..]
            .iter()
            .rposition(|(name, _)| *name == container);
        let Some(at) = found.map(|at| reach + at) else {
            return;
        };
        let quotes = self.open.drain(at..).filter(|(_, quotes)| *quotes).count();
        if quotes > 0 {
            self.begin_paragraph();
            self.quotes = self.quotes.saturating_sub(quotes);
        }
    }

    /// Everything from here on is quoted. Inside a quote it is already.
    fn quote_below(&mut self) {
        if self.quotes == 0 {
            self.begin_paragraph();
            // The line that is drawn above it is a part of it.
            let above = self.out.trim_end();
            if let Some(above) = above.strip_suffix(RULE) {
                self.out.truncate(above.len());
            }
            self.quotes = 1;
        }
    }

    fn end_link(&mut self) {
        let Some((href, words)) = self.link.take() else {
            return;
        };
        let Some(address) = shown_address(&href, &words) else {
            return;
        };
        self.links += address.len();
        if self.links <= MAX_LINKS {
            if !self.line.is_empty() && !self.line.ends_with(' ') {
                self.line.push(' ');
            }
            self.line.push('<');
            self.line.push_str(&address);
            self.line.push('>');
        }
    }

    fn begin_block(&mut self) {
        if !self.line.is_empty() && !self.item {
            self.end_line();
        }
        self.gap = false;
        self.cell = false;
    }

    fn begin_paragraph(&mut self) {
        self.begin_block();
        self.paragraph |= !self.item;
    }

    fn end_line(&mut self) {
        self.item = false;
        let line = std::mem::take(&mut self.line);
        let line = line.replace('\u{a0}', " ");
        let line = line.trim_end();
        let mark = ">".repeat(self.quotes);
        let blank_before = std::mem::take(&mut self.paragraph) || line.is_empty();
        self.gap = false;
        self.cell = false;
        // One empty line at most.
        let last = self
            .out
            .trim_end_matches('\n')
            .rsplit('\n')
            .next()
            .unwrap_or_default();
        let after_blank = self.out.is_empty()
            || last.trim_matches('>').trim().is_empty()
            || self.out.ends_with("\n\n");
        if blank_before && !after_blank {
            self.out
                .push_str(if self.out_quotes(last) > 0 && self.quotes > 0 {
                    &mark
                } else {
                    ""
                });
            self.out.push('\n');
        }
        if line.is_empty() {
            return;
        }
        let room = self.most.saturating_sub(self.out.len() + mark.len() + 2);
        let kept = platinum_text::bounded(line, room);
        self.is_full |= kept.len() < line.len();
        if !mark.is_empty() {
            self.out.push_str(&mark);
            self.out.push(' ');
        }
        self.out.push_str(kept);
        self.out.push('\n');
    }

    fn out_quotes(&self, line: &str) -> usize {
        line.len() - line.trim_start_matches('>').len()
    }

    fn finish(mut self) -> (String, bool) {
        self.end_link();
        self.begin_block();
        let cut = self.is_full;
        let most = self.out.floor_char_boundary(self.most);
        self.out.truncate(most);
        (self.out, cut)
    }
}

/// The address of a link, if a reader of its words does not know it.
fn shown_address(href: &str, words: &str) -> Option<String> {
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
fn decode_entities(text: &str) -> String {
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
