//! [`ZoneServers`]: which servers of zones do not run, as the daemon found it last, for whoever shows how things
//! stand.
//!
//! Lives elsewhere: starting servers is `mcp`'s; `api` says it in words.
//! Invariants: the daemon alone writes it, and begins with none; what cannot be written is logged and costs the line
//! in `platinum status`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::text::one_line;
use platinum_repo::replace_file;

/// The file in the state folder.
const FILE: &str = "servers-down.json";
/// Longest reason that is kept, in characters.
const MAX_REASON: usize = 300;

/// By zone, why its server does not run.
pub type ServersDown = BTreeMap<String, String>;

/// Notes it down. Clones share it.
#[derive(Debug, Clone)]
pub struct ZoneServers {
    path: PathBuf,
    down: Arc<Mutex<ServersDown>>,
}

impl ZoneServers {
    /// That of a state folder, with all servers taken for running.
    pub(crate) fn begin(state: &Path) -> Self {
        let servers = Self {
            path: state.join(FILE),
            down: Arc::default(),
        };
        servers.write(&ServersDown::new());
        servers
    }

    /// The server of a zone runs, or does not for this reason.
    pub(crate) fn set(&self, zone: &str, reason: Option<&str>) {
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = reason.map(|reason| one_line(reason, MAX_REASON));
        if down.get(zone) == reason.as_ref() {
            return;
        }
        match reason {
            Some(reason) => down.insert(zone.to_owned(), reason),
            None => down.remove(zone),
        };
        self.write(&down);
    }

    /// What the daemon of a state folder noted last.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(state: &Path) -> io::Result<ServersDown> {
        match fs::read(state.join(FILE)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(ServersDown::new()),
            Err(error) => Err(error),
        }
    }

    fn write(&self, down: &ServersDown) {
        let written = serde_json::to_vec(down)
            .map_err(io::Error::from)
            .and_then(|bytes| replace_file(&self.path, &bytes));
        if let Err(error) = written {
            let path = self.path.display();
            tracing::warn!(
                "Which servers run is not noted for `platinum status`: {path}: {error}."
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_servers_are_known_as_they_were_last() {
        let state = tempfile::tempdir().unwrap();
        let read = || ZoneServers::read(state.path()).unwrap();
        assert_eq!(read(), ServersDown::new());
        let servers = ZoneServers::begin(state.path());
        servers.set("email", Some("it ended\nat once"));
        servers.set("odoo", None);
        let down = ServersDown::from([("email".to_owned(), "it ended at once".to_owned())]);
        assert_eq!(read(), down);
        servers.set("email", None);
        assert_eq!(read(), ServersDown::new());
        servers.set("email", Some("again"));
        ZoneServers::begin(state.path());
        assert_eq!(
            read(),
            ServersDown::new(),
            "a daemon that starts knows of none"
        );
    }
}
