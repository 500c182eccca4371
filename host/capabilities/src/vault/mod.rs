//! `vault/context`: reads what the grant names, and nothing else.

mod host;

use std::{collections::BTreeMap, sync::Arc};

use platinum_core::{Capability, VaultPath};
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::vault::context,
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What `vault/context` reads.
pub(crate) struct NotesCtx {
    pub(crate) vault: Vault,
    pub(crate) granted: Arc<[VaultPath]>,
}

pub(crate) const CONTEXT: Offer<NotesCtx> = Offer::new(Capability::VaultContext, |linker| {
    context::add_to_linker::<_, HasCtx<NotesCtx>>(
        linker,
        context_of::<_, { Capability::VaultContext as usize }>,
    )
});

/// What skills may read of the vault.
#[derive(Debug, Clone, Default)]
pub struct ReadGrants {
    /// Files and folders for every skill.
    pub every_skill: Vec<VaultPath>,
    /// Folders for one skill more, by its name.
    pub of_skill: BTreeMap<String, Vec<VaultPath>>,
}

/// `vault/context` over the granted files and folders of a vault.
pub fn interface(vault: &Vault, grants: ReadGrants) -> Box<dyn Interface> {
    let vault = vault.clone();
    let every_skill: Arc<[VaultPath]> = grants.every_skill.into();
    let of_skill: BTreeMap<String, Arc<[VaultPath]>> = grants
        .of_skill
        .into_iter()
        .map(|(skill, folders)| (skill, [&*every_skill, folders.as_slice()].concat().into()))
        .collect();
    CONTEXT.with(move |call| NotesCtx {
        vault: vault.clone(),
        granted: Arc::clone(of_skill.get(&call.skill).unwrap_or(&every_skill)),
    })
}
