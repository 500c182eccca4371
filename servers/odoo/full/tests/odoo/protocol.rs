//! What is asked of which Odoo, and what becomes of answers that are wrong, late, huge or lost.

use platinum_odoo_client::{Call, Connection, OdooError};
use serde_json::{Value, json};

use crate::scripted::{Asked, LIMITS, Reply, Scripted, config, ok};

/// Any call that reads.
fn read() -> Call {
    Call::new("account.move", "read")
        .on(&[1])
        .with("fields", json!(["state"]))
}

/// Any call that changes something.
fn create() -> Call {
    Call::new("account.move", "create")
        .with("vals_list", json!([{"ref": "x"}]))
        .of_company(3)
}

fn connection(server: &Scripted) -> Connection {
    Connection::new(server.config(), LIMITS)
}

#[tokio::test]
async fn odoo_19_is_asked_over_json_2() {
    let server = Scripted::odoo19(|_, _, _| ok(json!([7])));
    let odoo = connection(&server);
    assert_eq!(odoo.call(&create()).await, Ok(json!([7])));
    assert_eq!(odoo.version().await.unwrap().to_string(), "19.0");
    let asked = server.asked();
    assert_eq!(asked[0].path, "/web/version");
    assert_eq!(asked[1].path, "/json/2/account.move/create");
    assert_eq!(
        asked[1].json(),
        json!({"vals_list": [{"ref": "x"}], "context": {"allowed_company_ids": [3]}})
    );
    let authorization = asked[1].header("authorization").unwrap();
    assert!(authorization.starts_with("bearer /"), "{authorization}");
    assert_eq!(asked[1].header("x-odoo-database"), Some("d"));
    // The version is asked for without the key, and once.
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!((asked.len(), server.count("/web/version")), (2, 1));
}

/// An Odoo of this version without JSON-2.
fn older(version: Value, call: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |asked: &Asked| {
        if asked.path != "/jsonrpc" {
            return Reply::Text(404, "<h1>Not found</h1>".to_owned());
        }
        let params = &asked.json()["params"];
        let result = |value: Value| ok(json!({"jsonrpc": "2.0", "id": 1, "result": value}));
        match params["method"].as_str().unwrap() {
            "version" => result(json!({"server_version_info": version})),
            "authenticate" => result(json!(9)),
            _ => call(&params["args"]),
        }
    })
}

#[tokio::test]
async fn older_odoos_are_asked_over_json_rpc() {
    for version in [
        json!([14, 0, 0, "final", 0, ""]),
        json!(["saas~18", 2, 0, "final", 0, ""]),
    ] {
        let server = older(version, |args| match args[4].as_str().unwrap() {
            "create" => ok(json!({"jsonrpc": "2.0", "id": 1, "result": [7]})),
            _ => ok(json!({"jsonrpc": "2.0", "id": 1, "result": [{"id": 1, "state": "draft"}]})),
        });
        let odoo = connection(&server);
        assert_eq!(odoo.call(&create()).await, Ok(json!([7])));
        assert_eq!(
            odoo.call(&read()).await,
            Ok(json!([{"id": 1, "state": "draft"}]))
        );
        let asked = server.asked();
        let args: Vec<Value> = asked
            .iter()
            .map(|asked| asked.json()["params"]["args"].take())
            .collect();
        let key = args[3][2].as_str().unwrap();
        assert!(key.starts_with('/'));
        assert_eq!(args[2], json!(["d", "me", key, {}]));
        assert_eq!(
            args[3],
            json!(["d", 9, key, "account.move", "create", [[{"ref": "x"}]], {"context": {"allowed_company_ids": [3]}}])
        );
        assert_eq!(
            args[4],
            json!(["d", 9, key, "account.move", "read", [[1]], {"fields": ["state"], "context": {}}])
        );
    }
}

#[tokio::test]
async fn json_rpc_errors_are_told_by_their_class() {
    let server = older(json!([16, 0]), |_| {
        ok(
            json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 200, "message": "Odoo Server Error",
            "data": {"name": "odoo.exceptions.AccessError", "debug": "Traceback (most recent call last): secret",
                "message": "You are not allowed to create 'Journal Entry' (account.move) records.\n\nNo group currently allows this operation."}}}),
        )
    });
    assert_eq!(
        connection(&server)
            .call(&create())
            .await
            .unwrap_err()
            .to_string(),
        "the Odoo user lacks a right: You are not allowed to create 'Journal Entry' (account.move) records. No group \
         currently allows this operation."
    );
}

