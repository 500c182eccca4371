//! [`StopSignal`]: when a source's process has to end.
//!
//! It ends on SIGTERM and SIGINT, and when its standard input is a pipe that closes: so it
//! cannot outlive the daemon that started it, however that one died.

use std::{fs, io::Read as _, os::unix::fs::FileTypeExt as _};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// The wish to end, once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<Option<&'static str>>);

impl StopSignal {
    /// Listens to signals and, with `parent`, to the parent's pipe. Must be called inside a
    /// runtime.
    ///
    /// # Errors
    /// If the system does not let us listen to signals.
    pub fn listen(parent: bool) -> std::io::Result<Self> {
        let (wish, stop) = watch::channel(None);
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let by_signal = wish.clone();
        tokio::spawn(async move {
            let reason = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            by_signal.send_replace(Some(reason));
        });
        if parent && input_is_pipe() {
            // A thread of its own: a read of the standard input cannot be called off.
            std::thread::Builder::new()
                .name("parent".to_owned())
                .spawn(move || {
                    let mut ignored = [0; 1024];
                    let mut input = std::io::stdin().lock();
                    while matches!(input.read(&mut ignored), Ok(1..)) {}
                    wish.send_replace(Some("the parent process is gone"));
                })?;
        }
        Ok(Self(stop))
    }

    /// Waits for the wish; says why.
    pub async fn wished(&mut self) -> &'static str {
        match self.0.wait_for(Option::is_some).await {
            Ok(reason) => (*reason).unwrap_or("asked to"),
            Err(_) => "the signal listener ended",
        }
    }
}

fn input_is_pipe() -> bool {
    fs::metadata("/proc/self/fd/0")
        .is_ok_and(|meta| meta.file_type().is_fifo() || meta.file_type().is_socket())
}
