//! [`SocialRules`]: what the owner's handbook says of mentions, read by code and not by a model.
//!
//! Under the heading `## Social`, one rule a line: `- answer mentions: all`, or of whom and about what,
//! `- answer mentions: @ann@social.example, ann.example, @social.example, text contains "opening hours"`; and
//! `- never answer: @troll.example`, which counts more. A line that is no rule is passed over: the section is the owner's
//! to write in. Without a rule nobody is answered.
//! Invariant: pure.

use platinum_core::text::section_lines;

use crate::accounting::rules::{divided, plain};

/// Rules beyond this are not read.
const MAX_RULES: usize = 200;

/// The rules of a handbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SocialRules {
    answered: Vec<MentionCondition>,
    never: Vec<MentionCondition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MentionCondition {
    /// Everybody.
    All,
    /// One account, in small letters and without an `@` before it.
    Account(String),
    /// Everybody of a server and what is below it.
    Server(String),
    /// The text holds this, in small letters.
    Text(String),
}

impl SocialRules {
    /// Reads the section.
    pub fn parse(handbook: &str) -> Self {
        let mut rules = Self::default();
        for line in section_lines(handbook, "social") {
            let line = line.trim().trim_start_matches(['-', '*', '+']).trim();
            let Some((name, conditions)) = line.trim_matches('`').split_once(':') else {
                continue;
            };
            let list = match plain(name).to_lowercase().as_str() {
                "answer mentions" | "answer mention" | "erwähnungen beantworten" => {
                    &mut rules.answered
                }
                "never answer" | "nie beantworten" => &mut rules.never,
                _ => continue,
            };
            let room = MAX_RULES.saturating_sub(list.len());
            let conditions = divided(conditions).into_iter().filter_map(condition);
            list.extend(conditions.take(room));
        }
        rules
    }

    /// The rule that asks for an answer to a text by somebody, in words; `author` is `name@server`, or the whole name
    /// where that is a domain.
    pub fn answering(&self, author: &str, text: &str) -> Option<String> {
        let fits = |condition: &&MentionCondition| condition.fits(author, text);
        if self.never.iter().any(|condition| fits(&condition)) {
            return None;
        }
        let rule = self.answered.iter().find(fits)?;
        Some(format!("answer mentions: {}", rule.words()))
    }
}

impl MentionCondition {
    fn fits(&self, author: &str, text: &str) -> bool {
        let author = author.trim_start_matches('@').to_lowercase();
        match self {
            Self::All => true,
            Self::Account(name) => author == *name,
            Self::Server(server) => {
                let of = author
                    .rsplit_once('@')
                    .map_or(author.as_str(), |(_, of)| of);
                let below = of.strip_suffix(server.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            Self::Text(words) => text.to_lowercase().contains(words),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Account(name) => format!("@{name}"),
            Self::Server(server) => format!("*@{server}"),
            Self::Text(words) => format!("text contains \"{words}\""),
        }
    }
}

fn condition(text: &str) -> Option<MentionCondition> {
    let text = plain(text).to_lowercase();
    if ["all", "alle", "everybody"].contains(&text.as_str()) {
        return Some(MentionCondition::All);
    }
    for start in ["text contains", "text enthält"] {
        if let Some(words) = text.strip_prefix(start) {
            let words = words.trim();
            let words = words.trim_matches(['"', '\u{201C}', '\u{201D}', '\u{201E}', '\'']);
            return Some(words.trim())
                .filter(|words| !words.is_empty())
                .map(|words| MentionCondition::Text(words.to_owned()));
        }
    }
    let is_name = |name: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || "._-:".contains(c);
        !name.is_empty() && name.chars().all(is_plain)
    };
    if let Some(server) = text.strip_prefix("*@") {
        return is_name(server).then(|| MentionCondition::Server(server.to_owned()));
    }
    let name = text.strip_prefix('@').unwrap_or(&text);
    match name.split_once('@') {
        Some((user, server)) if is_name(user) && is_name(server) => {
            Some(MentionCondition::Account(name.to_owned()))
        }
        // A word would be nobody's name.
        None if is_name(name) && name.contains('.') => Some(match text.starts_with('@') {
            true => MentionCondition::Server(name.to_owned()),
            false => MentionCondition::Account(name.to_owned()),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDBOOK: &str = "# Rules\n- answer mentions: all\n\n## Social\n\nWhom to answer:\n\
        - answer mentions: `@Ann@social.example`, bo.example; text contains \"opening hours\", word\n\
        - **Never answer:** @troll.example, spam@social.example\n- something: else\n\n## Tone\n- answer mentions: all\n";

    #[test]
    fn rules_are_those_of_the_social_section() {
        let rules = SocialRules::parse(HANDBOOK);
        for (author, text, expected) in [
            (
                "ann@social.example",
                "",
                Some("answer mentions: @ann@social.example"),
            ),
            (
                "@ANN@social.example",
                "",
                Some("answer mentions: @ann@social.example"),
            ),
            ("ann@other.example", "", None),
            ("bo.example", "", Some("answer mentions: @bo.example")),
            ("bo.example.evil.example", "", None),
            (
                "x@y.example",
                "What are your Opening Hours?",
                Some("answer mentions: text contains \"opening hours\""),
            ),
            ("x@troll.example", "opening hours", None),
            ("x@a.troll.example", "opening hours", None),
            (
                "x@nottroll.example",
                "opening hours",
                Some("answer mentions: text contains \"opening hours\""),
            ),
            ("me.troll.example", "opening hours", None),
            ("spam@social.example", "opening hours", None),
            ("word", "", None),
        ] {
            assert_eq!(
                rules.answering(author, text).as_deref(),
                expected,
                "{author} {text}"
            );
        }
    }

    #[test]
    fn without_a_rule_nobody_is_answered() {
        for handbook in [
            "",
            "- answer mentions: all\n",
            "## Social\n- answer mentions:\n",
        ] {
            let rules = SocialRules::parse(handbook);
            assert_eq!(rules, SocialRules::default());
            assert_eq!(rules.answering("ann@social.example", "hello"), None);
        }
        let all = SocialRules::parse("## Social\n- answer mentions: all\n");
        assert_eq!(
            all.answering("ann@social.example", "").as_deref(),
            Some("answer mentions: all")
        );
        let server = SocialRules::parse("## Social\n- answer mentions: *@a.example\n");
        assert!(server.answering("x@b.a.example", "").is_some());
        let many = format!("## Social\n{}", "- answer mentions: all\n".repeat(1000));
        assert_eq!(SocialRules::parse(&many).answered.len(), MAX_RULES);
    }
}
