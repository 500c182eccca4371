//! A browser, opened for one payment: the folder it lives in, the programs around it, the calls that it takes.
//!
//! Lives elsewhere: the steps are in `run`; what an answer says is read in [`snapshot`](crate::snapshot).
//! Invariants: one browser at a time in a state folder; its folder is the owner's alone and gone afterwards, with all
//! of it that was running; it calls the tools of a short list with the arguments of that list; no text that comes back
//! has a secret that was typed.

use std::{
    fs::{self, File},
    io,
    os::fd::AsRawFd as _,
    path::Path,
    time::{Duration, Instant},
};

use platinum_core::text::one_line;
use platinum_mcp::{CallError, Session};
use serde_json::{Value, json};
use tokio::net::UnixListener;

use crate::{
    proxy::Proxy,
    recipe::Recipe,
    secrets::{Secret, redact},
    settings::{BrowserSettings, Confinement, NamespaceUse},
    snapshot::{Page, read_page},
};

use super::{
    launch::{allows_namespace, configuration, specification},
    processes::{kill_marked, take_folder},
};

/// What starts the server where the browser runs.
const INSIDE: &str = include_str!("inside.mjs");
/// What every page gets before its own scripts.
const GUARD: &str = include_str!("guard.js");
/// How long programs that were killed have to be gone.
const GONE: Duration = Duration::from_secs(10);
/// Largest picture taken, in bytes.
const MAX_PICTURE: u64 = 8 * 1024 * 1024;

/// A call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct CallFailure {
    /// One line, without secrets.
    pub(crate) why: String,
    /// Whether the browser certainly did nothing for it.
    pub(crate) is_undone: bool,
}

/// A browser, opened for one payment.
pub(crate) struct BrowserSession {
    session: Session,
    proxy: Proxy,
    folder: tempfile::TempDir,
    confinement: Confinement,
    typed: Vec<Secret>,
    _only: File,
}

impl BrowserSession {
    /// Starts the programs; the browser itself starts with the first page.
    ///
    /// # Errors
    /// Says in words what is missing.
    pub(crate) async fn open(
        settings: &BrowserSettings,
        state: &Path,
        recipe: &Recipe,
    ) -> Result<Self, String> {
        let home = std::path::absolute(state.join("browser"))
            .map_err(|error| format!("{} is no folder: {error}", state.display()))?;
        let deadline = Instant::now() + GONE;
        let only = loop {
            match take_folder(&home) {
                Ok(only) => break only,
                // A program that was just started elsewhere may hold it for a moment.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if Instant::now() >= deadline {
                        let why = "another payment is under way in a browser of this machine";
                        return Err(why.to_owned());
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => {
                    let home = home.display();
                    return Err(format!("the folder {home} cannot be used: {error}"));
                }
            }
        };
        let failed = |error: io::Error| format!("a folder for the browser cannot be made: {error}");
        let folder = tempfile::Builder::new()
            .prefix("s-")
            .tempdir_in(&home)
            .map_err(failed)?;
        let path = folder.path();
        for (name, text) in [("inside.mjs", INSIDE), ("guard.js", GUARD)] {
            fs::write(path.join(name), text).map_err(failed)?;
        }
        let config = configuration(settings, recipe, path);
        fs::write(path.join("config.json"), config.to_string()).map_err(failed)?;
        let proxy = Proxy::start(listen(path).map_err(failed)?, recipe.allowed());
        let is_allowed = match settings.namespace {
            NamespaceUse::Off => false,
            _ => allows_namespace(settings).await,
        };
        if settings.namespace == NamespaceUse::Required && !is_allowed {
            return Err(
                "the system allows no network namespace for the browser, and the configuration demands one \
                 (`namespace = \"required\"`)"
                    .to_owned(),
            );
        }
        let confinement = match is_allowed {
            true => Confinement::Namespace,
            false => Confinement::ProxyAlone,
        };
        let session = Session::lazy(specification(settings, recipe, path, confinement));
        let opened = Self {
            session,
            proxy,
            folder,
            confinement,
            typed: Vec::new(),
            _only: only,
        };
        match opened.session.start().await {
            Ok(()) => Ok(opened),
            Err(error) => {
                let why = one_line(&error.to_string(), 400);
                opened.close().await;
                Err(format!(
                    "{why}; see docs/payments.md for what has to be installed"
                ))
            }
        }
    }

