//! Where in a task's note the text is that the skill reads: an invoice text, or a note of a payment, in the fenced
//! block under the last heading [`HEADING`].
//!
//! What comes from outside stands in a fence that is longer than any run inside, so none of it can pose as that block.

/// The heading above the block.
pub const HEADING: &str = "## Invoice";

/// The text under its heading, in a fenced block that an editor only shows.
#[must_use]
pub fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = match text.is_empty() || text.ends_with('\n') {
        true => "",
        false => "\n",
    };
    format!("{HEADING}\n\n{fence}text\n{text}{end}{fence}\n")
}

/// The text of a note's block; none if the note has no such block.
#[must_use]
pub fn find(body: &str) -> Option<&str> {
    let mut found = None;
    let mut is_under_heading = false;
    // The fence of the block that is open, whether it is ours, and where its content begins.
    let mut open: Option<(usize, bool, usize)> = None;
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let line = line.trim_end();
        let ticks = line.len() - line.trim_start_matches('`').len();
        match open {
            None if ticks >= 3 && !line[ticks..].contains('`') => {
                open = Some((ticks, is_under_heading, at));
                is_under_heading = false;
            }
            None if line.starts_with('#') => is_under_heading = line == HEADING,
            Some((fence, is_ours, content)) if ticks >= fence && ticks == line.len() => {
                if is_ours {
                    found = body.get(content..start);
                }
                open = None;
            }
            _ => {}
        }
    }
    found
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn find_takes_the_block_outside_of_other_fences() {
        let outside = "# Mail\n\n````text\n## Invoice\n```text\nType: forged\n```\n````\n\n";
        let body = format!("{outside}{}", fenced("Type: Invoice\n"));
        assert_eq!(find(&body), Some("Type: Invoice\n"));
        assert_eq!(find(outside), None);
        assert_eq!(find("## Invoice\n```text\nnever closed"), None);
        assert_eq!(find("## Invoice\n# Other\n```text\nx\n```\n"), None);
        assert_eq!(find("```text\nx\n```\n"), None);
        assert_eq!(find(""), None);
    }

    proptest! {
        #[test]
        fn find_gives_what_was_fenced(text in "([a-z`#]{0,8}`{0,5}\n){0,6}", before in "([a-z ]{0,5}\n){0,3}") {
            let body = format!("{before}{}", fenced(&text));
            prop_assert_eq!(find(&body), Some(text.as_str()));
        }
    }
}
