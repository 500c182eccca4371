//! Which element of a page a [`Locator`] means: exactly one, or none.
//!
//! Invariant: pure; where several fit, none is chosen.

use platinum_core::text::one_line;

use crate::{
    recipe::Locator,
    snapshot::{Outline, collapse},
};

/// What was looked for and not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotLocated {
    #[error("the page has no {0}")]
    Missing(String),
    #[error("the page has {count} elements that are {what}; which one is meant cannot be known")]
    Several { what: String, count: usize },
}

/// The one element that fits.
pub(crate) fn locate(outline: &Outline, locator: &Locator) -> Result<usize, NotLocated> {
    let candidates: Vec<usize> = match &locator.label {
        Some(label) => {
            let labels: Vec<usize> = (0..outline.nodes.len())
                .filter(|&at| is_label(outline, at, label))
                .collect();
            let beside = labels.into_iter().filter_map(|at| beside(outline, at));
            beside.filter(|&at| fits(outline, at, locator)).collect()
        }
        None => (0..outline.nodes.len())
            .filter(|&at| fits(outline, at, locator))
            .collect(),
    };
    match candidates.as_slice() {
        [one] => Ok(*one),
        [] => Err(NotLocated::Missing(describe(locator))),
        several => Err(NotLocated::Several {
            what: describe(locator),
            count: several.len(),
        }),
    }
}

/// `button "Pay"`, `value beside "Amount"`.
pub(crate) fn describe(locator: &Locator) -> String {
    let role = locator.role.as_deref().unwrap_or("element");
    let mut words = one_line(role, 40);
    if let Some(name) = &locator.name {
        words.push_str(&format!(" {:?}", one_line(name, 80)));
    }
    if let Some(label) = &locator.label {
        words.push_str(&format!(" beside {:?}", one_line(label, 80)));
    }
    words
}

fn fits(outline: &Outline, at: usize, locator: &Locator) -> bool {
    let node = &outline.nodes[at];
    let has_role = locator.role.as_ref().is_none_or(|role| *role == node.role);
    let has_name = locator.name.as_ref().is_none_or(|name| {
        let own = collapse(&node.name);
        own == collapse(name) || (own.is_empty() && outline.shown(at) == collapse(name))
    });
    !node.role.starts_with('/') && has_role && has_name
}

/// Whether an element shows this text alone, as a leaf.
fn is_label(outline: &Outline, at: usize, label: &str) -> bool {
    let node = &outline.nodes[at];
    let is_field = matches!(
        node.role.as_str(),
        "textbox" | "combobox" | "button" | "link" | "option"
    );
    let is_leaf = outline
        .inside(at)
        .iter()
        .all(|inner| inner.role == "text" || inner.role.starts_with('/'));
    // The text inside a leaf is the same label once more.
    let is_inner = node.role == "text"
        && node.parent.is_some_and(|parent| {
            outline.inside(parent).len() == 1 && outline.nodes[parent].text.is_none()
        });
    let shown = outline.shown(at);
    !is_field
        && !is_inner
        && is_leaf
        && shown.strip_suffix(':').unwrap_or(&shown).trim_end() == collapse(label)
}

/// The element that follows in the same one; a label that is alone in its own is looked at from there.
fn beside(outline: &Outline, label: usize) -> Option<usize> {
    let mut at = label;
    loop {
        let parent = outline.nodes[at].parent;
        let behind = at + outline.inside(at).len() + 1;
        match outline.nodes.get(behind) {
            Some(next) if next.parent == parent => return Some(behind),
            _ => {}
        }
        let parent = parent?;
        // Only upwards from an element that has nothing else.
        if parent + 1 != at {
            return None;
        }
        at = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::read_outline;

    const PAGE: &str = r#"- generic [ref=e1]:
  - heading "Check" [level=1] [ref=e2]
  - generic [ref=e3]:
    - text: Note
    - textbox "Note" [ref=e5]: hello
  - term [ref=e13]: "Payee:"
  - definition [ref=e14]: Muster GmbH
  - table [ref=e17]:
    - row [ref=e19]:
      - rowheader "IBAN" [ref=e20]
      - cell "DE89 3704" [ref=e21]
  - generic [ref=e30]:
    - generic [ref=e31]:
      - strong [ref=e32]: Amount
    - generic [ref=e33]: 5,00 EUR
  - button "Pay" [ref=e40]
  - button "Back" [ref=e41]
  - button "Back" [ref=e42]
  - paragraph [ref=e43]: Please wait"#;

    fn reference(locator: &Locator) -> Result<String, NotLocated> {
        let lines: Vec<&str> = PAGE.lines().collect();
        let outline = read_outline(&lines).unwrap();
        locate(&outline, locator).map(|at| outline.nodes[at].reference.clone().unwrap())
    }

    fn label(text: &str) -> Locator {
        Locator {
            label: Some(text.to_owned()),
            ..Locator::default()
        }
    }

    fn named(role: &str, name: &str) -> Locator {
        Locator {
            role: Some(role.to_owned()),
            name: Some(name.to_owned()),
            label: None,
        }
    }

    #[test]
    fn locator_finds_the_value_beside_its_label() {
        for (text, found) in [
            ("Payee", "e14"),
            ("IBAN", "e21"),
            ("Amount", "e33"),
            ("Note", "e5"),
        ] {
            assert_eq!(reference(&label(text)).as_deref(), Ok(found), "{text}");
        }
        assert_eq!(reference(&named("button", "Pay")).as_deref(), Ok("e40"));
        assert_eq!(
            reference(&named("paragraph", "Please wait")).as_deref(),
            Ok("e43")
        );
    }

    #[test]
    fn locator_that_fits_none_or_several_finds_nothing() {
        assert_eq!(
            reference(&named("button", "Back")).unwrap_err().to_string(),
            "the page has 2 elements that are button \"Back\"; which one is meant cannot be known"
        );
        assert_eq!(
            reference(&label("Fee")).unwrap_err().to_string(),
            "the page has no element beside \"Fee\""
        );
    }
}
