//! [`AccountingRules`]: what the owner's handbook says of mails that are accounting, read by code and not by a model.
//!
//! Under the heading `## Accounting`, one rule a line: `- bills from: billing@supplier.example, @shop.example` and
//! `- invoice requests: subject contains "please invoice"; text contains "bill me"; boss@corp.example`. A line that is
//! no rule is passed over: the section is the owner's to write in.
//! Invariant: pure.

use platinum_core::text::{MailAddress, section_lines};

/// Rules beyond this are not read.
const MAX_RULES: usize = 200;

/// The rules of a handbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountingRules {
    bills_from: Vec<Condition>,
    requests: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// An address, to compare.
    Address(String),
    /// A domain and what is below it.
    Domain(String),
    /// The subject holds this, in small letters.
    Subject(String),
    /// The writer's own words hold this, in small letters.
    Text(String),
}

/// What of a mail a rule can speak of.
#[derive(Debug, Clone, Copy)]
pub struct MailWords<'a> {
    /// Who wrote it.
    pub sender: Option<&'a MailAddress>,
    /// Its subject.
    pub subject: &'a str,
    /// The writer's own words.
    pub text: &'a str,
}

impl AccountingRules {
    /// Reads the section.
    pub fn parse(handbook: &str) -> Self {
        let mut rules = Self::default();
        for line in section_lines(handbook, "accounting") {
            let line = line.trim().trim_start_matches(['-', '*', '+']).trim();
            let Some((name, conditions)) = line.trim_matches('`').split_once(':') else {
                continue;
            };
            let list = match plain(name).to_lowercase().as_str() {
                "bills from" | "bill from" | "rechnungen von" => &mut rules.bills_from,
                "invoice requests" | "invoice request" | "rechnungsanfragen" => &mut rules.requests,
                _ => continue,
            };
            let room = MAX_RULES.saturating_sub(list.len());
            list.extend(
                divided(conditions)
                    .into_iter()
                    .filter_map(condition)
                    .take(room),
            );
        }
        rules
    }

    /// Whether the sender is one whose mails bring bills.
    pub fn is_bill(&self, mail: &MailWords<'_>) -> bool {
        self.bills_from.iter().any(|condition| condition.fits(mail))
    }

    /// Whether the mail asks for an invoice.
    pub fn is_request(&self, mail: &MailWords<'_>) -> bool {
        self.requests.iter().any(|condition| condition.fits(mail))
    }
}

impl Condition {
    fn fits(&self, mail: &MailWords<'_>) -> bool {
        match self {
            Self::Address(address) => mail.sender.is_some_and(|sender| sender.key() == *address),
            Self::Domain(of) => mail.sender.is_some_and(|sender| {
                let domain = sender.domain().to_lowercase();
                let above = domain.strip_suffix(of.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }),
            Self::Subject(words) => mail.subject.to_lowercase().contains(words),
            Self::Text(words) => mail.text.to_lowercase().contains(words),
        }
    }
}

/// The parts between `,` and `;` that are not in quotation marks.
pub(crate) fn divided(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let parts = text.split(|c| match c {
        '"' | '\u{201C}' | '\u{201D}' | '\u{201E}' => {
            is_quoted = !is_quoted;
            false
        }
        ',' | ';' => !is_quoted,
        _ => false,
    });
    parts.collect()
}

fn condition(text: &str) -> Option<Condition> {
    let text = plain(text);
    let lower = text.to_lowercase();
    for (start, is_subject) in [
        ("subject contains", true),
        ("betreff enthält", true),
        ("text contains", false),
        ("text enthält", false),
    ] {
        let Some(words) = lower.strip_prefix(start) else {
            continue;
        };
        let words = words.trim();
        let words = words.trim_matches(['"', '\u{201C}', '\u{201D}', '\u{201E}', '\'']);
        let words = Some(words.trim())
            .filter(|words| !words.is_empty())?
            .to_owned();
        return Some(match is_subject {
            true => Condition::Subject(words),
            false => Condition::Text(words),
        });
    }
    let domain = text
        .strip_prefix("*@")
        .or_else(|| text.strip_prefix('@'))
        .or_else(|| (!text.contains('@')).then_some(text));
    match domain {
        // A domain without a dot would be a word.
        Some(domain) if !domain.contains('.') => None,
        Some(domain) => MailAddress::parse(&format!("all@{domain}"))
            .ok()
            .map(|address| Condition::Domain(address.domain().to_lowercase())),
        None => MailAddress::parse(text)
            .ok()
            .map(|address| Condition::Address(address.key())),
    }
}

/// Without what Markdown puts around it.
pub(crate) fn plain(text: &str) -> &str {
    text.trim().trim_matches(['`', '*', '_']).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDBOOK: &str = "# Rules\n- bills from: early.example\n\n## Accounting\n\nWho bills us:\n\
        - bills from: `supplier.example`, Billing <billing@shop.example>; word\n\
        - **Invoice requests:** subject contains \"please invoice, now\"; text contains “bill me”; @sales.example\n\
        - something: else\n\n## Tone\n- bills from: late.example\n";

    #[test]
    fn rules_are_those_of_the_accounting_section() {
        let rules = AccountingRules::parse(HANDBOOK);
        for (sender, subject, text, is_bill, is_request) in [
            ("a@supplier.example", "", "", true, false),
            ("a@mail.supplier.example", "", "", true, false),
            ("a@notsupplier.example", "", "", false, false),
            ("BILLING@shop.example", "", "", true, false),
            ("other@shop.example", "", "", false, false),
            ("a@early.example", "", "", false, false),
            ("a@late.example", "", "", false, false),
            ("x@y.example", "Re: Please invoice, now!", "", false, true),
            ("x@y.example", "please invoice", "", false, false),
            ("x@y.example", "", "So: bill me.", false, true),
            ("x@sales.example", "", "", false, true),
        ] {
            let sender = MailAddress::parse(sender).unwrap();
            let mail = MailWords {
                sender: Some(&sender),
                subject,
                text,
            };
            assert_eq!(
                (rules.is_bill(&mail), rules.is_request(&mail)),
                (is_bill, is_request),
                "{sender:?} {subject}"
            );
        }
        let nobody = MailWords {
            sender: None,
            subject: "x",
            text: "x",
        };
        assert!(!rules.is_bill(&nobody) && !rules.is_request(&nobody));
        assert_eq!(
            AccountingRules::parse("## Accounting\n- bills from:\n"),
            AccountingRules::default()
        );
    }
}
