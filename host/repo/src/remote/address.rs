//! [`Address`]: which remotes are spoken to at all.
//!
//! Invariants: every address in use is authenticated and encrypted, or does not leave this
//! machine; it holds no password; it cannot be read as an option of git or of ssh.

use std::{fmt, net::IpAddr};

/// Longest address that is read.
const MAX_BYTES: usize = 2048;

/// The address of a remote, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    protocol: &'static str,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Empty, too long, or with characters no address has.
    #[error(
        "the remote address is empty, longer than {MAX_BYTES} bytes, or has a blank or control character"
    )]
    Malformed,
    /// Would be read as an option.
    #[error("`{0}` starts with `-`, which git or ssh would read as an option")]
    Option(String),
    /// Neither encrypted nor on this machine.
    #[error(
        "`{0}` is neither encrypted nor authenticated; use https:// or ssh:// (http:// and git:// are for this machine's loopback alone)"
    )]
    Plain(String),
    /// A secret in the address ends up in process lists and logs.
    #[error("the address of `{0}` holds a password; give it to git's credential helper instead")]
    Password(String),
    /// A path that depends on the current folder.
    #[error("`{0}` is a relative path; use an absolute one, https:// or ssh://")]
    RelativePath(String),
    /// A protocol that is not in the list.
    #[error("`{0}` is no protocol this house speaks; use https://, ssh:// or user@host:path")]
    Protocol(String),
    /// No host where one is needed.
    #[error("`{0}` names no host")]
    NoHost(String),
}

impl Address {
    /// Checks and takes the text.
    ///
    /// # Errors
    /// Says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty()
            || text.len() > MAX_BYTES
            || text.chars().any(|c| c.is_control() || c == ' ')
        {
            return Err(AddressError::Malformed);
        }
        let shown = || text.chars().take(200).collect::<String>();
        if text.starts_with('-') {
            return Err(AddressError::Option(shown()));
        }
        let taken = |protocol| {
            Ok(Self {
                text: text.to_owned(),
                protocol,
            })
        };
        if text.starts_with('/') {
            return taken("file");
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text.split_once(':') {
                // `ext::sh -c …` runs a program.
                Some((helper, rest)) if rest.starts_with(':') => {
                    Err(AddressError::Protocol(helper.to_owned()))
                }
                Some((host, path)) if !host.contains('/') && !path.is_empty() => {
                    check_host(host.rsplit('@').next().unwrap_or(host), host)?;
                    taken("ssh")
                }
                _ => Err(AddressError::RelativePath(shown())),
            };
        };
        if scheme == "file" {
            return match rest.starts_with('/') {
                true => taken("file"),
                false => Err(AddressError::RelativePath(shown())),
            };
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (user, host_port) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let host = match host_port.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host_port.split(':').next().unwrap_or_default(),
        };
        check_host(host, user.unwrap_or_default())?;
        if user.is_some_and(|user| user.contains(':')) {
            return Err(AddressError::Password(host.to_owned()));
        }
        match scheme {
            "https" => taken("https"),
            "ssh" => taken("ssh"),
            "http" if is_loopback(host) => taken("http"),
            "git" if is_loopback(host) => taken("git"),
            "http" | "git" => Err(AddressError::Plain(format!("{scheme}://{host}"))),
            other => Err(AddressError::Protocol(other.chars().take(32).collect())),
        }
    }

    /// The text for git's client.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one protocol git's client may use, whatever its configuration rewrites.
    pub(crate) fn protocol(&self) -> &'static str {
        self.protocol
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn check_host(host: &str, user: &str) -> Result<(), AddressError> {
    if host.is_empty() {
        return Err(AddressError::NoHost(host.to_owned()));
    }
    match [host, user].into_iter().find(|part| part.starts_with('-')) {
        Some(part) => Err(AddressError::Option(part.to_owned())),
        None => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encrypted_remotes_and_this_machine_are_taken() {
        for (good, protocol) in [
            ("https://example.test/me/vault.git", "https"),
            ("https://me@example.test:8443/vault.git", "https"),
            ("ssh://git@example.test:2222/vault.git", "ssh"),
            ("git@example.test:me/vault.git", "ssh"),
            ("vault-host:vault.git", "ssh"),
            ("/srv/vault.git", "file"),
            ("file:///srv/vault.git", "file"),
            ("git://127.0.0.1:9418/vault.git", "git"),
            ("http://[::1]:8080/vault.git", "http"),
            ("http://localhost/vault.git", "http"),
        ] {
            assert_eq!(Address::parse(good).unwrap().protocol(), protocol, "{good}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let reason = |text: &str| Address::parse(text).unwrap_err().to_string();
        assert_eq!(
            reason("http://example.test/vault.git"),
            "`http://example.test` is neither encrypted nor authenticated; use https:// or ssh:// \
             (http:// and git:// are for this machine's loopback alone)"
        );
        assert!(reason("git://example.test/v").contains("neither encrypted"));
        assert!(reason("http://127.0.0.1.example.test/v").contains("neither encrypted"));
        assert!(reason("http://127.0.0.1@example.test/v").contains("neither encrypted"));
        assert_eq!(
            reason("../vault.git"),
            "`../vault.git` is a relative path; use an absolute one, https:// or ssh://"
        );
        assert!(reason("vault").contains("relative path"));
        assert!(reason("file://vault").contains("relative path"));
        assert_eq!(
            reason("https://me:secret@example.test/v"),
            "the address of `example.test` holds a password; give it to git's credential helper instead"
        );
        for (bad, part) in [
            ("--upload-pack=touch /tmp/x", "blank"),
            ("-oProxyCommand=x:y", "option"),
            ("ssh://-oProxyCommand=x/y", "option"),
            ("-x@host:path", "option"),
            ("ext::sh", "no protocol"),
            ("ftp://example.test/v", "no protocol"),
            ("https:///v", "names no host"),
            ("", "empty"),
            ("https://example.test/\nv", "control"),
        ] {
            assert!(reason(bad).contains(part), "{bad:?}: {}", reason(bad));
        }
    }
}
