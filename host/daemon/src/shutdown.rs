//! [`Shutdown`]: how every loop learns that it is time to stop.

use tokio::sync::watch;

/// A receiver of the one order there is: stop. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A pair: sending `true`, or dropping the sender, stops everything.
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (stop, receiver) = watch::channel(false);
        (stop, Self(receiver))
    }

    /// Whether the order was given.
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits for the order.
    pub async fn stopped(&mut self) {
        while !*self.0.borrow_and_update() {
            if self.0.changed().await.is_err() {
                return;
            }
        }
    }
}

/// A [`Shutdown`] that SIGINT or SIGTERM give.
///
/// # Errors
/// If the system does not let the program listen to its signals.
pub fn on_signals() -> std::io::Result<Shutdown> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stop, shutdown) = Shutdown::new();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("Stopping: work under way is finished first.");
        // No receiver left means that everything has stopped already.
        stop.send(true).ok();
        // A second signal does not wait.
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(shutdown)
}
