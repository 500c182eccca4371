//! Calls to an [`OdooServer`]: JSON-2, as Odoo 19 has it, and the older JSON-RPC.
//!
//! Blocking, a connection for each call, for any test: the product's own client is what is tested elsewhere.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{DATABASE, OdooServer, OdooUser};
use crate::http;

/// What Odoo answers instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OdooRefusal {
    /// The HTTP status; over JSON-RPC 200, and 0 if there was no answer.
    pub status: u16,
    /// The class of its error, for example `odoo.exceptions.AccessError`.
    pub name: String,
    /// Its sentence.
    pub message: String,
}

impl std::fmt::Display for OdooRefusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}: {}", self.status, self.name, self.message)
    }
}

impl std::error::Error for OdooRefusal {}

impl OdooServer {
    /// Calls a method over JSON-2; `arguments` are named, besides `ids` and `context`.
    ///
    /// # Errors
    /// What Odoo refuses.
    pub fn call(
        &self,
        user: OdooUser,
        model: &str,
        method: &str,
        arguments: &Value,
    ) -> Result<Value, OdooRefusal> {
        let path = format!("/json/2/{model}/{method}");
        let key = self.key(user);
        let headers = format!("Authorization: bearer {key}\r\nX-Odoo-Database: {DATABASE}\r\n");
        let (status, answer) = self.post(&path, &headers, arguments)?;
        match status {
            200 => Ok(answer),
            _ => Err(refusal(status, &answer["name"], &answer["message"])),
        }
    }

    /// Calls a method over JSON-RPC; `arguments` are `[positional, named]`, or the positional ones alone.
    ///
    /// # Errors
    /// What Odoo refuses.
    pub fn call_jsonrpc(
        &self,
        user: OdooUser,
        model: &str,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, OdooRefusal> {
        let key = self.key(user);
        let login = json!([DATABASE, user.login(), key, {}]);
        let uid = self.jsonrpc("common", "authenticate", &login)?;
        let mut all = vec![
            json!(DATABASE),
            uid,
            json!(key),
            json!(model),
            json!(method),
        ];
        all.extend_from_slice(arguments);
        self.jsonrpc("object", "execute_kw", &Value::Array(all))
    }

    /// Calls a page that needs no login, as anybody can who has no key: with these arguments a JSON-RPC page, else
    /// any other.
    ///
    /// # Errors
    /// What Odoo refuses.
    pub fn call_public(&self, path: &str, arguments: Option<&Value>) -> Result<Value, OdooRefusal> {
        let database = format!("X-Odoo-Database: {DATABASE}\r\n");
        let Some(arguments) = arguments else {
            let (status, body) = self.request("GET", path, &database, "")?;
            return match status {
                200..400 => Ok(Value::String(body)),
                _ => Err(refusal(status, &Value::Null, &Value::String(body))),
            };
        };
        self.post_jsonrpc(path, &database, arguments)
    }

    /// Activates a currency as the owner; its number.
    ///
    /// # Errors
    /// If there is none of this code.
    pub fn activate_currency(&self, code: &str) -> anyhow::Result<i64> {
        let is_it = json!([["name", "=", code], ["active", "in", [true, false]]]);
        let wanted = json!({"domain": is_it, "limit": 1});
        let found = self.call(OdooUser::Owner, "res.currency", "search", &wanted)?;
        let id = found[0].as_i64().context("there is no such currency")?;
        let change = json!({"ids": [id], "vals": {"active": true}});
        self.call(OdooUser::Owner, "res.currency", "write", &change)?;
        Ok(id)
    }

    fn jsonrpc(
        &self,
        service: &str,
        method: &str,
        arguments: &Value,
    ) -> Result<Value, OdooRefusal> {
        let call = json!({"service": service, "method": method, "args": arguments});
        self.post_jsonrpc("/jsonrpc", "", &call)
    }

    /// A call over JSON-RPC; `headers` are whole lines.
    fn post_jsonrpc(
        &self,
        path: &str,
        headers: &str,
        arguments: &Value,
    ) -> Result<Value, OdooRefusal> {
        let call = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": arguments});
        let (status, mut answer) = self.post(path, headers, &call)?;
        let error = &answer["error"];
        match error.is_null() && status == 200 {
            true => Ok(answer["result"].take()),
            false => Err(refusal(
                status,
                &error["data"]["name"],
                &error["data"]["message"],
            )),
        }
    }

    /// The body of a page that needs no login.
    pub(super) fn get(&self, path: &str) -> Result<String, OdooRefusal> {
        let (status, body) = self.request("GET", path, "", "")?;
        match status {
            200 => Ok(body),
            _ => Err(refusal(status, &Value::Null, &Value::String(body))),
        }
    }

    fn post(&self, path: &str, headers: &str, body: &Value) -> Result<(u16, Value), OdooRefusal> {
        let headers = format!("{headers}Content-Type: application/json\r\n");
        let (status, answer) = self.request("POST", path, &headers, &body.to_string())?;
        let answer = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
        Ok((status, answer))
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<(u16, String), OdooRefusal> {
        http::exchange(self.port, method, path, headers, body).map_err(|error| OdooRefusal {
            status: 0,
            name: "no answer".to_owned(),
            message: format!("{error:#}"),
        })
    }
}

fn refusal(status: u16, name: &Value, message: &Value) -> OdooRefusal {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    OdooRefusal {
        status,
        name: text(name),
        message: text(message),
    }
}
