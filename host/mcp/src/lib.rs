//! MCP client: sessions with server processes, tool lists, typed calls, and the gate that keeps
//! acting servers away from a cloud host.
//!
//! Lives here: starting a server as a child process, both protocol lifecycles, bounded answers, and
//! what is known of a call that went wrong. Lives elsewhere: which tool serves which capability is
//! in `capabilities` and `effects`; the servers are under `servers/`.
//! Invariants: a call is written at most once; a child never outlives its session; what a server
//! claims about its own tools (annotations, descriptions) decides nothing.

mod child;
mod error;
pub mod gate;
mod session;
mod spec;

pub use error::{CallError, McpError};
pub use gate::{GateRefusal, acting_tools, refuse_acting};
pub use session::{Session, ToolInfo};
pub use spec::ServerSpec;

/// The longest line, and so the largest answer, that is taken from a server.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
