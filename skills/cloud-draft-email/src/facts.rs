//! What the host knows of the mail beside its text.
//!
//! Lives elsewhere: the names of the facts are the mail watcher's (`host/intake`), and so is whom an
//! answer to a mail goes to; what an address is, the SDK's text.
//! Invariant: a value is text from outside.

use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{MailAddress, unfenced};

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
    pub fn sender(self) -> Option<MailAddress> {
        let named = MailAddress::parse(&self.0.sender).ok();
        named.or_else(|| self.addresses("from-address").into_iter().next())
    }

    /// The addresses that a fact has.
    fn addresses(self, name: &'static str) -> Vec<MailAddress> {
        let all = self.all(name);
        all.filter_map(|text| MailAddress::parse(text).ok())
            .collect()
    }

    /// Whom an answer goes to, as it was decided when the mail came; of what came without a decision,
    /// such as a dropped file, Reply-To, else the sender. Never anything from the text.
    #[must_use]
    pub fn recipients(self) -> Recipients {
        let to = self.addresses("answer-to");
        if !to.is_empty() {
            let cc = self.addresses("answer-cc");
            return Recipients { to, cc };
        }
        let mut to = match self.one("no-answer") {
            // What its Reply-To names was looked at, and rejected.
            Some(_) => Vec::new(),
            None => self.addresses("reply-to"),
        };
        if to.is_empty() {
            to.extend(self.sender());
        }
        Recipients { to, cc: Vec::new() }
    }
}

/// Whom an answer goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Who is answered.
    pub to: Vec<MailAddress>,
    /// Who gets a copy.
    pub cc: Vec<MailAddress>,
}

impl Recipients {
    /// All of them, for a person: `Ada <ada@x>, Bo <bo@y>`.
    #[must_use]
    pub fn listed(addresses: &[MailAddress]) -> String {
        let each: Vec<String> = addresses.iter().map(MailAddress::with_plain_name).collect();
        each.join(", ")
    }
}

/// The mail's own text: what the watcher's fence holds, or all of it if there is none.
#[must_use]
pub fn mail_text(task: &Task) -> &str {
    unfenced(&task.text)
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

    /// What was decided when the mail came counts; Reply-To and the sender are for what came otherwise.
    #[test]
    fn recipients_are_those_decided_on_intake() {
        let of = |facts: &[(&str, &str)]| {
            let task = crate::triage::tests::mail(facts);
            let Recipients { to, cc } = Facts::of(&task).recipients();
            format!("{} | {}", Recipients::listed(&to), Recipients::listed(&cc))
        };
        assert_eq!(of(&[]), "Ada <ada@example.test> | ");
        let asked = ("reply-to", "Bo <bo@b.test>");
        assert_eq!(of(&[asked]), "Bo <bo@b.test> | ");
        let decided = [
            asked,
            ("answer-to", "cy@c.test"),
            ("answer-cc", "\"d d\"@d.test"),
        ];
        assert_eq!(of(&decided), "cy@c.test | \"d d\"@d.test");
        let nobody = ("no-answer", "Bo is no address that mail can reach");
        assert_eq!(of(&[asked, nobody]), "Ada <ada@example.test> | ");
        let [_, to, cc] = decided;
        assert_eq!(of(&[nobody, to, cc]), "cy@c.test | \"d d\"@d.test");
    }
}
