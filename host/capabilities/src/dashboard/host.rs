//! The host side of `dashboard/board`.

use platinum_core::{Timestamp, VaultPath, layout, sha256_hex};
use platinum_vault::{Vault, VaultCounts, VaultError};

use super::BoardCtx;
use crate::{
    bindings::platinum::dashboard::board::{Counts, Error, Host, Page},
    blocking::in_background,
};

/// Largest page, in bytes.
const MAX_PAGE_BYTES: usize = 256 * 1024;
/// The version of a page that does not exist yet.
const NO_PAGE: &str = "none";

impl Host for BoardCtx {
    async fn read(&mut self) -> wasmtime::Result<Result<Page, Error>> {
        let vault = self.vault.clone();
        Ok(in_background(move || page(&vault)).await.map_err(failed))
    }

    async fn count(&mut self) -> wasmtime::Result<Result<Counts, Error>> {
        let vault = self.vault.clone();
        let now = self.now;
        Ok(in_background(move || count(&vault, now))
            .await
            .map_err(failed))
    }

    async fn replace(
        &mut self,
        text: String,
        expected: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        if text.len() > MAX_PAGE_BYTES {
            return Ok(Err(Error::TooLarge));
        }
        let vault = self.vault.clone();
        let replaced = in_background(move || {
            let path = path()?;
            let now = page(&vault)?;
            if now.version != expected {
                return Ok(None);
            }
            // The bytes are compared once more under the replacement: an edit in between wins.
            let done = if now.version == NO_PAGE {
                vault.create(&path, text.as_bytes())
            } else {
                vault.replace(&path, text.as_bytes(), Some(now.text.as_bytes()))
            };
            match done {
                Ok(()) => Ok(Some(sha256_hex(&text))),
                Err(VaultError::Changed { .. } | VaultError::Exists { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        Ok(match replaced.await {
            Ok(Some(version)) => Ok(version),
            Ok(None) => Err(Error::Conflict),
            Err(error) => Err(failed(error)),
        })
    }
}

fn failed(error: VaultError) -> Error {
    match error {
        VaultError::TooLarge { .. } => Error::TooLarge,
        other => Error::Unavailable(other.to_string()),
    }
}

fn path() -> Result<VaultPath, VaultError> {
    VaultPath::new(layout::DASHBOARD).map_err(VaultError::from)
}

fn page(vault: &Vault) -> Result<Page, VaultError> {
    match vault.read_text(&path()?, MAX_PAGE_BYTES as u64) {
        Ok(text) => Ok(Page {
            version: sha256_hex(&text),
            text,
        }),
        Err(VaultError::NotFound { .. }) => Ok(Page {
            text: String::new(),
            version: NO_PAGE.to_owned(),
        }),
        Err(error) => Err(error),
    }
}

/// The numbers that every reader of the vault takes, as the contract has them. Blocks on the disk.
///
/// # Errors
/// If a folder cannot be read.
pub fn count(vault: &Vault, now: Timestamp) -> Result<Counts, VaultError> {
    let counts = VaultCounts::read(vault, now)?;
    let bounded = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Counts {
        waiting: bounded(counts.waiting_total()),
        in_progress: bounded(counts.in_progress_total()),
        pending: bounded(counts.pending),
        approved: bounded(counts.approved),
        done: bounded(counts.done_this_month),
    })
}
