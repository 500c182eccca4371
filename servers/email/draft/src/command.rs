//! Command line, logs and stdio of a mail server. Standard output belongs to the protocol; logs go to standard error.

use std::path::PathBuf;

use anyhow::Context as _;
use platinum_mailbox::Config;
use rmcp::{ServerHandler, ServiceExt as _};
use tracing_subscriber::EnvFilter;

/// A mail server for MCP clients, on standard input and output.
#[derive(Debug, clap::Parser)]
#[command(version)]
pub struct Arguments {
    /// The file with the accounts (TOML).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl Arguments {
    /// Reads the file.
    pub fn config(&self) -> anyhow::Result<Config> {
        Config::load(&self.config)
            .with_context(|| format!("configuration {}", self.config.display()))
    }
}

/// Sends logs to standard error; `RUST_LOG` chooses, `info` without it.
///
/// Logs of the mail protocols below are held at `warn`: in detail they show what is sent, passwords included.
pub fn log_to_stderr() {
    let chosen = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
    let quiet = "lettre=warn,async_imap=warn,imap_proto=warn,rmcp=warn,rustls=warn";
    let filter = EnvFilter::new(format!("{chosen},{quiet}"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // The client that keeps the lines puts the time to them.
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .try_init();
}

/// Serves until the client closes standard input.
pub async fn serve(server: impl ServerHandler) -> anyhow::Result<()> {
    let running = server
        .serve(rmcp::transport::stdio())
        .await
        .context("the MCP client did not begin a session")?;
    running.waiting().await.context("the session broke off")?;
    Ok(())
}
