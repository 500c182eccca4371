//! [`Session`]: a server process and the conversation with it, started again when it ends.
//!
//! Invariants: a server that was just started is asked for its tools before its first call, and
//! they pass the [`Gate`](crate::Gate); what it offered at the first start it offers at every
//! later one; once a session has ended for another list, it starts nothing again.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use platinum_core::text::one_line;
use rmcp::{
    ClientHandler, RoleClient,
    model::{
        CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientRequest, Implementation,
        InitializeRequestParams, PaginatedRequestParams, ProtocolVersion, ServerResult,
    },
    service::{
        ClientInitializeError, ClientLifecycleMode, NotificationContext, PeerRequestOptions,
        RunningService, ServiceError, serve_client_with_lifecycle,
    },
};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    CallError, McpError, ServerSpec,
    answer::read_result,
    child::{self, Trace},
    fail_points,
};

/// How long a server may take to answer the first question of the newer lifecycle. A server that
/// stays silent or ends is started again and spoken to in the older one.
const DISCOVER: Duration = Duration::from_secs(3);
/// How long a server may take to shake hands in the older lifecycle.
const INITIALIZE: Duration = Duration::from_secs(20);
/// Pages of a tool list that are read, and tools that are kept.
const MAX_PAGES: usize = 32;
const MAX_TOOLS: usize = 1024;

/// A tool, as its server describes it. Only the name is ever relied upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolInfo {
    /// The name it is called by.
    pub name: String,
    /// Its description by the server, one bounded line.
    pub description: String,
    /// What the server claims of its destructiveness. Real servers claim that sending mail is not.
    pub destructive_hint: Option<bool>,
}

/// A conversation with one server. Clones share the process; the last one dropped ends it.
///
/// The process is started again on the next call after it ended or let a call time out.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    spec: ServerSpec,
    live: Mutex<Option<Arc<Live>>>,
    /// Set once the server was found to speak the older lifecycle alone.
    legacy: AtomicBool,
    /// Set when the server announced its list, until it was asked for it.
    is_announced: AtomicBool,
    /// The names of the tools at the first start.
    offered: OnceLock<BTreeSet<String>>,
    /// Why no server is started again, once that is so.
    ended: OnceLock<String>,
    /// Who is told of it.
    on_end: OnceLock<OnEnd>,
    /// Who is told whether the server runs.
    on_change: OnceLock<OnChange>,
}

/// What is called with the reason when a session ends for good.
type OnEnd = Box<dyn Fn(&str) + Send + Sync>;
/// What is called when the server was started, or with the reason why it does not run.
type OnChange = Box<dyn Fn(Option<&str>) + Send + Sync>;

struct Live {
    running: RunningService<RoleClient, Client>,
    trace: Arc<Trace>,
}

/// Our side of the conversation: says who we are, and ends the session when the server announces
/// other tools.
struct Client {
    info: InitializeRequestParams,
    session: Weak<Inner>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> InitializeRequestParams {
        self.info.clone()
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        if let Some(session) = self.session.upgrade() {
            if session.spec.gate.asks_again() {
                session.is_announced.store(true, Ordering::SeqCst);
                return;
            }
            session.end("it announced another list of tools".to_owned());
            // Not awaited here: a connect that is under way holds the slot until this very
            // message loop brought it its answers.
            tokio::spawn(async move { session.live.lock().await.take() });
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.inner.spec).finish()
    }
}

impl Session {
    /// Starts the server and shakes hands with it, in whichever lifecycle it speaks.
    ///
    /// # Errors
    /// If the process cannot be started, does not speak MCP or does not pass the gate.
    pub async fn spawn(spec: ServerSpec) -> Result<Session, McpError> {
        let session = Self::lazy(spec);
        session.start().await?;
        Ok(session)
    }

    /// Starts the server and shakes hands with it, unless it runs. What fails here is tried again at
    /// the next call.
    ///
    /// # Errors
    /// As [`Session::spawn`]; [`McpError::is_final`] says whether nothing is tried again.
    pub async fn start(&self) -> Result<(), McpError> {
        self.connect().await.map(drop)
    }

