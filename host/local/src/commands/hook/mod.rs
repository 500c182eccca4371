//! `platinum hook …`: what the host of a remote runs; nobody types it.
//!
//! Lives elsewhere: what is told and when is `platinum_repo`'s; what a push may bring is judged by
//! `platinum_daemon::sync::hook`; setting it up is in `install`.
//! Invariant: what git or ssh starts needs no configuration and no vault: a host of a remote has
//! neither.

mod install;

use std::{io::Read as _, path::PathBuf};

use super::{CommandError, Context, Kind};

/// What a remote's host runs for its clients: nobody types it.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct HookArgs {
    #[command(subcommand)]
    hook: Hook,
}

#[derive(Debug, clap::Subcommand)]
enum Hook {
    /// Tell on stdout where the branch of a repository points, now and whenever it moves.
    Watch {
        /// The repository.
        repository: PathBuf,
    },
    /// Judge a push: git starts it, with what is pushed on stdin.
    PreReceive,
    Install(install::InstallArgs),
}

pub(crate) async fn run(args: &HookArgs, ctx: &Context) -> Result<(), CommandError> {
    match &args.hook {
        Hook::Watch { repository } => watch(repository).await,
        Hook::PreReceive => pre_receive(),
        Hook::Install(args) => install::run(args, ctx),
    }
}

/// A push moves one ref; more lines than this are no push of ours.
const MAX_LINES: u64 = 64 * 1024;

fn pre_receive() -> Result<(), CommandError> {
    let mut lines = String::new();
    std::io::stdin()
        .take(MAX_LINES)
        .read_to_string(&mut lines)?;
    platinum_daemon::sync::hook::pre_receive(&lines).map_err(|refused| {
        let error = CommandError::new(Kind::Refused, "the push is refused");
        refused.into_iter().fold(error, CommandError::hint)
    })
}

async fn watch(repository: &std::path::Path) -> Result<(), CommandError> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // Not a thread of the runtime's: that would wait for it in the end.
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while matches!(std::io::stdin().read(&mut nothing), Ok(1..)) {}
        // Nobody left to hear it means that the command has ended.
        let _ = tell.send(());
    });
    let gone = async move { drop(told.await) };
    match platinum_repo::watch_branch(repository, gone, tokio::io::stdout()).await {
        // The listener went away.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CommandError::new(
            Kind::Failed,
            format!("{} cannot be watched: {error}", repository.display()),
        )),
        Ok(()) => Ok(()),
    }
}
