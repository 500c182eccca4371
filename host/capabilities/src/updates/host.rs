//! The host side of the update interfaces.

use std::collections::BTreeSet;

use platinum_core::{TaskId, UpdateId, layout, whole_second};
use platinum_vault::{Vault, VaultError, note::UpdateNote};

use super::UpdatesCtx;
use crate::{
    bindings::platinum::updates::{
        collect, publish,
        types::{Error, Update},
    },
    blocking::in_background,
    text::checked_line,
};

/// Most updates in one list.
const MAX_TAKEN: u32 = 500;
/// Largest update that is read, in bytes.
const MAX_UPDATE_BYTES: u64 = 64 * 1024;

impl publish::Host for UpdatesCtx {
    async fn publish(
        &mut self,
        task: Option<String>,
        headline: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        Ok(self.try_publish(task, &headline).await)
    }
}

impl UpdatesCtx {
    async fn try_publish(&mut self, task: Option<String>, headline: &str) -> Result<String, Error> {
        let task = task
            .map(|id| id.parse::<TaskId>())
            .transpose()
            .map_err(|error| Error::Invalid(error.to_string()))?;
        let note = UpdateNote {
            id: UpdateId::generate(),
            created: whole_second(self.now),
            by: self.author.by.clone(),
            task,
            headline: checked_line("headline", headline, 300).map_err(Error::Invalid)?,
        };
        let path = layout::update(&self.author.agent, note.id);
        self.author
            .create(&self.vault, path, note.render())
            .await
            .map_err(Error::Unavailable)?;
        Ok(note.id.to_string())
    }
}

impl collect::Host for UpdatesCtx {
    async fn take(&mut self, limit: u32) -> wasmtime::Result<Result<Vec<Update>, Error>> {
        if !(1..=MAX_TAKEN).contains(&limit) {
            return Ok(Err(Error::Invalid(format!(
                "`limit` is {limit}; 1 to {MAX_TAKEN}"
            ))));
        }
        let vault = self.vault.clone();
        Ok(in_background(move || oldest(&vault, limit as usize))
            .await
            .map_err(|error| unavailable(&error)))
    }

    async fn remove(&mut self, ids: Vec<String>) -> wasmtime::Result<Result<(), Error>> {
        let ids: Result<BTreeSet<UpdateId>, _> = ids.iter().map(|id| id.parse()).collect();
        let ids = match ids {
            Ok(ids) => ids,
            Err(error) => return Ok(Err(Error::Invalid(error.to_string()))),
        };
        let vault = self.vault.clone();
        Ok(in_background(move || delete(&vault, &ids))
            .await
            .map_err(|error| unavailable(&error)))
    }
}

fn unavailable(error: &VaultError) -> Error {
    Error::Unavailable(error.to_string())
}

/// The oldest updates by id: ids begin with the time they were made.
fn oldest(vault: &Vault, limit: usize) -> Result<Vec<Update>, VaultError> {
    let mut found = Vec::new();
    for entry in vault.walk_in(layout::UPDATES)? {
        let Some(agent) = entry.path.components().nth(1).map(str::to_owned) else {
            continue;
        };
        let note = vault
            .read_text(&entry.path, MAX_UPDATE_BYTES)
            .map_err(|error| error.to_string())
            .and_then(|text| UpdateNote::parse(&text).map_err(|error| error.to_string()));
        match note {
            Ok(note) if entry.path.stem() == note.id.to_string() => found.push(Update {
                id: note.id.to_string(),
                agent,
                created: note.created.to_string(),
                task: note.task.map(|task| task.to_string()),
                headline: note.headline,
            }),
            Ok(_) => {
                tracing::warn!(path = %entry.path, "An update's file name is not its id; it is left alone.");
            }
            Err(error) => {
                tracing::warn!(path = %entry.path, %error, "An update cannot be read; it is left alone.");
            }
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.truncate(limit);
    Ok(found)
}

fn delete(vault: &Vault, ids: &BTreeSet<UpdateId>) -> Result<(), VaultError> {
    for entry in vault.walk_in(layout::UPDATES)? {
        let named = entry
            .path
            .stem()
            .parse::<UpdateId>()
            .is_ok_and(|id| ids.contains(&id));
        if named {
            vault.remove(&entry.path)?;
        }
    }
    Ok(())
}
