//! [`Identity`]: the key of this host, and whose signatures it trusts.
//!
//! In the state folder: `signing_key` (this user's alone, OpenSSH's format), `signing_key.pub`, and
//! `allowed_signers`, which `git verify-commit` reads as it is. The keys are exchanged by hand, once:
//! [`Identity::line`] is printed by one host and passed to [`Identity::trust`] on the other. A key
//! that is replaced or revoked stays in the list as retired, with the commit it counts up to.
//! Lives elsewhere: the formats are `repo`'s; what a signer may do is `policy`'s.
//! Invariants: the own key always counts, and no other of this host once it has a new one; there is
//! one local host, and no second one is added by accident; a list that cannot be read trusts no key.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use platinum_core::{AgentName, Member, Role};
use platinum_repo::{
    KeyError, Oid, RefName, Repo, Signer, Signers, SignersError, SigningKey, replace_file,
    signer_mail,
};

/// The private key's file in the state folder.
pub const KEY_FILE: &str = "signing_key";
/// The public key's.
pub const PUBLIC_KEY_FILE: &str = "signing_key.pub";
/// The list of those whose signatures count.
pub const SIGNERS_FILE: &str = "allowed_signers";

/// Why an identity cannot be made, read or changed.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The list of signers has a line that is wrong.
    #[error("{path}: {source}")]
    Signers {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SignersError,
    },
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which.
        path: PathBuf,
        /// The error of the system.
        reason: String,
    },
    /// The line to trust is none.
    #[error("not a public-key line as printed by `platinum key` or `platinum-cloud key`: {0}")]
    Line(String),
    /// The remote has to be asked, and cannot be.
    #[error("{0}")]
    Remote(String),
    /// The line must not be trusted, or not without being asked for in so many words.
    #[error("{0}")]
    Refused(String),
}

/// A key that was trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Whose it is.
    pub signer: Signer,
    /// Whether it was not trusted before.
    pub is_new: bool,
    /// Whose keys are no longer trusted.
    pub revoked: Revoked,
}

/// Keys that are not trusted any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Whose they were.
    pub signers: Vec<Signer>,
    /// Up to which commit their signatures still count; none if they count for nothing.
    pub until: Option<Oid>,
}

impl Revoked {
    /// A sentence for each, for the person who asked for it.
    pub fn messages(&self) -> Vec<String> {
        let until = match self.until {
            Some(at) => format!(
                "; what it signed up to commit {at:.12} still counts, and nothing after that"
            ),
            None => String::new(),
        };
        let sentence = |signer: &Signer| {
            let Signer { agent, key, .. } = signer;
            format!(
                "The key {} of {agent} is no longer trusted{until}.",
                key.fingerprint()
            )
        };
        self.signers.iter().map(sentence).collect()
    }
}

impl Trusted {
    /// The sentence for the person who asked for it.
    pub fn message(&self) -> String {
        let Signer { agent, role, key } = &self.signer;
        let since = match self.is_new {
            true => "from now on",
            false => "already",
        };
        let what = match role {
            Member::Host(role) => format!("{role} half"),
            Member::Device => "device".to_owned(),
        };
        format!(
            "The key {} of {agent}, a {what}, is trusted {since}.",
            key.fingerprint()
        )
    }
}

/// The key of this host, and whose signatures it trusts.
#[derive(Debug, Clone)]
pub struct Identity {
    own: Signer,
    key: SigningKey,
    list: List,
}

#[derive(Debug, Clone)]
enum List {
    /// As it was passed in.
    Fixed(Signers),
    /// Read anew each time: a key that is trusted now counts at once.
    File(PathBuf),
}

impl Identity {
    /// An identity that is in no folder. The own key need not be in the list.
    pub fn new(agent: AgentName, role: Role, key: SigningKey, signers: Signers) -> Self {
        Self {
            own: Signer {
                agent,
                role: role.into(),
                key: key.public(),
            },
            key,
            list: List::Fixed(signers),
        }
    }

