//! A bank for tests, and the browser that its pages are driven by.
//!
//! Lives here: where the browser's programs are. Lives elsewhere: the bank is in `server`, its pages in `pages`; what
//! fetches the programs is `xtask`'s.

use std::path::PathBuf;

use crate::{fetched_folder, is_set_up};

mod pages;
mod server;

pub use server::{BANK_CODE, BANK_PASSWORD, BANK_USER, Bank, BankFault, BankPayment};

/// The programs that drive its pages, where the test command put them.
#[derive(Debug, Clone)]
pub struct BrowserPrograms {
    /// Playwright's MCP server.
    pub server: PathBuf,
    /// Chromium.
    pub chromium: PathBuf,
}

/// The browser of the tests; none if it cannot be had here, which the test command counts.
///
/// # Errors
/// If the test command has run and left neither it nor a reason.
pub fn browser_programs() -> anyhow::Result<Option<BrowserPrograms>> {
    let folder = fetched_folder("browser");
    let is_ready = is_set_up(&folder, "browser", "cargo xtask test")?;
    Ok(is_ready.then(|| BrowserPrograms {
        server: folder.join("node_modules/.bin/playwright-mcp"),
        chromium: "/usr/bin/chromium".into(),
    }))
}
