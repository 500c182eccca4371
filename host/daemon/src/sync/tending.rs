//! Upkeep of the repository, in our turn.
//!
//! Lives elsewhere: what is done is `repo`'s; when to look is a loop's.

use platinum_repo::MaintenanceError;

use super::Synchronizer;

impl Synchronizer {
    /// Gathers the repository's objects and refs if there are many; answers whether it did.
    /// Claims and syncs wait meanwhile. Given up, it ends at once and leaves all whole.
    ///
    /// # Errors
    /// If git's client is not there, refuses, or takes too long.
    pub async fn tend(&self) -> Result<bool, MaintenanceError> {
        let repo = self.side.repo.clone();
        let looked = tokio::task::spawn_blocking(move || repo.object_stats()).await;
        let is_much = match looked {
            Ok(clutter) => clutter?.needs_gc(),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The daemon is stopping.
            Err(_) => false,
        };
        if is_much {
            let _turn = self.turn.lock().await;
            let git = self.side.git_begins();
            self.side.repo.maintain().await?;
            self.side.git_ended(git);
        }
        Ok(is_much)
    }
}
