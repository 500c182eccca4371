//! A small MCP server for the tests of `platinum-mcp`: its first argument says which lifecycle it
//! speaks and how, its tools misbehave in the ways that the client must survive.
//!
//! `modern` is rmcp's own server; the others speak the older lifecycle by hand, as servers do that
//! were written before the newer one: `legacy` answers its first question with an error,
//! `silent` does not answer it, `strict` ends when the first message is not `initialize`.
//!
//! The environment variable `TOOLS_FILE` names a file with the names of the tools that are listed,
//! a line each: a test changes it between two starts.

use std::io::{BufRead, Write};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

const TOOLS: [&str; 10] = [
    "echo",
    "text",
    "fail",
    "invalid",
    "stall",
    "die",
    "huge",
    "environment",
    "pid",
    "announce",
];

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    eprintln!("scripted server, {mode}");
    match mode.as_str() {
        "modern" => modern(),
        "mute" => std::thread::park(),
        "crash" => eprintln!("no configuration at /etc/nowhere"),
        mode => by_hand(mode),
    }
}

struct Modern;

impl ServerHandler for Modern {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tools = tools()
            .into_iter()
            .filter_map(|tool| serde_json::from_value::<Tool>(tool).ok());
        Ok(ListToolsResult::with_all_items(tools.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name == "announce" {
            context.peer.notify_tool_list_changed().await.ok();
        }
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let answer = answer(&request.name, &arguments)
            .map_err(|text| ErrorData::invalid_params(text, None))?;
        let result: CallToolResult = serde_json::from_value(answer)
            .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(result.into())
    }
}

fn modern() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.map(|runtime| {
        runtime.block_on(async {
            if let Ok(server) = Modern.serve(rmcp::transport::stdio()).await {
                server.waiting().await.ok();
            }
        });
    });
    if let Err(error) = served {
        eprintln!("{error}");
    }
}

fn by_hand(mode: &str) {
    for line in std::io::stdin().lock().lines() {
        let Ok(message) = line.map(|line| serde_json::from_str::<Value>(&line).unwrap_or_default())
        else {
            return;
        };
        let (id, params) = (&message["id"], &message["params"]);
        let error = |code: i32, text: &str| json!({ "error": { "code": code, "message": text } });
        let answer = match message["method"].as_str().unwrap_or_default() {
            "initialize" => json!({ "result": {
                "protocolVersion": "2025-06-18",
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "scripted", "version": "1" },
            }}),
            "server/discover" if mode == "silent" => continue,
            "server/discover" if mode == "strict" => {
                eprintln!("expected initialize");
                return;
            }
            "server/discover" => error(-32602, "Invalid request parameters"),
            "tools/list" => json!({ "result": { "tools": tools() } }),
            "tools/call" => {
                if params["name"] == "announce" {
                    let note =
                        json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
                    println!("{note}");
                }
                match answer(
                    params["name"].as_str().unwrap_or_default(),
                    &params["arguments"],
                ) {
                    Ok(result) => json!({ "result": result }),
                    Err(text) => error(-32602, &text),
                }
            }
            _ if id.is_null() => continue,
            _ => error(-32601, "Method not found"),
        };
        let mut whole = json!({ "jsonrpc": "2.0", "id": id });
        if let (Some(whole), Value::Object(answer)) = (whole.as_object_mut(), answer) {
            whole.extend(answer);
        }
        let mut out = std::io::stdout().lock();
        if writeln!(out, "{whole}").and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

fn tools() -> Vec<Value> {
    let tool = |name: &str| {
        json!({ "name": name, "description": format!("does\n{name}"), "inputSchema": { "type": "object" },
                "annotations": { "destructiveHint": false } })
    };
    match std::env::var_os("TOOLS_FILE") {
        Some(file) => {
            let names = std::fs::read_to_string(file).unwrap_or_default();
            names.lines().map(tool).collect()
        }
        None => TOOLS.into_iter().map(tool).collect(),
    }
}

fn answer(tool: &str, arguments: &Value) -> Result<Value, String> {
    let text = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
    let structured = |value: Value| json!({ "content": [], "structuredContent": value });
    Ok(match tool {
        "echo" => structured(arguments.clone()),
        "text" => text(arguments["text"].as_str().unwrap_or_default()),
        "fail" => {
            json!({ "isError": true, "content": [{ "type": "text", "text": "mailbox\nis full" }] })
        }
        "invalid" => return Err("`to` is missing".to_owned()),
        "stall" => {
            // Longer than any test waits; the client kills us.
            std::thread::park();
            text("late")
        }
        "die" => {
            eprintln!("panicked at the disk");
            std::process::exit(3)
        }
        "huge" => text(&"x".repeat(5 * 1024 * 1024)),
        "environment" => {
            let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
            structured(json!({ "names": names.collect::<Vec<_>>() }))
        }
        "announce" => text("announced"),
        "pid" => structured(json!({ "pid": std::process::id() })),
        other => return Err(format!("no tool {other}")),
    })
}
