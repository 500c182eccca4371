//! What an address may be, so that it is safe in a header and in an SMTP command.
//!
//! Stricter than RFC 5321: no quoted local part, no address literal, no routes. International addresses
//! (UTF-8) are allowed; whether a server takes them is its own affair.

use super::ComposeError;

/// The longest address (RFC 5321) and the longest name.
const MAX_EMAIL: usize = 254;
const MAX_NAME: usize = 200;

/// A checked address, with or without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    name: Option<String>,
    email: String,
}

impl Address {
    /// Reads `local@domain` or `Name <local@domain>`; `field` names the field in errors.
    pub fn parse(field: &'static str, given: &str) -> Result<Self, ComposeError> {
        let given = given.trim();
        if given.chars().any(char::is_control) {
            return Err(ComposeError::ControlCharacter { field });
        }
        let refuse = |reason| {
            Err(ComposeError::Address {
                field,
                given: given.chars().take(80).collect(),
                reason,
            })
        };
        let (name, email) = match given.rsplit_once('<') {
            Some((name, rest)) => match rest.strip_suffix('>') {
                Some(email) => (name.trim(), email.trim()),
                None => return refuse("the closing > is missing"),
            },
            None => ("", given),
        };
        let name = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'))
            .unwrap_or(name);
        if name.len() > MAX_NAME {
            return refuse("the name is too long");
        }
        if email.len() > MAX_EMAIL {
            return refuse("it is too long");
        }
        let Some((local, domain)) = email.rsplit_once('@') else {
            return refuse("there is no @ in it");
        };
        let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
        if local.is_empty() || local.len() > 64 || !local.chars().all(atom) {
            return refuse("the part before the @ has characters that are not allowed");
        }
        if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
            return refuse("the part before the @ has a dot in the wrong place");
        }
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        if !domain.split('.').all(label) {
            return refuse("the part after the @ is not a domain");
        }
        let name = name.trim().replace("\\\"", "\"").replace("\\\\", "\\");
        Ok(Self {
            name: Some(name).filter(|name| !name.is_empty()),
            email: email.to_owned(),
        })
    }

    /// The name, when there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `local@domain`.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// What stands after the @.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.email
            .rsplit_once('@')
            .map_or("localhost", |(_, domain)| domain)
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) => write!(out, "{name} <{}>", self.email),
            None => out.write_str(&self.email),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_parse_accepts_ordinary_forms() {
        for (given, name, email) in [
            ("a@b.test", None, "a@b.test"),
            (
                "Owner <owner@example.test>",
                Some("Owner"),
                "owner@example.test",
            ),
            (
                "\"Miller, Ann\" <ann+x@example.co.test>",
                Some("Miller, Ann"),
                "ann+x@example.co.test",
            ),
            (
                "Jörg Ärmel <j.ä@bücher.test>",
                Some("Jörg Ärmel"),
                "j.ä@bücher.test",
            ),
            ("<x@localhost>", None, "x@localhost"),
        ] {
            let address = Address::parse("to", given).unwrap();
            assert_eq!((address.name(), address.email()), (name, email));
        }
    }

    #[test]
    fn address_parse_refuses_other_forms() {
        for given in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a@b@",
            "a b@c.test",
            "a@b..c",
            "a@-b.test",
            "a..b@c.test",
            ".a@c.test",
            "a@c.test\r\nBcc: x@y.test",
            "X <a@c.test",
            "a@[127.0.0.1]",
            "\"a b\"@c.test",
            "a@b.test,c@d.test",
            "a@b.test>\0",
            "<script>@b.test",
            "a@b.test> SIZE=1 <c@d.test x>",
        ] {
            assert!(Address::parse("to", given).is_err(), "{given:?}");
        }
        assert!(Address::parse("to", &format!("{}@b.test", "a".repeat(300))).is_err());
    }
}
