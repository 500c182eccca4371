//! `platinum hook …`: what the host of a remote runs; a person only types `install`.
//!
//! Lives elsewhere: watching a branch is `platinum_repo`'s; what a push may bring is judged by
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

/// What the host of a remote runs for its clients.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct HookArgs {
    #[command(subcommand)]
    hook: Hook,
}

#[derive(Debug, clap::Subcommand)]
enum Hook {
    /// Print where the branch of a repository points, now and whenever it moves.
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

/// A push moves one ref; Platinum never pushes more lines than this.
const MAX_LINES: u64 = 64 * 1024;
/// How often the client hears that its push is still being checked: without a sign of life it times
/// out, and a long history takes longer than that.
const REPORT_EVERY: Duration = Duration::from_secs(10);

fn pre_receive() -> Result<(), CommandError> {
    let mut lines = String::new();
    std::io::stdin()
        .take(MAX_LINES)
        .read_to_string(&mut lines)?;
    let check = || platinum_verify::hook::pre_receive(&lines);
    let report = || eprintln!("platinum: still checking the push…");
    while_reporting(REPORT_EVERY, report, check).map_err(|refused| {
        let error = CommandError::new(Kind::Refused, "the push is refused");
        refused.into_iter().fold(error, CommandError::hint)
    })
}

/// Does some work, and reports at an interval that it is not done yet.
fn while_reporting<T>(every: Duration, report: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    // Nothing is ever sent: dropping the sender says that the work has ended.
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                report();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

async fn watch(repository: &std::path::Path) -> Result<(), CommandError> {
    let (sender, closed) = tokio::sync::oneshot::channel();
    // Not a thread of the runtime: the runtime would wait for it at the end.
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while matches!(std::io::stdin().read(&mut nothing), Ok(1..)) {}
        // A receiver that is gone means that the command has ended.
        let _ = sender.send(());
    });
    let gone = async move { drop(closed.await) };
    match platinum_repo::watch_branch(repository, gone, tokio::io::stdout()).await {
        // The listener went away.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CommandError::new(
            Kind::Failed,
            format!("cannot watch {}: {error}", repository.display()),
        )),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn while_reporting_reports_until_the_work_ends() {
        let reports = AtomicU32::new(0);
        let report = || {
            reports.fetch_add(1, Ordering::SeqCst);
        };
        let soon = Duration::from_millis(1);
        let result = while_reporting(soon, report, || {
            while reports.load(Ordering::SeqCst) < 3 {
                std::thread::yield_now();
            }
            7
        });
        assert_eq!(result, 7);
        let before = reports.load(Ordering::SeqCst);
        assert_eq!(while_reporting(Duration::from_secs(60), report, || 8), 8);
        assert_eq!(
            reports.load(Ordering::SeqCst),
            before,
            "a short one is silent"
        );
    }
}
