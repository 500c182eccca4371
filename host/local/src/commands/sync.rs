//! `platinum sync folders`: what of the vault leaves this machine, folder by folder; `init` shows the same and asks.
//!
//! Lives elsewhere: counting is `platinum_api::SyncPreview`'s; which folders and types are synced is `[sync]` in the
//! configuration.

use platinum_api::{FolderPreview, SyncPreview};
use platinum_daemon::{Config, secrets::Secrets};
use platinum_vault::Vault;
use platinum_verify::gate::load_places;

use super::{
    CommandError, Context, Kind, open_vault,
    terminal::{Level, Paint, Table, count, plain},
};

/// Of what is held back, so many files of a folder are named.
const NAMED: usize = 10;

/// See what is synced.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SyncCommand {
    /// Show what of each folder is synced, what is held back, and what stays on this machine.
    Folders,
}

pub(crate) fn run(command: &SyncCommand, ctx: &Context) -> Result<(), CommandError> {
    match command {
        SyncCommand::Folders => {
            let config = ctx.load()?;
            let preview = preview(&open_vault(&config)?, &config)?;
            ctx.print(&format!(
                "Synced, by [sync] in {}:\n\n{}",
                plain(&ctx.config_path().to_string_lossy(), 200),
                text(&preview, ctx.paint)
            ))
        }
    }
}

/// What of a vault would leave under a configuration.
pub(super) fn preview(vault: &Vault, config: &Config) -> Result<SyncPreview, CommandError> {
    let scanner = Secrets::gather(config)
        .map_err(|error| CommandError::new(Kind::Config, format!("`secrets.allow`: {error}")))?
        .scanner();
    load_places(&config.vault.state.join("vault.git"), &scanner)?;
    Ok(SyncPreview::read(vault, config, &|path, bytes| {
        let name = scanner.name(path.as_str());
        let found = name.or_else(|| scanner.content_at(path.as_str(), bytes))?;
        Some(found.at(path.as_str()))
    }))
}

/// The folders with what leaves, what is held back below each, and what stays.
pub(super) fn text(preview: &SyncPreview, paint: Paint) -> String {
    let mut table = Table::default();
    for folder in &preview.folders {
        let (name, files) = (name(folder), count(folder.files, "file", "files"));
        match folder.files {
            0 => table.coloured(1, Level::Dim, [&name, "-"]),
            _ => {
                table.row([&name, &files, &size(folder.bytes), &examples(folder)]);
            }
        }
    }
    let mut text = table.render(paint);
    for folder in &preview.folders {
        text.push_str(&held(folder));
    }
    let staying: Vec<String> = preview.folders.iter().filter_map(staying).collect();
    if !staying.is_empty() {
        text.push_str("\nStays on this machine:\n");
        staying.iter().for_each(|line| text.push_str(line));
    }
    let elsewhere = &preview.unsynced.elsewhere;
    if !elsewhere.is_empty() {
        let mut all: Vec<_> = elsewhere.iter().collect();
        all.sort_by_key(|(_, files)| std::cmp::Reverse(**files));
        let named = all
            .iter()
            .take(NAMED)
            .map(|(folder, files)| match folder.as_str() {
                "" => format!("{files} at the top"),
                folder => format!("{files} in {}/", plain(folder, 60)),
            });
        let named: Vec<String> = named.collect();
        let more = match all.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {}", count(more, "more folder", "more folders")),
        };
        text.push_str(&format!(
            "\nAll other folders stay on this machine: {}{more}.\n",
            named.join(", ")
        ));
    }
    for folder in &preview.unsynced.unreadable {
        text.push_str(&format!(
            "\nNot looked into: {}\n",
            plain(&folder.reason, 300)
        ));
    }
    text
}

fn name(folder: &FolderPreview) -> String {
    match folder.name.as_str() {
        "" => "at the top".to_owned(),
        name => format!("{name}/"),
    }
}

fn examples(folder: &FolderPreview) -> String {
    let shown: Vec<String> = folder.examples.iter().map(|path| plain(path, 50)).collect();
    let more = match folder.files > shown.len() as u64 {
        true => ", …",
        false => "",
    };
    format!("{}{more}", shown.join(", "))
}

/// What is held back in a folder, a line each.
fn held(folder: &FolderPreview) -> String {
    if folder.held.is_empty() {
        return String::new();
    }
    let what = count(folder.held.len(), "file is", "files are");
    let mut text = format!("\n{what} held back in {}:\n", name(folder));
    for (path, reason) in folder.held.iter().take(NAMED) {
        text.push_str(&format!("  {}: {}\n", plain(path, 160), plain(reason, 300)));
    }
    match folder.held.len().saturating_sub(NAMED) {
        0 => {}
        more => text.push_str(&format!("  and {more} more\n")),
    }
    text
}

/// What of a folder stays for its type or by choice, in a line.
fn staying(folder: &FolderPreview) -> Option<String> {
    let types = folder
        .types
        .iter()
        .map(|(extension, files)| match extension.as_str() {
            "" => format!("{files} without an extension"),
            extension => format!("{files} .{}", plain(extension, 20)),
        });
    let left_out = (folder.left_out > 0).then(|| format!("{} left out by [sync]", folder.left_out));
    let parts: Vec<String> = left_out.into_iter().chain(types).collect();
    (!parts.is_empty()).then(|| format!("  {}: {}\n", name(folder), parts.join(", ")))
}

/// `34 KiB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => count(bytes, "byte", "bytes"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sync_folders_names_what_leaves_and_what_stays() {
        let mut preview = SyncPreview::default();
        preview.folders.push(FolderPreview {
            name: "Inbox".to_owned(),
            files: 5,
            bytes: 2048,
            examples: vec!["a.md".to_owned(), "x/b\u{1b}.md".to_owned()],
            held: vec![(
                "Inbox/p.md".to_owned(),
                "line 2 holds a password".to_owned(),
            )],
            left_out: 1,
            types: [("canvas".to_owned(), 2), (String::new(), 1)].into(),
        });
        preview.folders.push(FolderPreview {
            name: "Plans".to_owned(),
            ..FolderPreview::default()
        });
        preview.unsynced.elsewhere = [("Journal".to_owned(), 7), (String::new(), 1)].into();
        assert_eq!(
            text(&preview, Paint::none()),
            "Inbox/  5 files  2 KiB  a.md, x/b .md, …\n\
             Plans/  -\n\n\
             1 file is held back in Inbox/:\n  Inbox/p.md: line 2 holds a password\n\n\
             Stays on this machine:\n  Inbox/: 1 left out by [sync], 1 without an extension, 2 .canvas\n\n\
             All other folders stay on this machine: 7 in Journal/, 1 at the top.\n"
        );
    }
}
