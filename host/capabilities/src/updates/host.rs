//! The host side of the update interfaces.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::PoisonError,
};

use platinum_core::{TaskId, UpdateId, VaultPath, layout, whole_second};
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

impl UpdatesCtx {
    /// As a call of `take`: the line for the log.
    #[cfg(test)]
    pub(crate) fn new_others(&self) -> Option<String> {
        let (_, others) = oldest(&self.vault, 1).ok()?;
        self.note_others(others)
    }

    /// Notes which files in `Updates/` are none; a line for the log if there are new ones.
    fn note_others(&self, others: BTreeMap<VaultPath, String>) -> Option<String> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let new = others.iter().filter(|(path, _)| !logged.contains(*path));
        let new: Vec<_> = new.collect();
        let line = new.first().map(|(path, why)| match new.len() {
            1 => format!("{path} is left alone, as it is no update of Platinum's: {why}."),
            count => format!(
                "{count} files in {}/ are left alone, as they are no updates of Platinum's, such as {path}: {why}. \
                 Notes of your own are better off in another folder.",
                layout::UPDATES
            ),
        });
        *logged = others.into_keys().collect();
        line
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
        let taken = in_background(move || oldest(&vault, limit as usize)).await;
        Ok(taken
            .map(|(updates, others)| {
                if let Some(line) = self.note_others(others) {
                    tracing::warn!("{line}");
                }
                updates
            })
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

/// The oldest updates by id, for ids begin with the time they were made; and what is none, with the reason.
fn oldest(
    vault: &Vault,
    limit: usize,
) -> Result<(Vec<Update>, BTreeMap<VaultPath, String>), VaultError> {
    let (mut found, mut others) = (Vec::new(), BTreeMap::new());
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
                others.insert(entry.path, "its file name is not its id".to_owned());
            }
            Err(error) => {
                others.insert(entry.path, error);
            }
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.truncate(limit);
    Ok((found, others))
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
