//! What Playwright's MCP server answers, read: the sections of an answer, and the outline of a page's elements as a
//! screen reader has them.
//!
//! Lives elsewhere: which element a recipe means is in `locate`.
//! Invariants: pure; a line that is not as the server writes it is an error and not passed over, so that nothing of a
//! page goes unseen; the work is linear in the text and its depth is bounded.

/// Most elements of one page.
const MAX_NODES: usize = 50_000;
/// Deepest nesting.
const MAX_DEPTH: usize = 250;

/// One element, or one piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its ARIA role; `text` for a piece of text, and a name with a slash for a property, such as `/url`.
    pub role: String,
    /// Its accessible name; empty if it has none.
    pub name: String,
    /// What stands behind its colon: its text, or the value of a field.
    pub text: Option<String>,
    /// What the server calls it while this outline is the last one.
    pub reference: Option<String>,
    /// Whether it cannot be used.
    pub is_disabled: bool,
    /// The element that it is in.
    pub parent: Option<usize>,
    /// How many it is in.
    depth: usize,
}

/// The elements of a page in the order of the document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// All of them.
    pub nodes: Vec<Node>,
}

/// An answer of the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The address of the page, if the answer says it.
    pub url: Option<String>,
    /// What stands in the way: a dialog, a choice of files.
    pub modal: Option<String>,
    /// Whether there is more than one tab.
    pub has_tabs: bool,
    /// Whether the page began a download.
    pub has_download: bool,
    /// Its elements; empty if the answer has none.
    pub outline: Outline,
}

/// An outline is not as the server writes one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the page's outline cannot be read: {why}")]
pub struct OutlineError {
    /// Counted from 1.
    pub line: usize,
    /// Why.
    pub why: &'static str,
}

/// Reads the answer to a call.
///
/// # Errors
/// If the outline in it cannot be read.
pub fn read_page(answer: &str) -> Result<Page, OutlineError> {
    let mut page = Page::default();
    let mut section = "";
    let mut lines = answer.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("### ") {
            section = title;
            continue;
        }
        match section {
            "Page" => {
                if let Some(url) = line.strip_prefix("- Page URL: ") {
                    page.url.get_or_insert_with(|| url.to_owned());
                }
            }
            "Snapshot" if line == "```yaml" => {
                let outline: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
                page.outline = read_outline(&outline)?;
            }
            "Modal state" if page.modal.is_none() && !line.is_empty() => {
                page.modal = Some(line.trim_start_matches("- ").to_owned());
            }
            "Open tabs" => page.has_tabs = true,
            "Events" if line.contains("ownload") => page.has_download = true,
            _ => {}
        }
    }
    Ok(page)
}

/// Reads the lines of an outline.
///
/// # Errors
/// Names the first line that cannot be read.
pub fn read_outline(lines: &[&str]) -> Result<Outline, OutlineError> {
    let mut nodes: Vec<Node> = Vec::new();
    // The open elements, each with its depth.
    let mut open: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let error = |why| OutlineError { line: at + 1, why };
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.is_empty() {
            continue;
        }
        let depth = indent / 2;
        if indent % 2 != 0 || depth > open.len() {
            return Err(error("its indentation fits no line above"));
        }
        if depth > MAX_DEPTH || nodes.len() >= MAX_NODES {
            return Err(error("the page is too large"));
        }
        open.truncate(depth);
        let content = content
            .strip_prefix("- ")
            .ok_or_else(|| error("it does not begin with a hyphen"))?;
        let mut node = read_node(content).map_err(error)?;
        node.parent = open.last().copied();
        node.depth = depth;
        open.push(nodes.len());
        nodes.push(node);
    }
    Ok(Outline { nodes })
}

fn read_node(content: &str) -> Result<Node, &'static str> {
    let (key, rest) = match content.strip_prefix('\'') {
        Some(quoted) => {
            let (key, rest) = single_quoted(quoted)?;
            (key, rest.to_owned())
        }
        None => {
            let end = key_end(content)?;
            (content[..end].to_owned(), content[end..].to_owned())
        }
    };
    let text = match rest.as_str() {
        "" | ":" => None,
        rest => Some(value(
            rest.strip_prefix(": ")
                .ok_or("it does not end behind its name")?,
        )?),
    };
    let mut node = read_key(&key)?;
    node.text = text;
    Ok(node)
}

