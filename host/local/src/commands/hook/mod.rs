//! `platinum hook …`: what the host of a remote runs; nobody types it.
//!
//! Lives elsewhere: what is told and when is `platinum_repo`'s; what a push may bring is judged by
//! `platinum_verify::hook`; setting it up is in `install`.
//! Invariant: what git or ssh starts needs no configuration and no vault: a host of a remote has
//! neither.

mod install;

use std::{
    io::Read as _,
    path::PathBuf,
    sync::mpsc::{RecvTimeoutError, channel},
    time::Duration,
};

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
/// How often who pushes is told that the push is still judged: a client that hears nothing for a
/// while gives up, and a long history takes longer.
const TELL_EVERY: Duration = Duration::from_secs(10);

fn pre_receive() -> Result<(), CommandError> {
    let mut lines = String::new();
    std::io::stdin()
        .take(MAX_LINES)
        .read_to_string(&mut lines)?;
    let judge = || platinum_verify::hook::pre_receive(&lines);
    let tell = || eprintln!("platinum: what is pushed is still looked through");
    telling(TELL_EVERY, tell, judge).map_err(|refused| {
        let error = CommandError::new(Kind::Refused, "the push is refused");
        refused.into_iter().fold(error, CommandError::hint)
    })
}

/// Does some work, and tells again and again that it is not done yet.
fn telling<T>(every: Duration, tell: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    // Nothing is ever sent: that it is dropped says that the work has ended.
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                tell();
            }
        });
        let result = work();
        drop(done);
        result
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn who_waits_for_a_long_judgement_hears_that_it_goes_on() {
        let told = AtomicU32::new(0);
        let tell = || {
            told.fetch_add(1, Ordering::SeqCst);
        };
        let soon = Duration::from_millis(1);
        let judged = telling(soon, tell, || {
            while told.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now();
            }
            7
        });
        assert_eq!(judged, 7);
        let before = told.load(Ordering::SeqCst);
        assert_eq!(telling(Duration::from_secs(60), tell, || 8), 8);
        assert_eq!(told.load(Ordering::SeqCst), before, "a short one is silent");
    }
}
