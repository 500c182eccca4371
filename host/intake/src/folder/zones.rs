//! [`ZoneRules`]: which zone a dropped file belongs to.
//!
//! In this order: the folder that it is in, `zone:` in its frontmatter, the first rule of the
//! handbook that fits, the default of the configuration. A zone in the frontmatter that there is not
//! is a question to the owner, not a reason to look further. A rule is a line of the section
//! `## Zones`: `- invoice: accounting` (a word of the file's name or its first line),
//! `- *.pdf: accounting` (a pattern for the name) or `- Inbox/: email` (a folder).

use platinum_core::{VaultPath, ZoneId, layout, text::section_lines};
use platinum_vault::note::Note;

/// Rules beyond this are not read.
const MAX_RULES: usize = 200;

/// The rules of a handbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ZoneRules(Vec<(Pattern, ZoneId)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Everything in a folder.
    Folder(String),
    /// A file name with `*` for any text.
    Name(String),
    /// A word.
    Word(String),
}

impl ZoneRules {
    /// Reads the section `## Zones`. Lines that are no rule are passed over.
    pub fn parse(handbook: &str) -> Self {
        let rules = section_lines(handbook, "zones").filter_map(rule);
        Self(rules.take(MAX_RULES).collect())
    }

    /// The zones of the rules that fit.
    fn zones_of(&self, path: &VaultPath, first_line: &str) -> impl Iterator<Item = ZoneId> {
        let fits = |pattern: &Pattern| match pattern {
            Pattern::Folder(folder) => path.is_within(folder),
            Pattern::Name(pattern) => is_match(pattern, &path.file_name().to_lowercase()),
            Pattern::Word(word) => [path.stem(), first_line]
                .iter()
                .any(|text| has_word(&text.to_lowercase(), word)),
        };
        self.0
            .iter()
            .filter(move |(pattern, _)| fits(pattern))
            .map(|(_, zone)| *zone)
    }
}

fn rule(line: &str) -> Option<(Pattern, ZoneId)> {
    let line = line.trim_start();
    let (pattern, zone) = line
        .strip_prefix(['-', '*', '+'])?
        .strip_prefix(' ')?
        .rsplit_once(':')?;
    let zone = zone.trim().trim_matches('`').parse().ok()?;
    let pattern = pattern.trim().trim_matches(['`', '"']);
    if pattern.is_empty() {
        return None;
    }
    Some((
        match pattern.strip_suffix('/') {
            Some(folder) => Pattern::Folder(folder.to_owned()),
            None if pattern.contains('*') => Pattern::Name(pattern.to_lowercase()),
            None => Pattern::Word(pattern.to_lowercase()),
        },
        zone,
    ))
}

/// Whether `text` is `pattern`, in which each `*` stands for any text.
fn is_match(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after]
            .iter()
            .flatten()
            .any(|c| c.is_alphanumeric())
    })
}

/// What a dropped file says of its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedZone {
    /// This one.
    Known(ZoneId),
    /// One that there is not, in its frontmatter; as it stands there.
    Unknown(String),
    /// Nothing.
    None,
}

