//! What the daemon itself lets its owner know.
//!
//! - `owner_updates`: [`OwnerUpdates`], lines for the dashboard;
//! - `zone_servers`: [`ZoneServers`], which servers do not run, for `platinum status`.

mod owner_updates;
mod zone_servers;

pub use owner_updates::OwnerUpdates;
pub use zone_servers::{ServersDown, ZoneServers};
