//! [`Offered`]: one interface with the way to its context, ready for the engine's list.

use platinum_core::Capability;
use platinum_engine::{Call, Interface, SkillState};
use wasmtime::component::Linker;

/// Links the interface into a linker.
type Link = fn(&mut Linker<SkillState>) -> wasmtime::Result<()>;

/// An interface whose context is made anew for every call.
pub(crate) struct Offered<F> {
    capability: Capability,
    link: Link,
    context: F,
}

/// Offers an interface: how it is linked, and how its context is made for a call.
pub(crate) fn offer<C, F>(capability: Capability, link: Link, context: F) -> Box<dyn Interface>
where
    C: Send + 'static,
    F: Fn(&Call) -> C + Send + Sync + 'static,
{
    Box::new(Offered {
        capability,
        link,
        context,
    })
}

impl<C, F> Interface for Offered<F>
where
    C: Send + 'static,
    F: Fn(&Call) -> C + Send + Sync + 'static,
{
    fn capability(&self) -> Capability {
        self.capability
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        (self.link)(linker)
    }

    fn prepare(&self, state: &mut SkillState, call: &Call) {
        state.put::<C>((self.context)(call));
    }
}
