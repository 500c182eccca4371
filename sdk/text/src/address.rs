//! [`MailAddress`]: one mail address, as a header names it; and which received Message-IDs can be named.
//!
//! The one grammar of addresses: what takes a mail in, decides who is answered, proposes, reviews,
//! composes and sends reads them with it. Stricter than RFC 5321 where nobody needs the rest: no
//! address literal, no route, neither brackets nor quotes inside a quoted part.
//! Lives elsewhere: a header with a list of addresses, and what people write in place of one, is
//! read by the mailbox; domains are converted for the wire by what composes a mail.
//! Invariants: an address is safe in a header and in an SMTP command; what is read and written
//! again is the same address.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};
use core::fmt;

use crate::is_hidden;

/// The longest address and the longest part before the @ (RFC 5321, 4.5.3.1), in bytes.
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_LABEL: usize = 63;
/// The longest name, in bytes.
const MAX_NAME: usize = 200;
/// The longest Message-ID that is named again, in bytes: a search for it is no longer.
const MAX_MESSAGE_ID: usize = 300;

/// One mail address, with the name that stood before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAddress {
    name: String,
    local: String,
    domain: String,
}

/// Why a text is no address that a mail can go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// A line end, another control character, or one that is not seen.
    Hidden,
    /// There is a `<` without its `>`.
    Unclosed,
    /// There is no @.
    NoAt,
    /// Nothing stands before the @.
    NoLocal,
    /// What stands before the @ is longer than mail allows: so many bytes.
    LongLocal(usize),
    /// What stands before the @ has characters that are not allowed.
    Local,
    /// What stands after the @ is an IP address in brackets.
    Literal,
    /// What stands after the @ is not a domain.
    Domain,
    /// The whole is longer than mail allows: so many bytes.
    Long(usize),
    /// The name is longer than it may be.
    LongName,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden => {
                f.write_str("there is a control character in it, or one that is not seen")
            }
            Self::Unclosed => f.write_str("the closing > is missing"),
            Self::NoAt => f.write_str("there is no @ in it"),
            Self::NoLocal => f.write_str("nothing stands before the @"),
            Self::LongLocal(bytes) => write!(
                f,
                "the part before the @ has {bytes} bytes, and mail allows {MAX_LOCAL}"
            ),
            Self::Local => f.write_str("the part before the @ has characters that are not allowed"),
            Self::Literal => f.write_str("an IP address stands in place of the domain"),
            Self::Domain => f.write_str("the part after the @ is not a domain"),
            Self::Long(bytes) => write!(f, "it has {bytes} bytes, and mail allows {MAX_ADDRESS}"),
            Self::LongName => f.write_str("the name is too long"),
        }
    }
}

impl core::error::Error for AddressError {}

