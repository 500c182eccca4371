//! [`ServerSpec`]: how a server process is started.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use crate::Gate;

/// How a server process is started and how long it may take to answer.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// The name in configuration, logs and refusals.
    pub name: String,
    /// The program: a path, or a name looked up in `PATH`.
    pub command: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment: these and `PATH` and `HOME`, nothing else of ours.
    pub env: BTreeMap<String, String>,
    /// How long one call may take.
    pub call_timeout: Duration,
    /// Which tools it may offer.
    pub gate: Gate,
}

impl fmt::Debug for ServerSpec {
    /// Names of environment variables are shown, their values never: they may be passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSpec")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("args", &self.args)
            .field("env", &self.env.keys().collect::<Vec<_>>())
            .field("call_timeout", &self.call_timeout)
            .field("gate", &self.gate)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spec_debug_omits_the_values_of_variables() {
        let spec = ServerSpec {
            name: "email".to_owned(),
            command: "server".into(),
            args: vec![],
            env: BTreeMap::from([("PASSWORD".to_owned(), "hunter2".to_owned())]),
            call_timeout: Duration::from_secs(1),
            gate: Gate::new(platinum_core::Role::Cloud, &[], &[]),
        };
        let shown = format!("{spec:?}");
        assert!(
            shown.contains("PASSWORD") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
