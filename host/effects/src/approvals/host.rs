//! The host side of `approvals/queue`.

use platinum_core::ActionKind;
use wasmtime::component::Resource;

use super::{Approved, QueueView};
use crate::bindings::platinum::{
    actions::types as wit,
    approvals::queue::{Error, Host, HostApprovedAction},
};

impl Host for QueueView<'_> {
    async fn next(
        &mut self,
        kinds: Vec<wit::ActionKind>,
    ) -> wasmtime::Result<Result<Option<Resource<Approved>>, Error>> {
        let kinds: Vec<_> = kinds.into_iter().map(from_wit).collect();
        match self.approvals.next(&kinds).await {
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
        Ok(self
            .approvals
            .refuse(approved, &reason)
            .await
            .map_err(Error::Unavailable))
    }
}

impl HostApprovedAction for QueueView<'_> {
    async fn kind(&mut self, approved: Resource<Approved>) -> wasmtime::Result<wit::ActionKind> {
        Ok(to_wit(self.table.get(&approved)?.note.action.kind()))
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

fn from_wit(kind: wit::ActionKind) -> ActionKind {
    match kind {
        wit::ActionKind::EmailSend => ActionKind::EMAIL_SEND,
        wit::ActionKind::SocialPublish => ActionKind::SOCIAL_PUBLISH,
        wit::ActionKind::OdooPost => ActionKind::ODOO_POST,
        wit::ActionKind::OdooPayment => ActionKind::ODOO_PAYMENT,
        wit::ActionKind::WhatsappSend => ActionKind::WHATSAPP_SEND,
        wit::ActionKind::Payment => ActionKind::PAYMENT,
    }
}

fn to_wit(kind: ActionKind) -> wit::ActionKind {
    match kind {
        ActionKind::EMAIL_SEND => wit::ActionKind::EmailSend,
        ActionKind::SOCIAL_PUBLISH => wit::ActionKind::SocialPublish,
        ActionKind::ODOO_POST => wit::ActionKind::OdooPost,
        ActionKind::ODOO_PAYMENT => wit::ActionKind::OdooPayment,
        ActionKind::WHATSAPP_SEND => wit::ActionKind::WhatsappSend,
        _ => wit::ActionKind::Payment,
    }
}