#[tokio::test]
async fn unknown_servers_are_refused_with_advice() {
    let nothing = Scripted::start(|_| Reply::Text(404, String::new()));
    let old = older(json!([13, 0]), |_| Reply::Closed);
    let elsewhere = Scripted::start(|_| Reply::Redirect("http://127.0.0.1:1/".to_owned()));
    for (server, refusal) in [
        (
            &nothing,
            "there is no Odoo at 127.0.0.1; check `url` in the configuration",
        ),
        (&old, "Odoo 13.0 is too old; it must be at least 14.0"),
        (
            &elsewhere,
            "127.0.0.1 answers 307 Temporary Redirect, which is not followed; check `url` in the configuration",
        ),
    ] {
        let refused = connection(server).call(&read()).await.unwrap_err();
        assert_eq!(refused.to_string(), refusal);
        assert!(refused.is_certain());
    }
    let away = config("http://127.0.0.1:1", "key = { env = 'PATH' }\n");
    let refused = Connection::new(away, LIMITS)
        .call(&create())
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("cannot reach Odoo at 127.0.0.1: "),
        "{refused}"
    );
    let no_key = config(&old.0.url(), "key = { env = 'PLATINUM_TEST_NOT_SET' }\n");
    let refused = Connection::new(no_key, LIMITS)
        .call(&create())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("PLATINUM_TEST_NOT_SET"),
        "{refused}"
    );
}

/// Only what reads is asked again; a lost answer to what changes something is not certain.
#[tokio::test]
async fn lost_answers_are_repeated_for_reads_alone() {
    type Script = fn() -> Reply;
    let wrong: [(Script, &str); 7] = [
        (
            || Reply::Closed,
            "the answer of Odoo at 127.0.0.1 was lost: ",
        ),
        (
            || Reply::Broken(3),
            "the answer of Odoo at 127.0.0.1 was lost: ",
        ),
        (
            || Reply::Silent,
            "the answer of Odoo at 127.0.0.1 was lost: no answer within 0.5 s",
        ),
        (
            || Reply::Endless,
            "the answer of Odoo at 127.0.0.1 was lost: it is larger than 100000 bytes",
        ),
        (
            || Reply::Text(200, "<html>secret".into()),
            "the answer of Odoo at 127.0.0.1 was lost: it is not JSON",
        ),
        (
            || Reply::Text(502, "<html>secret".into()),
            "the answer of Odoo at 127.0.0.1 was lost: it answers 502 Bad Gateway",
        ),
        (
            || Reply::Json(503, json!({"a": 1})),
            "the answer of Odoo at 127.0.0.1 was lost: it answers 503 Service Unavailable",
        ),
    ];
    for (reply, text) in wrong {
        let server = Scripted::odoo19(move |_, _, _| reply());
        let odoo = connection(&server);
        let lost = odoo.call(&create()).await.unwrap_err();
        assert!(lost.to_string().starts_with(text), "{lost}");
        assert!(
            !lost.is_certain() && !lost.to_string().contains("secret"),
            "{lost}"
        );
        assert_eq!(server.count("/create"), 1, "{lost}");
        assert!(odoo.call(&read()).await.is_err());
        assert_eq!(server.count("/read"), 3, "{lost}");
    }
}

#[tokio::test]
async fn refusals_are_certain_and_not_repeated() {
    for (status, name, message, text) in [
        (
            401,
            "werkzeug.exceptions.Unauthorized",
            "Invalid apikey",
            "Odoo refuses the login: Invalid apikey; check `key`, `user` and `database` in the configuration",
        ),
        (
            422,
            "odoo.exceptions.UserError",
            "It must be in draft.\n",
            "Odoo refused: It must be in draft.",
        ),
        (
            404,
            "werkzeug.exceptions.NotFound",
            "the model 'x' does not exist",
            "Odoo refused: the model 'x' does not exist",
        ),
        (
            403,
            "odoo.exceptions.AccessError",
            "You are not allowed to access 'Contact' (res.partner) records.",
            "the Odoo user lacks a right: You are not allowed to access 'Contact' (res.partner) records.",
        ),
    ] {
        let error = json!({"name": name, "message": message, "arguments": [], "context": {}, "debug": "Traceback (most recent call last): secret"});
        let server = Scripted::odoo19(move |_, _, _| Reply::Json(status, error.clone()));
        let odoo = connection(&server);
        let refused = odoo.call(&read()).await.unwrap_err();
        assert_eq!(refused.to_string(), text);
        assert!(refused.is_certain() && !refused.is_passing());
        assert_eq!(server.count("/read"), 1);
    }
    // What failed inside Odoo may pass.
    let error = json!({"name": "psycopg2.errors.SerializationFailure", "message": "could not serialize\nDETAIL: x"});
    let server = Scripted::odoo19(move |_, _, _| Reply::Json(500, error.clone()));
    let failed = connection(&server).call(&create()).await.unwrap_err();
    assert!(
        matches!(failed, OdooError::Failed(_)) && failed.is_certain(),
        "{failed}"
    );
}

/// A server that is away at first is found by a later call.
#[tokio::test]
async fn connection_is_made_when_odoo_is_back() {
    let attempts = std::sync::atomic::AtomicUsize::new(0);
    let server = Scripted::start(move |asked: &Asked| {
        match attempts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply::Text(502, "proxy".to_owned()),
            _ if asked.path == "/web/version" => ok(json!({"version_info": [19, 0]})),
            _ => ok(json!([{"id": 1, "state": "draft"}])),
        }
    });
    let odoo = connection(&server);
    let error = odoo.call(&create()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot reach Odoo at 127.0.0.1: it answers 502 Bad Gateway"
    );
    assert!(error.is_certain());
    assert!(odoo.call(&read()).await.is_ok());
}
