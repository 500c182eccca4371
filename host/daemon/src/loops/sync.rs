//! The loop that keeps the vault and its remote together.
//!
//! It syncs after a change here (once the vault is quiet), after a change there (once it is heard
//! of), and by a timer; while the remote is away it tries again and again, less and less often.

use std::{convert::Infallible, sync::Arc, time::Duration};

use platinum_core::{Backoff, Role};
use platinum_repo::RemoteEvent;
use platinum_sync::Synchronizer;
use platinum_watch::{Wake, WakeUps};

use crate::{
    Shutdown,
    skills::{Event, Request, SkillSet},
};

/// How long the vault must be quiet before a change is taken: programs save in several steps.
const QUIET: Duration = Duration::from_millis(300);
/// How long a vault that is never quiet waits at most.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const RETRIES: Backoff = Backoff::new(Duration::from_secs(2), LONGEST_PAUSE);

/// Raises `work.done` after changes on either side and every `every`, for the skill that syncs; and
/// `vault.synced` where that brought files, as far as no other loop of the role does.
pub async fn run_sync(
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    role: Role,
    mut wake_ups: WakeUps,
    every: Duration,
    mut shutdown: Shutdown,
) {
    let mut trouble: Option<String> = None;
    let mut failures = 0_u32;
    let mut applied = applied_tip(&sync).await;
    while !shutdown.is_stopping() {
        let committed = commit_meanwhile(sync.clone(), wake_ups.clone());
        let work = Request::new(&Event::WorkDone);
        let synced = tokio::select! {
            synced = skills.run_all(&work) => synced,
            never = committed => match never {},
        };
        // The loop that acts does so for the owner's machine, where more than a sync changes it.
        if role == Role::Cloud {
            let now = applied_tip(&sync).await;
            if now != applied {
                applied = now;
                if let Err(error) = skills.run_all(&Request::new(&Event::VaultSynced)).await {
                    error.log();
                }
            }
        }
        match synced {
            Ok(()) => {
                failures = 0;
                if trouble.take().is_some() {
                    tracing::info!("The sync works again.");
                }
            }
            // The same trouble is logged once, not every few seconds.
            Err(error) => {
                failures = failures.saturating_add(1);
                let error = error.to_string();
                if trouble.as_ref() != Some(&error) {
                    tracing::warn!("{error}.");
                    trouble = Some(error);
                }
            }
        }
        tokio::select! {
            () = shutdown.stopped() => {}
            () = reason_to_sync(&sync, &mut wake_ups, wait_after(failures, every)) => {}
        }
    }
}

async fn applied_tip(sync: &Synchronizer) -> Option<String> {
    sync.status().await.ok()?.applied
}

/// While a sync waits for a remote that does not answer, people go on: what they save is committed.
pub async fn commit_meanwhile(sync: Synchronizer, mut wake_ups: WakeUps) -> Infallible {
    loop {
        match wake_ups.wait(LONGEST_PAUSE).await {
            Wake::Changed => {
                wait_until_quiet(&mut wake_ups).await;
                if let Err(error) = sync.keep().await {
                    tracing::debug!(%error, "Cannot commit changes now; the sync will say why.");
                }
            }
            Wake::TimedOut => {}
            Wake::Closed => std::future::pending().await,
        }
    }
}

/// Waits for a change here, one there, or the time.
async fn reason_to_sync(sync: &Synchronizer, wake_ups: &mut WakeUps, at_most: Duration) {
    let here = async {
        match wake_ups.wait(at_most).await {
            Wake::Changed => wait_until_quiet(wake_ups).await,
            Wake::TimedOut => {}
            // Without events the timer still runs.
            Wake::Closed => tokio::time::sleep(at_most).await,
        }
    };
    let there = async {
        match sync.wait_for_remote(at_most).await {
            // That it is lost is found out by trying, so that the owner hears of it.
            RemoteEvent::Moved(_) | RemoteEvent::Reachable | RemoteEvent::Unreachable => {}
            // Nothing was heard: the other arm has the time.
            RemoteEvent::Unchanged | RemoteEvent::Unknown => std::future::pending().await,
        }
    };
    tokio::select! {
        () = here => {}
        () = there => {}
    }
}

/// Waits until the vault is quiet, but not for ever.
async fn wait_until_quiet(wake_ups: &mut WakeUps) {
    let quiet = async { while wake_ups.wait(QUIET).await == Wake::Changed {} };
    // A vault that never rests is synced as it is.
    tokio::time::timeout(PATIENCE, quiet).await.ok();
}

/// How long until the next sync without a reason. After failures it doubles, and no two hosts that
/// lost the same remote come back in step.
fn wait_after(failures: u32, every: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => every,
        Some(earlier) => RETRIES.jittered(earlier).min(every),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause grows with failures and is never longer than the timer.
    #[test]
    fn wait_after_failures_grows_up_to_the_timer() {
        let every = Duration::from_secs(120);
        assert_eq!(wait_after(0, every), every);
        for failures in 1..100 {
            let most = Duration::from_secs(1 << failures.min(6)).min(LONGEST_PAUSE);
            let pause = wait_after(failures, every);
            assert!(pause <= most && pause >= most / 2, "{failures}: {pause:?}");
            assert!(wait_after(failures, Duration::from_secs(1)) <= Duration::from_secs(1));
        }
    }
}
