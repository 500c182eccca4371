//! The name of a conflict copy of a file of the work tree.

use platinum_core::{AgentName, Timestamp, VaultPath};
use platinum_protocol::conflict_name;
use platinum_repo::Oid;

/// Where a version that lost its place goes.
pub(crate) fn conflict_copy_path(
    agent: &AgentName,
    path: &VaultPath,
    blob: Option<Oid>,
) -> VaultPath {
    let at = Timestamp::now().as_millisecond();
    let hex = blob.map_or_else(|| "unread".to_owned(), |oid| oid.to_string());
    conflict_name(path, agent, at, &hex)
}
