//! [`read_leaving`]: a file of the vault that would leave with what is proposed.
//!
//! Lives elsewhere: from where files may leave is `platinum_policy`'s; what an approval binds of them, `effects`'.
//! Invariant: a skill learns nothing of a file but whether it may leave.

use platinum_core::{VaultPath, layout};
use platinum_policy::{MAX_ATTACHMENT_BYTES, is_attachable};
use platinum_vault::{Vault, VaultError};

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FileError {
    /// Another is to be named.
    Invalid(String),
    /// The disk does not answer.
    Unavailable(String),
}

/// The content of a file that the field `field` names, with at most so many bytes. Blocks on the disk.
pub(crate) fn read_leaving(
    vault: &Vault,
    field: &str,
    path: &VaultPath,
    max: u64,
) -> Result<Vec<u8>, FileError> {
    let invalid = |why: String| FileError::Invalid(format!("`{field}`: {path} {why}"));
    if !is_attachable(path) {
        return Err(invalid(format!(
            "cannot leave from there; files leave from {}/",
            layout::INBOX
        )));
    }
    vault.read(path, max).map_err(|error| match error {
        VaultError::TooLarge { .. } => invalid(format!(
            "is too large: all files have more than {MAX_ATTACHMENT_BYTES} bytes together"
        )),
        VaultError::NotFound(_) => invalid("is not in the vault".to_owned()),
        other => FileError::Unavailable(other.to_string()),
    })
}
