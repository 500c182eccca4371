//! `model/complete`: a metered completion.
//!
//! Lives elsewhere: providers, budget and quoting are `llm`'s.

mod host;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::Interface;
use platinum_llm::Model;

use crate::{
    bindings::platinum::model::complete,
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What `model/complete` asks.
pub(crate) struct ModelCtx {
    model: Arc<dyn Model>,
}

pub(crate) const COMPLETE: Offer<ModelCtx> = Offer::new(Capability::ModelComplete, |linker| {
    complete::add_to_linker::<_, HasCtx<ModelCtx>>(
        linker,
        context_of::<_, { Capability::ModelComplete as usize }>,
    )
});

/// `model/complete` over a provider.
pub fn interface(model: &Arc<dyn Model>) -> Box<dyn Interface> {
    let model = Arc::clone(model);
    COMPLETE.with(move |_| ModelCtx {
        model: Arc::clone(&model),
    })
}
