//! How the programs of a session are started: which tools may be called, the browser's settings, the namespace.
//!
//! Invariant: what is called is on the list with its arguments; all else that the server has is refused by name, and a
//! server with other tools is not worked with.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use platinum_core::Role;
use platinum_mcp::{Gate, ServerSpec};
use serde_json::{Value, json};

use super::processes::MARK;
use crate::{
    recipe::Recipe,
    settings::{BrowserSettings, Confinement},
};

/// How long the system may take to say whether it allows a namespace.
const PROBE: Duration = Duration::from_secs(5);

/// The tools that are called, each with its arguments.
const CALLED: [(&str, &[&str]); 7] = [
    ("browser_click", &["target", "element"]),
    ("browser_hover", &["target", "element"]),
    ("browser_navigate", &["url"]),
    ("browser_select_option", &["target", "element", "values"]),
    ("browser_snapshot", &["target", "depth"]),
    ("browser_take_screenshot", &["target", "element", "type"]),
    ("browser_type", &["target", "element", "text"]),
];
/// What the server offers beside them, and is never called: among them what runs code.
const DENIED: [&str; 18] = [
    "browser_close",
    "browser_console_messages",
    "browser_drag",
    "browser_drop",
    "browser_emulate_media",
    "browser_evaluate",
    "browser_file_upload",
    "browser_fill_form",
    "browser_find",
    "browser_handle_dialog",
    "browser_navigate_back",
    "browser_network_request",
    "browser_network_requests",
    "browser_press_key",
    "browser_resize",
    "browser_run_code_unsafe",
    "browser_tabs",
    "browser_wait_for",
];

pub(super) fn configuration(settings: &BrowserSettings, recipe: &Recipe, folder: &Path) -> Value {
    let step = u64::from(step_seconds(settings, recipe)) * 1000;
    let mut arguments = vec![
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp".to_owned(),
        "--webrtc-ip-handling-policy=disable_non_proxied_udp".to_owned(),
        "--disable-quic".to_owned(),
        "--dns-prefetch-disable".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-default-apps".to_owned(),
        "--disable-extensions".to_owned(),
        "--no-first-run".to_owned(),
        "--no-pings".to_owned(),
    ];
    if !recipe.certificate_keys.is_empty() {
        let keys = recipe.certificate_keys.join(",");
        arguments.push(format!("--ignore-certificate-errors-spki-list={keys}"));
    }
    json!({
        "browser": {
            "browserName": "chromium",
            "isolated": true,
            "launchOptions": {
                "headless": true,
                "executablePath": settings.chromium,
                // Chromium refuses to have its own sandbox as root.
                "chromiumSandbox": !rustix::process::geteuid().is_root(),
                "args": arguments,
            },
            "contextOptions": {
                "acceptDownloads": false,
                "serviceWorkers": "block",
                "viewport": { "width": 1280, "height": 1600 },
                "locale": recipe.locale,
            },
            "initScript": [folder.join("guard.js")],
        },
        "webmcp": false,
        "codegen": "none",
        "imageResponses": "omit",
        "outputDir": folder.join("out"),
        "snapshot": { "mode": "none" },
        "timeouts": { "action": step, "navigation": step, "settle": 200 },
    })
}

/// How long a step may take.
pub(crate) fn step_seconds(settings: &BrowserSettings, recipe: &Recipe) -> u16 {
    let own = settings.step_seconds.max(1);
    recipe
        .step_seconds
        .map_or(own, |seconds| seconds.clamp(1, own))
}

pub(super) fn specification(
    settings: &BrowserSettings,
    recipe: &Recipe,
    folder: &Path,
    confinement: Confinement,
) -> ServerSpec {
    let names: Vec<&str> = CALLED.iter().map(|(name, _)| *name).collect();
    let gate = Gate::new(Role::Local, &names, &[])
        .with_denied(&DENIED)
        .asking_again();
    let gate = CALLED.iter().fold(gate, |gate, (name, arguments)| {
        gate.with_arguments(name, arguments)
    });
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut args = match confinement {
        Confinement::Namespace => namespace_words(),
        Confinement::ProxyAlone => Vec::new(),
    };
    let (user, group) = match confinement {
        Confinement::Namespace => user_and_group(),
        Confinement::ProxyAlone => ("-".to_owned(), "-".to_owned()),
    };
    args.extend([
        text(&settings.node),
        text(&folder.join("inside.mjs")),
        text(folder),
        user,
        group,
    ]);
    // A path is a script for node; a name is a program.
    if settings.server.components().count() > 1 {
        args.push(text(&settings.node));
    }
    args.push(text(&settings.server));
    let command = PathBuf::from(args.remove(0));
    let own = text(folder);
    let variables = [
        "HOME",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
        MARK,
    ];
    ServerSpec {
        name: "browser".to_owned(),
        command,
        args,
        env: variables
            .map(|name| (name.to_owned(), own.clone()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        call_timeout: Duration::from_secs(u64::from(step_seconds(settings, recipe)) + 15),
        gate,
    }
}

/// What puts a program into namespaces of its own, with nothing but a loopback, and ends all in them with itself.
fn namespace_words() -> Vec<String> {
    [
        "unshare",
        "-r",
        "-n",
        "-p",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--",
    ]
    .map(str::to_owned)
    .into()
}

fn user_and_group() -> (String, String) {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    (user.as_raw().to_string(), group.as_raw().to_string())
}

/// Whether the system allows such namespaces, tried with what is needed in them.
pub(super) async fn allows_namespace(settings: &BrowserSettings) -> bool {
    let (user, group) = user_and_group();
    let script = format!(
        "ip link set lo up && exec unshare -U --map-user={user} --map-group={group} -- {} --version",
        "\"$NODE\""
    );
    let mut words = namespace_words();
    words.extend(["sh".to_owned(), "-c".to_owned(), script]);
    let mut command = tokio::process::Command::new(&words[0]);
    command
        .args(&words[1..])
        .env("NODE", &settings.node)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(PROBE, command.status()).await;
    matches!(ended, Ok(Ok(status)) if status.success())
}
