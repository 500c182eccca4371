//! [`Signers`]: whose signatures count, in git's own format of allowed signers.
//!
//! A line is `<agent>@<role>.platinum.invalid namespaces="git" ssh-ed25519 AAAA…`. An agent may
//! have several keys; a key has one agent.
//! Invariant: what is not understood in full is an error with its line, never passed over: an
//! option that narrows a key elsewhere would widen it here.

use std::{fmt, str::FromStr};

use git2::Oid;
use platinum_core::{AgentName, Member};

use super::{NAMESPACE, PublicKey};
use crate::Repo;

/// What the mail addresses of our signers end in; `.invalid` is reserved (RFC 2606).
const DOMAIN: &str = "platinum.invalid";
/// More keys than this are refused.
const MAX_SIGNERS: usize = 1000;

/// Why a text is no list of signers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the allowed signers: {what}")]
pub struct SignersError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// One key and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The agent.
    pub agent: AgentName,
    /// As what it signs.
    pub role: Member,
    /// Its key.
    pub key: PublicKey,
}

/// The name that git knows an agent by, as signer and as author of its commits.
pub fn signer_mail(agent: &AgentName, role: impl Into<Member>) -> String {
    let role = role.into();
    format!("{agent}@{role}.{DOMAIN}")
}

impl fmt::Display for Signer {
    /// The line of the list, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mail = signer_mail(&self.agent, self.role);
        write!(f, "{mail} namespaces=\"{NAMESPACE}\" {}", self.key)
    }
}

impl FromStr for Signer {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let shown = |text: &str| -> String { text.escape_debug().take(80).collect() };
        let mut words = line.split_ascii_whitespace();
        let (Some(mail), Some(second)) = (words.next(), words.next()) else {
            return Err(format!(
                "`{}` is not `<agent>@<role>.{DOMAIN} ssh-ed25519 <key>`",
                shown(line)
            ));
        };
        let (agent, role) = principal(mail).ok_or_else(|| {
            format!(
                "`{}` is not `<agent>@cloud.{DOMAIN}`, `<agent>@local.{DOMAIN}` or \
                 `<name>@device.{DOMAIN}`",
                shown(mail)
            )
        })?;
        let is_option = second.contains('=') && !second.starts_with("ssh-");
        let kind = if is_option {
            if second != format!("namespaces=\"{NAMESPACE}\"") {
                return Err(format!(
                    "the option `{}` is not known here; namespaces=\"{NAMESPACE}\" alone is",
                    shown(second)
                ));
            }
            words.next().unwrap_or_default()
        } else {
            second
        };
        let key = format!("{kind} {}", words.next().unwrap_or_default());
        let key = key
            .parse::<PublicKey>()
            .map_err(|error| error.to_string())?;
        Ok(Self { agent, role, key })
    }
}

fn principal(mail: &str) -> Option<(AgentName, Member)> {
    let (agent, domain) = mail.split_once('@')?;
    let role = domain.strip_suffix(DOMAIN)?.strip_suffix('.')?;
    Some((agent.parse().ok()?, role.parse().ok()?))
}

/// A key that is no longer trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// Whose it was.
    pub signer: Signer,
    /// The last commit, with all before it, up to which its signatures count.
    pub at: Oid,
}

/// How the line of one begins.
const RETIRED: &str = "# retired at ";

impl fmt::Display for Retired {
    /// The line of the list, without its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{RETIRED}{}: {}", self.at, self.signer)
    }
}

impl FromStr for Retired {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let parts = line
            .strip_prefix(RETIRED)
            .and_then(|rest| rest.split_once(": "));
        let read = parts.and_then(|(at, signer)| Some((Repo::oid(at).ok()?, signer)));
        let Some((at, signer)) = read else {
            return Err(format!(
                "`{}` is not `{RETIRED}<commit>: <line>`",
                line.escape_debug().take(80).collect::<String>()
            ));
        };
        let signer = signer.parse()?;
        Ok(Self { signer, at })
    }
}

/// Everybody whose signature counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signers {
    now: Vec<Signer>,
    retired: Vec<Retired>,
}

