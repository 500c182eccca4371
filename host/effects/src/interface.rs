//! [`EffectOffer`]: the interface of an effect for the engine, and [`EffectView`], what its host
//! function works on.
//!
//! Every effect has the same: a handle that the host made goes in and is used up first, the executor
//! does the rest.

use std::sync::Arc;

use platinum_core::{ActionKind, Capability};
use platinum_engine::{Call, Interface, Linker, SkillState};
use wasmtime::component::{HasData, Resource, ResourceTable};

use crate::{
    Executor,
    approvals::Approved,
    audit,
    bindings::platinum::actions::types::{EffectError, Receipt},
};

/// An effect's interface and how it is linked.
pub(crate) struct EffectOffer {
    capability: Capability,
    link: fn(&mut Linker<SkillState>) -> wasmtime::Result<()>,
}

impl EffectOffer {
    pub(crate) const fn new(
        capability: Capability,
        link: fn(&mut Linker<SkillState>) -> wasmtime::Result<()>,
    ) -> Self {
        Self { capability, link }
    }

    /// The interface over what carries approved actions out.
    pub(crate) fn with(self, executor: &Arc<Executor>) -> Box<dyn Interface> {
        Box::new(EffectInterface {
            offer: self,
            executor: Some(Arc::clone(executor)),
        })
    }

    /// The interface for components that are checked and never run.
    pub(crate) fn link_only(self) -> Box<dyn Interface> {
        Box::new(EffectInterface {
            offer: self,
            executor: None,
        })
    }
}

struct EffectInterface {
    offer: EffectOffer,
    executor: Option<Arc<Executor>>,
}

impl Interface for EffectInterface {
    fn capability(&self) -> Capability {
        self.offer.capability
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        (self.offer.link)(linker)
    }

    fn prepare(&self, state: &mut SkillState, call: &Call) {
        if let Some(executor) = &self.executor {
            state.put(EffectCtx(Arc::clone(executor), call.skill.clone()));
        }
    }
}

/// Who carries it out, and the skill that asks.
struct EffectCtx(Arc<Executor>, String);

/// What the host function of an effect works on.
pub(crate) struct EffectView<'a> {
    pub(crate) executor: &'a Arc<Executor>,
    pub(crate) skill: &'a str,
    pub(crate) table: &'a mut ResourceTable,
}

/// Marks, for the linker, that an interface works on an [`EffectView`].
pub(crate) struct HasEffects;

impl HasData for HasEffects {
    type Data<'a> = EffectView<'a>;
}

/// The view of a run, for a call of the interface that is at `CAPABILITY` among all.
pub(crate) fn view_of<const CAPABILITY: usize>(state: &mut SkillState) -> EffectView<'_> {
    if let Some(&capability) = Capability::ALL.get(CAPABILITY) {
        state.mark_used(capability);
    }
    let (EffectCtx(executor, skill), table) = state.view::<EffectCtx>();
    EffectView {
        executor,
        skill,
        table,
    }
}

impl EffectView<'_> {
    /// Uses the handle up, then carries out what it stands for, if it is of this kind. That the skill
    /// has used the interface is in the journal before anything is done.
    pub(crate) async fn execute(
        &mut self,
        approved: Resource<Approved>,
        kind: ActionKind,
        interface: Capability,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        // Used up first: whatever comes of it, this handle is gone.
        let approved = self.table.delete(approved)?;
        let draft = approved.draft().id;
        let approvals = self.executor.approvals();
        if let Err(reason) = audit::note_use(approvals, self.skill, interface, draft).await {
            return Ok(Err(EffectError::Postponed(reason)));
        }
        let ended = self.executor.execute_to_its_end(approved, kind).await;
        if let Err(EffectError::Refused(reason)) = &ended {
            audit::note_refusal(self.executor.approvals(), draft, reason).await;
        }
        Ok(ended)
    }
}
