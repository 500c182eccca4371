//! What both roles run: configuration, the host itself (vault, sync, zones, model,
//! skills), the way of a task through the skills, and the loops that move it.
//!
//! Lives here: everything that neither acts on the outside world nor speaks to a person.
//! Lives elsewhere: the interfaces that act are in `effects`, which only `local` links; the
//! programs are `cloud` and `local`, each a composition root.
//! Direction: `config` knows of nothing above it; over it are `skills` and `secrets`, then `pipeline`,
//! then `loops`, then [`Host`], which opens all of it, and [`Running`] on top. What is below is given
//! what it needs, and says through [`skills::Event`]s what happened.
//! Invariants: a wake-up carries no data, every loop re-reads the state; a lost event costs time,
//! never correctness; this crate never depends on `effects`.

pub mod config;
pub mod doctor;
mod host;
mod key_rotation;
pub mod logging;
pub mod loops;
mod pipeline;
mod programs;
mod reports;
mod running;
pub mod secrets;
mod shutdown;
mod skill_name;
pub mod skills;
pub mod supervisor;
mod tasks;
pub mod trial;

pub use config::{Config, ConfigError};
pub use host::{Host, HostError, git_remote, make_state_folder, zone_server};
pub use key_rotation::{TrustArgs, TrustOutcome, revoke, trust};
pub use pipeline::{OwnersWork, Pipeline};
pub use platinum_engine::compile_if_asked;
pub use programs::{beside, run_zone_program, skills_folder};
pub use reports::{OwnerUpdates, ServersDown, ZoneServers};
pub use running::Running;
pub use shutdown::{Shutdown, on_signals};
pub use skill_name::{SkillName, SkillNameError};
pub use skills::SkillSet;
pub use tasks::Tasks;
