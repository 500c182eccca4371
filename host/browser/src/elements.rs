//! What a page has that a recipe can name, for whoever writes one.
//!
//! Invariant: pure; what stands in a field is left out, and a text is a bounded line.

use platinum_core::text::one_line;

use crate::snapshot::Outline;

/// Roles of what is filled in, clicked on or waited for.
const NAMED: [&str; 11] = [
    "button", "checkbox", "combobox", "dialog", "heading", "link", "listbox", "radio", "region",
    "table", "textbox",
];
/// Roles of what stands before a value.
const LABELS: [&str; 2] = ["term", "rowheader"];
/// Most lines.
const MAX_LINES: usize = 80;

/// The page's elements, each as a recipe names it; behind a label, what stands beside it.
pub(crate) fn elements(outline: &Outline) -> Vec<String> {
    let quoted = |text: &str| toml::Value::from(one_line(text, 120)).to_string();
    let mut lines = Vec::new();
    for (at, node) in outline.nodes.iter().enumerate() {
        if NAMED.contains(&node.role.as_str()) && !node.name.is_empty() {
            let name = quoted(&node.name);
            lines.push(format!("{{ role = \"{}\", name = {name} }}", node.role));
        }
        if LABELS.contains(&node.role.as_str()) {
            let next = at + outline.inside(at).len() + 1;
            let beside = quoted(&outline.shown(next));
            lines.push(format!(
                "{{ label = {} }} # {beside}",
                quoted(&outline.shown(at))
            ));
        }
    }
    lines.truncate(MAX_LINES);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{recipe::Locator, snapshot::read_outline};

    #[test]
    fn elements_are_lines_that_a_recipe_takes() {
        let page = [
            "- textbox \"Your \\\"name\\\"\" [ref=e1]: private",
            "- term [ref=e2]: Amount",
            "- definition [ref=e3]: 5,00 EUR",
            "- generic [ref=e4]: text",
        ];
        let lines = elements(&read_outline(&page).unwrap());
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].ends_with("# \"5,00 EUR\"") && !lines[0].contains("private"));
        for line in &lines {
            #[derive(serde::Deserialize)]
            struct Line {
                on: Locator,
            }
            let line: Line = toml::from_str(&format!("on = {line}")).unwrap();
            assert!(line.on.name.is_some() || line.on.label.is_some());
        }
    }
}
