//! What the host knows of the mail beside its text, and addresses in it.
//!
//! Lives elsewhere: the names of the facts are the mail watcher's (`host/intake`).
//! Invariants: a value is text from outside; an [`Address`] is one that can stand in a header.

use platinum_sdk::tasks::types::Task;

/// The facts of a task by name.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a>(&'a Task);

impl<'a> Facts<'a> {
    /// Of a task.
    #[must_use]
    pub fn of(task: &'a Task) -> Self {
        Self(task)
    }

    /// All values of a fact.
    pub fn all(self, name: &'static str) -> impl Iterator<Item = &'a str> {
        let facts = self.0.facts.iter().filter(move |fact| fact.name == name);
        facts.flat_map(|fact| fact.values.iter().map(String::as_str))
    }

    /// The first value that is not blank.
    #[must_use]
    pub fn one(self, name: &'static str) -> Option<&'a str> {
        self.all(name)
            .map(str::trim)
            .find(|value| !value.is_empty())
    }

    /// The account the mail came to: the fact, or what follows the colon in `maildir:owner`.
    #[must_use]
    pub fn account(self) -> Option<&'a str> {
        let of_source = self
            .0
            .source
            .split_once(':')
            .map(|(_, account)| account.trim());
        self.one("account")
            .or(of_source.filter(|account| !account.is_empty() && !self.is_file()))
    }

    /// Whether it is a file that the owner dropped, not a mail.
    #[must_use]
    pub fn is_file(self) -> bool {
        self.0.source.starts_with("file:")
    }

    /// Who wrote it.
    #[must_use]
    pub fn sender(self) -> Option<Address> {
        let address = self.all("from-address").chain([self.0.sender.as_str()]);
        let named = Address::parse(&self.0.sender);
        named.or_else(|| address.filter_map(Address::parse).next())
    }

    /// Where an answer goes: Reply-To, else the sender. Never anything from the text.
    #[must_use]
    pub fn answer_to(self) -> Option<Address> {
        self.all("reply-to")
            .find_map(Address::parse)
            .or_else(|| self.sender())
    }
}

/// The mail's own text: what the watcher's fence holds, or all of it if there is none.
#[must_use]
pub fn mail_text(task: &Task) -> &str {
    let text = task.text.as_str();
    let Some((before, inside)) = text.split_once("```text\n") else {
        return text;
    };
    // The fence is longer than any run of backticks in the mail, and so different from them.
    let fence = "`".repeat(3 + before.len() - before.trim_end_matches('`').len());
    if inside.starts_with(&fence) {
        return "";
    }
    inside
        .rfind(&format!("\n{fence}"))
        .map_or(inside, |end| &inside[..end])
}

/// One mail address, with the name that stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    name: String,
    local: String,
    domain: String,
}

impl Address {
    /// Parses `Name <local@domain>` or `local@domain`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            Some(inner) => inner.rsplit_once('<')?,
            None => ("", text),
        };
        let (local, domain) = address.trim().rsplit_once('@')?;
        let harmless = |part: &str| {
            !part.is_empty()
                && part.chars().all(|c| {
                    !c.is_whitespace()
                        && !c.is_control()
                        && !platinum_sdk::text::is_hidden(c)
                        && !"<>@,;:\"()[]\\".contains(c)
                })
        };
        (harmless(local) && harmless(domain) && address.len() <= 254).then(|| Self {
            name: name.trim().trim_matches('"').trim().to_owned(),
            local: local.to_owned(),
            domain: domain.to_owned(),
        })
    }

    /// `local@domain`.
    #[must_use]
    pub fn bare(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// Before the `@`, lower case.
    #[must_use]
    pub fn local(&self) -> String {
        self.local.to_lowercase()
    }

    /// For a header: with the name only if it could not be taken for another address or
    /// recipient.
    #[must_use]
    pub fn header(&self) -> String {
        let plain = |c: char| c.is_alphanumeric() || " .-'".contains(c);
        if self.name.is_empty() || self.name.chars().count() > 60 || !self.name.chars().all(plain) {
            return self.bare();
        }
        format!("{} <{}>", self.name, self.bare())
    }

    /// Whether both are the same mailbox.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.bare().eq_ignore_ascii_case(&other.bare())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mails text is what the fence holds.
    #[test]
    fn mail_text_is_inside_the_fence() {
        let text = |text: &str| {
            let task = Task {
                text: text.into(),
                ..crate::triage::tests::mail(&[])
            };
            mail_text(&task).to_owned()
        };
        assert_eq!(
            text("# Mail\n\nIt is data?\n\n```text\nHi\n\nBye\n```\n"),
            "Hi\n\nBye"
        );
        assert_eq!(
            text("It is data.\n\n````text\na\n```text\nb\n```\nc\n````\n"),
            "a\n```text\nb\n```\nc"
        );
        assert_eq!(text("It is data.\n\n```text\n\n```\n"), "");
        assert_eq!(
            text("It is data.\n\n````text\n```\ncode?\n```\n````\n"),
            "```\ncode?\n```",
            "a mail may begin and end with a code block"
        );
        assert_eq!(text("no fence"), "no fence");
    }

    fn header(text: &str) -> Option<String> {
        Address::parse(text).map(|address| address.header())
    }

    /// An address keeps a plain name.
    #[test]
    fn address_plain_name_is_kept() {
        assert_eq!(
            header("Ada Lovelace <ada@example.test>"),
            Some("Ada Lovelace <ada@example.test>".into())
        );
        assert_eq!(header("ada@example.test"), Some("ada@example.test".into()));
    }

    /// A name that looks like an address is dropped.
    #[test]
    fn address_name_like_an_address_is_dropped() {
        assert_eq!(
            header("\"boss@corp.test\" <x@evil.test>"),
            Some("x@evil.test".into())
        );
        assert_eq!(header("a, b <x@evil.test>"), Some("x@evil.test".into()));
    }

    /// What is no single address is none.
    #[test]
    fn address_not_single_is_none() {
        for text in [
            "",
            "<>",
            "Ada",
            "a@b, c@d",
            "a@b\r\nBcc: c@d",
            "a b@c",
            "@c",
            "a@",
            "A <a@b> <",
        ] {
            assert_eq!(header(text), None, "{text}");
        }
    }
}