impl Signers {
    /// Reads a list; empty lines and those that start with `#` are passed over, but for those of
    /// retired keys.
    ///
    /// # Errors
    /// With the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, SignersError> {
        let mut signers = Self::default();
        for (at, line) in text.lines().enumerate() {
            let wrong = |what: String| SignersError { line: at + 1, what };
            let line = line.trim();
            if line.starts_with(RETIRED.trim_end()) {
                let retired: Retired = line.parse().map_err(wrong)?;
                signers.is_free(&retired.signer.key).map_err(wrong)?;
                signers.retired.push(retired);
                continue;
            }
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let signer = line.parse().map_err(wrong)?;
            signers.add(signer).map_err(wrong)?;
        }
        Ok(signers)
    }

    /// Adds one; answers whether it was new.
    ///
    /// # Errors
    /// If the key is another's already, or was retired.
    pub fn add(&mut self, signer: Signer) -> Result<bool, String> {
        if self.of(&signer.key) == Some(&signer) {
            return Ok(false);
        }
        self.is_free(&signer.key)?;
        self.now.push(signer);
        Ok(true)
    }

    fn is_free(&self, key: &PublicKey) -> Result<(), String> {
        let of = |signer: &Signer| signer_mail(&signer.agent, signer.role);
        let print = key.fingerprint();
        match (self.of(key), self.retired(key)) {
            (Some(known), _) => Err(format!("the key {print} is that of {} already", of(known))),
            (None, Some(old)) => Err(format!(
                "the key {print} was that of {} and is no longer trusted",
                of(&old.signer)
            )),
            (None, None) if self.now.len() + self.retired.len() >= MAX_SIGNERS => Err(format!(
                "more than {MAX_SIGNERS} keys; remove those that are not in use"
            )),
            (None, None) => Ok(()),
        }
    }

    /// Takes away those that `gone` names, as if they had never been there.
    pub fn remove(&mut self, gone: impl Fn(&Signer) -> bool) {
        self.now.retain(|signer| !gone(signer));
    }

    /// Forgets that a key was retired: it may be added again.
    pub fn restore(&mut self, key: &PublicKey) {
        self.retired.retain(|retired| retired.signer.key != *key);
    }

    /// Takes away those that `gone` names; what they signed up to a commit still counts. Answers
    /// who that was.
    pub fn retire(&mut self, gone: impl Fn(&Signer) -> bool, at: Oid) -> Vec<Signer> {
        let (gone, stay): (Vec<_>, Vec<_>) = std::mem::take(&mut self.now)
            .into_iter()
            .partition(|signer| gone(signer));
        self.now = stay;
        let retired = gone.iter().cloned().map(|signer| Retired { signer, at });
        self.retired.extend(retired);
        gone
    }

    /// Whose key it is.
    pub fn of(&self, key: &PublicKey) -> Option<&Signer> {
        self.now.iter().find(|signer| signer.key == *key)
    }

    /// Whose key it was.
    pub fn retired(&self, key: &PublicKey) -> Option<&Retired> {
        self.retired
            .iter()
            .find(|retired| retired.signer.key == *key)
    }

    /// All that count now, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.now.iter()
    }
}

impl fmt::Display for Signers {
    /// The file, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.now
            .iter()
            .try_for_each(|signer| writeln!(f, "{signer}"))?;
        self.retired
            .iter()
            .try_for_each(|retired| writeln!(f, "{retired}"))
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::Role;
    use proptest::prelude::*;

    use super::*;
    use crate::SigningKey;

    fn signer(agent: &str, role: Role, seed: u8) -> Signer {
        Signer {
            agent: agent.parse().unwrap(),
            role: role.into(),
            key: SigningKey::from_seed([seed; 32]).unwrap().public(),
        }
    }

    #[test]
    fn signers_list_round_trips() {
        let mut signers = Signers::default();
        for (agent, role, seed) in [
            ("local", Role::Local, 1),
            ("cloud", Role::Cloud, 2),
            ("cloud", Role::Cloud, 3),
        ] {
            assert_eq!(signers.add(signer(agent, role, seed)), Ok(true));
        }
        assert_eq!(signers.add(signer("cloud", Role::Cloud, 2)), Ok(false));
        let text = format!("# who we are\n\n{signers}");
        assert_eq!(Signers::parse(&text), Ok(signers.clone()));
        let key = signer("cloud", Role::Cloud, 3).key;
        assert_eq!(signers.of(&key).unwrap().agent.as_str(), "cloud");
        assert_eq!(signers.of(&signer("x", Role::Cloud, 9).key), None);
    }