    /// Calls `on_end` with the reason when the session ends for good; the first call of this counts. It is
    /// called by whichever task finds the reason, and must be short.
    pub fn on_end(&self, on_end: impl Fn(&str) + Send + Sync + 'static) {
        self.inner.on_end.get_or_init(|| Box::new(on_end));
    }

    /// Calls `on_change` each time the server was started, and with the reason each time it could not be
    /// started, or never will be again; the first call of this counts. It must be short.
    pub fn on_change(&self, on_change: impl Fn(Option<&str>) + Send + Sync + 'static) {
        self.inner.on_change.get_or_init(|| Box::new(on_change));
    }

    /// A session that starts its server at the first call.
    pub fn lazy(spec: ServerSpec) -> Session {
        let inner = Inner {
            spec,
            live: Mutex::new(None),
            legacy: AtomicBool::new(false),
            is_announced: AtomicBool::new(false),
            offered: OnceLock::new(),
            ended: OnceLock::new(),
            on_end: OnceLock::new(),
            on_change: OnceLock::new(),
        };
        Session {
            inner: Arc::new(inner),
        }
    }

    /// The server's name.
    pub fn name(&self) -> &str {
        &self.inner.spec.name
    }

    /// What the server offers now. A list that is not what the gate let in ends the session.
    ///
    /// # Errors
    /// If it cannot be started, does not list its tools in time, or lists others than before.
    pub async fn tools(&self) -> Result<Vec<ToolInfo>, McpError> {
        let live = self.connect().await?;
        let tools = self.inner.admit(&live).await;
        if tools.is_err() {
            self.let_go(&live).await;
        }
        tools
    }

