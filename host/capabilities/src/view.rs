//! What a host function sees of a run: its interface's own context.
//!
//! The host traits are implemented on [`View`], never on the whole state of the store, so that
//! interfaces do not know each other.

use std::marker::PhantomData;

use platinum_engine::SkillState;
use wasmtime::component::HasData;

/// The context `C` of one interface during one call.
pub(crate) struct View<'a, C> {
    pub(crate) ctx: &'a mut C,
}

/// Says that an interface works on a [`View`] of `C`.
pub(crate) struct Of<C>(PhantomData<C>);

impl<C: 'static> HasData for Of<C> {
    type Data<'a> = View<'a, C>;
}

/// Finds the context of a run.
pub(crate) fn view<C: Send + 'static>(state: &mut SkillState) -> View<'_, C> {
    let (ctx, _) = state.view::<C>();
    View { ctx }
}