    /// A retired key stays in the list with the commit it counts up to.
    #[test]
    fn signers_retired_key_keeps_its_last_commit() {
        let at = Oid::from_bytes(&[7; 20]).unwrap();
        let old = signer("cloud", Role::Cloud, 2);
        let mut signers = Signers::default();
        signers.add(signer("local", Role::Local, 1)).unwrap();
        signers.add(old.clone()).unwrap();
        let gone = signers.retire(|one| one.agent.as_str() == "cloud", at);
        assert_eq!(gone, std::slice::from_ref(&old));
        assert_eq!(signers.of(&old.key), None);
        let retired = Retired {
            signer: old.clone(),
            at,
        };
        assert_eq!(signers.retired(&old.key), Some(&retired));
        assert_eq!(signers.iter().count(), 1);
        let text = signers.to_string();
        assert!(
            text.ends_with(&format!("\n# retired at {at}: {old}\n")),
            "{text}"
        );
        assert_eq!(Signers::parse(&text), Ok(signers.clone()));
        // It does not come back by accident, as anybody's.
        for again in [old.clone(), signer("cloud-2", Role::Cloud, 2)] {
            let expected = format!(
                "the key {} was that of cloud@cloud.platinum.invalid and is no longer trusted",
                old.key.fingerprint()
            );
            assert_eq!(signers.add(again.clone()), Err(expected.clone()));
            let error = Signers::parse(&format!("# retired at {at}: {old}\n{again}\n"));
            assert_eq!(
                error.unwrap_err().to_string(),
                format!("line 2 of the allowed signers: {expected}")
            );
        }
        signers.restore(&old.key);
        assert_eq!(signers.add(old.clone()), Ok(true));
        let text = format!("{old}\n# retired at {at}: {old}\n");
        assert!(Signers::parse(&text).is_err());
    }

    /// A line of a retired key that cannot be read is no comment.
    #[test]
    fn signers_malformed_retired_line_is_refused() {
        let old = signer("cloud", Role::Cloud, 2);
        for line in [
            "# retired at last".to_owned(),
            format!("# retired at abc: {old}"),
            format!("# retired at {} {old}", "7".repeat(40)),
            format!("# retired at {}: hello", "7".repeat(40)),
        ] {
            assert!(Signers::parse(&line).is_err(), "{line}");
        }
        assert!(Signers::parse("# retired\n#retired at last\n").is_ok());
    }

    #[test]
    fn signers_key_has_one_owner() {
        let mut signers = Signers::default();
        signers.add(signer("local", Role::Local, 1)).unwrap();
        let same = signer("cloud", Role::Cloud, 1);
        let expected = format!(
            "the key {} is that of local@local.platinum.invalid already",
            same.key.fingerprint()
        );
        assert_eq!(signers.add(same.clone()), Err(expected.clone()));
        let text = format!("{signers}{same}\n");
        assert_eq!(
            Signers::parse(&text).unwrap_err().to_string(),
            format!("line 2 of the allowed signers: {expected}")
        );
    }

    #[test]
    fn signers_malformed_line_is_refused() {
        let key = signer("a", Role::Cloud, 1).key;
        for (line, what) in [
            (
                "cloud@cloud.platinum.invalid".to_owned(),
                "`cloud@cloud.platinum.invalid` is not `<agent>@<role>.platinum.invalid \
                 ssh-ed25519 <key>`"
                    .to_owned(),
            ),
            (
                format!("*@cloud.platinum.invalid {key}"),
                "`*@cloud.platinum.invalid` is not `<agent>@cloud.platinum.invalid`, \
                 `<agent>@local.platinum.invalid` or `<name>@device.platinum.invalid`"
                    .to_owned(),
            ),
            (
                format!("a@cloud.platinum.invalid,b@cloud.platinum.invalid {key}"),
                "`a@cloud.platinum.invalid,b@cloud.platinum.invalid` is not \
                 `<agent>@cloud.platinum.invalid`, `<agent>@local.platinum.invalid` or \
                 `<name>@device.platinum.invalid`"
                    .to_owned(),
            ),
            (
                format!("a@owner.platinum.invalid {key}"),
                "`a@owner.platinum.invalid` is not `<agent>@cloud.platinum.invalid`, \
                 `<agent>@local.platinum.invalid` or `<name>@device.platinum.invalid`"
                    .to_owned(),
            ),
            (
                format!("a@cloud.platinum.invalid valid-before=\"2020\" {key}"),
                "the option `valid-before=\\\"2020\\\"` is not known here; namespaces=\"git\" \
                 alone is"
                    .to_owned(),
            ),
            (
                "a@cloud.platinum.invalid ssh-rsa AAAA".to_owned(),
                "`ssh-rsa AAAA` is no ed25519 key as OpenSSH writes one (`ssh-ed25519 AAAA…`)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(line.parse::<Signer>(), Err(what), "{line}");
        }
    }

    proptest! {
        /// No text breaks the reader and what is read is written the same.
        #[test]
        fn signers_any_text_is_refused_or_round_trips(
            text in "[a-z@.#\"= \\n]{0,80}|\\PC{0,80}",
        ) {
            if let Ok(signers) = Signers::parse(&text) {
                prop_assert_eq!(Signers::parse(&signers.to_string()), Ok(signers));
            }
        }
    }
}
