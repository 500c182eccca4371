//! The host side of `approvals/queue`.

use platinum_core::ActionKind;
use wasmtime::component::Resource;

use super::{Approved, QueueView};
use crate::audit;
use crate::bindings::platinum::approvals::queue::{Error, Host, HostApprovedAction};

impl Host for QueueView<'_> {
    async fn next(
        &mut self,
        kinds: Vec<String>,
    ) -> wasmtime::Result<Result<Option<Resource<Approved>>, Error>> {
        let kinds: Result<Vec<ActionKind>, _> = kinds.iter().map(|kind| kind.parse()).collect();
        let kinds = match kinds {
            Ok(kinds) => kinds,
            Err(error) => return Ok(Err(Error::Invalid(error.to_string()))),
        };
        match self.approvals.next_due(&kinds).await {
            Ok(Some(approved)) => Ok(Ok(Some(self.table.push(approved)?))),
            Ok(None) => Ok(Ok(None)),
            Err(reason) => Ok(Err(Error::Unavailable(reason))),
        }
    }

    async fn refuse(
        &mut self,
        approved: Resource<Approved>,
        reason: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let approved = self.table.delete(approved)?;
        let draft = approved.draft().id;
        let refused = self.approvals.refuse(approved, &reason).await;
        if refused.is_ok() {
            audit::note_refusal(self.approvals, draft, &reason).await;
        }
        Ok(refused.map_err(Error::Unavailable))
    }
}

impl HostApprovedAction for QueueView<'_> {
    async fn kind(&mut self, approved: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(self.table.get(&approved)?.note.action.kind().to_string())
    }

    async fn draft(&mut self, approved: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(self.table.get(&approved)?.note.id.to_string())
    }

    async fn task(&mut self, approved: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(self.table.get(&approved)?.note.task.to_string())
    }

    async fn summary(&mut self, approved: Resource<Approved>) -> wasmtime::Result<String> {
        Ok(self.table.get(&approved)?.note.summary.clone())
    }

    async fn drop(&mut self, approved: Resource<Approved>) -> wasmtime::Result<()> {
        self.table.delete(approved)?;
        Ok(())
    }
}
