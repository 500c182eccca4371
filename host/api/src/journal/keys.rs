//! [`MachineKeys`]: the end of the log, signed with the key that this host signs its commits with.

use std::{path::Path, sync::Arc};

use platinum_journal::{HeadSigner, HeadVerifier, Journal, JournalError};
use platinum_repo::{Purpose, signer_of_text};
use platinum_verify::Identity;

/// The key of this machine, and those that it replaced.
#[derive(Debug, Clone)]
pub struct MachineKeys(Identity);

impl MachineKeys {
    /// Those of an identity.
    pub fn new(identity: Identity) -> Self {
        Self(identity)
    }

    /// Opens the journal of a state folder for writing: with these keys its end is signed.
    ///
    /// # Errors
    /// As [`Journal::open_signed`].
    pub fn open_journal(self, state: &Path) -> Result<Journal, JournalError> {
        Journal::open_signed(&state.join(super::FILE), Arc::new(self))
    }
}

impl HeadVerifier for MachineKeys {
    fn check(&self, head: &str, signature: &str) -> Result<(), String> {
        let key = signer_of_text(Purpose::Journal, head, signature)?;
        let own = self.0.own();
        if key == own.key {
            return Ok(());
        }
        let signers = self.0.signers().map_err(|error| error.to_string())?;
        match signers.retired(&key) {
            Some(retired)
                if (&retired.signer.agent, retired.signer.role) == (&own.agent, own.role) =>
            {
                Ok(())
            }
            _ => Err(format!("it is signed by the key {}", key.fingerprint())),
        }
    }
}

impl HeadSigner for MachineKeys {
    fn sign(&self, head: &str) -> Result<String, String> {
        let signed = self.0.key().sign_text(Purpose::Journal, head);
        signed.map_err(|error| error.to_string())
    }
}
