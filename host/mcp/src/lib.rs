//! MCP client: sessions with server processes, tool lists, typed calls, and the gate that lets a
//! role have exactly the tools of its list.
//!
//! Lives here: starting a server as a child process, both protocol lifecycles, bounded answers, and
//! what is known of a call that went wrong. Lives elsewhere: which tool serves which capability is
//! in `capabilities` and `effects`; the servers are under `servers/`.
//! Invariants: a call is written at most once; a child never outlives its session; no call is made
//! to a server that did not pass the gate since it was started; what a server claims about its own
//! tools (annotations, descriptions) decides nothing.

pub mod answer;
mod child;
mod error;
mod fail_points;
pub mod gate;
mod session;
mod spec;

pub use error::{CallError, McpError};
pub use gate::{Gate, GateRefusal};
pub use session::{Session, ToolInfo};
pub use spec::ServerSpec;

/// The longest line, and so the largest answer, that is taken from a server.
pub const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