/// Where the key of a line ends: behind a role, a name in quotation marks and attributes in brackets.
fn key_end(content: &str) -> Result<usize, &'static str> {
    let bytes = content.as_bytes();
    let mut at = 0;
    let mut is_quoted = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b':' if !is_quoted && matches!(bytes.get(at + 1), None | Some(b' ')) => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    match is_quoted {
        true => Err("a quotation mark is missing"),
        false => Ok(bytes.len()),
    }
}

fn single_quoted(quoted: &str) -> Result<(String, &str), &'static str> {
    let mut key = String::new();
    let mut rest = quoted;
    loop {
        let end = rest.find('\'').ok_or("a quotation mark is missing")?;
        key.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(more) => {
                key.push('\'');
                rest = more;
            }
            None => return Ok((key, rest)),
        }
    }
}

fn value(text: &str) -> Result<String, &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        return Ok(text.to_owned());
    };
    let mut out = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next().ok_or("a quotation mark is missing")? {
            '"' => break,
            '\\' => out.push(match chars.next() {
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some(c @ ('\\' | '"')) => c,
                Some('x') => {
                    let mut digit = || {
                        chars
                            .next()
                            .and_then(|c| c.to_digit(16))
                            .ok_or("an escape is broken")
                    };
                    let code = digit()? * 16 + digit()?;
                    char::from_u32(code).ok_or("an escape is broken")?
                }
                _ => return Err("an escape is broken"),
            }),
            c => out.push(c),
        }
    }
    match chars.next() {
        None => Ok(out),
        Some(_) => Err("it does not end behind its text"),
    }
}

fn read_key(key: &str) -> Result<Node, &'static str> {
    let end = key.find(' ').unwrap_or(key.len());
    let (role, mut rest) = key.split_at(end);
    if role.is_empty()
        || !role
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte))
    {
        return Err("it does not begin with a role");
    }
    let mut node = Node {
        role: role.to_owned(),
        name: String::new(),
        text: None,
        reference: None,
        is_disabled: false,
        parent: None,
        depth: 0,
    };
    if rest.starts_with(" \"") {
        rest = &rest[1..];
        let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let Some(Ok(name)) = names.next() else {
            return Err("its name cannot be read");
        };
        rest = &rest[names.byte_offset()..];
        node.name = name;
    }
    while !rest.is_empty() {
        let inside = rest
            .strip_prefix(" [")
            .ok_or("an attribute cannot be read")?;
        let end = inside.find(']').ok_or("an attribute has no end")?;
        let (attribute, after) = inside.split_at(end);
        rest = &after[1..];
        match attribute.split_once('=') {
            Some(("ref", reference)) => {
                if node.reference.is_some() || !is_reference(reference) {
                    return Err("its reference cannot be read");
                }
                node.reference = Some(reference.to_owned());
            }
            None if attribute == "disabled" => node.is_disabled = true,
            _ => {}
        }
    }
    Ok(node)
}