    /// The identity in a state folder, which is made if there is none. Says so in the log.
    ///
    /// # Errors
    /// If a file is there and cannot be used, or cannot be written.
    pub fn open(state: &Path, agent: &AgentName, role: Role) -> Result<Self, IdentityError> {
        let path = state.join(KEY_FILE);
        let key = match SigningKey::load(&path) {
            Err(KeyError::File { .. }) if !path.exists() => {
                let key = SigningKey::generate()?;
                key.save(&path)?;
                key
            }
            loaded => loaded?,
        };
        let own = Signer {
            agent: agent.clone(),
            role: role.into(),
            key: key.public(),
        };
        let public = format!("{} {}\n", own.key, signer_mail(agent, role));
        write_if_changed(&state.join(PUBLIC_KEY_FILE), &public)?;
        let list = state.join(SIGNERS_FILE);
        let mut signers = read(&list)?;
        if signers.of(&own.key) != Some(&own) {
            // The agent may have been given another name.
            signers.remove(|signer| signer.key == own.key);
            signers.restore(&own.key);
            // Or its key is a new one: what the old one signed counts as far as it was verified.
            let until = verified(&state.join("vault.git"))?;
            let conflicts = |known: &Signer| conflicts_with(known, &own, true);
            for message in retire(&mut signers, conflicts, until).messages() {
                tracing::warn!("This host has a new key. {message}");
            }
            signers.add(own.clone()).map_err(IdentityError::Refused)?;
            write_if_changed(&list, &signers.to_string())?;
        }
        Ok(Self {
            own,
            key,
            list: List::File(list),
        })
    }

    /// The identity in a state folder as it is: nothing is made or changed.
    ///
    /// # Errors
    /// If there is no key yet, or it cannot be read.
    pub fn read(state: &Path, agent: &AgentName, role: Role) -> Result<Self, IdentityError> {
        let key = SigningKey::load(&state.join(KEY_FILE))?;
        Ok(Self {
            own: Signer {
                agent: agent.clone(),
                role: role.into(),
                key: key.public(),
            },
            key,
            list: List::File(state.join(SIGNERS_FILE)),
        })
    }

    /// What this host signs with.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// This host as a signer.
    pub fn own(&self) -> &Signer {
        &self.own
    }

    /// The line that another host has to trust.
    pub fn line(&self) -> String {
        self.own.to_string()
    }

    /// All whose signatures count now, this host among them.
    ///
    /// # Errors
    /// If the list cannot be read: then no signature counts.
    pub fn signers(&self) -> Result<Signers, IdentityError> {
        let mut signers = match &self.list {
            List::Fixed(signers) => signers.clone(),
            List::File(path) => read(path)?,
        };
        signers.remove(|signer| signer.key == self.own.key);
        signers.restore(&self.own.key);
        signers
            .add(self.own.clone())
            .map_err(IdentityError::Refused)?;
        Ok(signers)
    }

    /// Trusts the key of another host, as it shows it itself. With `replace`, keys that stand
    /// against it are no longer trusted, not even for what they signed before.
    ///
    /// # Errors
    /// If the text is no such line, it would make a second local half or give an agent another
    /// role without `replace`, it was trusted before and is no more, or it is this host's own name.
    pub fn trust(&self, line: &str, replace: bool) -> Result<Trusted, IdentityError> {
        self.rotate(line, replace, None)
    }

    /// As [`Identity::trust`]; what the keys signed that stand against it counts up to a commit.
    ///
    /// # Errors
    /// As [`Identity::trust`].
    pub fn rotate(
        &self,
        line: &str,
        replace: bool,
        until: Option<Oid>,
    ) -> Result<Trusted, IdentityError> {
        let path = self.file()?;
        let signer = self.another(line)?;
        let mut signers = read(path)?;
        let conflicts = |known: &Signer| conflicts_with(known, &signer, replace);
        if let Some(known) = signers.iter().find(|known| conflicts(known)) {
            self.check_may_replace(known, &signer, replace)?;
        }
        if replace {
            // The owner asked for it explicitly.
            signers.restore(&signer.key);
        }
        let revoked = retire(&mut signers, conflicts, until);
        let is_new = signers
            .add(signer.clone())
            .map_err(IdentityError::Refused)?;
        write_if_changed(path, &signers.to_string())?;
        Ok(Trusted {
            signer,
            is_new,
            revoked,
        })
    }

    /// Whether trusting a line instead of others would leave keys that are no longer trusted.
    ///
    /// # Errors
    /// If the text is no such line, or the list cannot be read.
    pub fn would_replace(&self, line: &str) -> Result<bool, IdentityError> {
        let signer = self.another(line)?;
        let signers = self.signers()?;
        let mut conflicting = signers
            .iter()
            .filter(|one| conflicts_with(one, &signer, true));
        Ok(conflicting.next().is_some())
    }

