//! [`Signature`]: what the signature of a commit proves.
//!
//! Invariant: exactly what git signs is checked: the commit's bytes without the one `gpgsig`
//! header. A commit with two of them, or with another kind of signature, proves nothing.

use git2::{ObjectType, Oid};
use ssh_key::SshSig;

use super::{KeyError, NAMESPACE, PublicKey, SigningKey};
use crate::{Repo, RepoError};

/// The header that git keeps the signature in.
pub(crate) const HEADER: &str = "gpgsig";
/// Of a larger commit nothing is read.
const MAX_COMMIT: usize = 1024 * 1024;

/// Who signed a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// No signature.
    Unsigned,
    /// It is signed, but the signature proves nothing: why.
    Broken(String),
    /// The holder of this key; whether it is trusted is another question.
    By(PublicKey),
}

impl Signature {
    /// Checks the raw bytes of a commit.
    pub fn of_commit(raw: &[u8]) -> Self {
        match take_apart(raw) {
            Ok(None) => Signature::Unsigned,
            Ok(Some((armoured, payload))) => match signed_by(NAMESPACE, &armoured, &payload) {
                Ok(key) => Signature::By(key),
                Err(SignedBy::Unreadable(why)) => Signature::Broken(why.to_owned()),
                Err(SignedBy::OtherPurpose) => Signature::Broken(
                    "its signature was made for something else than a commit".to_owned(),
                ),
                Err(SignedBy::Changed) => Signature::Broken(
                    "its signature is not for these contents: it was changed, or the signature is \
                     of another commit"
                        .to_owned(),
                ),
            },
            Err(why) => Signature::Broken(why.to_owned()),
        }
    }
}

impl Repo {
    /// Who signed a commit.
    ///
    /// # Errors
    /// If there is no such commit.
    pub fn signature(&self, commit: Oid) -> Result<Signature, RepoError> {
        let doing = "reading a commit";
        let git = self.lock()?;
        let odb = git.odb().map_err(RepoError::git(doing))?;
        let (len, kind) = odb.read_header(commit).map_err(RepoError::git(doing))?;
        if kind != ObjectType::Commit {
            return Err(RepoError::Git {
                doing,
                reason: format!("{commit} is none"),
            });
        }
        if len > MAX_COMMIT {
            let why = format!("the commit has {len} bytes; {MAX_COMMIT} is the most");
            return Ok(Signature::Broken(why));
        }
        let object = odb.read(commit).map_err(RepoError::git(doing))?;
        Ok(Signature::of_commit(object.data()))
    }
}

/// A purpose other than commits that a key signs for. A signature for one proves nothing for
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The list of skills that the owner added.
    SkillLock,
    /// The end of the journal of approvals and effects.
    Journal,
}

impl Purpose {
    const fn namespace(self) -> &'static str {
        match self {
            Purpose::SkillLock => "platinum-skills-lock",
            Purpose::Journal => "platinum-journal",
        }
    }
}

impl SigningKey {
    /// Signs a text; armoured, as `ssh-keygen -Y sign` writes it.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn sign_text(&self, purpose: Purpose, text: &str) -> Result<String, KeyError> {
        self.sign_for(purpose.namespace(), text.as_bytes())
    }
}

/// Whose signature of a text this is; whether the key is trusted is another question.
///
/// # Errors
/// In words, if it is not a signature of these contents for this purpose.
pub fn signer_of_text(purpose: Purpose, text: &str, armoured: &str) -> Result<PublicKey, String> {
    signed_by(purpose.namespace(), armoured, text.as_bytes()).map_err(|error| match error {
        SignedBy::OtherPurpose => "its signature was made for something else".to_owned(),
        SignedBy::Changed => "its contents are not those that were signed".to_owned(),
        SignedBy::Unreadable(why) => why.to_owned(),
    })
}

/// Why a signature proves nothing.
enum SignedBy {
    Unreadable(&'static str),
    OtherPurpose,
    Changed,
}

/// The signature of a commit and what was signed; nothing if it has none.
fn take_apart(raw: &[u8]) -> Result<Option<(String, Vec<u8>)>, &'static str> {
    let mut payload = Vec::with_capacity(raw.len());
    let mut armoured: Option<Vec<u8>> = None;
    let mut rest = raw;
    let mut in_signature = false;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        if line == b"\n" {
            break;
        }
        match line.strip_prefix(b" ") {
            Some(continued) if in_signature => {
                armoured
                    .get_or_insert_default()
                    .extend_from_slice(continued);
            }
            _ => {
                let name = line.split(|b| *b == b' ').next().unwrap_or_default();
                in_signature = name == HEADER.as_bytes();
                if in_signature {
                    if armoured.is_some() {
                        return Err("it has two signatures");
                    }
                    let first = line.get(HEADER.len() + 1..).unwrap_or_default();
                    armoured = Some(first.to_vec());
                } else if name.starts_with(HEADER.as_bytes()) {
                    return Err("it is signed in a way that is not known here");
                } else {
                    payload.extend_from_slice(line);
                }
            }
        }
        rest = after;
    }
    payload.extend_from_slice(rest);
    match armoured {
        None => Ok(None),
        Some(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((text, payload))),
            Err(_) => Err("its signature is not text"),
        },
    }
}

