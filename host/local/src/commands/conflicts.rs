//! `platinum conflicts`: the copies of conflicts beside their notes, and which of both stays.
//!
//! Lives elsewhere: which files are copies is `platinum_api`'s, how they are called `platinum_protocol`'s.
//! Invariant: no version is deleted: what does not stay is in `.trash/`, before anything else is changed.

use platinum_api::conflict_copies;
use platinum_core::VaultPath;
use platinum_policy::MAX_FILE_BYTES;
use platinum_protocol::ConflictName;
use platinum_vault::{Vault, VaultError};

use super::{
    CommandError, Context, Kind, open_vault,
    terminal::{count, plain},
};

/// Where the version goes that does not stay; Obsidian shows it as its own bin.
const TRASH: &str = ".trash";
/// Rows that are shown of what differs.
const MAX_ROWS: usize = 12;
/// Characters of a cell.
const CELL: usize = 38;

/// Show the copies that conflicts left, each beside its note, and choose which of both stays.
///
/// The other goes to the folder .trash/ of the vault, and stays in the history of the sync.
#[derive(Debug, clap::Args)]
pub(crate) struct ConflictsArgs {
    #[command(subcommand)]
    choice: Option<Choice>,
}

/// Which version stays.
#[derive(Debug, clap::Subcommand)]
enum Choice {
    /// Put a copy in its note's place.
    Take {
        /// The copy's id, as the list shows it, or its path.
        copy: String,
    },
    /// Leave the note as it is, and put the copy away.
    Keep {
        /// The copy's id, as the list shows it, or its path.
        copy: String,
    },
}

pub(crate) fn run(args: &ConflictsArgs, ctx: &Context) -> Result<(), CommandError> {
    let vault = open_vault(&ctx.load()?)?;
    let copies: Vec<(VaultPath, ConflictName)> = conflict_copies(&vault)?
        .into_iter()
        .filter_map(|copy| ConflictName::parse(&copy).map(|name| (copy, name)))
        .collect();
    let text = match &args.choice {
        None => list(&vault, &copies)?,
        Some(Choice::Take { copy }) => {
            let (copy, name) = named(&copies, copy)?;
            take(&vault, copy, &name.original)?
        }
        Some(Choice::Keep { copy }) => {
            let (copy, name) = named(&copies, copy)?;
            let kept = to_trash(&vault, copy)?;
            format!(
                "{} stays as it is; the copy is {kept} now.\n",
                name.original
            )
        }
    };
    ctx.print(&text)
}

/// The copy that was named by its id or its path.
fn named<'a>(
    copies: &'a [(VaultPath, ConflictName)],
    typed: &str,
) -> Result<&'a (VaultPath, ConflictName), CommandError> {
    let is_named =
        |(copy, name): &&(VaultPath, ConflictName)| copy.as_str() == typed || name.blob == typed;
    let mut found = copies.iter().filter(is_named);
    let shown = plain(typed, 200);
    match (found.next(), found.next()) {
        (Some(copy), None) => Ok(copy),
        (None, _) => Err(CommandError::new(
            Kind::NotFound,
            format!("no conflict copy is called {shown}"),
        )
        .hint("`platinum conflicts` lists them")),
        (Some((first, _)), Some((second, _))) => Err(CommandError::new(
            Kind::Usage,
            format!("{shown} is the id of several copies; name one by its path"),
        )
        .hint(first.to_string())
        .hint(second.to_string())),
    }
}

/// Puts a copy in its note's place. At every moment both versions are in some file.
fn take(vault: &Vault, copy: &VaultPath, note: &VaultPath) -> Result<String, CommandError> {
    let new = vault.read(copy, MAX_FILE_BYTES as u64)?;
    let old = match vault.read(note, MAX_FILE_BYTES as u64) {
        Ok(old) => old,
        Err(VaultError::NotFound(_)) => {
            vault.rename(copy, note)?;
            return Ok(format!("{note} was not there, and is the copy now.\n"));
        }
        Err(error) => return Err(error.into()),
    };
    if old == new {
        let kept = to_trash(vault, copy)?;
        return Ok(format!(
            "{note} has the same text already; the copy is {kept} now.\n"
        ));
    }
    let kept = create_in_trash(vault, note, &old)?;
    vault.replace(note, &new, Some(&old))?;
    // The note has it now; an edit of this moment stays where it is.
    vault.remove_if(copy, &new)?;
    Ok(format!(
        "{note} is the copy now; what it was before is {kept}.\n"
    ))
}

