//! [`Address`]: an address on the wire: in a header and in the envelope.
//!
//! Lives elsewhere: what an address is, `platinum_text`.
//! Invariant: the domain is ASCII (IDNA, RFC 5890), so that only a part before the @ with letters beyond ASCII needs a
//! server that takes them (SMTPUTF8, RFC 6531).

use idna::{AsciiDenyList, uts46};
use platinum_text::MailAddress;

use super::ComposeError;

/// A checked address, with or without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    name: Option<String>,
    email: String,
    domain: String,
}

impl Address {
    /// Reads `local@domain` or `Name <local@domain>`; `field` names the field in errors.
    pub fn parse(field: &'static str, given: &str) -> Result<Self, ComposeError> {
        let refuse = |reason: String| ComposeError::Address {
            field,
            given: platinum_text::one_line(given, 80),
            reason,
        };
        let address = MailAddress::parse(given).map_err(|error| match error {
            platinum_text::AddressError::Hidden => ComposeError::ControlCharacter { field },
            other => refuse(other.to_string()),
        })?;
        let unicode = address.domain();
        let domain = domain_to_ascii(unicode)
            .ok_or_else(|| refuse("the part after the @ is not a domain".to_owned()))?;
        let written = address.address();
        let local = &written[..written.len() - unicode.len()];
        Ok(Self {
            name: Some(address.name().to_owned()).filter(|name| !name.is_empty()),
            email: format!("{local}{domain}"),
            domain,
        })
    }

    /// The name, when there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `local@domain`; the domain in ASCII.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// What stands after the @, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

/// A domain as it stands on the wire, `xn--bcher-kva.example` for `bücher.example`; none if it cannot.
#[must_use]
pub fn domain_to_ascii(domain: &str) -> Option<String> {
    let ascii = uts46::Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        uts46::Hyphens::Allow,
        uts46::DnsLength::Verify,
    );
    // Letters of ASCII stay as they came: an approval binds them.
    let ascii = ascii.ok()?;
    let is_same = ascii.eq_ignore_ascii_case(domain);
    Some(if is_same {
        domain.to_owned()
    } else {
        ascii.into_owned()
    })
}

/// A domain as a person reads it, `bücher.example` for `xn--bcher-kva.example`; as it came if that does not stand for
/// anything else.
#[must_use]
pub fn domain_to_unicode(domain: &str) -> String {
    let (unicode, result) = idna::domain_to_unicode(domain);
    let is_same =
        || domain_to_ascii(&unicode).is_some_and(|ascii| ascii.eq_ignore_ascii_case(domain));
    match result.is_ok() && is_same() {
        true => unicode,
        false => domain.to_owned(),
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
                "j.ä@xn--bcher-kva.test",
            ),
            ("<x@localhost>", None, "x@localhost"),
            ("info@BÜCHER.test", None, "info@xn--bcher-kva.test"),
            ("x@xn--bcher-kva.test", None, "x@xn--bcher-kva.test"),
            ("\"a b\"@c.test", None, "\"a b\"@c.test"),
            ("a..b@c.test.", None, "\"a..b\"@c.test"),
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
            "a@c.test\r\nBcc: x@y.test",
            "X <a@c.test",
            "a@[127.0.0.1]",
            "a@b.test,c@d.test",
            "a@b.test>\0",
            "<script>@b.test",
            "a@b.test> SIZE=1 <c@d.test x>",
        ] {
            assert!(Address::parse("to", given).is_err(), "{given:?}");
        }
        assert!(Address::parse("to", &format!("{}@b.test", "a".repeat(300))).is_err());
        // Sixty letters, but more in ASCII than a label may have.
        let error = Address::parse("to", &format!("a@{}.test", "ü".repeat(60))).unwrap_err();
        assert!(error.to_string().contains("is not a domain"), "{error}");
    }

    #[test]
    fn domain_to_unicode_reads_back_or_stays() {
        for (domain, shown) in [
            ("xn--bcher-kva.test", "bücher.test"),
            ("mail.xn--bcher-kva.test", "mail.bücher.test"),
            ("example.test", "example.test"),
            ("xn--a.test", "xn--a.test"),
        ] {
            assert_eq!(domain_to_unicode(domain), shown);
        }
    }
}