fn signed_by(namespace: &str, armoured: &str, payload: &[u8]) -> Result<PublicKey, SignedBy> {
    let signature = SshSig::from_pem(armoured)
        .map_err(|_| SignedBy::Unreadable("its signature is not one of OpenSSH's"))?;
    let key = PublicKey::of(signature.public_key()).ok_or(SignedBy::Unreadable(
        "its signature is by a key that is not ed25519",
    ))?;
    if signature.namespace() != namespace {
        return Err(SignedBy::OtherPurpose);
    }
    key.to_ssh()
        .verify(namespace, payload, &signature)
        .map_err(|_| SignedBy::Changed)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(body: &str, key: &SigningKey) -> Vec<u8> {
        let signature = key.sign(body.as_bytes()).unwrap();
        let folded = signature.trim_end().replace('\n', "\n ");
        let (head, message) = body.split_once("\n\n").unwrap();
        format!("{head}\n{HEADER} {folded}\n\n{message}").into_bytes()
    }

    const BODY: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a> 1 +0000\n\
                        committer a <a> 1 +0000\n\nhello\n";

    #[test]
    fn signature_valid_names_its_key() {
        let key = SigningKey::from_seed([1; 32]).unwrap();
        let raw = signed(BODY, &key);
        assert_eq!(Signature::of_commit(&raw), Signature::By(key.public()));
        assert_eq!(Signature::of_commit(BODY.as_bytes()), Signature::Unsigned);
    }

    #[test]
    fn signature_any_changed_byte_is_rejected() {
        let key = SigningKey::from_seed([1; 32]).unwrap();
        let raw = signed(BODY, &key);
        for at in 0..raw.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut changed = raw.clone();
                changed[at] ^= flip;
                // The armour's line ends and case of its padding are the encoding's, not the
                // content's: what is still accepted must be the same commit.
                if Signature::of_commit(&changed) == Signature::By(key.public()) {
                    let payload = |raw: &[u8]| take_apart(raw).unwrap().unwrap().1;
                    assert_eq!(payload(&changed), payload(&raw), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn signature_malformed_is_broken_with_a_reason() {
        let key = SigningKey::from_seed([1; 32]).unwrap();
        let good = String::from_utf8(signed(BODY, &key)).unwrap();
        let (head, rest) = good.split_once(HEADER).unwrap();
        let other = BODY.replace("hello", "bye");
        let theirs = String::from_utf8(signed(&other, &key)).unwrap();
        let (_, theirs) = theirs.split_once(HEADER).unwrap();
        let their_signature = theirs.split_once("\n\n").unwrap().0;
        let for_files = key.sign_for("file", BODY.as_bytes()).unwrap();
        let for_files = for_files.trim_end().replace('\n', "\n ");
        for (what, raw, why) in [
            (
                "copied from another commit",
                format!("{head}{HEADER}{their_signature}\n\nhello\n"),
                "its signature is not for these contents: it was changed, or the signature is of \
                 another commit",
            ),
            (
                "twice",
                format!("{head}{HEADER}{their_signature}\n{HEADER}{rest}"),
                "it has two signatures",
            ),
            (
                "PGP",
                format!(
                    "{head}{HEADER} -----BEGIN PGP SIGNATURE-----\n x\n -----END PGP SIGNATURE-----\n\nhello\n"
                ),
                "its signature is not one of OpenSSH's",
            ),
            (
                "of the other hash",
                format!("{head}gpgsig-sha256 x\n\nhello\n"),
                "it is signed in a way that is not known here",
            ),
            (
                "for files",
                format!("{head}{HEADER} {for_files}\n\nhello\n"),
                "its signature was made for something else than a commit",
            ),
        ] {
            assert_eq!(
                Signature::of_commit(raw.as_bytes()),
                Signature::Broken(why.to_owned()),
                "{what}"
            );
        }
    }

    #[test]
    fn text_signature_counts_for_its_text_and_purpose_alone() {
        let key = SigningKey::from_seed([5; 32]).unwrap();
        let signature = key.sign_text(Purpose::SkillLock, "text").unwrap();
        let signer = |text, signature: &str| signer_of_text(Purpose::SkillLock, text, signature);
        assert_eq!(signer("text", &signature), Ok(key.public()));
        assert_eq!(
            signer("texts", &signature).unwrap_err(),
            "its contents are not those that were signed"
        );
        let of_a_commit = key.sign(b"text").unwrap();
        assert_eq!(
            signer("text", &of_a_commit).unwrap_err(),
            "its signature was made for something else"
        );
        assert_eq!(
            signer("text", "nonsense").unwrap_err(),
            "its signature is not one of OpenSSH's"
        );
    }
}
