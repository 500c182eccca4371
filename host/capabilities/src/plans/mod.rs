//! `plans/write`: plans into `Plans/`.

mod host;

use platinum_core::Capability;

use crate::{
    bindings::platinum::plans::write,
    context::{HasCtx, context_of},
    proposals::ProposeCtx,
    registry::Offer,
};

pub(crate) const WRITE: Offer<ProposeCtx> = Offer::new(Capability::PlansWrite, |linker| {
    write::add_to_linker::<_, HasCtx<ProposeCtx>>(
        linker,
        context_of::<_, { Capability::PlansWrite as usize }>,
    )
});
