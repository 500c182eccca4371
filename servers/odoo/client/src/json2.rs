//! [`Json2`]: the protocol of Odoo 19 and later: one address a method, arguments by name, the key in a header.

use async_trait::async_trait;
use platinum_kit::Password;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::error::OdooError;
use crate::http::Endpoint;
use crate::rpc::{Call, Rpc};

/// An Odoo that is asked over JSON-2.
#[derive(Debug)]
pub struct Json2 {
    endpoint: Endpoint,
    authorization: header::HeaderValue,
    database: header::HeaderValue,
}

impl Json2 {
    /// Over this endpoint, with this key.
    ///
    /// # Errors
    /// If the key or the name of the database cannot stand in a header.
    pub fn new(endpoint: Endpoint, database: &str, key: &Password) -> Result<Self, OdooError> {
        let value = |text: &str, what: &str| {
            header::HeaderValue::from_str(text).map_err(|_| {
                OdooError::Setup(format!("the {what} holds a character that cannot be sent"))
            })
        };
        let mut authorization = value(&format!("bearer {}", key.expose()), "key")?;
        authorization.set_sensitive(true);
        Ok(Self {
            endpoint,
            authorization,
            database: value(database, "name of the database")?,
        })
    }
}

#[async_trait]
impl Rpc for Json2 {
    fn name(&self) -> &'static str {
        "JSON-2"
    }

    async fn call(&self, call: &Call) -> Result<Value, OdooError> {
        let mut body = call.arguments.clone();
        if !call.ids.is_empty() {
            body.insert("ids".to_owned(), json!(call.ids));
        }
        body.insert("context".to_owned(), Value::Object(call.context.clone()));
        let path = format!("/json/2/{}/{}", call.model, call.method);
        let request = self
            .endpoint
            .request(Method::POST, &path)
            .header(header::AUTHORIZATION, self.authorization.clone())
            .header("X-Odoo-Database", self.database.clone())
            .json(&body);
        let (status, answer) = self.endpoint.send(request).await?;
        match status {
            status if status.is_success() => Ok(answer),
            StatusCode::UNAUTHORIZED => Err(match OdooError::reported(&answer) {
                OdooError::Login(text) => OdooError::Login(text),
                other => OdooError::Login(other.to_string()),
            }),
            _ if answer["name"].is_string() => Err(OdooError::reported(&answer)),
            // Not Odoo's words: what is in front of it may have passed the question on.
            status => Err(self.endpoint.lost(format!("it answers {status}"))),
        }
    }
}