    pub(crate) fn confinement(&self) -> Confinement {
        self.confinement
    }

    pub(crate) fn refused(&self) -> Vec<String> {
        self.proxy.refused()
    }

    /// Ends the browser's open connections.
    pub(crate) fn cut(&self) {
        self.proxy.cut();
    }

    /// The last click comes next: its request leaves once.
    pub(crate) fn seal(&self) {
        self.proxy.seal();
    }

    /// Remembers a secret before it is typed, so that no text that comes back has it.
    pub(crate) fn hide(&mut self, secret: &Secret) {
        self.typed.push(secret.clone());
    }

    /// A text without what was typed.
    pub(crate) fn redact(&self, text: &str) -> String {
        redact(text, &self.typed)
    }

    /// Calls a tool once.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Page, CallFailure> {
        let failure = |text: &str, is_undone| CallFailure {
            why: one_line(&self.redact(text), 400),
            is_undone,
        };
        match self.session.call(tool, arguments).await {
            Ok(answer) => {
                let text = match answer {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                read_page(&text).map_err(|error| failure(&error.to_string(), false))
            }
            Err(CallError::Tool(text)) => {
                // What the server says before it looks for a second time, and so before it does anything.
                let is_undone = text.starts_with("### Error Error: \"aria-ref=")
                    || text.starts_with("### Error Error: \"css=html");
                Err(failure(&in_words(&text), is_undone))
            }
            Err(error) => {
                let is_undone = error.certainly_not_run();
                Err(failure(&error.into_words(), is_undone))
            }
        }
    }

    /// The page as it is now.
    pub(crate) async fn snapshot(&self) -> Result<Page, CallFailure> {
        self.call("browser_snapshot", json!({})).await
    }

    /// A picture of one element, if the browser takes one.
    pub(crate) async fn picture(&self, reference: &str) -> Option<Vec<u8>> {
        let arguments = json!({ "target": reference, "element": "receipt", "type": "png" });
        self.call("browser_take_screenshot", arguments).await.ok()?;
        let pictures = fs::read_dir(self.folder.path().join("out")).ok()?;
        let mut pictures = pictures.flatten().map(|entry| entry.path());
        let picture = pictures.find(|path| path.extension().is_some_and(|end| end == "png"))?;
        let is_small = fs::metadata(&picture).is_ok_and(|file| file.len() <= MAX_PICTURE);
        is_small.then(|| fs::read(&picture).ok()).flatten()
    }

    /// Ends all that was started, and waits until it is gone.
    pub(crate) async fn close(self) {
        kill_marked(self.folder.path());
        self.session.close().await;
        let deadline = Instant::now() + GONE;
        while kill_marked(self.folder.path()) > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for BrowserSession {
    fn drop(&mut self) {
        kill_marked(self.folder.path());
    }
}

/// What the server says of an error, without its heading and its log.
fn in_words(text: &str) -> String {
    let text = text.strip_prefix("### Error ").unwrap_or(text);
    let text = text.strip_prefix("Error: ").unwrap_or(text);
    let end = text.find(" Call log:").unwrap_or(text.len());
    let text = text[..end].replace("browserBackend.callTool: ", "");
    match text.strip_prefix("TimeoutError: ") {
        Some(text) => format!(
            "the page did not answer in time ({})",
            text.trim_end_matches('.')
        ),
        None => text,
    }
}

/// A socket in the folder, however long its path is: the system allows some hundred bytes.
fn listen(folder: &Path) -> io::Result<UnixListener> {
    let folder = File::open(folder)?;
    UnixListener::bind(format!("/proc/self/fd/{}/p", folder.as_raw_fd()))
}
