//! The loop that keeps the vault and its remote together.

use std::{sync::Arc, time::Duration};

use platinum_engine::Trigger;
use platinum_watch::{Wake, WakeUps};

use crate::{Shutdown, SkillSet, pipeline::trigger};

/// How long the vault must be quiet before a change is taken: programs save in several steps.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a vault that is never quiet waits at most.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs the skill sync-vault after changes and every `every`.
pub async fn keep_in_sync(
    skills: Arc<SkillSet>,
    mut wake_ups: WakeUps,
    every: Duration,
    mut shutdown: Shutdown,
) {
    let mut trouble: Option<String> = None;
    while !shutdown.is_stopping() {
        match skills
            .run("sync-vault", trigger(Trigger::Schedule, None, None), &[])
            .await
        {
            Ok(_) => {
                if trouble.take().is_some() {
                    tracing::info!("The remote answers again.");
                }
            }
            // The same trouble is told once, not every few seconds.
            Err(error) => {
                let error = error.to_string();
                if trouble.as_ref() != Some(&error) {
                    tracing::warn!("{error}");
                    trouble = Some(error);
                }
            }
        }
        tokio::select! {
            () = shutdown.stopped() => {}
            wake = wake_ups.wait(every) => match wake {
                Wake::Changed => settle(&mut wake_ups).await,
                Wake::TimedOut => {}
                Wake::Closed => tokio::time::sleep(every).await,
            }
        }
    }
}

/// Waits till the vault is quiet, but not for ever.
async fn settle(wake_ups: &mut WakeUps) {
    let quiet = async { while wake_ups.wait(SETTLE).await == Wake::Changed {} };
    // A vault that never rests is synced as it is.
    tokio::time::timeout(PATIENCE, quiet).await.ok();
}
