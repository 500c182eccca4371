//! The signature that a person's mails have in common.

use platinum_text::one_line;

use super::is_closing;

/// Fewer mails than this teach nothing of what ends them all.
const ENOUGH: usize = 3;
/// Lines of what ends them all.
const MAX_BLOCK: usize = 10;
/// Characters of a line.
const MAX_LINE: usize = 120;
/// The line below which a signature stands.
const SIGNATURE_MARK: &str = "--";

/// What stands below the closing of most of these mails.
pub(super) fn common_signature(mails: &[Vec<String>]) -> Option<String> {
    let mut common: &[String] = &[];
    for length in 1..=MAX_BLOCK {
        // A mail that is nothing else teaches nothing.
        let ends = mails.iter().filter(|lines| lines.len() > length);
        let ends = ends.map(|lines| &lines[lines.len() - length..]);
        let mut counts: Vec<(&[String], usize)> = Vec::new();
        for end in ends {
            match counts.iter_mut().find(|(known, _)| *known == end) {
                Some((_, count)) => *count += 1,
                None => counts.push((end, 1)),
            }
        }
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        match most {
            Some((end, count)) if count >= ENOUGH && 2 * count > mails.len() => common = end,
            _ => break,
        }
    }
    let below_closing = common.iter().rposition(|line| is_closing(line));
    let start = match below_closing {
        Some(closing) => closing + 1,
        // Without a closing, the last paragraph, or what is below the mark.
        None => {
            let mark = common.iter().position(|line| line == SIGNATURE_MARK);
            let blank = common.iter().rposition(String::is_empty);
            mark.or(blank.map(|blank| blank + 1)).unwrap_or(0)
        }
    };
    let lines = common[start..].iter().map(|line| match line.as_str() {
        // Written with its space, as mail programs want it.
        SIGNATURE_MARK => "-- ".to_owned(),
        line => one_line(line, MAX_LINE),
    });
    let signature = lines.collect::<Vec<_>>().join("\n");
    let signature = signature.trim_matches('\n');
    let says_something = signature.chars().any(char::is_alphabetic);
    (says_something && !signature.contains("[[")).then(|| signature.to_owned())
}

/// A mail's lines without the signature that ends it.
pub(super) fn without_signature<'a>(lines: &'a [String], signature: Option<&str>) -> &'a [String] {
    let signature: Vec<&str> = signature
        .unwrap_or_default()
        .lines()
        .map(str::trim_end)
        .collect();
    let ends_so = lines.len() >= signature.len()
        && lines[lines.len() - signature.len()..]
            .iter()
            .zip(&signature)
            .all(|(line, one)| line == one);
    let end = match ends_so {
        true => lines.len() - signature.len(),
        false => lines
            .iter()
            .position(|line| line == SIGNATURE_MARK)
            .unwrap_or(lines.len()),
    };
    &lines[..end]
}