    /// Calls a tool once and gives its structured content, or else its text, read as JSON if it
    /// is JSON.
    ///
    /// # Errors
    /// [`CallError`] states whether the call was made at all. A call is never repeated after its
    /// first byte was written.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value, CallError> {
        let Value::Object(arguments) = arguments else {
            return Err(CallError::NotStarted(
                "arguments must be a JSON object".to_owned(),
            ));
        };
        if !self.inner.spec.gate.allows(tool) {
            return Err(CallError::NotStarted(format!(
                "`{tool}` is not on this role's list of tools of `{}`",
                self.name()
            )));
        }
        if let Some(name) = self.inner.spec.gate.refused_argument(tool, &arguments) {
            return Err(CallError::NotStarted(format!(
                "`{tool}` of `{}` is not called with `{name}`",
                self.name()
            )));
        }
        let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let mut fresh = false;
        loop {
            let was_live = self.inner.live.lock().await.is_some();
            let live = match self.connect().await {
                Ok(live) => live,
                Err(error) => return Err(CallError::NotStarted(error.to_string())),
            };
            match self.call_on(&live, params.clone()).await {
                // The process had ended since the last call: nothing was delivered, so once more.
                Err(CallError::NotStarted(_)) if was_live && !fresh => {
                    self.let_go(&live).await;
                    fresh = true;
                }
                outcome => return outcome,
            }
        }
    }

    /// Ends the process: closes its stdin, waits a moment, kills it. A later call starts it again.
    pub async fn close(&self) {
        let live = self.inner.live.lock().await.take();
        if let Some(live) = live.and_then(Arc::into_inner) {
            // The process is gone either way; how its task ended is of no use to anybody.
            live.running.cancel().await.ok();
        }
    }

    async fn call_on(
        &self,
        live: &Arc<Live>,
        params: CallToolRequestParams,
    ) -> Result<Value, CallError> {
        let limit = self.inner.spec.call_timeout;
        let tool = params.name.clone();
        fail_points::begun(&tool);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let options = PeerRequestOptions::with_timeout(limit);
        let handle = live
            .running
            .peer()
            .send_cancellable_request(request, options)
            .await
            .map_err(|_| CallError::NotStarted(live.trace.reason()))?;
        let id = handle.id.clone();
        // The outer bound covers a server that does not even read, so that the note of
        // cancellation which the inner time-out sends cannot be written either.
        let answer =
            tokio::time::timeout(limit + Duration::from_secs(1), handle.await_response()).await;
        fail_points::answered(&tool);
        let written = live.trace.was_written(&id);
        live.trace.forget(&id);
        let gone = |reason: String| {
            if written {
                CallError::Lost(reason)
            } else {
                CallError::NotStarted(reason)
            }
        };
        match answer {
            Ok(Ok(ServerResult::CallToolResult(result))) => read_result(result),
            Ok(Ok(ServerResult::InputRequiredResult(_))) => Err(CallError::Protocol {
                text: "the tool asks for more input, which cannot be given here".to_owned(),
                code: None,
            }),
            Ok(Ok(_)) | Ok(Err(ServiceError::UnexpectedResponse)) => Err(CallError::Protocol {
                text: "it is no tool result".to_owned(),
                code: None,
            }),
            Ok(Err(ServiceError::McpError(error))) => Err(CallError::Protocol {
                text: one_line(&error.message, 500),
                code: Some(error.code.0),
            }),
            Ok(Err(ServiceError::TransportSend(error))) => {
                Err(gone(one_line(&error.to_string(), 300)))
            }
            Ok(Err(ServiceError::Timeout { .. })) | Err(_) => {
                self.let_go(live).await;
                Err(gone(format!("no answer within {limit:?}")))
            }
            Ok(Err(ServiceError::TransportClosed)) => Err(gone(live.trace.reason())),
            Ok(Err(other)) => Err(gone(one_line(&other.to_string(), 300))),
        }
    }

    /// Makes the next call start a new process. Calls still under way keep this one until they end.
    async fn let_go(&self, live: &Arc<Live>) {
        let mut slot = self.inner.live.lock().await;
        if slot
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, live))
        {
            *slot = None;
        }
    }

    async fn connect(&self) -> Result<Arc<Live>, McpError> {
        let mut slot = self.inner.live.lock().await;
        self.inner.check_open()?;
        if let Some(live) = slot
            .as_ref()
            .filter(|live| !live.running.peer().is_transport_closed())
        {
            let live = Arc::clone(live);
            if self.inner.is_announced.swap(false, Ordering::SeqCst) {
                let admitted = self.inner.admit(&live).await;
                if let Err(error) = admitted {
                    *slot = None;
                    return Err(error);
                }
            }
            return Ok(live);
        }
        *slot = None;
        let started = self.inner.start_and_admit().await;
        let reason = started.as_ref().err().map(ToString::to_string);
        self.inner.note_change(reason.as_deref());
        let live = started?;
        *slot = Some(Arc::clone(&live));
        Ok(live)
    }
}

impl Inner {
    async fn start_and_admit(self: &Arc<Self>) -> Result<Arc<Live>, McpError> {
        let live = Arc::new(self.start().await?);
        self.admit(&live).await?;
        Ok(live)
    }

    fn note_change(&self, reason: Option<&str>) {
        if let Some(on_change) = self.on_change.get() {
            on_change(reason);
        }
    }

    /// Asks a server for its tools and lets it in, or ends the session.
    async fn admit(&self, live: &Live) -> Result<Vec<ToolInfo>, McpError> {
        let server = &self.spec.name;
        let failed = |reason: String| McpError::Tools {
            server: server.clone(),
            reason,
        };
        let limit = self.spec.call_timeout;
        let tools = tokio::time::timeout(limit, list(live))
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {limit:?}")))
            .map_err(failed)?;
        let names: BTreeSet<String> = tools.iter().map(|tool| tool.name.clone()).collect();
        if let Err(refusal) = self.spec.gate.check(server, &tools) {
            self.end(refusal.to_string());
            return Err(refusal.into());
        }
        let first = self.offered.get_or_init(|| names.clone());
        if *first != names {
            self.end(changed(first, &names));
        }
        // The server may also have announced another list meanwhile.
        self.check_open()?;
        Ok(tools)
    }

    fn check_open(&self) -> Result<(), McpError> {
        match self.ended.get() {
            None => Ok(()),
            Some(reason) => Err(McpError::Ended {
                server: self.spec.name.clone(),
                reason: reason.clone(),
            }),
        }
    }

