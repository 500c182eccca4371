//! [`Offer`]: one interface, how it is linked and on which context it works.
//!
//! Invariant: a context is made anew for every call; an interface that is only linked has none,
//! and the engine does not let a component call it.

use std::marker::PhantomData;

use platinum_core::Capability;
use platinum_engine::{Call, Interface, SkillState};
use wasmtime::component::Linker;

/// Links the interface into a linker.
type Link = fn(&mut Linker<SkillState>) -> wasmtime::Result<()>;

/// An interface that works on a context `C`.
pub(crate) struct Offer<C> {
    capability: Capability,
    link: Link,
    context: PhantomData<fn() -> C>,
}

impl<C: Send + 'static> Offer<C> {
    pub(crate) const fn new(capability: Capability, link: Link) -> Self {
        Self {
            capability,
            link,
            context: PhantomData,
        }
    }

    /// The interface for skills that run; `context` makes its context for a call.
    pub(crate) fn with<F>(self, context: F) -> Box<dyn Interface>
    where
        F: Fn(&Call) -> C + Send + Sync + 'static,
    {
        Box::new(Offered {
            capability: self.capability,
            link: self.link,
            prepare: move |state: &mut SkillState, call: &Call| state.put::<C>(context(call)),
        })
    }

    /// The interface for components that are checked and never run.
    pub(crate) fn link_only(self) -> Box<dyn Interface> {
        Box::new(Offered {
            capability: self.capability,
            link: self.link,
            prepare: |_: &mut SkillState, _: &Call| {},
        })
    }
}

struct Offered<F> {
    capability: Capability,
    link: Link,
    prepare: F,
}

impl<F> Interface for Offered<F>
where
    F: Fn(&mut SkillState, &Call) + Send + Sync + 'static,
{
    fn capability(&self) -> Capability {
        self.capability
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        (self.link)(linker)
    }

    fn prepare(&self, state: &mut SkillState, call: &Call) {
        (self.prepare)(state, call);
    }
}
