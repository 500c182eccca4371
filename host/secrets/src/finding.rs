//! [`Finding`]: what was found, where, and what to do about it.
//!
//! Invariant: its text is made of words written here and of a line number, never of what was found.

use std::fmt;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A name that programs give to files of secrets; what such a file holds.
    Name(&'static str),
    /// A secret that this machine holds.
    Known,
    /// A private key.
    PrivateKey,
    /// A token; whose.
    Token(&'static str),
    /// A JSON web token.
    Jwt,
    /// A password or its hash.
    Password,
    /// An address with a password in it.
    Connection,
    /// The number of a payment card.
    Card,
    /// The number of a bank account.
    Iban,
    /// The words of a wallet's key.
    SeedPhrase,
}

impl Kind {
    /// The names by which an owner may allow kinds.
    pub const ALLOWABLE: [&'static str; 6] =
        ["card", "connection", "iban", "jwt", "password", "token"];

    /// The kind's name; of a token, without its service.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Name(_) => "name",
            Kind::Known => "known",
            Kind::PrivateKey => "private-key",
            Kind::Token(_) => "token",
            Kind::Jwt => "jwt",
            Kind::Password => "password",
            Kind::Connection => "connection",
            Kind::Card => "card",
            Kind::Iban => "iban",
            Kind::SeedPhrase => "seed-phrase",
        }
    }
}

/// Where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the name of the file.
    Name,
    /// In the name of a folder it is in.
    Folder,
    /// In this line of it, the first being 1.
    Line(usize),
    /// In an archive or a compressed stream in it.
    Archive,
    /// In the message of a commit.
    Message,
}

/// A secret that was found. Displays as a sentence for the owner, without a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Where.
    pub place: Place,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Kind::Name(what) = self.kind {
            return match self.place {
                Place::Folder => write!(
                    f,
                    "a folder it is in has a name that is used for {what}; move that out of the vault, or give the folder another name if it holds none"
                ),
                _ => write!(
                    f,
                    "its name is one that is used for {what}; move it out of the vault, or give it another name if it holds none"
                ),
            };
        }
        match self.place {
            Place::Name | Place::Folder => f.write_str("its name holds ")?,
            Place::Line(line) => write!(f, "line {line} holds ")?,
            Place::Archive => f.write_str("what is compressed in it holds ")?,
            Place::Message => f.write_str("the commit's message holds ")?,
        }
        match self.kind {
            Kind::Name(_) => {}
            Kind::Known => f.write_str("a password or key that this machine uses")?,
            Kind::PrivateKey => f.write_str("a private key")?,
            Kind::Token(service) => write!(f, "an access token ({service})")?,
            Kind::Jwt => f.write_str("a signed web token (JWT)")?,
            Kind::Password => f.write_str("a password")?,
            Kind::Connection => f.write_str("an address with a password in it")?,
            Kind::Card => f.write_str("the number of a payment card")?,
            Kind::Iban => f.write_str("the number of a bank account (IBAN)")?,
            Kind::SeedPhrase => f.write_str("the words of a wallet's key (a seed phrase)")?,
        }
        match self.place {
            Place::Name | Place::Folder => f.write_str("; give the file another name")?,
            Place::Line(_) | Place::Archive => {
                f.write_str("; take it out, and the file is synced by itself")?;
            }
            Place::Message => f.write_str("; write another message")?,
        }
        let name = self.kind.as_str();
        if Kind::ALLOWABLE.contains(&name) {
            write!(
                f,
                " (if it is no secret, allow `{name}` under [secrets] in the configuration)"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finding_message_has_kind_place_and_advice() {
        let finding = Finding {
            kind: Kind::Token("GitHub"),
            place: Place::Line(12),
        };
        assert_eq!(
            finding.to_string(),
            "line 12 holds an access token (GitHub); take it out, and the file is synced by itself (if it is no secret, allow `token` under [secrets] in the configuration)"
        );
        let finding = Finding {
            kind: Kind::Name("private keys"),
            place: Place::Name,
        };
        assert_eq!(
            finding.to_string(),
            "its name is one that is used for private keys; move it out of the vault, or give it another name if it holds none"
        );
        let finding = Finding {
            kind: Kind::Name("bank statements"),
            place: Place::Folder,
        };
        assert_eq!(
            finding.to_string(),
            "a folder it is in has a name that is used for bank statements; move that out of the vault, or give the folder another name if it holds none"
        );
        let finding = Finding {
            kind: Kind::Known,
            place: Place::Message,
        };
        assert_eq!(
            finding.to_string(),
            "the commit's message holds a password or key that this machine uses; write another message"
        );
    }
}
