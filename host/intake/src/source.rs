//! [`Source`]: something outside that tasks come from, and the one loop over it.
//!
//! A wake-up carries no data: after each, and after a while without one, the source is polled from
//! where it was left. What fails is logged in one sentence and tried again later, each time after a
//! longer pause; only what a person has to mend at the start ends the loop.

use std::{fmt, io::Write as _, path::Path, time::Duration};

use platinum_core::Backoff;
use tracing::{info, warn};

const RETRIES: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// Something outside that tasks come from.
pub trait Source {
    /// Why it cannot be read.
    type Error: fmt::Display;

    /// What the log says when the first poll went well.
    fn ready(&self) -> &'static str;

    /// Takes in everything that is new; answers how much that was. What was done before an error
    /// stays done.
    fn poll(&mut self) -> impl Future<Output = Result<usize, Self::Error>>;

    /// Waits until there may be something new, at most so long.
    fn wait(&mut self, at_most: Duration) -> impl Future<Output = Result<(), Self::Error>> {
        let over = tokio::time::sleep(at_most);
        async move {
            over.await;
            Ok(())
        }
    }

    /// Whether a person has to mend it before a further try makes sense.
    fn is_lasting(error: &Self::Error) -> bool;

    /// How long to wait after an error that has a pause of its own, and no line in the log.
    fn own_pause(&mut self, error: &Self::Error) -> Option<Duration> {
        let _ = error;
        None
    }
}

/// Polls and waits. Comes back after one poll with `once`, otherwise only with an error; drop the
/// future to end it, at any moment.
///
/// # Errors
/// Whatever a person has to mend. Other errors are logged and tried again, except with `once`.
pub async fn run<S: Source>(mut source: S, every: Duration, once: bool) -> Result<(), S::Error> {
    let mut failures = 0_u32;
    let mut has_worked = false;
    loop {
        let error = match source.poll().await {
            Ok(_) if once => return Ok(()),
            Ok(taken) => {
                if taken > 0 {
                    report_new();
                }
                if !has_worked {
                    info!("{}", source.ready());
                }
                has_worked = true;
                match source.wait(every).await {
                    Ok(()) => {
                        // Not reset before: a source that always breaks off while waiting would be
                        // polled each second.
                        failures = 0;
                        continue;
                    }
                    Err(error) => error,
                }
            }
            Err(error) if once || (!has_worked && S::is_lasting(&error)) => return Err(error),
            Err(error) => error,
        };
        if let Some(own) = source.own_pause(&error) {
            tokio::time::sleep(own).await;
            continue;
        }
        let delay = RETRIES.delay(failures);
        warn!("{error}; trying again in {} s", delay.as_secs());
        tokio::time::sleep(delay).await;
        failures = failures.saturating_add(1);
    }
}

/// Lets the daemon know that something was taken in, if one reads this process's standard output: a
/// line without data, for which the daemon raises `source:<name>`. Without a reader it is lost, as a
/// wake-up may be.
fn report_new() {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "new").and_then(|()| output.flush());
}

/// Whether a folder, which may not exist yet, is inside the vault.
pub(crate) fn is_inside(folder: &Path, vault: &Path) -> bool {
    let Ok(vault) = vault.canonicalize() else {
        return false;
    };
    let Ok(folder) = std::path::absolute(folder) else {
        return false;
    };
    // The folder may not exist yet: its nearest ancestor that does tells where it will be.
    folder
        .ancestors()
        .find_map(|ancestor| ancestor.canonicalize().ok())
        .is_some_and(|ancestor| ancestor.starts_with(vault))
}
