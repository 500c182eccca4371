//! Any text taken as an answer of the server that drives a browser: nothing panics, an element is inside one that stands
//! before it, and what an element shows is no longer than the answer.

use platinum_browser::snapshot::read_page;

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(page) = read_page(&text) else {
        return;
    };
    let nodes = &page.outline.nodes;
    for (at, node) in nodes.iter().enumerate() {
        assert!(node.parent.is_none_or(|parent| parent < at), "{node:?}");
        assert!(at + page.outline.inside(at).len() < nodes.len());
    }
    // The whole page once: each element by itself would be quadratic.
    assert!(page.outline.shown(0).len() <= text.len());
}
