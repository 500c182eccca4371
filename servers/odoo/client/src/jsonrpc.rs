//! [`JsonRpc`]: the protocol of Odoo 14 to 18 (later ones have it, too, and say in their log that it ends): all calls to
//! one address, the key in the body, errors with status 200.

use async_trait::async_trait;
use platinum_kit::Password;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::error::OdooError;
use crate::http::Endpoint;
use crate::rpc::{Call, Rpc};

/// An Odoo that is asked over JSON-RPC.
#[derive(Debug)]
pub struct JsonRpc {
    endpoint: Endpoint,
    database: String,
    user: String,
    key: Password,
    /// The user's number, once it was asked for.
    uid: OnceCell<i64>,
}

impl JsonRpc {
    /// Over this endpoint, as this user with this key.
    #[must_use]
    pub fn new(endpoint: Endpoint, database: String, user: String, key: Password) -> Self {
        Self {
            endpoint,
            database,
            user,
            key,
            uid: OnceCell::new(),
        }
    }

    async fn post(&self, service: &str, method: &str, args: Value) -> Result<Value, OdooError> {
        let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {"service": service, "method": method, "args": args}});
        let request = self.endpoint.request(Method::POST, "/jsonrpc").json(&body);
        let (status, mut answer) = self.endpoint.send(request).await?;
        if let Some(error) = answer.get("error") {
            let data = error.get("data").unwrap_or(error);
            return Err(OdooError::reported(data));
        }
        match answer["jsonrpc"] == "2.0" && status.is_success() {
            // A method that answers None has no `result` in some versions.
            true => Ok(answer["result"].take()),
            false => Err(self
                .endpoint
                .lost(format!("it answers {status} and not as JSON-RPC does"))),
        }
    }

    async fn uid(&self) -> Result<i64, OdooError> {
        let ask = || async {
            let args = json!([self.database, self.user, self.key.expose(), {}]);
            let asked = self.post("common", "authenticate", args).await;
            // Asking who one is changes nothing.
            let answer = asked.map_err(OdooError::into_unreachable)?;
            answer.as_i64().filter(|uid| *uid > 0).ok_or_else(|| {
                OdooError::Login("it does not know this user with this key".to_owned())
            })
        };
        self.uid.get_or_try_init(ask).await.copied()
    }
}

#[async_trait]
impl Rpc for JsonRpc {
    fn name(&self) -> &'static str {
        "JSON-RPC"
    }

    async fn call(&self, call: &Call) -> Result<Value, OdooError> {
        let uid = self.uid().await?;
        let mut named = call.arguments.clone();
        let positional = positional(call, &mut named);
        named.insert("context".to_owned(), Value::Object(call.context.clone()));
        let args = json!([
            self.database,
            uid,
            self.key.expose(),
            call.model,
            call.method,
            positional,
            named
        ]);
        self.post("object", "execute_kw", args).await
    }
}

/// The arguments by place: the records, and the values of a `create`, which older versions look for there.
fn positional(call: &Call, named: &mut Map<String, Value>) -> Vec<Value> {
    match (call.method, call.ids.is_empty()) {
        ("create", _) => named.remove("vals_list").into_iter().collect(),
        (_, true) => Vec::new(),
        (_, false) => vec![json!(call.ids)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positional_arguments_are_records_or_new_values() {
        let place = |call: &Call| {
            let mut named = call.arguments.clone();
            (positional(call, &mut named), named.len())
        };
        let create = Call::new("x", "create").with("vals_list", json!([{"a": 1}]));
        assert_eq!(place(&create), (vec![json!([{"a": 1}])], 0));
        let read = Call::new("x", "read")
            .on(&[1, 2])
            .with("fields", json!(["a"]));
        assert_eq!(place(&read), (vec![json!([1, 2])], 1));
        assert_eq!(place(&Call::new("x", "search_read")), (vec![], 0));
    }
}
