//! [`Version`]: which Odoo answers, and so which protocol it speaks.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::error::OdooError;
use crate::http::Endpoint;

/// The oldest Odoo whose documents are those that this crate knows.
const OLDEST: u32 = 14;
/// The first one with JSON-2.
const JSON_2: u32 = 19;

/// The version of an Odoo: 19.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 19 of 19.0.
    pub major: u32,
    /// 0 of 19.0.
    pub minor: u32,
}

impl std::fmt::Display for Version {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

impl Version {
    /// Asks for it: at the address of Odoo 19 and later, then as older ones are asked.
    ///
    /// # Errors
    /// If it is not told, or is too old.
    pub async fn ask(endpoint: &Endpoint) -> Result<Self, OdooError> {
        let request = endpoint.request(Method::GET, "/web/version");
        let version = match endpoint.send(request).await {
            Ok((StatusCode::OK, answer)) => Self::parse(&answer["version_info"]),
            Ok(_) | Err(OdooError::Setup(_)) => None,
            Err(error) => return Err(error),
        };
        let version = match version {
            Some(version) => version,
            None => Self::ask_older(endpoint).await?,
        };
        match version.major {
            major if major < OLDEST => Err(OdooError::Setup(format!(
                "Odoo {version} is too old; it must be at least {OLDEST}.0"
            ))),
            _ => Ok(version),
        }
    }

    async fn ask_older(endpoint: &Endpoint) -> Result<Self, OdooError> {
        let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {"service": "common", "method": "version", "args": []}});
        let request = endpoint.request(Method::POST, "/jsonrpc").json(&body);
        let (_, answer) = endpoint.send(request).await?;
        Self::parse(&answer["result"]["server_version_info"]).ok_or_else(|| {
            OdooError::Setup(format!(
                "{} does not tell an Odoo's version; check `url` in the configuration",
                endpoint.host()
            ))
        })
    }

    /// Reads `[19, 0, 0, "final", 0, ""]`, or the `["saas~18", 2, …]` of a hosted one.
    #[must_use]
    pub fn parse(info: &Value) -> Option<Self> {
        let number = |value: &Value| match value {
            Value::Number(number) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            Value::String(text) => text.rsplit(['~', '-']).next()?.parse().ok(),
            _ => None,
        };
        Some(Self {
            major: number(info.get(0)?)?,
            minor: info.get(1).and_then(number).unwrap_or_default(),
        })
    }

    /// Whether it speaks JSON-2.
    #[must_use]
    pub fn has_json2(self) -> bool {
        self.major >= JSON_2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_as_all_odoos_write_it() {
        for (info, version, has_json2) in [
            (json!([19, 0, 0, "final", 0, ""]), "19.0", true),
            (json!([16, 0, 0, "final", 0, "e"]), "16.0", false),
            (json!(["saas~18", 2, 0, "final", 0, ""]), "18.2", false),
            (json!(["saas~19", 1, 0, "final", 0, ""]), "19.1", true),
        ] {
            let read = Version::parse(&info).unwrap();
            assert_eq!(
                (read.to_string().as_str(), read.has_json2()),
                (version, has_json2)
            );
        }
        for bad in [
            json!(null),
            json!([]),
            json!(["x"]),
            json!([-1]),
            json!({"0": 19}),
        ] {
            assert_eq!(Version::parse(&bad), None, "{bad}");
        }
    }
}
