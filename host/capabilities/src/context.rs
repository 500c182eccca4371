//! What a host function sees of a run: its interface's own context.
//!
//! The host traits are implemented on the context, never on the whole state of the store, so that
//! interfaces do not know each other.

use std::marker::PhantomData;

use platinum_core::Capability;
use platinum_engine::SkillState;
use wasmtime::component::HasData;

/// Marks, for the linker, that an interface works on the context `C` of a run.
pub(crate) struct HasCtx<C>(PhantomData<C>);

impl<C: 'static> HasData for HasCtx<C> {
    type Data<'a> = &'a mut C;
}

/// The context `C` of a run, for a call of the interface that is at `CAPABILITY` among all.
pub(crate) fn context_of<C: Send + 'static, const CAPABILITY: usize>(
    state: &mut SkillState,
) -> &mut C {
    if let Some(&capability) = Capability::ALL.get(CAPABILITY) {
        state.mark_used(capability);
    }
    state.view::<C>().0
}