impl MailAddress {
    /// Reads `Name <local@domain>` or `local@domain`. A part before the @ that needs quotes, such
    /// as `a..b` or `"a b"`, is an address, too; a dot that ends the domain is left out.
    ///
    /// # Errors
    /// If no mail can go there.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(AddressError::Hidden);
        }
        let (name, address) = match text.rsplit_once('<') {
            Some((name, rest)) => (
                name.trim(),
                rest.strip_suffix('>').ok_or(AddressError::Unclosed)?,
            ),
            None => ("", text),
        };
        let quoted = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        let name = match quoted {
            Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
            None => name.to_owned(),
        };
        if name.len() > MAX_NAME {
            return Err(AddressError::LongName);
        }
        let address = address.trim();
        // A name may have them: an emoji has. What a mail is sent to is seen whole.
        if address.chars().any(is_hidden) {
            return Err(AddressError::Hidden);
        }
        let (local, domain) = address.rsplit_once('@').ok_or(AddressError::NoAt)?;
        let read = Self {
            name: name.trim().to_owned(),
            local: read_local(local)?,
            domain: read_domain(domain)?,
        };
        match read.address().len() {
            0..=MAX_ADDRESS => Ok(read),
            bytes => Err(AddressError::Long(bytes)),
        }
    }

    /// The name; empty if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands before the @, without quotes.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// What stands after the @.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `local@domain`, with quotes around the first part if it needs them.
    #[must_use]
    pub fn address(&self) -> String {
        match is_dot_atom(&self.local) {
            true => format!("{}@{}", self.local, self.domain),
            false => format!("\"{}\"@{}", self.local, self.domain),
        }
    }

    /// The address in lower case, to compare: providers that tell `Ann@` from `ann@` are unknown.
    #[must_use]
    pub fn key(&self) -> String {
        self.address().to_lowercase()
    }

    /// Whether both are the same mailbox.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// Whether a mail server writes from it: bounces and notices, never a person.
    #[must_use]
    pub fn is_mail_system(&self) -> bool {
        let local = self.local.to_lowercase();
        let first = local.split(['+', '-', '_', '.', '=']).next();
        let word = squeeze(&local);
        word == "mailerdaemon"
            || word == "postmaster"
            || matches!(first, Some("bounce" | "bounces"))
            // `MicrosoftExchange` and the id of the server.
            || (word.starts_with("microsoftexchange") && word.len() > 40)
    }

    /// Whether its name says that nobody reads what is sent to it.
    #[must_use]
    pub fn is_unattended(&self) -> bool {
        const NAMES: [&str; 16] = [
            "noreply",
            "donotreply",
            "dontreply",
            "noresponse",
            "neverreply",
            "nichtantworten",
            "nepasrepondre",
            "nichtbeantworten",
            "keineantwort",
            "noresponder",
            "noresponda",
            "nonrispondere",
            "naoresponda",
            "nietbeantwoorden",
            "nietantwoorden",
            "unmonitored",
        ];
        let word = squeeze(&self.local.to_lowercase());
        let named = |name: &str| word.starts_with(name) || word.ends_with(name);
        NAMES.iter().any(|name| named(name)) || self.is_mail_system()
    }

    /// For a person and for a header: with the name only if it could not be taken for another
    /// address or recipient.
    #[must_use]
    pub fn with_plain_name(&self) -> String {
        let plain = |c: char| c.is_alphanumeric() || " .-'".contains(c);
        if self.name.is_empty() || self.name.chars().count() > 60 || !self.name.chars().all(plain) {
            return self.address();
        }
        format!("{} <{}>", self.name, self.address())
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.is_empty() {
            true => f.write_str(&self.address()),
            false => write!(f, "{} <{}>", self.name, self.address()),
        }
    }
}

/// Letters and digits alone: `no-reply` and `no_reply` are one word.
fn squeeze(local: &str) -> String {
    local.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The characters of an atom (RFC 5322, 3.2.3, and RFC 6532), and the dot between them.
fn is_atom(c: char) -> bool {
    match c {
        '.' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        c => !c.is_whitespace(),
    }
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty()) && local.chars().all(is_atom)
}

/// The part before the @ without its quotes.
fn read_local(local: &str) -> Result<String, AddressError> {
    let local = local.trim();
    let quoted = local
        .strip_prefix('"')
        .and_then(|local| local.strip_suffix('"'));
    // Inside quotes blanks and separators are fine; without them a sender's program forgot them.
    let fits = |c: char| match quoted {
        Some(_) => is_atom(c) || " @,;:()[]".contains(c),
        None => is_atom(c) || ":[]".contains(c),
    };
    let content = quoted.unwrap_or(local);
    if content.trim().is_empty() {
        return Err(AddressError::NoLocal);
    }
    if !content.chars().all(fits) {
        return Err(AddressError::Local);
    }
    // The quotes count, where they are needed.
    let bytes = content.len() + if is_dot_atom(content) { 0 } else { 2 };
    match bytes {
        0..=MAX_LOCAL => Ok(content.to_string()),
        _ => Err(AddressError::LongLocal(bytes)),
    }
}

/// The domain without the dot that ends it.
fn read_domain(domain: &str) -> Result<String, AddressError> {
    let domain = domain.trim();
    if domain.starts_with('[') {
        return Err(AddressError::Literal);
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c == '-' || c.is_alphanumeric() || is_mark(c))
    };
    match domain.split('.').all(is_label) {
        true => Ok(domain.to_owned()),
        false => Err(AddressError::Domain),
    }
}

/// Marks beyond ASCII are part of the letters of many scripts; whether they fit is for IDNA to say.
fn is_mark(c: char) -> bool {
    !c.is_ascii() && !c.is_whitespace() && !c.is_control()
}

