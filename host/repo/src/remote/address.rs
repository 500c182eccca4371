//! [`Address`]: which remotes are spoken to at all.
//!
//! Invariants: every address in use is authenticated and encrypted, or does not leave this
//! machine; it holds no secret; it cannot be read as an option of git or of ssh; git, ssh and
//! Platinum read the same host in it, because a part that they could read differently is
//! refused.

use std::{fmt, net::IpAddr, path::PathBuf};

/// Longest address that is read.
const MAX_BYTES: usize = 2048;
/// How the tokens begin that the common forges give out: as a user name they would appear in
/// logs and process lists.
const TOKENS: &[&str] = &[
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "ATBB",
    "ATCTT",
];
/// No user name is this long; tokens are.
const MAX_USER: usize = 39;

/// The address of a remote, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    way: Way,
}

/// How a remote is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// A folder on this machine.
    Folder(PathBuf),
    /// Git's own daemon, on this machine.
    Daemon,
    /// Git over ssh; the path is as the shell of the other side reads it.
    Ssh(Site),
    /// Git over http, on this machine.
    Http,
    /// Git over https.
    Https,
}

/// A host, and what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) user: Option<String>,
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing at all.
    #[error("the remote's address is empty")]
    Empty,
    /// Longer than any address is.
    #[error("the remote's address is {0} bytes long; {MAX_BYTES} is the most")]
    TooLong(usize),
    /// Git would read it as two words, or a person would not see it. Not shown: it may hold a secret.
    #[error("the remote's address has {0} in it; give the repository a name without")]
    Character(&'static str),
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
    /// A token in the place of the user's name.
    #[error(
        "the user name in the address of `{0}` looks like a token; give it to git's credential helper instead"
    )]
    Token(String),
    /// Secrets hide there, and no repository needs it.
    #[error("the address of `{0}` has a `?` or a `#`; leave out what follows it")]
    Query(String),
    /// A path that depends on the current folder.
    #[error("`{0}` is a relative path; use an absolute one, https:// or ssh://")]
    RelativePath(String),
    /// A protocol that is not in the list.
    #[error("unsupported protocol `{0}`; use https://, ssh:// or user@host:path")]
    Protocol(String),
    /// No host where one is needed.
    #[error("`{0}` names no host")]
    NoHost(String),
    /// Git, ssh and Platinum might read different hosts in it.
    #[error(
        "`{0}` is no user, host or port; they have letters, digits, `.`, `-` and `_` (an IPv6 address stands in brackets)"
    )]
    Authority(String),
}

