//! The host side of `odoo/post`.

use platinum_core::{ActionKind, Capability};
use wasmtime::component::Resource;

use crate::{
    approvals::Approved,
    bindings::platinum::{
        actions::types::{EffectError, Receipt},
        odoo::post::Host,
    },
    interface::EffectView,
};

impl Host for EffectView<'_> {
    /// One function for both kinds: what an approval of another kind is handed to refuses it.
    async fn post(
        &mut self,
        approved: Resource<Approved>,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        let kind = match self.table.get(&approved)?.draft().action.kind() {
            ActionKind::ODOO_PAYMENT => ActionKind::ODOO_PAYMENT,
            _ => ActionKind::ODOO_POST,
        };
        self.execute(approved, kind, Capability::OdooPost).await
    }
}
