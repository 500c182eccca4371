//! Files and the journal from async code: on a thread for blocking work, to its end.

/// Does blocking work. It is finished even if no caller waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| format!("the work was cut off: {error}"))
}