    /// Trusts the keys of an agent no more; what they signed counts up to a commit.
    ///
    /// # Errors
    /// If no key of it is trusted, or it is this host.
    pub fn revoke(&self, agent: &AgentName, until: Option<Oid>) -> Result<Revoked, IdentityError> {
        let path = self.file()?;
        let mut signers = read(path)?;
        let is_asked = |known: &Signer| known.agent == *agent && known.key != self.own.key;
        let revoked = retire(&mut signers, is_asked, until);
        if revoked.signers.is_empty() {
            if *agent == self.own.agent {
                return Err(IdentityError::Refused(format!(
                    "`{agent}` is this host itself, and always trusts its own key"
                )));
            }
            return Err(IdentityError::Refused(format!(
                "no key of an agent `{agent}` is trusted here"
            )));
        }
        write_if_changed(path, &signers.to_string())?;
        Ok(revoked)
    }

    fn file(&self) -> Result<&Path, IdentityError> {
        match &self.list {
            List::File(path) => Ok(path),
            List::Fixed(_) => Err(IdentityError::Refused(
                "this identity is in no folder".to_owned(),
            )),
        }
    }

    /// The signer in another host's line.
    fn another(&self, line: &str) -> Result<Signer, IdentityError> {
        let signer: Signer = line.trim().parse().map_err(IdentityError::Line)?;
        if signer == self.own {
            return Err(IdentityError::Refused(
                "this is the line of this host itself; give it the line of the other one"
                    .to_owned(),
            ));
        }
        if signer.agent == self.own.agent {
            return Err(IdentityError::Refused(format!(
                "`{}` is this host's own name; two hosts need two names ([agent] name in the \
                 configuration)",
                signer.agent
            )));
        }
        Ok(signer)
    }

    fn check_may_replace(
        &self,
        known: &Signer,
        new: &Signer,
        replace: bool,
    ) -> Result<(), IdentityError> {
        if known.key == self.own.key {
            return Err(IdentityError::Refused(format!(
                "this host is the local half, and there is one: {} cannot be one too",
                new.agent
            )));
        }
        if replace {
            return Ok(());
        }
        let what = if new.role == Role::Local && known.role == Role::Local {
            format!(
                "{} ({}) is the local half, and there is one: trusting {} ({}) in this role would \
                 let it approve",
                known.agent,
                known.key.fingerprint(),
                new.agent,
                new.key.fingerprint()
            )
        } else {
            format!(
                "{} ({}) is known as {}, not as {}",
                known.agent,
                known.key.fingerprint(),
                known.role,
                new.role
            )
        };
        Err(IdentityError::Refused(format!(
            "{what}; if the old key shall not count any more, say so with --replace"
        )))
    }
}

/// Whether a key that is trusted cannot stay beside a new one.
fn conflicts_with(known: &Signer, new: &Signer, replace: bool) -> bool {
    let two_local = known.role == Role::Local && new.role == Role::Local;
    let same_agent = known.agent == new.agent && (replace || known.role != new.role);
    known.key != new.key && (two_local || same_agent)
}

/// The commit up to which a key counts that counts for nothing: none has this id.
pub(crate) const NOTHING: Oid = Oid::ZERO_SHA1;

fn retire(signers: &mut Signers, which: impl Fn(&Signer) -> bool, until: Option<Oid>) -> Revoked {
    // What counts for nothing stays in the list too: it must not come back by accident.
    let signers = signers.retire(which, until.unwrap_or(NOTHING));
    Revoked { signers, until }
}

/// The last tip that was verified by the host with this repository; none if there is none.
fn verified(git_dir: &Path) -> Result<Option<Oid>, IdentityError> {
    if !git_dir.join("HEAD").exists() {
        return Ok(None);
    }
    Repo::open_or_init(git_dir)
        .and_then(|repo| repo.tip(RefName::Verified))
        .map_err(|error| IdentityError::File {
            path: git_dir.to_owned(),
            reason: error.to_string(),
        })
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    let path = path.to_owned();
    move |error| IdentityError::File {
        path,
        reason: error.to_string(),
    }
}

