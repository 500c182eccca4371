//! `platinum allow`: the owner looked at what is held back in a note, and lets it leave this machine.
//!
//! Lives elsewhere: what a place is bound to is `platinum_secrets`'; the list of places is `platinum_verify`'s.

use std::path::Path;

use platinum_api::is_daemon_running;
use platinum_core::VaultPath;
use platinum_daemon::secrets::Secrets;
use platinum_policy::MAX_FILE_BYTES;
use platinum_verify::gate::{allow_place, load_places};

use super::{CommandError, Context, Kind, open_vault};

/// Let a line of a note leave this machine although it looks like a secret.
///
/// It counts for this line of this note, as it is: once it is changed it is held again. Private keys, the words of
/// wallets and passwords that this machine uses are never let out.
#[derive(Debug, clap::Args)]
pub(crate) struct AllowArgs {
    /// The note and the line in it, as `platinum status` says it; without a line, all that is held in it.
    #[arg(value_name = "PATH:LINE")]
    place: String,
}

pub(crate) fn run(args: &AllowArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let vault = open_vault(&config)?;
    let (path, line) = parse(&args.place, vault.root())?;
    let bytes = vault.read(&path, MAX_FILE_BYTES as u64)?;
    let git_dir = config.vault.state.join("vault.git");
    let scanner = Secrets::gather(&config)
        .map_err(|error| CommandError::new(Kind::Config, format!("`secrets.allow`: {error}")))?
        .scanner();
    load_places(&git_dir, &scanner)?;
    let findings = scanner.findings(path.as_str(), &bytes);
    let is_asked = |found: Option<usize>| line.is_none() || found == line;
    let (asked, others): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|(found, _)| is_asked(found.line()));
    if asked.is_empty() {
        return Err(nothing_held(
            &path,
            line,
            others.first().map(|(found, _)| found.line()),
        ));
    }
    let mut text = String::new();
    for (found, place) in asked {
        let at = found
            .line()
            .map_or_else(|| path.to_string(), |line| format!("line {line} of {path}"));
        let Some(place) = place else {
            return Err(
                CommandError::new(Kind::Refused, format!("{path} stays here: {found}"))
                    .hint("this is never let out"),
            );
        };
        let shown = found
            .line()
            .map_or_else(|| path.to_string(), |line| format!("{path}:{line}"));
        allow_place(&git_dir, &place, &shown).map_err(|error| {
            CommandError::new(
                Kind::Failed,
                format!(
                    "cannot write the list of what is allowed into {}: {error}",
                    git_dir.display()
                ),
            )
            .hint("it is made at the first sync; has this machine synced yet?")
        })?;
        let whole = match place.is_whole() {
            true => format!("{path} may leave this machine as it is now"),
            false => format!("{at} may leave this machine as it is now"),
        };
        text.push_str(&format!(
            "{}; once changed, it is held again ({place})\n",
            capital(&whole)
        ));
    }
    for (found, _) in &others {
        text.push_str(&format!("Still held: {}.\n", found.at(path.as_str())));
    }
    platinum_vault::announce(&vault, &path)?;
    text.push_str(match is_daemon_running(&config.vault.state) {
        true => "The daemon looks at it now.\n",
        false => "The daemon takes it up when it runs.\n",
    });
    ctx.print(&text)
}

/// The path, from the vault or from the root of the file system, and the line.
fn parse(typed: &str, root: &Path) -> Result<(VaultPath, Option<usize>), CommandError> {
    let (path, line) = match typed.rsplit_once(':') {
        Some((path, line)) => match line.parse() {
            Ok(line) => (path, Some(line)),
            Err(_) => (typed, None),
        },
        None => (typed, None),
    };
    let below = Path::new(path).strip_prefix(root).ok();
    let path = below.and_then(Path::to_str).unwrap_or(path);
    VaultPath::new(path)
        .map(|path| (path, line))
        .map_err(|error| {
            CommandError::new(Kind::Usage, format!("not a path of the vault: {error}"))
        })
}

/// The error where nothing is held in what was named; `other` is the line of what is.
fn nothing_held(
    path: &VaultPath,
    line: Option<usize>,
    other: Option<Option<usize>>,
) -> CommandError {
    let at = line.map_or_else(|| path.to_string(), |line| format!("line {line} of {path}"));
    let error = CommandError::new(
        Kind::NotFound,
        format!("{at} has nothing that is held back as a secret"),
    );
    match other {
        Some(Some(other)) => error.hint(format!("line {other} has")),
        Some(None) => error.hint("what is compressed in it has; name the note without a line"),
        None => error,
    }
}

fn capital(text: &str) -> String {
    text.strip_prefix("line ")
        .map_or_else(|| text.to_owned(), |rest| format!("Line {rest}"))
}
