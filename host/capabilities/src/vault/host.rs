//! The host side of `vault/context`.

use platinum_core::VaultPath;
use platinum_vault::VaultError;

use super::NotesCtx;
use crate::{
    bindings::platinum::vault::context::{Error, Host},
    blocking::in_background,
};

/// Most notes in one list.
const MAX_LISTED: usize = 500;
/// Largest note a skill reads, in bytes.
const MAX_NOTE_BYTES: u64 = 256 * 1024;

impl NotesCtx {
    /// The path, if the grant covers it.
    fn granted(&self, text: &str) -> Result<VaultPath, Error> {
        let path = VaultPath::new(text).map_err(|_| Error::Denied)?;
        if self
            .granted
            .iter()
            .any(|grant| path.is_within(grant.as_str()))
        {
            Ok(path)
        } else {
            Err(Error::Denied)
        }
    }
}

fn failed(error: VaultError) -> Error {
    match error {
        VaultError::NotFound { .. } => Error::NotFound,
        VaultError::TooLarge { .. } => Error::TooLarge(MAX_NOTE_BYTES),
        other => Error::Unavailable(other.to_string()),
    }
}

impl Host for NotesCtx {
    async fn list(&mut self, folder: String) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let folder = match self.granted(&folder) {
            Ok(folder) => folder,
            Err(error) => return Ok(Err(error)),
        };
        let vault = self.vault.clone();
        Ok(in_background(move || vault.list(folder.as_str()))
            .await
            .map(|entries| {
                entries
                    .into_iter()
                    .take(MAX_LISTED)
                    .map(|entry| entry.path.to_string())
                    .collect()
            })
            .map_err(failed))
    }

    async fn read(&mut self, path: String) -> wasmtime::Result<Result<String, Error>> {
        let path = match self.granted(&path) {
            Ok(path) => path,
            Err(error) => return Ok(Err(error)),
        };
        let vault = self.vault.clone();
        Ok(
            in_background(move || vault.read_text(&path, MAX_NOTE_BYTES))
                .await
                .map_err(failed),
        )
    }
}
