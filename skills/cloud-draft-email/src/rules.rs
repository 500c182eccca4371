//! [`SenderRules`]: what the owner's handbook says of certain senders, read by code and not by a model.
//!
//! Under the heading `## Senders`, one rule a line: `- never: ann@client.test, @shop.test`,
//! `- always: …`, `- only tell me: …`; or the other way round, `- ann@client.test: never`. A line that
//! is no rule is passed over: the section is the owner's to write in.
//! Invariants: pure; an address counts before its domain, a line before those below it.

use platinum_sdk::text::{MailAddress, section_lines};

/// Rules beyond this are not read.
const MAX_RULES: usize = 500;

/// What becomes of a sender's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is never answered.
    Never,
    /// It is drafted, also if it looks like a circular.
    Always,
    /// The owner is told of it, and nothing is drafted.
    OnlyTell,
}

/// The rules of a handbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderRules(Vec<(Pattern, Verdict)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// An address, to compare.
    Address(String),
    /// A domain and what is below it.
    Domain(String),
}

impl SenderRules {
    /// Reads the section.
    #[must_use]
    pub fn parse(handbook: &str) -> Self {
        let mut rules = Vec::new();
        for line in section_lines(handbook, "senders") {
            if rules.len() < MAX_RULES {
                rules.extend(rules_of(line));
            }
        }
        Self(rules)
    }

    /// What is said of this sender.
    #[must_use]
    pub fn verdict(&self, sender: &MailAddress) -> Option<Verdict> {
        let (key, domain) = (sender.key(), sender.domain().to_lowercase());
        let of = |fits: &dyn Fn(&Pattern) -> bool| {
            self.0
                .iter()
                .find(|(pattern, _)| fits(pattern))
                .map(|(_, verdict)| *verdict)
        };
        of(&|pattern| matches!(pattern, Pattern::Address(address) if *address == key)).or_else(
            || {
                of(&|pattern| {
                    let Pattern::Domain(of) = pattern else {
                        return false;
                    };
                    let above = domain.strip_suffix(of.as_str());
                    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
                })
            },
        )
    }
}

fn rules_of(line: &str) -> Vec<(Pattern, Verdict)> {
    let item = line
        .trim_start()
        .strip_prefix(['-', '*', '+'])
        .unwrap_or_default();
    let Some((left, right)) = item.split_once(':') else {
        return Vec::new();
    };
    let (senders, verdict) = match (verdict_of(left), verdict_of(right)) {
        (Some(verdict), _) => (right, verdict),
        (None, Some(verdict)) => (left, verdict),
        (None, None) => return Vec::new(),
    };
    let patterns = senders.split([',', ';']).filter_map(pattern_of);
    patterns.map(|pattern| (pattern, verdict)).collect()
}

fn verdict_of(text: &str) -> Option<Verdict> {
    match plain(text).to_lowercase().as_str() {
        "never" => Some(Verdict::Never),
        "always" => Some(Verdict::Always),
        "only tell me" | "only tell" | "tell me" => Some(Verdict::OnlyTell),
        _ => None,
    }
}

fn pattern_of(text: &str) -> Option<Pattern> {
    let text = plain(text);
    let domain = text.strip_prefix("*@").or_else(|| text.strip_prefix('@'));
    match domain {
        Some(domain) => MailAddress::parse(&format!("all@{domain}"))
            .ok()
            .map(|address| Pattern::Domain(address.domain().to_lowercase())),
        None => MailAddress::parse(text)
            .ok()
            .map(|address| Pattern::Address(address.key())),
    }
}

/// Without what Markdown puts around it.
fn plain(text: &str) -> &str {
    text.trim().trim_matches(['`', '*', '_', '"']).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDBOOK: &str = "# Rules\n- never: ann@client.test\n\n## Senders\n\nWho is who:\n\
        - never: `promo@shop.test`, @ads.test\n\
        - Always: Boss <boss@corp.test>; *@client.test\n\
        * vic@client.test: only tell me\n\
        - someday: x@y.test\n\n## Tone\n- never: bo@client.test\n";

    #[test]
    fn verdict_is_that_of_the_senders_section() {
        let rules = SenderRules::parse(HANDBOOK);
        let of = |sender: &str| rules.verdict(&MailAddress::parse(sender).unwrap());
        for (sender, verdict) in [
            ("Promo <PROMO@shop.test>", Some(Verdict::Never)),
            ("other@shop.test", None),
            ("x@ads.test", Some(Verdict::Never)),
            ("x@mail.ads.test", Some(Verdict::Never)),
            ("x@bads.test", None),
            ("boss@corp.test", Some(Verdict::Always)),
            ("joboss@corp.test", None),
            ("vic@client.test", Some(Verdict::OnlyTell)),
            ("ann@client.test", Some(Verdict::Always)),
            ("x@y.test", None),
        ] {
            assert_eq!(of(sender), verdict, "{sender}");
        }
        assert_eq!(SenderRules::parse(""), SenderRules::default());
    }
}
