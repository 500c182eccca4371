//! The host side of `dashboard/board`.

use platinum_core::{VaultPath, layout};
use platinum_vault::{Vault, VaultError};
use sha2::{Digest, Sha256};

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
        let month = layout::done_month(self.now);
        Ok(in_background(move || count(&vault, &month))
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
                Ok(()) => Ok(Some(version(&text))),
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
            version: version(&text),
            text,
        }),
        Err(VaultError::NotFound { .. }) => Ok(Page {
            text: String::new(),
            version: NO_PAGE.to_owned(),
        }),
        Err(error) => Err(error),
    }
}

fn version(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn count(vault: &Vault, month: &str) -> Result<Counts, VaultError> {
    let mut counts = Counts {
        waiting: 0,
        in_progress: 0,
        pending: 0,
        approved: 0,
        done: 0,
    };
    // Only what is counted: what was done in earlier months grows for ever.
    let counted = [
        layout::NEEDS_ACTION,
        layout::IN_PROGRESS,
        layout::PENDING_APPROVAL,
        layout::APPROVED,
        month,
    ];
    let mut entries = Vec::new();
    for folder in counted {
        entries.append(&mut vault.walk_in(folder)?);
    }
    for entry in entries {
        if entry.path.extension() != Some("md") {
            continue;
        }
        let counter = match entry.path.top() {
            layout::NEEDS_ACTION => &mut counts.waiting,
            layout::IN_PROGRESS => &mut counts.in_progress,
            layout::PENDING_APPROVAL => &mut counts.pending,
            layout::APPROVED => &mut counts.approved,
            // The month's folder also keeps the drafts that were carried out.
            layout::DONE if is_task(&entry.path) => &mut counts.done,
            _ => continue,
        };
        *counter = counter.saturating_add(1);
    }
    Ok(counts)
}

fn is_task(path: &VaultPath) -> bool {
    path.stem().parse::<platinum_core::TaskId>().is_ok()
}
