//! The interfaces, called as the linker would call them, on a real vault and tasks in memory.

mod board;
mod books;
mod chats;
mod drafting;
mod posts;
mod reading;
mod scripted;

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use platinum_core::{Role, TaskId, Timestamp, ZoneId};
use platinum_engine::{Engine, EngineOptions, SkillHost};
use platinum_protocol::Claimed;
use platinum_vault::{
    Vault,
    note::{ReceiptRecord, TaskNote},
};

use crate::{
    blocking::Author,
    tasks::{Owner, TaskError, TaskStore},
};

/// Tasks in memory.
#[derive(Default)]
pub(crate) struct Tasks {
    pub(crate) owners: BTreeMap<TaskId, Owner>,
    pub(crate) zones: BTreeMap<TaskId, ZoneId>,
    /// Whole notes; of the others only the zone is of interest.
    pub(crate) notes: BTreeMap<TaskId, TaskNote>,
    pub(crate) claims: Mutex<Vec<TaskId>>,
}

#[async_trait]
impl TaskStore for Tasks {
    async fn waiting(&self, zone: ZoneId) -> Result<Vec<TaskNote>, TaskError> {
        let waiting = self.zones.iter().filter(|&(_, &other)| other == zone);
        Ok(waiting.map(|(&id, &zone)| note(id, zone)).collect())
    }

    async fn get(&self, id: TaskId) -> Result<TaskNote, TaskError> {
        let made = || self.zones.get(&id).map(|&zone| note(id, zone));
        let kept = self.notes.get(&id).cloned();
        kept.or_else(made).ok_or(TaskError::NotFound)
    }

    async fn owner_of(&self, id: TaskId) -> Result<Owner, TaskError> {
        self.owners.get(&id).cloned().ok_or(TaskError::NotFound)
    }

    async fn drafting_epoch(&self, id: TaskId) -> Result<Option<u64>, TaskError> {
        match self.owners.get(&id) {
            Some(Owner::ThisAgent) => Ok(Some(7)),
            Some(_) => Ok(None),
            None => Err(TaskError::NotFound),
        }
    }

    async fn claim(&self, id: TaskId) -> Result<Claimed, TaskError> {
        self.claims.lock().unwrap().push(id);
        Ok(Claimed::Won { epoch: 1 })
    }

    async fn complete(&self, _: TaskId, _: &str, _: Vec<ReceiptRecord>) -> Result<(), TaskError> {
        Ok(())
    }

    async fn release(&self, _: TaskId, _: &str) -> Result<(), TaskError> {
        Ok(())
    }

    async fn fail(&self, _: TaskId, _: &str) -> Result<(), TaskError> {
        Ok(())
    }
}

fn note(id: TaskId, zone: ZoneId) -> TaskNote {
    TaskNote {
        id,
        zone,
        source: "test".to_owned(),
        from: "ada@example.test".to_owned(),
        subject: "A question".to_owned(),
        received: None,
        created: now(),
        by: "test".to_owned(),
        facts: Vec::new(),
        claim: None,
        body: "Text".to_owned(),
    }
}

pub(crate) fn now() -> Timestamp {
    "2026-11-20T18:00:00Z".parse().unwrap()
}

pub(crate) fn task(number: u64) -> TaskId {
    TaskId::from_parts(number, 0)
}

pub(crate) fn vault() -> (tempfile::TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(folder.path()).unwrap();
    (folder, vault)
}

pub(crate) fn author(role: Role) -> Author {
    Author {
        role,
        agent: role.as_str().parse().unwrap(),
        by: format!("{role}/test"),
    }
}

/// The interfaces that are only linked are those that a host offers, each once.
#[test]
fn link_only_interfaces_fit_one_linker() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let agent = "local".parse().unwrap();
    let host = SkillHost::new(engine, Role::Local, agent, crate::link_only(), None).unwrap();
    let linked: Vec<_> = host.capabilities().collect();
    assert_eq!(linked.len(), crate::link_only().len());
    for capability in [
        "email/propose",
        "odoo/propose",
        "social/propose",
        "whatsapp/propose",
        "plans/write",
        "dashboard/board",
    ] {
        assert!(
            linked.contains(&capability.parse().unwrap()),
            "{capability}"
        );
    }
}
