//! The host side of `whatsapp/send`.

use platinum_core::{ActionKind, Capability};
use wasmtime::component::Resource;

use crate::{
    approvals::Approved,
    bindings::platinum::{
        actions::types::{EffectError, Receipt},
        whatsapp::send::Host,
    },
    interface::EffectView,
};

impl Host for EffectView<'_> {
    async fn send(
        &mut self,
        approved: Resource<Approved>,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        self.execute(
            approved,
            ActionKind::WHATSAPP_SEND,
            Capability::WhatsappSend,
        )
        .await
    }
}
