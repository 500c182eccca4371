//! [`OwnersWork`]: whether the owner has done themself what a task asks for, so that nothing is drafted
//! for it.
//!
//! Lives elsewhere: what is asked of the outside is each zone's; that the same is asked before an
//! approved draft leaves is `effects`'.
//! Invariant: a zone that cannot be asked says so and holds nothing up: what is drafted only waits.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use platinum_capabilities::zones::ZoneCapabilities;
use platinum_mcp::Session;
use platinum_vault::note::TaskNote;

use crate::Host;

/// Who knows what the owner has done themself.
#[async_trait]
pub trait OwnersWork: Send + Sync {
    /// How they did what the task asks for, in words for them; none if they did not, or that cannot
    /// be asked.
    async fn find(&self, task: &TaskNote) -> Option<String>;
}

/// Asks the zone of each task, over its session.
pub(crate) struct ZonesWork {
    zones: BTreeMap<String, (Arc<dyn ZoneCapabilities>, Session)>,
}

impl ZonesWork {
    /// Over the zones of this host that have a server.
    pub(crate) fn of(host: &Host) -> Self {
        let zones = host.config.zones.configured();
        let zones = zones.filter_map(|(id, zone)| {
            let session = host.session(id)?.clone();
            Some((id.to_owned(), (Arc::clone(zone), session)))
        });
        Self {
            zones: zones.collect(),
        }
    }
}

#[async_trait]
impl OwnersWork for ZonesWork {
    async fn find(&self, task: &TaskNote) -> Option<String> {
        let (zone, session) = self.zones.get(task.zone.as_str())?;
        match zone.done_by_owner(session, task).await {
            Ok(found) => found,
            Err(error) => {
                let task = task.id;
                tracing::warn!(%task, "Cannot ask whether you have done it yourself: {error}.");
                None
            }
        }
    }
}