fn read(path: &Path) -> Result<Signers, IdentityError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed(path)(error)),
    };
    Signers::parse(&text).map_err(|source| IdentityError::Signers {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file, whole or not at all, unless it is so already.
fn write_if_changed(path: &Path, text: &str) -> Result<(), IdentityError> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    // A power failure must not bring a revoked key back.
    replace_file(path, text.as_bytes()).map_err(failed(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &tempfile::TempDir, name: &str, role: Role) -> Identity {
        let state = folder.path().join(name);
        fs::create_dir_all(&state).unwrap();
        Identity::open(&state, &name.parse().unwrap(), role).unwrap()
    }

    #[test]
    fn identity_is_made_once_and_trusts_itself() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(&folder, "local", Role::Local);
        let again = open(&folder, "local", Role::Local);
        assert_eq!(first.line(), again.line());
        let list = fs::read_to_string(folder.path().join("local").join(SIGNERS_FILE)).unwrap();
        assert_eq!(list, format!("{}\n", first.line()));
        assert_eq!(
            again.signers().unwrap().of(&first.own().key),
            Some(first.own())
        );
    }

    #[test]
    fn identities_trust_each_other_after_the_exchange() {
        let folder = tempfile::tempdir().unwrap();
        let local = open(&folder, "local", Role::Local);
        let cloud = open(&folder, "cloud", Role::Cloud);
        assert_eq!(
            local.trust(&cloud.line(), false).unwrap().message(),
            format!(
                "The key {} of cloud, a cloud half, is trusted from now on.",
                cloud.own().key.fingerprint()
            )
        );
        assert_eq!(
            local.trust(&cloud.line(), false).unwrap(),
            Trusted {
                signer: cloud.own().clone(),
                is_new: false,
                revoked: Revoked::default(),
            }
        );
        cloud.trust(&format!(" {}\n", local.line()), false).unwrap();
        for identity in [&local, &cloud] {
            let signers = identity.signers().unwrap();
            assert_eq!(signers.iter().count(), 2);
            assert_eq!(signers.of(&cloud.own().key), Some(cloud.own()));
        }
    }

    #[test]
    fn trust_adds_no_second_local_host_by_accident() {
        let folder = tempfile::tempdir().unwrap();
        let local = open(&folder, "local", Role::Local);
        let cloud = open(&folder, "cloud", Role::Cloud);
        let laptop = open(&folder, "laptop", Role::Local);
        cloud.trust(&local.line(), false).unwrap();
        assert_eq!(
            cloud.trust(&laptop.line(), false).unwrap_err().to_string(),
            format!(
                "local ({}) is the local half, and there is one: trusting laptop ({}) in this role \
                 would let it approve; if the old key shall not count any more, say so with \
                 --replace",
                local.own().key.fingerprint(),
                laptop.own().key.fingerprint()
            )
        );
        cloud.trust(&laptop.line(), true).unwrap();
        assert_eq!(cloud.signers().unwrap().of(&local.own().key), None);
        // The local host is never replaced by a line.
        for replace in [false, true] {
            assert_eq!(
                local
                    .trust(&laptop.line(), replace)
                    .unwrap_err()
                    .to_string(),
                "this host is the local half, and there is one: laptop cannot be one too"
            );
        }
    }

    /// A cloud agent is not made local, and its new key stands beside the old.
    #[test]
    fn trust_changes_no_role_and_keeps_the_old_key() {
        let folder = tempfile::tempdir().unwrap();
        let cloud = open(&folder, "cloud", Role::Cloud);
        let second = open(&folder, "cloud-2", Role::Cloud);
        cloud.trust(&second.line(), false).unwrap();
        let as_local = second.line().replace("@cloud.", "@local.");
        assert_eq!(
            cloud.trust(&as_local, false).unwrap_err().to_string(),
            format!(
                "the key {} is that of cloud-2@cloud.platinum.invalid already",
                second.own().key.fingerprint()
            )
        );
        fs::remove_file(folder.path().join("cloud-2").join(KEY_FILE)).unwrap();
        let renewed = open(&folder, "cloud-2", Role::Cloud);
        let other_role = renewed.line().replace("@cloud.", "@local.");
        assert_eq!(
            cloud.trust(&other_role, false).unwrap_err().to_string(),
            format!(
                "cloud-2 ({}) is known as cloud, not as local; if the old key shall not count any \
                 more, say so with --replace",
                second.own().key.fingerprint()
            )
        );
        cloud.trust(&renewed.line(), false).unwrap();
        assert_eq!(cloud.signers().unwrap().iter().count(), 3);
        cloud.trust(&renewed.line(), true).unwrap();
        assert_eq!(cloud.signers().unwrap().of(&second.own().key), None);
    }

    /// A replaced or revoked key comes back only by `--replace`.
    #[test]
    fn retired_key_counts_up_to_its_commit() {
        let folder = tempfile::tempdir().unwrap();
        let local = open(&folder, "local", Role::Local);
        let old = open(&folder, "cloud", Role::Cloud);
        local.trust(&old.line(), false).unwrap();
        assert!(!local.would_replace(&old.line()).unwrap());
        fs::remove_file(folder.path().join("cloud").join(KEY_FILE)).unwrap();
        let new = open(&folder, "cloud", Role::Cloud);
        assert!(local.would_replace(&new.line()).unwrap());
        let at = Oid::from_bytes(&[7; 20]).unwrap();
        let trusted = local.rotate(&new.line(), true, Some(at)).unwrap();
        assert!(trusted.is_new);
        assert_eq!(
            trusted.revoked.messages(),
            [format!(
                "The key {} of cloud is no longer trusted; what it signed up to commit 070707070707 \
                 still counts, and nothing after that.",
                old.own().key.fingerprint()
            )]
        );
        let signers = local.signers().unwrap();
        assert_eq!(signers.of(&old.own().key), None);
        assert_eq!(signers.retired(&old.own().key).unwrap().at, at);
        // By accident the old key does not come back, nor does a revoked one.
        assert_eq!(
            local.trust(&old.line(), false).unwrap_err().to_string(),
            format!(
                "the key {} was that of cloud@cloud.platinum.invalid and is no longer trusted",
                old.own().key.fingerprint()
            )
        );
        let cloud = "cloud".parse().unwrap();
        let revoked = local.revoke(&cloud, Some(at)).unwrap();
        assert_eq!(revoked.signers, [new.own().clone()]);
        let signers = local.signers().unwrap();
        assert_eq!(signers.iter().count(), 1);
        assert!(
            signers.retired(&new.own().key).is_some() && signers.retired(&old.own().key).is_some()
        );
        local.trust(&new.line(), false).unwrap_err();
        local.trust(&new.line(), true).unwrap();
        let signers = local.signers().unwrap();
        assert_eq!(signers.of(&new.own().key), Some(new.own()));
        assert!(signers.retired(&old.own().key).is_some());
        for (agent, said) in [
            ("cloud-2", "no key of an agent `cloud-2` is trusted here"),
            (
                "local",
                "`local` is this host itself, and always trusts its own key",
            ),
        ] {
            let error = local.revoke(&agent.parse().unwrap(), Some(at)).unwrap_err();
            assert_eq!(error.to_string(), said);
        }
    }

    #[test]
    fn new_own_key_retires_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        for (name, role) in [("local", Role::Local), ("cloud", Role::Cloud)] {
            let old = open(&folder, name, role);
            fs::remove_file(folder.path().join(name).join(KEY_FILE)).unwrap();
            let new = open(&folder, name, role);
            let signers = new.signers().unwrap();
            assert_eq!(signers.of(&old.own().key), None, "{name}");
            // Nothing was verified here yet: what it signed is a matter of the first contact.
            assert_eq!(signers.retired(&old.own().key).unwrap().at, NOTHING);
            // And it comes back by nobody's accident.
            assert_eq!(
                signers.clone().add(old.own().clone()),
                Err(format!(
                    "the key {} was that of {name}@{role}.platinum.invalid and is no longer trusted",
                    old.own().key.fingerprint()
                ))
            );
            assert_eq!(open(&folder, name, role).signers().unwrap(), signers);
        }
    }

    #[test]
    fn trust_refuses_lines_of_no_other_host() {
        let folder = tempfile::tempdir().unwrap();
        let local = open(&folder, "local", Role::Local);
        for (line, said) in [
            (
                local.line(),
                "this is the line of this host itself; give it the line of the other one",
            ),
            (
                "hello".to_owned(),
                "not a public-key line as printed by `platinum key` or `platinum-cloud key`: `hello` is not \
                 `<agent>@<role>.platinum.invalid ssh-ed25519 <key>`",
            ),
        ] {
            assert_eq!(local.trust(&line, false).unwrap_err().to_string(), said);
        }
        let path = folder.path().join("local").join(SIGNERS_FILE);
        fs::write(&path, "nonsense\n").unwrap();
        assert_eq!(
            local.signers().unwrap_err().to_string(),
            format!(
                "{}: line 1 of the allowed signers: `nonsense` is not \
                 `<agent>@<role>.platinum.invalid ssh-ed25519 <key>`",
                path.display()
            )
        );
    }
}