impl Address {
    /// Checks and takes the text.
    ///
    /// # Errors
    /// Says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(AddressError::TooLong(text.len()));
        }
        let odd = text.chars().find(|c| c.is_control() || c.is_whitespace());
        if let Some(odd) = odd {
            let what = match odd {
                ' ' => "a blank",
                odd if odd.is_whitespace() => "a tab, a line break or the like",
                _ => "a control character",
            };
            return Err(AddressError::Character(what));
        }
        if text.starts_with('-') {
            return Err(AddressError::Option(shown(text)));
        }
        let way = match text.split_once("://") {
            _ if text.starts_with('/') => Way::Folder(text.into()),
            Some((scheme, rest)) => with_scheme(text, scheme, rest)?,
            None => short(text)?,
        };
        Ok(Self {
            text: text.to_owned(),
            way,
        })
    }

    /// The text for git's client.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one protocol git's client may use, whatever its configuration rewrites.
    pub(crate) fn protocol(&self) -> &'static str {
        match self.way {
            Way::Folder(_) => "file",
            Way::Daemon => "git",
            Way::Ssh(_) => "ssh",
            Way::Http => "http",
            Way::Https => "https",
        }
    }

    /// How it is reached.
    pub(crate) fn way(&self) -> &Way {
        &self.way
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

/// `scheme://[user@]host[:port]/path`.
fn with_scheme(text: &str, scheme: &str, rest: &str) -> Result<Way, AddressError> {
    if scheme == "file" {
        return match rest.starts_with('/') {
            true => Ok(Way::Folder(rest.into())),
            false => Err(AddressError::RelativePath(shown(text))),
        };
    }
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let site = site(authority, path)?;
    let way = match scheme {
        "https" => Way::Https,
        "ssh" => Way::Ssh(Site {
            // `ssh://host/~/vault.git` is below the home of the user who logs in.
            path: match path.strip_prefix("/~") {
                Some(_) => path[1..].to_owned(),
                None => path.to_owned(),
            },
            ..site
        }),
        "http" | "git" if !is_loopback(&site.host) => {
            return Err(AddressError::Plain(format!("{scheme}://{}", site.host)));
        }
        "http" => Way::Http,
        "git" => Way::Daemon,
        other => return Err(AddressError::Protocol(other.chars().take(32).collect())),
    };
    if !matches!(way, Way::Ssh(_)) && path.contains(['?', '#']) {
        return Err(AddressError::Query(authority.to_owned()));
    }
    Ok(way)
}

/// `[user@]host:path`, which is ssh.
fn short(text: &str) -> Result<Way, AddressError> {
    let (authority, path) = match text.split_once(':') {
        // `ext::sh -c …` runs a program.
        Some((helper, rest)) if rest.starts_with(':') => {
            return Err(AddressError::Protocol(helper.to_owned()));
        }
        Some((host, path)) if !host.contains('/') && !path.is_empty() => (host, path),
        _ => return Err(AddressError::RelativePath(shown(text))),
    };
    // `user:password@host:path` is read as a host `user` by git; it was meant otherwise.
    if let Some((_, host)) = path.split('/').next().unwrap_or_default().split_once('@') {
        let host = host.split(':').next().unwrap_or_default();
        return Err(AddressError::Password(host.to_owned()));
    }
    Ok(Way::Ssh(site(authority, path)?))
}

fn site(authority: &str, path: &str) -> Result<Site, AddressError> {
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port, v6) = match host_port.strip_prefix('[') {
        Some(inner) => {
            let (host, after) = inner
                .split_once(']')
                .ok_or_else(|| AddressError::Authority(shown(host_port)))?;
            (host, after, true)
        }
        None => {
            let (host, port) = host_port.split_at(host_port.find(':').unwrap_or(host_port.len()));
            (host, port, false)
        }
    };
    if host.is_empty() {
        return Err(AddressError::NoHost(shown(authority)));
    }
    if let Some(part) = [Some(host), user]
        .into_iter()
        .flatten()
        .find(|part| part.starts_with('-'))
    {
        return Err(AddressError::Option(shown(part)));
    }
    if user.is_some_and(|user| user.contains(':') || user.to_ascii_lowercase().contains("%3a")) {
        return Err(AddressError::Password(host.to_owned()));
    }
    let plain = |part: &str, more: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c) || more.contains(c);
        match part.chars().all(fits) {
            true => Ok(()),
            false => Err(AddressError::Authority(shown(part))),
        }
    };
    match v6 {
        true if host.parse::<std::net::Ipv6Addr>().is_err() => {
            return Err(AddressError::Authority(shown(host)));
        }
        true => {}
        false => plain(host, "")?,
    }
    if let Some(user) = user {
        plain(user, "+~")?;
        if user.len() > MAX_USER || TOKENS.iter().any(|token| user.starts_with(token)) {
            return Err(AddressError::Token(host.to_owned()));
        }
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => Some(
            digits
                .parse::<u16>()
                .ok()
                .filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
                .ok_or_else(|| AddressError::Authority(shown(digits)))?,
        ),
        None if port.is_empty() => None,
        None => return Err(AddressError::Authority(shown(host_port))),
    };
    Ok(Site {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        path: path.to_owned(),
    })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_encrypted_or_local_is_accepted() {
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
            ("ssh://me@[::1]:2222/~/vault.git", "ssh"),
            ("https://example.test:8443/a%20b/vault.git", "https"),
        ] {
            assert_eq!(Address::parse(good).unwrap().protocol(), protocol, "{good}");
        }
    }

    #[test]
    fn address_other_is_refused_with_the_reason() {
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
            ("ext::sh", "unsupported protocol"),
            ("ftp://example.test/v", "unsupported protocol"),
            ("https:///v", "names no host"),
            ("", "empty"),
            (
                "https://example.test/\nv",
                "has a tab, a line break or the like",
            ),
            ("https://example.test/\u{7}v", "has a control character"),
            ("/srv/my vault.git", "has a blank in it"),
        ] {
            assert!(reason(bad).contains(part), "{bad:?}: {}", reason(bad));
        }
    }

    #[test]
    fn address_ambiguous_host_is_refused() {
        for bad in [
            "http://[::1]evil.example/v",
            "http://[::1%25eth0]/v",
            "http://127.0.0.1\\@evil.example/v",
            "http://evil.example\\@127.0.0.1/v",
            "https://exam%70le.test/v",
            "https://example.test:44x/v",
            "https://example.test:/v",
            "git://127.0.0.1:+1/v",
            "https://exämple.test/v",
            "ssh://a b@host/v",
            "me$(id)@host:v",
            "host;id:v",
            "[host:v",
        ] {
            let refused = Address::parse(bad).unwrap_err();
            assert!(
                matches!(
                    refused,
                    AddressError::Authority(_)
                        | AddressError::Character(..)
                        | AddressError::Plain(_)
                        | AddressError::RelativePath(_)
                ),
                "{bad}: {refused:?}"
            );
        }
        // Loopback is the literal address or `localhost`, never a name that may lead elsewhere.
        for name in [
            "127.1",
            "0x7f.1",
            "localhost.",
            "local.test",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
        ] {
            for scheme in ["http", "git"] {
                let refused = Address::parse(&format!("{scheme}://{name}/v")).unwrap_err();
                assert!(
                    matches!(refused, AddressError::Plain(_)),
                    "{name}: {refused:?}"
                );
            }
        }
    }

    #[test]
    fn address_with_a_secret_is_refused() {
        let reason = |text: &str| Address::parse(text).unwrap_err().to_string();
        assert_eq!(
            reason("https://ghp_0123456789abcdef@github.com/me/v.git"),
            "the user name in the address of `github.com` looks like a token; give it to git's \
             credential helper instead"
        );
        assert!(reason(&format!("https://{}@h/v", "a".repeat(40))).contains("looks like a token"));
        assert_eq!(
            reason("https://example.test/v.git?private_token=x"),
            "the address of `example.test` has a `?` or a `#`; leave out what follows it"
        );
        for hidden in [
            "https://me:s3cret@example.test/v",
            "https://me%3As3cret@example.test/v",
            "me:s3cret@example.test:v.git",
            "ssh://me:s3cret@example.test/v",
        ] {
            let message = reason(hidden);
            assert!(message.contains("holds a password"), "{hidden}: {message}");
            assert!(!message.contains("s3cret"), "{message}");
        }
    }

    /// The parts of an address are what git takes them for.
    #[test]
    fn address_parts_match_gits_reading() {
        let ssh = |text: &str| match Address::parse(text).unwrap().way() {
            Way::Ssh(site) => site.clone(),
            other => panic!("{other:?}"),
        };
        let site = ssh("ssh://me@host:2222/~/vault.git");
        assert_eq!((site.user.as_deref(), site.port), (Some("me"), Some(2222)));
        assert_eq!(
            (site.host.as_str(), site.path.as_str()),
            ("host", "~/vault.git")
        );
        let site = ssh("host:notes/vault.git");
        assert_eq!((site.user, site.port), (None, None));
        assert_eq!(site.path, "notes/vault.git");
        assert_eq!(ssh("ssh://host/srv/v.git").path, "/srv/v.git");
    }
}
