//! [`Connection`]: an Odoo that is asked, in the protocol of its version.
//!
//! Invariants: only a call that reads is repeated; the version is asked for once, and again if that failed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use crate::config::{Config, Protocol};
use crate::error::OdooError;
use crate::http::{CallLimits, Endpoint};
use crate::json2::Json2;
use crate::jsonrpc::JsonRpc;
use crate::rpc::{Call, Rpc};
use crate::value::FieldType;
use crate::version::Version;

/// Attempts of a call that reads, the first one included.
const ATTEMPTS: u32 = 3;
/// The pause before the second one; twice that before the third.
const PAUSE: Duration = Duration::from_millis(250);

/// Fields of a model by name.
pub type Fields = BTreeMap<String, FieldType>;

/// An Odoo that is asked.
#[derive(Debug)]
pub struct Connection {
    config: Config,
    limits: CallLimits,
    opened: OnceCell<Opened>,
    fields: Mutex<BTreeMap<&'static str, Fields>>,
}

#[derive(Debug)]
struct Opened {
    version: Version,
    rpc: Box<dyn Rpc>,
}

impl Connection {
    /// One that connects at its first use.
    #[must_use]
    pub fn new(config: Config, limits: CallLimits) -> Self {
        Self {
            config,
            limits,
            opened: OnceCell::new(),
            fields: Mutex::default(),
        }
    }

    async fn opened(&self) -> Result<&Opened, OdooError> {
        self.opened.get_or_try_init(|| self.open()).await
    }

    async fn open(&self) -> Result<Opened, OdooError> {
        let endpoint = Endpoint::new(&self.config.url, self.limits)?;
        let key = self.config.key.fetch().await?;
        // Nothing was asked for but a version.
        let version = Version::ask(&endpoint)
            .await
            .map_err(OdooError::into_unreachable)?;
        let speaks_json2 = match self.config.protocol {
            Protocol::Auto => version.has_json2(),
            Protocol::Json2 => true,
            Protocol::JsonRpc => false,
        };
        let database = self.config.database.clone();
        let rpc: Box<dyn Rpc> = if speaks_json2 {
            Box::new(Json2::new(endpoint, &database, &key)?)
        } else {
            let user = self.config.user.clone().ok_or_else(|| {
                OdooError::Setup(format!(
                    "Odoo {version} needs the login of the key's user: set `user` in the configuration"
                ))
            })?;
            Box::new(JsonRpc::new(endpoint, database, user, key))
        };
        tracing::info!(%version, protocol = rpc.name(), "connected to Odoo");
        Ok(Opened { version, rpc })
    }

    /// Which Odoo it is.
    ///
    /// # Errors
    /// If that cannot be asked.
    pub async fn version(&self) -> Result<Version, OdooError> {
        Ok(self.opened().await?.version)
    }

    /// The address at which a person sees a record.
    #[must_use]
    pub fn link(&self, model: &str, id: i64) -> String {
        let base = self.config.url.as_str().trim_end_matches('/');
        // Odoo 18 and later lead on to their own address from there.
        format!("{base}/web#id={id}&model={model}&view_type=form")
    }

    /// Calls a method; if it reads, up to three times.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn call(&self, call: &Call) -> Result<Value, OdooError> {
        let mut attempt = 1;
        loop {
            let error = match self.call_once(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let may_repeat = call.reads() && error.is_passing() && attempt < ATTEMPTS;
            if !may_repeat {
                return Err(error);
            }
            tracing::debug!(attempt, %error, model = call.model, "asking Odoo again");
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }

    async fn call_once(&self, call: &Call) -> Result<Value, OdooError> {
        self.opened().await?.rpc.call(call).await
    }

    /// Calls a method that answers with rows.
    ///
    /// # Errors
    /// As [`Rpc::call`], or if the answer is none.
    pub async fn rows(&self, call: &Call) -> Result<Vec<Value>, OdooError> {
        match self.call(call).await? {
            Value::Array(rows) if rows.iter().all(Value::is_object) => Ok(rows),
            _ => Err(unexpected(call)),
        }
    }

    /// Which fields a model has here, and their types.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn fields(&self, model: &'static str) -> Result<Fields, OdooError> {
        let mut known = self.fields.lock().await;
        if let Some(fields) = known.get(model) {
            return Ok(fields.clone());
        }
        let call = Call::new(model, "fields_get").with("attributes", json!(["type"]));
        let answer = self.call(&call).await?;
        let Value::Object(answer) = answer else {
            return Err(unexpected(&call));
        };
        let fields: Fields = answer
            .into_iter()
            .map(|(name, field)| (name, FieldType::parse(field["type"].as_str())))
            .collect();
        known.insert(model, fields.clone());
        Ok(fields)
    }

    /// Those of the wanted fields that this Odoo has and shows to this user.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn existing(
        &self,
        model: &'static str,
        wanted: &[&str],
    ) -> Result<Vec<String>, OdooError> {
        let fields = self.fields(model).await?;
        let wanted = wanted.iter().filter(|name| fields.contains_key(**name));
        Ok(wanted.map(|name| (*name).to_owned()).collect())
    }

    /// Searches records and reads these fields of them.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn search_read(
        &self,
        model: &'static str,
        domain: Value,
        fields: &[String],
        order: &str,
        limit: u32,
    ) -> Result<Vec<Value>, OdooError> {
        let call = Call::search_read(model, domain, fields, order, limit);
        self.rows(&call).await
    }

    /// Reads these fields of records. Those that are gone are left out.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn read(
        &self,
        model: &'static str,
        ids: &[i64],
        fields: &[String],
    ) -> Result<Vec<Value>, OdooError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let call = Call::new(model, "read")
            .on(ids)
            .with("fields", fields.to_vec());
        match self.rows(&call).await {
            // JSON-RPC says so of what JSON-2 answers with nothing.
            Err(OdooError::Missing(_)) => Ok(vec![]),
            answer => answer,
        }
    }

    /// The names of records by their numbers, as Odoo shows them.
    ///
    /// # Errors
    /// As [`Rpc::call`].
    pub async fn names(
        &self,
        model: &'static str,
        ids: &BTreeSet<i64>,
    ) -> Result<BTreeMap<i64, String>, OdooError> {
        let ids: Vec<i64> = ids.iter().copied().collect();
        let rows = self.read(model, &ids, &["display_name".to_owned()]).await?;
        let named = rows.into_iter().filter_map(|row| {
            let name = row["display_name"].as_str().unwrap_or_default();
            Some((row["id"].as_i64()?, name.to_owned()))
        });
        Ok(named.collect())
    }
}

/// The answer is not what this call answers.
fn unexpected(call: &Call) -> OdooError {
    OdooError::Answer(format!("to {} of {}", call.method, call.model))
}
