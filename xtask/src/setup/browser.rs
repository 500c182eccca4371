//! The browser of the tests: Debian's Chromium, and Playwright's MCP server in the target folder.
//!
//! Lives elsewhere: what starts them is `host/browser`; the bank that they are driven on is `platinum_testkit::bank`; the
//! rest as in [`fetched`].

use std::{fs, path::Path};

use super::fetched::{self, ready, run, shell};
use crate::setup;

/// The MCP server: its tools are pinned by name in `host/browser`.
const SERVER: &str = "@playwright/mcp@0.0.83";
const PACKAGE: &str = r#"{"private":true,"type":"module"}"#;
/// Chromium, and what unites users and networks of namespaces.
const PACKAGES: [&str; 2] = ["chromium", "util-linux"];

/// Gets what is missing.
///
/// # Errors
/// If the target folder cannot be written.
pub(crate) fn set_up(root: &Path) -> anyhow::Result<()> {
    let folder = setup::target(root).join("browser");
    fetched::provide(&folder, "browser", || {
        setup::packages("payments in a real browser", &PACKAGES)?;
        ready(&folder, &[SERVER, PACKAGE], || make(&folder))
    })
}

fn make(folder: &Path) -> anyhow::Result<()> {
    const SCRIPT: &str = r#"
set -euo pipefail
cd "$FOLDER"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || {
    echo "Playwright's MCP server needs node 20" >&2; exit 1; }
rm -rf node_modules package-lock.json
npm install --no-audit --no-fund --no-update-notifier --fetch-retries=1 --loglevel=error --ignore-scripts "$SERVER" >&2
node node_modules/.bin/playwright-mcp --version >&2
chromium --version >&2
"#;
    fs::write(folder.join("package.json"), PACKAGE)?;
    let mut script = shell(SCRIPT, 300);
    script
        .env("FOLDER", folder)
        .env("SERVER", SERVER)
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    run(
        "Playwright's MCP server: from npm (into the target folder)",
        &mut script,
    )
}
