//! The configuration that `init` writes.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use platinum_policy::{ATTACHMENT_TYPES, CHOOSABLE_FOLDERS};

use super::super::{CommandError, Kind};

/// What of the owner's is synced, where that is not all.
pub(super) struct SyncLists<'a> {
    pub(super) folders: Option<&'a [String]>,
    pub(super) types: Option<&'a [String]>,
}

/// Its text: what was given, and what to write next.
pub(super) fn config_text(
    vault: &Path,
    state: &Path,
    skills: &Path,
    remote: &str,
    choice: &SyncLists<'_>,
) -> Result<String, CommandError> {
    let text = |path: &Path| match path.to_str() {
        Some(text) => Ok(toml::Value::String(text.to_owned()).to_string()),
        None => Err(CommandError::new(
            Kind::Usage,
            format!(
                "{} is not UTF-8, as a path in the configuration must be",
                path.display()
            ),
        )),
    };
    Ok(format!(
        "# Platinum on the owner's machine. Keys that are absent have defaults; `platinum doctor` checks it all.\n\
         \n\
         [vault]\n\
         path = {}\n\
         # Private: Git objects, the journal, compiled skills. Never inside the vault.\n\
         state = {}\n\
         \n\
         [sync]\n\
         # The Git remote that is shared with the cloud host; empty: this host works alone.\n\
         remote = {}\n\
         # Which of your folders leave this machine, and which attachments; `platinum sync folders` shows what that is.\n\
         {}\n\
         {}\n\
         \n\
         [work]\n\
         # The skills that you added with `platinum skill add`. A cloud host needs a copy of this folder.\n\
         skills = {}\n\
         \n\
         # The account, the mail servers' own file, and the variables that they may see.\n\
         # [zones.email]\n\
         # account = \"me\"\n\
         # config = \"mail.toml\"\n\
         # env = [\"MAIL_PASSWORD\"]\n\
         \n\
         [model]\n\
         # `builtin` needs no key; `anthropic` and `openai` (and compatible servers) need `model`, and\n\
         # mostly `key = {{ env = \"NAME\" }}`, {{ file = \"PATH\" }} or {{ keyring = \"NAME\" }}.\n\
         provider = \"builtin\"\n",
        text(vault)?,
        text(state)?,
        toml::Value::String(remote.to_owned()),
        list("folders", choice.folders, &CHOOSABLE_FOLDERS),
        list("types", choice.types, &ATTACHMENT_TYPES),
        text(skills)?,
    ))
}

/// The line of a list; a comment with all that there is, where nothing was chosen.
fn list(key: &str, chosen: Option<&[String]>, all: &[&str]) -> String {
    let texts = |list: Vec<&str>| {
        let values = list
            .into_iter()
            .map(|text| toml::Value::String(text.to_owned()));
        toml::Value::Array(values.collect()).to_string()
    };
    match chosen {
        Some(chosen) => {
            let named = chosen.iter().map(String::as_str);
            format!(
                "{key} = {}",
                texts(named.filter(|text| !text.is_empty()).collect())
            )
        }
        None => format!("# {key} = {}", texts(all.to_vec())),
    }
}

/// Writes a new file that its owner alone can read.
pub(super) fn write_config(path: &Path, text: &str) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::new(
            Kind::Failed,
            format!("cannot write {}: {error}", path.display()),
        )
    };
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        let mut builder = std::fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}