/// The address of `Name <local@domain>`, or of one alone, in lower case, whether a mail can go there or
/// not: to compare what was read elsewhere. What a mail is sent to is a [`MailAddress`].
#[must_use]
pub fn bare_address(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'));
    inner.map_or(text, |(_, address)| address).to_lowercase()
}

/// A Message-ID without its brackets, if it can be named again in a header: as it came, or not at
/// all. What senders write there is often no Message-ID by RFC 5322; programs compare it as it is.
#[must_use]
pub fn message_id(text: &str) -> Option<&str> {
    let id = text.trim().trim_start_matches('<').trim_end_matches('>');
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'<' && byte != b'>';
    ((1..=MAX_MESSAGE_ID).contains(&id.len()) && id.bytes().all(fits)).then_some(id)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<(String, String), AddressError> {
        MailAddress::parse(text).map(|read| (read.name().to_owned(), read.address()))
    }

    #[test]
    fn parse_ordinary_forms_are_read() {
        for (text, name, address) in [
            ("a@b.test", "", "a@b.test"),
            ("Owner <owner@example.test>", "Owner", "owner@example.test"),
            (
                "\"Miller, Ann\" <ann+x@example.co.test>",
                "Miller, Ann",
                "ann+x@example.co.test",
            ),
            (
                "Jörg Ärmel <j.ä@bücher.test>",
                "Jörg Ärmel",
                "j.ä@bücher.test",
            ),
            ("<x@localhost>", "", "x@localhost"),
            ("b@y.test <a@x.test>", "b@y.test", "a@x.test"),
            ("Ada <b@y.test> <a@x.test>", "Ada <b@y.test>", "a@x.test"),
            (
                "\"Ada \\\"Al\\\" L\" <a@x.test>",
                "Ada \"Al\" L",
                "a@x.test",
            ),
            ("o'neil=x/y@a-b.test", "", "o'neil=x/y@a-b.test"),
        ] {
            assert_eq!(read(text), Ok((name.into(), address.into())), "{text}");
        }
    }

    /// Phones of some providers have such addresses, and a mail to them needs the quotes.
    #[test]
    fn parse_local_part_that_needs_quotes_gets_them() {
        for (text, address, local) in [
            (
                "ken..sato.@phone.test",
                "\"ken..sato.\"@phone.test",
                "ken..sato.",
            ),
            (".ken@phone.test", "\".ken\"@phone.test", ".ken"),
            (
                "\"ken sato\"@phone.test",
                "\"ken sato\"@phone.test",
                "ken sato",
            ),
            (
                "K <\"ken sato\"@phone.test>",
                "\"ken sato\"@phone.test",
                "ken sato",
            ),
            ("\"ken\"@phone.test", "ken@phone.test", "ken"),
            ("\"a@b\"@c.test", "\"a@b\"@c.test", "a@b"),
            ("a:b@c.test", "\"a:b\"@c.test", "a:b"),
            ("ann@client.test.", "ann@client.test", "ann"),
        ] {
            let read = MailAddress::parse(text).unwrap();
            assert_eq!(
                (read.address(), read.local()),
                (address.into(), local),
                "{text}"
            );
            assert_eq!(
                MailAddress::parse(&read.address()).unwrap().address(),
                address
            );
        }
    }

    #[test]
    fn parse_of_no_address_says_why() {
        let long = format!("{}@b.test", "a".repeat(65));
        let whole = format!("a@{}.test", [["b"; 60].concat().as_str(); 5].join("."));
        for (text, why) in [
            ("", "there is no @ in it"),
            ("Ada", "there is no @ in it"),
            ("a@", "the part after the @ is not a domain"),
            ("@b", "nothing stands before the @"),
            ("\"\"@b", "nothing stands before the @"),
            (
                "a b@c.test",
                "the part before the @ has characters that are not allowed",
            ),
            (
                "a@b@c.test",
                "the part before the @ has characters that are not allowed",
            ),
            (
                "a@b.test, c@d.test",
                "the part before the @ has characters that are not allowed",
            ),
            ("\"a<b\"@c.test", "the closing > is missing"),
            (
                "a\"b@c.test",
                "the part before the @ has characters that are not allowed",
            ),
            ("a@b..c", "the part after the @ is not a domain"),
            ("a@b..", "the part after the @ is not a domain"),
            ("a@-b.test", "the part after the @ is not a domain"),
            ("a@b_c.test", "the part after the @ is not a domain"),
            (
                "a@[192.0.2.7]",
                "an IP address stands in place of the domain",
            ),
            ("X <a@c.test", "the closing > is missing"),
            (
                "a@b.test> SIZE=1 <c@d.test x>",
                "the part after the @ is not a domain",
            ),
            (
                "a@c.test\r\nBcc: x@y.test",
                "there is a control character in it, or one that is not seen",
            ),
            (
                "a\u{200B}@c.test",
                "there is a control character in it, or one that is not seen",
            ),
            (
                &long,
                "the part before the @ has 65 bytes, and mail allows 64",
            ),
            (&whole, "it has 311 bytes, and mail allows 254"),
        ] {
            let error = MailAddress::parse(text).unwrap_err();
            assert_eq!(error.to_string(), why, "{text}");
        }
    }

    #[test]
    fn with_plain_name_drops_a_name_like_an_address() {
        for (text, shown) in [
            (
                "Ada Lovelace <ada@example.test>",
                "Ada Lovelace <ada@example.test>",
            ),
            ("ada@example.test", "ada@example.test"),
            ("\"boss@corp.test\" <x@evil.test>", "x@evil.test"),
            ("a, b <x@evil.test>", "x@evil.test"),
        ] {
            assert_eq!(MailAddress::parse(text).unwrap().with_plain_name(), shown);
        }
    }

    #[test]
    fn is_same_ignores_name_and_case() {
        let [a, b, c] = ["Ada <Ada@x.TEST>", "ada@X.test", "ada@x.test.org"]
            .map(|text| MailAddress::parse(text).unwrap());
        assert!(a.is_same(&b) && !a.is_same(&c));
    }

    #[test]
    fn is_unattended_by_the_name_alone() {
        let is = |local: &str| {
            let address = MailAddress::parse(&format!("{local}@x.test")).unwrap();
            (address.is_unattended(), address.is_mail_system())
        };
        for local in [
            "no-reply",
            "noreply",
            "No_Reply",
            "do-not-reply",
            "orders-noreply",
            "noreply+x1",
        ] {
            assert_eq!(is(local), (true, false), "{local}");
        }
        for local in [
            "mailer-daemon",
            "MAILER-DAEMON",
            "postmaster",
            "bounces+12=a.test",
            "bounce-1",
            "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e",
        ] {
            assert_eq!(is(local), (true, true), "{local}");
        }
        for local in [
            "nora",
            "replyall",
            "bouncer",
            "noah.reply",
            "reply+abc",
            "microsoftexchange-team",
        ] {
            assert_eq!(is(local), (false, false), "{local}");
        }
    }

    #[test]
    fn message_id_is_copied_or_left_out() {
        for (text, id) in [
            ("<1@x>", Some("1@x")),
            ("20441CAE-AC6C", Some("20441CAE-AC6C")),
            ("<a,b@c>", Some("a,b@c")),
            ("<a@>", Some("a@")),
            ("<a@b@c>", Some("a@b@c")),
            ("<a@[192.0.2.7]>", Some("a@[192.0.2.7]")),
            ("<a@b>>", Some("a@b")),
            ("../../etc@x", Some("../../etc@x")),
            ("", None),
            ("<>", None),
            ("a b@c", None),
            ("a\nb@c", None),
            ("ä@b", None),
            ("a>b<c@d", None),
        ] {
            assert_eq!(message_id(text), id, "{text}");
        }
        assert_eq!(message_id(&"a".repeat(301)), None);
    }

    proptest! {
        #[test]
        fn parse_of_any_text_is_refused_or_reads_back(
            text in prop_oneof![any::<String>(), "[a-z.@<>\" ,;:()\\\\ü-]{0,30}@[a-z.ü-]{0,12}>?"]
        ) {
            if let Ok(address) = MailAddress::parse(&text) {
                let again = MailAddress::parse(&address.address()).unwrap();
                prop_assert_eq!(again.address(), address.address());
                let unsafe_signs: Vec<char> =
                    address.address().chars().filter(|c| "<>\r\n".contains(*c)).collect();
                prop_assert!(unsafe_signs.is_empty());
                prop_assert!(MailAddress::parse(&address.with_plain_name()).unwrap().is_same(&address));
            }
        }
    }
}
