//! The loop that keeps the vault and its remote together.
//!
//! It syncs after a change here (once the vault is quiet), after a change there (once it is heard
//! of), and by a timer; while the remote is away it tries again and again, less and less often.

use std::{convert::Infallible, sync::Arc, time::Duration};

use platinum_core::Backoff;
use platinum_repo::RemoteEvent;
use platinum_sync::Synchronizer;
use platinum_watch::{Wake, WakeUps};

use crate::{Shutdown, SkillSet, pipeline::invocation};

/// How long the vault must be quiet before a change is taken: programs save in several steps.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a vault that is never quiet waits at most.
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const RETRIES: Backoff = Backoff::new(Duration::from_secs(2), LONGEST_PAUSE);

/// Runs the skill sync-vault after changes on either side and every `every`.
pub async fn keep_in_sync(
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    mut wake_ups: WakeUps,
    every: Duration,
    mut shutdown: Shutdown,
) {
    let mut trouble: Option<String> = None;
    let mut failures = 0_u32;
    while !shutdown.is_stopping() {
        let kept = keep_meanwhile(sync.clone(), wake_ups.clone());
        let synced = skills.run("sync-vault", invocation("schedule", None, None), &[]);
        let synced = tokio::select! {
            synced = synced => synced,
            never = kept => match never {},
        };
        match synced {
            Ok(_) => {
                failures = 0;
                if trouble.take().is_some() {
                    tracing::info!("The remote answers again.");
                }
            }
            // The same trouble is told once, not every few seconds.
            Err(error) => {
                failures = failures.saturating_add(1);
                let error = error.to_string();
                if trouble.as_ref() != Some(&error) {
                    tracing::warn!("{error}");
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

/// While a sync waits for a remote that does not answer, people go on: what they save is kept.
pub async fn keep_meanwhile(sync: Synchronizer, mut wake_ups: WakeUps) -> Infallible {
    loop {
        match wake_ups.wait(LONGEST_PAUSE).await {
            Wake::Changed => {
                settle(&mut wake_ups).await;
                if let Err(error) = sync.keep().await {
                    tracing::debug!(%error, "Nothing is kept now; the sync will tell.");
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
            Wake::Changed => settle(wake_ups).await,
            Wake::TimedOut => {}
            // Without events the timer still runs.
            Wake::Closed => tokio::time::sleep(at_most).await,
        }
    };
    let there = async {
        match sync.wait_for_remote(at_most).await {
            // That it is lost is found out by trying, so that the owner is told.
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

/// Waits till the vault is quiet, but not for ever.
async fn settle(wake_ups: &mut WakeUps) {
    let quiet = async { while wake_ups.wait(SETTLE).await == Wake::Changed {} };
    // A vault that never rests is synced as it is.
    tokio::time::timeout(PATIENCE, quiet).await.ok();
}

/// How long till the next sync without a reason. After failures it doubles, and no two hosts that
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

    #[test]
    fn the_pause_grows_with_failures_and_never_passes_the_timer() {
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
