//! The text that is put together from the words and tags of an HTML text: lines, marks of quotes, addresses of links.

use super::quote_marks::{Mark, mark_of};
use super::tags::{MAX_LINK, Tag, decode_entities, shown_address};

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
/// What all addresses of links may take.
const MAX_LINKS: usize = 64 * 1024;
/// What a line across the page becomes.
const RULE: &str = "----------";

/// Puts the text together, line by line.
pub(super) struct Writer {
    out: String,
    most: usize,
    /// Whether there is no room for more.
    pub(super) is_full: bool,
    /// Whether nothing is seen in the last line that was written, and whether it is quoted.
    last_is_blank: bool,
    last_is_quoted: bool,
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
    pub(super) fn new(most: usize) -> Self {
        Self {
            out: String::new(),
            most,
            is_full: false,
            last_is_blank: true,
            last_is_quoted: false,
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

    pub(super) fn text(&mut self, raw: &str) {
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

    pub(super) fn tag(&mut self, tag: &Tag<'_>) {
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
                self.last_is_blank = self.out.is_empty() || self.out.ends_with("\n\n");
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
        if blank_before && !self.last_is_blank {
            if self.last_is_quoted {
                self.out.push_str(&mark);
            }
            self.out.push('\n');
            self.last_is_blank = true;
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
        self.last_is_blank = kept.trim_matches('>').trim().is_empty();
        self.last_is_quoted = !mark.is_empty() || kept.starts_with('>');
    }

    pub(super) fn finish(mut self) -> (String, bool) {
        self.end_link();
        self.begin_block();
        let cut = self.is_full;
        let most = self.out.floor_char_boundary(self.most);
        self.out.truncate(most);
        (self.out, cut)
    }
}
