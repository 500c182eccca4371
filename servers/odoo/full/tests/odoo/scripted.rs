//! A scripted Odoo, and a service before it.

use std::time::Duration;

use platinum_odoo_client::Config;
use platinum_odoo_client::http::CallLimits;
use platinum_odoo_draft::OdooService;
use platinum_testkit::scripted_http::ScriptedHttp;
use serde_json::{Value, json};

pub(crate) use platinum_testkit::scripted_http::{Reply, Request as Asked};

/// An answer.
pub(crate) fn ok(value: Value) -> Reply {
    Reply::Json(200, value)
}

/// A scripted server; it ends with the test.
pub(crate) struct Scripted(pub(crate) ScriptedHttp);

impl Scripted {
    pub(crate) fn start(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self(ScriptedHttp::start(script).unwrap())
    }

    /// An Odoo 19 whose calls are answered by this, given model, method and body.
    pub(crate) fn odoo19(
        script: impl Fn(&str, &str, &Value) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(move |asked| match asked.path.strip_prefix("/json/2/") {
            Some(call) => {
                let (model, method) = call.split_once('/').unwrap();
                script(model, method, &asked.json())
            }
            None => ok(json!({"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})),
        })
    }

    /// All requests until now.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.asked()
    }

    /// How often a path with this end was asked.
    pub(crate) fn count(&self, end: &str) -> usize {
        self.0.count(end)
    }

    pub(crate) fn config(&self) -> Config {
        config(&self.0.url(), "key = { env = 'PATH' }\n")
    }

    /// A service that waits for half a second at most, and takes 100 kB at most.
    pub(crate) fn service(&self) -> OdooService {
        OdooService::with_limits(self.config(), LIMITS)
    }
}

/// Limits of a test.
pub(crate) const LIMITS: CallLimits = CallLimits {
    connect: Duration::from_millis(500),
    call: Duration::from_millis(500),
    answer_bytes: 100_000,
};

pub(crate) fn config(url: &str, rest: &str) -> Config {
    let text = format!("[odoo]\nurl = '{url}'\ndatabase = 'd'\nuser = 'me'\n{rest}");
    Config::parse(&text, std::path::Path::new("/")).unwrap()
}