    /// Ends the session for good; the first reason counts.
    fn end(&self, reason: String) {
        if self.ended.set(reason).is_ok()
            && let Err(ended) = self.check_open()
        {
            tracing::error!("{ended}.");
            self.note_change(Some(&ended.to_string()));
            if let (Some(on_end), Some(reason)) = (self.on_end.get(), self.ended.get()) {
                on_end(reason);
            }
        }
    }

    async fn start(self: &Arc<Self>) -> Result<Live, McpError> {
        if !self.legacy.load(Ordering::Relaxed) {
            let auto = ClientLifecycleMode::Auto {
                preferred_versions: vec![ProtocolVersion::LATEST],
                legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
            };
            match self.shake_hands(auto, DISCOVER).await {
                Err(McpError::Handshake { reason, .. }) => {
                    tracing::debug!(
                        server = self.spec.name,
                        reason,
                        "no newer lifecycle; starting it again for the older one"
                    );
                }
                done => return done,
            }
        }
        let live = self
            .shake_hands(ClientLifecycleMode::Initialize, INITIALIZE)
            .await?;
        self.legacy.store(true, Ordering::Relaxed);
        Ok(live)
    }

    async fn shake_hands(
        self: &Arc<Self>,
        lifecycle: ClientLifecycleMode,
        limit: Duration,
    ) -> Result<Live, McpError> {
        let (transport, trace) = child::start(&self.spec).map_err(|error| McpError::Start {
            server: self.spec.name.clone(),
            command: self.spec.command.display().to_string(),
            reason: error.to_string(),
        })?;
        let info = InitializeRequestParams::new(
            ClientCapabilities::default(),
            Implementation::new("platinum", env!("CARGO_PKG_VERSION")),
        )
        .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        let me = Client {
            info,
            session: Arc::downgrade(self),
        };
        let shaken =
            tokio::time::timeout(limit, serve_client_with_lifecycle(me, transport, lifecycle))
                .await;
        let reason = match shaken {
            Ok(Ok(running)) => return Ok(Live { running, trace }),
            // A server that ends at once closes its input before or after the first request.
            Ok(Err(
                ClientInitializeError::ConnectionClosed(_)
                | ClientInitializeError::TransportError { .. },
            )) => trace.last_reason().await,
            Ok(Err(error)) => one_line(&error.to_string(), 300),
            Err(_) => format!("no answer within {limit:?}"),
        };
        Err(McpError::Handshake {
            server: self.spec.name.clone(),
            reason,
        })
    }
}

async fn list(live: &Live) -> Result<Vec<ToolInfo>, String> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let listed =
            live.running
                .peer()
                .list_tools(Some(page))
                .await
                .map_err(|error| match error {
                    ServiceError::TransportClosed => live.trace.reason(),
                    other => one_line(&other.to_string(), 300),
                })?;
        tools.extend(listed.tools.into_iter().map(|tool| ToolInfo {
            name: tool.name.into_owned(),
            description: one_line(tool.description.as_deref().unwrap_or_default(), 300),
            destructive_hint: tool.annotations.and_then(|hints| hints.destructive_hint),
        }));
        if tools.len() > MAX_TOOLS {
            return Err(format!("it offers more than {MAX_TOOLS} tools"));
        }
        cursor = listed.next_cursor;
        if cursor.is_none() {
            return Ok(tools);
        }
    }
    Err(format!("its list has more than {MAX_PAGES} pages"))
}

/// How a list of tools differs from the first one.
fn changed(first: &BTreeSet<String>, now: &BTreeSet<String>) -> String {
    let named = |names: Vec<&String>| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let (added, gone): (Vec<_>, Vec<_>) = first
        .symmetric_difference(now)
        .partition(|name| now.contains(*name));
    let mut parts = Vec::new();
    if !added.is_empty() {
        parts.push(format!("it offers {} now", named(added)));
    }
    if !gone.is_empty() {
        parts.push(format!("it no longer offers {}", named(gone)));
    }
    parts.join(", and ")
}
