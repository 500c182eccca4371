//! [`BrowserSettings`]: which programs, how long, and whether a network namespace is asked for.

use std::path::PathBuf;

use serde::Deserialize;

/// Whether the browser is put into a network namespace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamespaceUse {
    /// Where the system allows it; the report says whether it did.
    #[default]
    Auto,
    /// Nothing is paid where the system does not allow it.
    Required,
    /// Never.
    Off,
}

/// How the browser is started: the section `[zones.payments.browser]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BrowserSettings {
    /// The program of Playwright's MCP server, as npm installs it: `…/node_modules/.bin/playwright-mcp`.
    pub server: PathBuf,
    /// Chromium.
    pub chromium: PathBuf,
    /// Node, which runs the server.
    pub node: PathBuf,
    /// Whether it gets a network namespace.
    pub namespace: NamespaceUse,
    /// How long one step may take, in seconds; a recipe may only say less.
    pub step_seconds: u16,
    /// How long all may take to the last click, the owner's answers included, in seconds.
    pub payment_seconds: u16,
}

impl Default for BrowserSettings {
    fn default() -> Self {
        Self {
            server: "playwright-mcp".into(),
            chromium: "/usr/bin/chromium".into(),
            node: "node".into(),
            namespace: NamespaceUse::Auto,
            step_seconds: 20,
            payment_seconds: 600,
        }
    }
}

/// What kept the browser to the payee's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// A network namespace with the proxy as the only way out.
    Namespace,
    /// The proxy and the browser's own settings.
    ProxyAlone,
}