/// `e12`, or `f1e12` in a frame.
fn is_reference(text: &str) -> bool {
    let digits = |text: &str| {
        !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let element = match text.strip_prefix('f') {
        Some(rest) => match rest.split_once('e') {
            Some((frame, element)) if digits(frame) => element,
            _ => return false,
        },
        None => match text.strip_prefix('e') {
            Some(element) => element,
            None => return false,
        },
    };
    digits(element)
}

impl Outline {
    /// What is inside an element, itself not.
    pub fn inside(&self, index: usize) -> &[Node] {
        let Some(node) = self.nodes.get(index) else {
            return &[];
        };
        let rest = &self.nodes[index + 1..];
        let end = rest
            .iter()
            .position(|other| other.depth <= node.depth)
            .unwrap_or(rest.len());
        &rest[..end]
    }

    /// What an element shows: its text, else the text of what is inside, else its name.
    pub fn shown(&self, index: usize) -> String {
        let Some(node) = self.nodes.get(index) else {
            return String::new();
        };
        if let Some(text) = &node.text {
            return collapse(text);
        }
        let mut pieces = Vec::new();
        for inner in self
            .inside(index)
            .iter()
            .filter(|inner| !inner.role.starts_with('/'))
        {
            match (&inner.text, inner.name.is_empty()) {
                (Some(text), _) => pieces.push(text.as_str()),
                (None, false) => pieces.push(inner.name.as_str()),
                (None, true) => {}
            }
        }
        match pieces.is_empty() || !node.name.is_empty() {
            true => collapse(&node.name),
            false => collapse(&pieces.join(" ")),
        }
    }
}

/// With single spaces.
pub(crate) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANSWER: &str = r#"### Open tabs
- 0: (current) [Transfer](http://127.0.0.1:18123/)
- 1: [Transfer](http://127.0.0.1:18123/pop)
### Page
- Page URL: https://bank.test/check
- Page Title: Transfer
### Snapshot
```yaml
- generic [active] [ref=e1]:
  - heading "Transfer" [level=1] [ref=e2]
  - generic [ref=e3]:
    - text: Amount
    - textbox "Amount" [ref=e5]: 12,50
  - definition [ref=e14]: "Muster GmbH: \"quoted\" & [ref=e9]"
  - 'button "Pay: 1.234,56 EUR ''now''" [disabled] [ref=e35]'
  - link "Down \"load\"" [ref=e30] [cursor=pointer] [box=1,2,3,4]:
    - /url: /dl
  - iframe [ref=e34]:
    - paragraph [ref=f1e2]: frame
```
### Events
- Downloading file x.bin ...
"#;

    #[test]
    fn answer_is_read_with_all_its_sections() {
        let page = read_page(ANSWER).unwrap();
        assert_eq!(page.url.as_deref(), Some("https://bank.test/check"));
        assert!(page.has_tabs && page.has_download && page.modal.is_none());
        let nodes = &page.outline.nodes;
        assert_eq!(nodes.len(), 11);
        assert_eq!(nodes[4].text.as_deref(), Some("12,50"));
        assert_eq!(nodes[4].parent, Some(2));
        assert_eq!(
            nodes[5].text.as_deref(),
            Some("Muster GmbH: \"quoted\" & [ref=e9]")
        );
        assert_eq!(nodes[6].name, "Pay: 1.234,56 EUR 'now'");
        assert!(nodes[6].is_disabled);
        assert_eq!(nodes[7].name, "Down \"load\"");
        assert_eq!(nodes[10].reference.as_deref(), Some("f1e2"));
        assert_eq!(page.outline.shown(2), "Amount 12,50");
    }

    #[test]
    fn modal_state_is_seen_also_in_an_error() {
        let text = "### Error\nError: no\n### Modal state\n- [\"alert\" dialog with message \"hi\"]: can be handled";
        let page = read_page(text).unwrap();
        assert!(page.modal.unwrap().contains("alert"));
    }

    #[test]
    fn outline_that_is_not_one_is_an_error() {
        for text in [
            "generic",
            "- generic\n   - x",
            "- generic\n    - deeper",
            "- button \"open",
            "- button \"x\" y",
            "- button [ref=e1] [ref=e2]",
            "- button [ref=x1]",
            "- button [ref",
            "- text: \"open",
            "- text: \"a\" b",
            "- text: \"\\q\"",
            "- 'open",
            "- 'button'x",
            "- ",
        ] {
            let lines: Vec<&str> = text.lines().collect();
            assert!(read_outline(&lines).is_err(), "{text}");
        }
        let deep: Vec<String> = (0..400)
            .map(|depth| format!("{}- generic:", "  ".repeat(depth)))
            .collect();
        let lines: Vec<&str> = deep.iter().map(String::as_str).collect();
        assert!(read_outline(&lines).is_err());
    }

    proptest! {
        #[test]
        fn outline_of_any_text_is_an_answer(text in "([ ]{0,6}- ?[a-z\"':\\[\\]=\\\\ e1\n]{0,30}\n){0,12}") {
            read_page(&format!("### Snapshot\n```yaml\n{text}```")).ok();
        }

        /// Text of a page stays text: it never becomes an element or a reference.
        #[test]
        fn text_of_a_page_never_becomes_an_element(text in "\\PC{0,60}") {
            let quoted = serde_json::Value::from(text.as_str()).to_string();
            let line = format!("- definition [ref=e1]: \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let outline = read_outline(&[line.as_str()]).unwrap();
            prop_assert_eq!(outline.nodes.len(), 1);
            prop_assert_eq!(outline.nodes[0].text.as_deref(), Some(text.as_str()));
            let key = format!("button {quoted} [ref=e2]").replace('\'', "''");
            let line = format!("- '{key}'");
            let outline = read_outline(&[line.as_str()]).unwrap();
            prop_assert_eq!(&outline.nodes[0].name, &text);
            prop_assert_eq!(outline.nodes[0].reference.as_deref(), Some("e2"));
        }
    }
}
