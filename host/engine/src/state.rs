//! [`SkillState`]: what a store holds while one call runs.
//!
//! Invariants: an interface sees only what it put here itself, by its own type; everything goes when
//! the call ends.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use platinum_core::Capability;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtx;

use crate::{GrantedFolder, limits::Meter};

/// The state of one call: the table of its resources and one slot for each interface it imports.
pub struct SkillState {
    /// The resources the skill holds handles to.
    pub table: ResourceTable,
    slots: HashMap<TypeId, Box<dyn Any + Send>>,
    pub(crate) meter: Meter,
    pub(crate) wasi: Option<WasiCtx>,
    /// What WASI finds open.
    pub(crate) folders: Arc<[GrantedFolder]>,
    /// The interfaces that the skill has called, over all its runs.
    pub(crate) used: Arc<AtomicU64>,
    /// Whether nothing was prepared because no interface may be called.
    pub(crate) is_trial: bool,
}

impl SkillState {
    pub(crate) fn new(meter: Meter) -> Self {
        Self {
            table: ResourceTable::new(),
            slots: HashMap::new(),
            meter,
            wasi: None,
            folders: Arc::new([]),
            used: Arc::default(),
            is_trial: false,
        }
    }

    /// A state without any limit, for tests of an interface that run no skill.
    pub fn detached() -> Self {
        Self::new(Meter::unlimited())
    }

    /// Notes that the skill called an interface. Each implementation says it of itself.
    pub fn mark_used(&self, capability: Capability) {
        self.used.fetch_or(bit(capability), Ordering::Relaxed);
    }

    /// Puts an interface's context in its slot. What was there before is dropped.
    pub fn put<C: Any + Send>(&mut self, context: C) {
        self.slots.insert(TypeId::of::<C>(), Box::new(context));
    }

    /// The context of that type together with the table: what a view is made of.
    ///
    /// # Panics
    /// If no such context was put in: then an interface was linked whose
    /// [`prepare`](crate::Interface::prepare) forgot it.
    #[expect(
        clippy::panic,
        reason = "an interface that forgets its own context cannot be run"
    )]
    pub fn view<C: Any + Send>(&mut self) -> (&mut C, &mut ResourceTable) {
        match self
            .slots
            .get_mut(&TypeId::of::<C>())
            .and_then(|slot| slot.downcast_mut())
        {
            Some(context) => (context, &mut self.table),
            // Caught where the trial was begun.
            None if self.is_trial => std::panic::resume_unwind(Box::new(CalledTooEarly)),
            None => panic!("no {} was prepared for this call", type_name::<C>()),
        }
    }
}

/// The place of a capability in a set of them.
pub(crate) const fn bit(capability: Capability) -> u64 {
    1 << (capability as u64)
}

/// The panic of a trial: the component called an interface before it was run.
pub(crate) struct CalledTooEarly;

impl fmt::Debug for SkillState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillState")
            .field("slots", &self.slots.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A view gives what was put in under its type.
    #[test]
    fn state_view_gives_what_was_put() {
        let mut state = SkillState::detached();
        state.put(7_u32);
        state.put(String::from("seven"));
        *state.view::<u32>().0 += 1;
        assert_eq!(*state.view::<u32>().0, 8);
        assert_eq!(state.view::<String>().0, "seven");
    }

    /// A view of what was never put in says what is missing.
    #[test]
    #[should_panic(expected = "no u64 was prepared for this call")]
    fn state_view_of_nothing_names_what_is_missing() {
        SkillState::detached().view::<u64>();
    }
}
