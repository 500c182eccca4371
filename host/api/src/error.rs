//! [`ReadError`]: what could not be read.

/// Why the read model has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The vault.
    #[error(transparent)]
    Vault(#[from] platinum_vault::VaultError),
    /// The journal, or a draft that was approved.
    #[error("cannot read the approvals: {0}")]
    Approvals(String),
    /// The log of approvals and effects.
    #[error("{0}")]
    Journal(String),
}
