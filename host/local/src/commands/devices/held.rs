//! `platinum held`: what other devices pushed that is not in the vault; taking and dropping it.
//!
//! Lives elsewhere: the list, and what taking does, are `platinum_sync`'s; the words of `status`
//! are `platinum_api`'s.

use platinum_repo::Repo;
use platinum_sync::held::{HeldFile, HeldFiles, NotTaken, Taken};

use crate::commands::{
    CommandError, Context, Kind, open_vault,
    terminal::{Level, count, plain},
};

/// What other devices pushed that is not in your vault.
///
/// It was taken out of the remote, as nobody signed it, or as a device may not change it, and is
/// kept here. Without a command, lists it.
#[derive(Debug, clap::Args)]
pub(crate) struct HeldArgs {
    #[command(subcommand)]
    command: Option<HeldCommand>,
}

/// What to do with it.
#[derive(Debug, clap::Subcommand)]
enum HeldCommand {
    /// List it.
    List,
    /// Print one file as the device left it.
    Show {
        /// Its id in the list.
        id: String,
    },
    /// Put files into the vault, as your own edits. Where you edited one since, both stay.
    Take(Which),
    /// Take files off the list. The remote's history keeps them.
    Drop(Which),
}

/// Which files of the list.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Their ids in the list.
    ids: Vec<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

pub(crate) fn run(args: HeldArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let git_dir = config.vault.state.join("vault.git");
    let files = HeldFiles::in_repository(&git_dir);
    let list = files.list()?;
    match args.command.unwrap_or(HeldCommand::List) {
        HeldCommand::List => ctx.print(&listed(&list, ctx)),
        HeldCommand::Show { id } => {
            let file = find(&list, &id)?;
            let bytes = files
                .read(&open(&git_dir)?, file)
                .map_err(|error| failed(&error))?;
            match bytes {
                Some(bytes) => ctx.print(&String::from_utf8_lossy(&bytes)),
                None => ctx.print(&format!("{} was deleted there.\n", file.path)),
            }
        }
        HeldCommand::Take(which) => {
            let vault = open_vault(&config)?;
            let repo = open(&git_dir)?;
            let mut is_left = false;
            for file in chosen(&list, &which)? {
                let text = match files.take(&vault, &repo, file) {
                    Ok(taken) => sentence(&taken, file),
                    Err(error @ (NotTaken::NotADevices(_) | NotTaken::Edited(_))) => {
                        is_left = true;
                        format!("{} stays held: {error}.", file.id)
                    }
                    Err(error) => return Err(CommandError::new(Kind::Failed, error.to_string())),
                };
                ctx.print(&format!("{}\n", plain(&text, 600)))?;
            }
            match is_left {
                true => ctx.print(
                    "`platinum held show ID` prints what stays held, `platinum held drop ID` takes \
                     it off the list.\n",
                ),
                false => Ok(()),
            }
        }
        HeldCommand::Drop(which) => {
            let chosen = chosen(&list, &which)?;
            for file in &chosen {
                files.remove(file)?;
            }
            let what = count(chosen.len(), "file", "files");
            ctx.print(&format!(
                "{what} off the list. The remote's history keeps them.\n"
            ))
        }
    }
}

fn open(git_dir: &std::path::Path) -> Result<Repo, CommandError> {
    Repo::open_or_init(git_dir).map_err(|error| failed(&error))
}

fn failed(error: &platinum_repo::RepoError) -> CommandError {
    CommandError::new(Kind::Failed, error.to_string())
}

fn find<'a>(list: &'a [HeldFile], id: &str) -> Result<&'a HeldFile, CommandError> {
    let mut named = list
        .iter()
        .filter(|file| !id.is_empty() && file.id.starts_with(id));
    match (named.next(), named.next()) {
        (Some(file), None) => Ok(file),
        (found, _) => {
            let what = match found {
                Some(_) => format!("`{id}` is the start of several ids"),
                None => format!("nothing is held as `{}`", plain(id, 40)),
            };
            Err(CommandError::new(Kind::NotFound, what).hint("`platinum held` lists what there is"))
        }
    }
}

fn chosen<'a>(list: &'a [HeldFile], which: &Which) -> Result<Vec<&'a HeldFile>, CommandError> {
    match which.all {
        true => Ok(list.iter().collect()),
        false => which.ids.iter().map(|id| find(list, id)).collect(),
    }
}

fn listed(list: &[HeldFile], ctx: &Context) -> String {
    if list.is_empty() {
        return "Nothing is held.\n".to_owned();
    }
    let mut text = format!(
        "{} pushed, not in your vault:\n",
        count(
            list.len(),
            "file that another device",
            "files that other devices"
        )
    );
    for file in list {
        let what = match (&file.blob, &file.base) {
            (None, _) => "deleted",
            (Some(_), None) => "new",
            (Some(_), Some(_)) if file.is_approval() => "moved here to approve it",
            (Some(_), Some(_)) => "changed",
        };
        text.push_str(&format!(
            "\n{}  {}  {what}, from {}, {:.0}\n          {}\n",
            ctx.paint.word(Level::Ok, &file.id),
            plain(file.path.as_str(), 200),
            file.sender(),
            file.at,
            ctx.paint.word(Level::Dim, &plain(&file.reason, 300)),
        ));
    }
    text.push_str(
        "\nTo see one: platinum held show ID. To put it into your vault: platinum held take ID, or \
         --all. To forget it: platinum held drop ID.\n",
    );
    if list.iter().any(|file| file.device.is_none()) {
        text.push_str(
            "To take over at once what a device of yours pushes: platinum device add NAME PUBLIC \
             KEY.\n",
        );
    }
    text
}

fn sentence(taken: &Taken, file: &HeldFile) -> String {
    match taken {
        Taken::Written(path) => format!("{path} is in your vault."),
        Taken::Deleted(path) => format!("{path} is deleted, as on the device."),
        Taken::Beside(path) => format!(
            "You changed {} since: the device's version is beside it, {path}.",
            file.path
        ),
        Taken::AlreadySo(path) if file.is_approval() => format!(
            "{path} waits for you: approve it with `platinum approve {}`.",
            path.stem()
        ),
        Taken::AlreadySo(path) => format!("{path} is so in your vault already."),
    }
}