/// The zone that a dropped file names, of those there are. `text` is its text, if it has any.
pub fn zone_of(
    path: &VaultPath,
    text: Option<&str>,
    rules: &ZoneRules,
    known: &[ZoneId],
) -> NamedZone {
    let read = |zone: &str| -> Option<ZoneId> {
        let zone = zone.trim().parse().ok();
        zone.filter(|zone| known.contains(zone))
    };
    let folder = match path.components().collect::<Vec<_>>().as_slice() {
        [layout::NEEDS_ACTION, zone, _] => read(zone),
        _ => None,
    };
    let note = || Note::parse(text?).ok();
    let by_rule = || {
        let note = note();
        let body = note.as_ref().map_or(text.unwrap_or_default(), Note::body);
        let first = body.lines().map(str::trim).find(|line| !line.is_empty());
        let mut zones = rules.zones_of(path, first.unwrap_or_default());
        zones.find(|zone| known.contains(zone))
    };
    if let Some(zone) = folder {
        return NamedZone::Known(zone);
    }
    let in_front = note().and_then(|note| match (note.get_text("zone"), note.get("zone")) {
        (Some(zone), _) => Some(zone.to_owned()),
        // Something is named, and it is no text.
        (None, Some(value)) if !value.is_null() => {
            let number = value.as_i64().map(|number| number.to_string());
            let word = number.or_else(|| value.as_bool().map(|word| word.to_string()));
            Some(word.unwrap_or_else(|| "(no single word)".to_owned()))
        }
        (None, _) => None,
    });
    match in_front.filter(|zone| !zone.trim().is_empty()) {
        Some(named) => read(&named).map_or(NamedZone::Unknown(named), NamedZone::Known),
        None => by_rule().map_or(NamedZone::None, NamedZone::Known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDBOOK: &str = "# Handbook\n- invoice: social\n## Zones\nWhere files go:\n\
        - invoice: accounting\n* `*.PDF`: accounting\n- Inbox/: social\n- nothing: nowhere\n\
        - scan*final.txt: whatsapp\n## Tone\n- hello: payments\n";

    fn zone(path: &str, text: &str) -> String {
        let rules = ZoneRules::parse(HANDBOOK);
        let path = VaultPath::new(path).unwrap();
        let known = ["email", "social", "accounting", "whatsapp", "payments"];
        let known = known.map(|zone| zone.parse().unwrap());
        match zone_of(&path, Some(text), &rules, &known) {
            NamedZone::Known(zone) => zone.to_string(),
            NamedZone::Unknown(named) => format!("unknown {named}"),
            NamedZone::None => "none".to_owned(),
        }
    }

    #[test]
    fn zone_comes_from_folder_then_front_then_rule_then_default() {
        for (path, text, expected) in [
            (
                "Needs_Action/social/invoice.md",
                "---\nzone: email\n---\n",
                "social",
            ),
            (
                "Needs_Action/invoice.md",
                "---\nzone: social\n---\n",
                "social",
            ),
            (
                "Needs_Action/invoice.md",
                "---\nzone: nowhere\n---\n",
                "unknown nowhere",
            ),
            (
                "Needs_Action/social/invoice.md",
                "---\nzone: nowhere\n---\n",
                "social",
            ),
            // What is named and is no text is a question, too.
            (
                "Needs_Action/invoice.md",
                "---\nzone: 12\n---\n",
                "unknown 12",
            ),
            (
                "Needs_Action/invoice.md",
                "---\nzone: true\n---\n",
                "unknown true",
            ),
            (
                "Needs_Action/invoice.md",
                "---\nzone:\n  - email\n  - social\n---\n",
                "unknown (no single word)",
            ),
            (
                "Needs_Action/invoice.md",
                "---\nzone: {a: email}\n---\n",
                "unknown (no single word)",
            ),
            ("Needs_Action/invoice.md", "---\nzone:\n---\n", "accounting"),
            (
                "Needs_Action/invoice.md",
                "---\nzone: \"\"\n---\n",
                "accounting",
            ),
            ("Needs_Action/a.md", "\n# An Invoice, please", "accounting"),
            ("Needs_Action/a.md", "invoices", "none"),
            ("Needs_Action/Report.pdf", "", "accounting"),
            ("Needs_Action/hello.md", "", "none"),
            ("Inbox/a.md", "", "social"),
            ("Needs_Action/scan-2-final.txt", "", "whatsapp"),
        ] {
            assert_eq!(zone(path, text), expected, "{path}");
        }
    }

    #[test]
    fn rules_are_read_from_their_section_alone() {
        assert_eq!(ZoneRules::parse(HANDBOOK).0.len(), 5);
        assert_eq!(ZoneRules::parse("- invoice: email"), ZoneRules::default());
        let many = format!("## Zones\n{}", "- a: email\n".repeat(1000));
        assert_eq!(ZoneRules::parse(&many).0.len(), MAX_RULES);
    }

    #[test]
    fn pattern_matches_the_whole_name() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*b", "ab", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*a", "a", false),
            ("*.pdf", "x.pdf.md", false),
        ] {
            assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
        }
    }
}
