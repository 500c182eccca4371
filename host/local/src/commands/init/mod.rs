//! `platinum init`: the folders of a vault, two starter pages, this host's configuration, its key,
//! and the skills that come with the program. Existing files are left as they are; a configuration is never overwritten.

mod config;
mod ignore;
mod questions;

use std::path::{Path, PathBuf};

use config::{config_text, write_config};

use platinum_core::{Role, VaultPath, layout};
use platinum_daemon::{Config, skills::LockMemory, skills_folder};
use platinum_repo::Address;
use platinum_vault::{Vault, VaultError};
use platinum_verify::Identity;

use super::{
    CommandError, Context, Kind, in_home,
    keys::{EXCHANGE, identity},
    skill::add::Addition,
    terminal::Level,
};

/// Make a vault and this machine's configuration.
///
/// An existing Obsidian vault keeps all it has.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The vault's folder; it is created if it does not exist.
    vault: PathBuf,
    /// The Git remote that is shared with the cloud host: an ssh or https address, or a folder.
    #[arg(long, default_value = "", hide_default_value = true)]
    remote: String,
    /// The private folder for Git objects, the journal and compiled skills
    /// [default: platinum/local in the user's state folder].
    #[arg(long)]
    state: Option<PathBuf>,
    /// Of the folders Inbox, Plans, Done and Updates (or folders in them) sync only these: `Inbox,Plans/Shared`.
    #[arg(long, value_delimiter = ',', value_name = "FOLDERS")]
    folders: Option<Vec<String>>,
    /// Of the types of attachments sync only these: `png,pdf`.
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    types: Option<Vec<String>>,
    /// If the remote has a history that other programs made, take it over, with one commit on top; without asking.
    #[arg(long)]
    adopt: bool,
    /// Sync what is there without asking.
    #[arg(long)]
    yes: bool,
}

/// The folder of installed skills in the state folder.
const SKILLS: &str = "skills";

const HANDBOOK: &str = include_str!("handbook.md");
const DASHBOARD: &str = include_str!("dashboard.md");

pub(crate) async fn run(args: InitArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.config_path();
    if config.exists() {
        return Err(CommandError::new(
            Kind::Conflict,
            format!("a configuration exists already: {}", config.display()),
        )
        .hint("change it by hand, or give another one with --config FILE"));
    }
    if !args.remote.is_empty() {
        // Not only when the daemon starts.
        Address::parse(&args.remote)
            .map_err(|error| CommandError::new(Kind::Usage, error.to_string()))?;
    }
    let root = std::path::absolute(&args.vault)?;
    let state = match args.state {
        Some(state) => std::path::absolute(state)?,
        None => in_home("XDG_STATE_HOME", ".local/state")
            .join("platinum")
            .join("local"),
    };
    if state.starts_with(&root) || config.starts_with(&root) {
        let what = if state.starts_with(&root) {
            "state folder"
        } else {
            "configuration"
        };
        return Err(CommandError::new(
            Kind::Usage,
            format!("the {what} would be inside the vault, and so shared with every host"),
        )
        .hint("choose another folder with --state, or another file with --config"));
    }
    let choice = config::SyncLists {
        folders: args.folders.as_deref(),
        types: args.types.as_deref(),
    };
    let written = config_text(&root, &state, &state.join(SKILLS), &args.remote, &choice)?;
    // Before anything is made.
    let future = Config::of_text(&written, config, Role::Local)?;
    let history = match args.remote.as_str() {
        "" => None,
        _ => questions::look_at_remote(&future, args.adopt, ctx).await?,
    };
    if root.is_dir() {
        questions::agree(&Vault::open(&root)?, &future, args.yes, ctx)?;
    }

    std::fs::create_dir_all(&root)?;
    let vault = Vault::open(&root)?;
    let mut made = Vec::new();
    for folder in layout::FOLDERS {
        vault.make_folder(&vault_path(folder)?)?;
    }
    for (name, text) in [(layout::HANDBOOK, HANDBOOK), (layout::DASHBOARD, DASHBOARD)] {
        match vault.create(&vault_path(name)?, text.as_bytes()) {
            Ok(()) => made.push(name),
            Err(VaultError::Exists(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    ignore::write(&vault)?;
    // Last: a vault without a configuration can be begun again, the other way round it cannot.
    write_config(config, &written)?;
    let identity = identity(&ctx.load()?)?;
    let skills = add_bundled_skills(&state, &identity)?;
    if let Some(history) = history {
        let done = history.adopt(&identity).await?;
        ctx.print(&format!("{done}\n"))?;
    }

    let good = |word: &str| ctx.paint.word(Level::Ok, word);
    let pages = if made.is_empty() {
        "its pages existed already".to_owned()
    } else {
        format!("with a starter {}", made.join(" and "))
    };
    let mail = config.with_file_name("mail.toml");
    let mut next = Vec::new();
    if skills.is_none() {
        next.push("Add the skills: `platinum skill add --all <folder>`.".to_owned());
    }
    next.extend([
        format!("Write your rules and tone into {}.", layout::HANDBOOK),
        format!(
            "Describe your mailbox in {}, and name it under [zones.email] in the configuration.",
            mail.display()
        ),
    ]);
    next.push(match args.remote.is_empty() {
        true => format!(
            "For a cloud host: name the remote under [sync], and exchange keys, once:\n     {EXCHANGE}"
        ),
        false => format!("Exchange keys with your cloud host, once:\n     {EXCHANGE}"),
    });
    next.push("`platinum doctor` checks everything; `platinum run` starts the daemon.".to_owned());
    let next: String = (1..)
        .zip(next)
        .map(|(n, step)| format!("  {n}. {step}\n"))
        .collect();
    ctx.print(&format!(
        "{} {}, {pages}\n{} {}\n{} {}\n{}\nNext:\n{next}",
        good("vault "),
        vault.root().display(),
        good("config"),
        config.display(),
        good("key   "),
        identity.own().key.fingerprint(),
        skills.map_or_else(String::new, |added| format!(
            "{} {added}; `platinum skill list` shows what they run on\n",
            good("skills")
        )),
    ))
}

/// Adds the skills that are installed beside the program: who sets Platinum up wants them. Says how
/// many; none if there is no such folder.
fn add_bundled_skills(state: &Path, identity: &Identity) -> Result<Option<String>, CommandError> {
    let bundled = skills_folder(Path::new(""));
    if !bundled.is_dir() {
        return Ok(None);
    }
    let mut addition = Addition::read(
        &bundled,
        true,
        &state.join(SKILLS),
        identity,
        LockMemory::of(state),
    )?;
    addition.apply(identity)?;
    Ok(Some(addition.summary()))
}

fn vault_path(text: &str) -> Result<VaultPath, CommandError> {
    VaultPath::new(text).map_err(|error| CommandError::new(Kind::Failed, error.to_string()))
}
