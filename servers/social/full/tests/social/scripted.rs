//! What the scripted servers of the tests answer.

use std::time::Duration;

use platinum_social_client::http::CallLimits;
use serde_json::{Value, json};

pub(crate) use platinum_testkit::scripted_http::{
    Reply, Request as Asked, ScriptedHttp as Scripted,
};

/// An answer.
pub(crate) fn ok(value: Value) -> Reply {
    Reply::Json(200, value)
}

/// All answers that are none, and hide what became of the question.
pub(crate) fn lost_answers() -> Vec<Reply> {
    vec![
        Reply::Closed,
        Reply::Broken(3),
        Reply::Silent,
        Reply::Endless,
        Reply::Text(200, "<html>welcome".into()),
        Reply::Text(200, String::new()),
        ok(Value::Null),
        ok(json!({"uri": 7, "id": 7})),
        ok(json!([[[[]]]])),
        Reply::Text(500, String::new()),
        Reply::Text(502, "<html>bad gateway".into()),
        Reply::Json(500, json!({"error": "InternalServerError"})),
    ]
}

/// Limits of a test.
pub(crate) const LIMITS: CallLimits = CallLimits {
    connect: Duration::from_millis(500),
    call: Duration::from_millis(500),
    answer_bytes: 200_000,
};
