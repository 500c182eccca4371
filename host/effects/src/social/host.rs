//! The host side of `social/publish`.

use platinum_core::{ActionKind, Capability};
use wasmtime::component::Resource;

use crate::{
    approvals::Approved,
    bindings::platinum::{
        actions::types::{EffectError, Receipt},
        social::publish::Host,
    },
    interface::EffectView,
};

impl Host for EffectView<'_> {
    async fn publish(
        &mut self,
        approved: Resource<Approved>,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        self.execute(
            approved,
            ActionKind::SOCIAL_PUBLISH,
            Capability::SocialPublish,
        )
        .await
    }
}
