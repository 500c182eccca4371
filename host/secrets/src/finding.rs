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

    /// Whether an owner may allow it.
    pub fn is_allowable(self) -> bool {
        Self::ALLOWABLE.contains(&self.as_str())
    }

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

impl Finding {
    /// The line it is in, if it is in one.
    pub const fn line(&self) -> Option<usize> {
        match self.place {
            Place::Line(line) => Some(line),
            _ => None,
        }
    }

    /// The sentence for the owner of the note at a path, with the command that allows it there.
    pub fn at(&self, path: &str) -> String {
        let target = match self.place {
            Place::Line(line) if self.kind.is_allowable() => format!("{path}:{line}"),
            Place::Archive if self.kind.is_allowable() => path.to_owned(),
            _ => return self.to_string(),
        };
        let is_plain = |c: char| c.is_alphanumeric() || "/._:-".contains(c);
        let target = match target.chars().all(is_plain) {
            true => target,
            false => format!("'{}'", target.replace('\'', r"'\''")),
        };
        let mut text = String::new();
        // A string takes everything.
        self.write(&mut text).ok();
        format!("{text} (if it is no secret: platinum allow {target})")
    }

    fn write(&self, f: &mut impl fmt::Write) -> fmt::Result {
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
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)?;
        if self.kind.is_allowable() {
            write!(
                f,
                " (if it is no secret, allow `{}` under [secrets] in the configuration)",
                self.kind.as_str()
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
            finding.at("Inbox/a.md"),
            "line 12 holds an access token (GitHub); take it out, and the file is synced by itself (if it is no secret: platinum allow Inbox/a.md:12)"
        );
        assert!(
            finding
                .at("Inbox/Ann's list.md")
                .ends_with(r"(if it is no secret: platinum allow 'Inbox/Ann'\''s list.md:12')")
        );
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
