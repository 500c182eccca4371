//! Command line, logs and standard input and output of a server. Standard output belongs to the
//! protocol; logs go to standard error. Lives elsewhere: sessions over HTTP are [`crate::http`].

use std::path::Path;

use anyhow::Context as _;
use clap::Parser as _;
use rmcp::{ServiceExt as _, service::ServerInitializeError};
use tracing_subscriber::EnvFilter;

use crate::http::HttpArguments;
use crate::server::Server;

/// A server for MCP clients, on standard input and output or over HTTP.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct Arguments<O: clap::Args> {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: std::path::PathBuf,
    #[command(flatten)]
    http: HttpArguments,
    #[command(flatten)]
    options: O,
}

/// The options of a server that has none of its own.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct NoOptions {}

/// Runs a server until its client closes standard input, or over HTTP until it is asked to end: reads the command line, lets `open` make
/// the server from the configuration file, and serves it.
///
/// # Errors
/// If the server cannot be made, or if the session fails.
pub async fn run<S: Send + Sync + 'static>(
    open: impl FnOnce(&Path) -> anyhow::Result<Server<S>>,
) -> anyhow::Result<()> {
    run_with(|path, _: NoOptions| open(path)).await
}

/// As [`run`], for a server with options `O` of its own on the command line.
///
/// # Errors
/// As [`run`].
pub async fn run_with<O: clap::Args, S: Send + Sync + 'static>(
    open: impl FnOnce(&Path, O) -> anyhow::Result<Server<S>>,
) -> anyhow::Result<()> {
    let Arguments {
        config,
        http,
        options,
    } = Arguments::<O>::parse();
    log_to_stderr();
    let shown = config.display().to_string();
    let server =
        open(&config, options).map_err(|error| match error.to_string().contains(&shown) {
            // On one line: the client shows the last.
            true => error,
            false => anyhow::anyhow!("configuration {shown}: {error:#}"),
        })?;
    if let HttpArguments {
        http: Some(address),
        token_file: Some(token),
    } = &http
    {
        return crate::http::serve(server, *address, token).await;
    }
    let session = match server.serve(rmcp::transport::stdio()).await {
        // One that only asks what this server is (`server/discover`) leaves when it knows.
        Err(ServerInitializeError::ConnectionClosed(_)) => {
            tracing::info!("the MCP client left without a session");
            return Ok(());
        }
        session => session.context("the MCP client did not begin a session")?,
    };
    session.waiting().await.context("the session broke off")?;
    Ok(())
}

/// Sends logs to standard error; `RUST_LOG` chooses, `info` without it.
///
/// Logs of protocol libraries are held at `warn`: in detail they show what is sent, passwords included.
fn log_to_stderr() {
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