/// Moves a file into the bin; where it is then.
fn to_trash(vault: &Vault, path: &VaultPath) -> Result<VaultPath, CommandError> {
    put_in_trash(path, |kept| vault.rename(path, kept))
}

/// Writes a version into the bin; where it is then.
fn create_in_trash(
    vault: &Vault,
    path: &VaultPath,
    bytes: &[u8],
) -> Result<VaultPath, CommandError> {
    put_in_trash(path, |kept| vault.create(kept, bytes))
}

/// Tries names in the bin until one is free.
fn put_in_trash(
    path: &VaultPath,
    put: impl Fn(&VaultPath) -> Result<(), VaultError>,
) -> Result<VaultPath, CommandError> {
    let end = path
        .extension()
        .map_or_else(String::new, |end| format!(".{end}"));
    for number in 1..1000 {
        let name = match number {
            1 => path.file_name().to_owned(),
            number => format!("{} {number}{end}", path.stem()),
        };
        let kept = VaultPath::new(format!("{TRASH}/{name}"))
            .map_err(|error| CommandError::new(Kind::Failed, error.to_string()))?;
        match put(&kept) {
            Err(VaultError::Exists(_)) => {}
            done => return done.map(|()| kept).map_err(CommandError::from),
        }
    }
    Err(CommandError::new(
        Kind::Conflict,
        format!(
            "{TRASH}/ has a thousand files called {}; empty it first",
            path.file_name()
        ),
    ))
}

fn list(vault: &Vault, copies: &[(VaultPath, ConflictName)]) -> Result<String, CommandError> {
    if copies.is_empty() {
        return Ok("No conflict copies.\n".to_owned());
    }
    let mut text = String::new();
    for (copy, name) in copies {
        let note = plain(name.original.as_str(), 300);
        text.push_str(&format!(
            "{}  {note}: a version of {}, {}\n          {}\n",
            name.blob,
            plain(&name.agent, 60),
            plain(&name.at, 60),
            plain(copy.as_str(), 300)
        ));
        match (
            vault.read(&name.original, MAX_FILE_BYTES as u64),
            vault.read(copy, MAX_FILE_BYTES as u64),
        ) {
            (Ok(old), Ok(new)) => text.push_str(&side_by_side(&old, &new)),
            (Err(VaultError::NotFound(_)), Ok(_)) => {
                text.push_str("  there is no such note any more\n");
            }
            (Err(error), _) | (_, Err(error)) => {
                text.push_str(&format!("  {}\n", plain(&error.to_string(), 300)));
            }
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "{}. `platinum conflicts take ID` puts a copy in its note's place, `platinum conflicts keep ID` leaves the \
         note; the other version goes to {TRASH}/.\n",
        count(copies.len(), "copy", "copies")
    ));
    Ok(text)
}

/// What differs between a note and its copy, without what both begin and end with.
fn side_by_side(old: &[u8], new: &[u8]) -> String {
    let (Ok(left), Ok(right)) = (std::str::from_utf8(old), std::str::from_utf8(new)) else {
        return format!(
            "  no text: {} bytes in the note, {} in the copy\n",
            old.len(),
            new.len()
        );
    };
    let (left, right): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    let head = left.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[head..], &right[head..]);
    let tail = left.iter().rev().zip(right.iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let (left, right) = (&left[..left.len() - tail], &right[..right.len() - tail]);
    let rows = left.len().max(right.len());
    if rows == 0 {
        return "  both have the same lines\n".to_owned();
    }
    let row = |left: &str, right: &str| {
        let (left, right) = (plain(left, CELL), plain(right, CELL));
        let blank = " ".repeat(CELL.saturating_sub(left.chars().count()));
        format!("  {left}{blank} | {right}").trim_end().to_owned() + "\n"
    };
    let mut text = row(
        &format!("the note, from line {}", head + 1),
        &format!("the copy, from line {}", head + 1),
    );
    for n in 0..rows.min(MAX_ROWS) {
        let cell = |lines: &[&str]| lines.get(n).map_or_else(String::new, ToString::to_string);
        text.push_str(&row(&cell(left), &cell(right)));
    }
    if rows > MAX_ROWS {
        let more = count(rows - MAX_ROWS, "more line", "more lines");
        text.push_str(&format!("  and {more}\n"));
    }
    text
}
